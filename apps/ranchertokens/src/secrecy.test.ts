import { type AdmissionPlugin, memoryStorage, type Storage } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import {
  CLUSTER_TOKENS,
  CLUSTER_TOKENS_V1,
  MERGE_PATCH,
  plaintextOf,
  SECRETS,
  startTokenServer,
  TOKENS,
  TOKENS_V1,
  token,
} from "./testing/token-server.ts";

const TABLE = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };

/** A store that keeps a copy of every byte that was ever given to it. */
function recordingStorage(): { readonly storage: Storage; readonly written: () => string } {
  const storage = memoryStorage();
  const texts: string[] = [];
  const put: Storage["put"] = (key, value, expected) => {
    const text = Buffer.from(value).toString("utf8");
    texts.push(key, text);
    // What lies in a Secret is base64 once more.
    for (const [encoded] of text.matchAll(/[A-Za-z0-9+/]{8,}={0,2}/g)) texts.push(Buffer.from(encoded, "base64").toString("utf8"));
    return storage.put(key, value, expected);
  };
  return { storage: new Proxy(storage, { get: (target, name) => (name === "put" ? put : bound(target, name)) }), written: () => texts.join("\n") };
}

function bound(target: Storage, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name);
  return typeof value === "function" ? value.bind(target) : value;
}

describe("the plaintext of a token", () => {
  test.each([TOKENS, TOKENS_V1])("is told once, and is in nothing else that leaves the server or is kept: %s", async (path) => {
    const body = (spec: object) => ({ metadata: { name: "a" }, spec: { userID: "admin", ...spec } });
    const { storage, written } = recordingStorage();
    const reviewed: string[] = [];
    const witness: AdmissionPlugin = {
      name: "Witness",
      mutate: async ({ object, previous }) => {
        reviewed.push(JSON.stringify({ object, previous }));
        return object;
      },
      validate: async ({ object, previous }) => void reviewed.push(JSON.stringify({ object, previous })),
    };
    await using server = await startTokenServer({ storage, admission: [witness] });
    const watches = [];
    for (const watched of [TOKENS, TOKENS_V1, SECRETS]) {
      for (const headers of [{}, TABLE]) watches.push((await server.request("GET", `${watched}?watch=true`, { headers })).events());
    }
    const drained = watches.map(async (events) => {
      for await (const { type } of events) if (type === "DELETED") break;
    });
    const created = await server.request("POST", path, { body: body(path === TOKENS ? { ttl: 90 } : { ttlSeconds: 90, description: "d" }) });
    const plaintext = plaintextOf(created.json());
    const secret = plaintext.slice(plaintext.lastIndexOf(".") + 1);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(created.text.split(secret)).toHaveLength(2);

    for (const target of [`${TOKENS}/a`, `${TOKENS_V1}/a`, `${path}/a/status`, TOKENS, TOKENS_V1, `${SECRETS}/a`, SECRETS]) {
      for (const headers of [{}, TABLE, { accept: "application/yaml" }]) await server.request("GET", target, { headers });
    }
    const present = await server.read(`${path}/a`);
    await server.request("PUT", `${path}/a`, { body: { ...present, spec: { ...present.spec, enabled: false } } });
    await server.request("PATCH", `${path}/a`, { body: { metadata: { labels: { x: "y" } } }, headers: MERGE_PATCH });
    await server.request("PATCH", `${path}/a`, { body: { spec: { ttl: "x", ttlSeconds: "x" } }, headers: MERGE_PATCH });
    await server.request("POST", path, { body: body({}) });
    await server.request("POST", path, { body: "no JSON" });
    await server.verify(plaintext, new AbortController().signal);
    await server.verify(`${plaintext}x`, new AbortController().signal);
    await server.request("DELETE", `${path}/a`);
    await Promise.all(drained);

    // Once in the transcript: the answer to its creation.
    expect(server.transcript().split(secret)).toHaveLength(2);
    expect(written()).toContain('"userID"');
    expect(written()).toContain("hmac-sha256:");
    for (const text of [written(), reviewed.join("\n"), JSON.stringify(server.log)]) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(Buffer.from(plaintext).toString("base64").replace(/=+$/, "").slice(-40));
      expect(text).not.toContain("plaintextToken");
    }
    expect(reviewed.length).toBeGreaterThan(5);
  });

  test.each([TOKENS, TOKENS_V1, CLUSTER_TOKENS, CLUSTER_TOKENS_V1])("is not made in a dry run: %s", async (path) => {
    await using server = await startTokenServer();
    const rehearsed = await server.request("POST", `${path}?dryRun=All`, { body: { metadata: { name: "a" }, spec: { userID: "admin" } } });
    expect(rehearsed.status).toBe(201);
    expect(rehearsed.json()).toMatchObject({ metadata: { name: "a", uid: expect.any(String) }, spec: { userID: "admin" } });
    expect(rehearsed.text).not.toMatch(/plaintextToken|hashedToken|"hash"|ranchertoken\./);
    expect((await server.request("GET", `${path}/a`)).status).toBe(404);
  });

  test.each([TOKENS, TOKENS_V1])("is taken out of annotations, where kubectl puts what was applied: %s", async (path) => {
    const { storage, written } = recordingStorage();
    const reviewed: string[] = [];
    const witness: AdmissionPlugin = {
      name: "Witness",
      mutate: async ({ object }) => {
        reviewed.push(JSON.stringify(object));
        return object;
      },
    };
    await using server = await startTokenServer({ storage, admission: [witness] });
    const plaintext = plaintextOf(await server.create("a"));
    const annotations = { saved: JSON.stringify({ status: { plaintextToken: plaintext } }), other: "ranchertoken.a.b" };
    const patched = await server.request("PATCH", `${path}/a`, { body: { metadata: { annotations } }, headers: MERGE_PATCH });
    expect(String(patched.headers.warning)).toContain("a plaintext token was left out");
    const kept = { saved: JSON.stringify({ status: { plaintextToken: "ranchertoken.default.a.REDACTED" } }), other: "ranchertoken.a.b" };
    expect((await server.read(`${path}/a`)).metadata.annotations).toEqual(kept);
    const created = await server.request("POST", path, { body: { metadata: { name: "b", annotations }, spec: { userID: "admin" } } });
    expect(created.json().metadata.annotations).toEqual(kept);
    for (const text of [written(), reviewed.join("\n")]) expect(text).not.toContain(plaintext.slice(-43));
  });

  test("is of 256 random bits, with a prefix and the object's name", async () => {
    await using server = await startTokenServer();
    const names = ["a", "b.c.d", "e"];
    const plaintexts = [];
    for (const name of names) plaintexts.push(plaintextOf(await server.create(name)));
    expect(plaintexts.map((text) => text.slice(0, -43))).toEqual(names.map((name) => `ranchertoken.default.${name}.`));
    expect(new Set(plaintexts.map((text) => text.slice(-43))).size).toBe(3);
    for (const text of plaintexts) expect(Buffer.from(text.slice(-43), "base64url")).toHaveLength(32);
    const cluster = (await server.request("POST", CLUSTER_TOKENS, { body: { metadata: { generateName: "g-" } } })).json();
    expect(plaintextOf(cluster)).toMatch(new RegExp(`^clusterranchertoken\\.${cluster.metadata.name}\\.[\\w-]{43}$`));
  });

  test("answered as a table holds it in the object alone when the creator asked for the object", async () => {
    await using server = await startTokenServer();
    const table = await server.request("POST", TOKENS, { body: token("a"), headers: TABLE });
    expect(table.text).not.toMatch(/ranchertoken\.default/);
  });
});
