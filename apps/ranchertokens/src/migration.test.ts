import type { KubernetesObject } from "@annex/apimachinery";
import { memoryStorage, migrate, type Storage } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { dataOf, plaintextOf, SECRETS, startTokenServer, TOKENS, take } from "./testing/token-server.ts";

const signal = new AbortController().signal;

/** Secrets as another definition of them wrote them: with a field that there is no more. */
async function age(storage: Storage): Promise<void> {
  for (const { key, value, revision } of (await storage.list("/core/secrets/")).values) {
    const [, json = ""] = new TextDecoder().decode(value).split("\n");
    await storage.put(key, new TextEncoder().encode(`other\n${json.slice(0, -1)},"former":true}`), revision);
  }
}

describe("tokens in Secrets that are stored otherwise", () => {
  test.each(["secrets", "ranchertokens"])("are written anew by a migration of %s, and stay what they are", async (plural) => {
    const storage = memoryStorage();
    let plaintext: string;
    let before: KubernetesObject;
    {
      await using server = await startTokenServer({ storage });
      plaintext = plaintextOf(await server.create("a", { userID: "admin", ttl: 90 }));
      await server.create("b", { userID: "admin", enabled: false });
      before = (await server.read(`${TOKENS}/a`)) as unknown as KubernetesObject;
    }
    await age(storage);
    await using server = await startTokenServer({ storage });
    const read = await server.read(TOKENS);
    const watch = (await server.request("GET", `${TOKENS}?watch=true&resourceVersion=${read.metadata.resourceVersion}`)).events();
    const resource = server.resources.find((one) => one.resource === plural);
    if (resource === undefined) throw new Error(`${plural} are served`);
    const verbs = server.services.verbsOf(resource.group, plural);
    const run = () => migrate({ resource, verbs, context: () => server.services.context(signal) });
    expect(await run()).toEqual({ seen: 2, written: 2, refused: 0, firstRefusal: undefined });
    expect((await take(watch, 2)).map(({ type, object }) => `${type} ${object.metadata.name}`).sort()).toEqual(["MODIFIED a", "MODIFIED b"]);
    expect(server.server.storedObjects().find((one) => one.resource === "secrets")?.versions).toEqual([{ apiVersion: "v1", objects: 2, stale: 0 }]);
    expect(await run()).toMatchObject({ written: 0 });

    const { resourceVersion, ...metadata } = (await server.read(`${TOKENS}/a`)).metadata;
    expect(resourceVersion).not.toBe(before.metadata.resourceVersion);
    expect({ ...before.metadata, resourceVersion: undefined }).toEqual({ ...metadata, resourceVersion: undefined });
    expect((await server.read(`${TOKENS}/a`)).status).toMatchObject({ healthy: true });
    expect(dataOf(await server.read(`${SECRETS}/a`), "userID")).toBe("admin");
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true, userID: "admin" });
  });
});
