import { text } from "node:stream/consumers";
import { systemClock } from "@annex/apiserver-node";
import { expect, test } from "vitest";
import { createClusterClient } from "../client/index.ts";
import { answerJSON, type FakeCluster, startFakeCluster } from "../testing/fake-cluster.ts";
import { clusterSecretType, sharedPrivateKey } from "./shared-private-key.ts";

const never = new AbortController().signal;
const place = { namespace: "annex", name: "token-mac" };
const nothing = () => Promise.resolve(undefined);
const status = (code: number, reason: string, message: string) => ({ kind: "Status", code, reason, message });

/** Keeps one Secret, as a kube-apiserver does. */
function keepSecret(present?: object): Promise<FakeCluster> {
  let kept = present;
  return startFakeCluster(async (request, response) => {
    if (request.method === "GET") {
      answerJSON(response, kept === undefined ? 404 : 200, kept ?? status(404, "NotFound", 'secrets "token-mac" not found'));
      return;
    }
    const body = JSON.parse(await text(request)) as object;
    if (kept !== undefined) return answerJSON(response, 409, status(409, "AlreadyExists", 'secrets "token-mac" already exists'));
    kept = body;
    answerJSON(response, 201, kept);
  });
}

test("all replicas agree on one key, which stays", async () => {
  await using cluster = await keepSecret();
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  const keys = await Promise.all(Array.from({ length: 6 }, () => sharedPrivateKey(client, place, nothing, never)));
  keys.push(await sharedPrivateKey(client, place, nothing, never));
  expect(keys[0]).toHaveLength(32);
  expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
});

test.each([undefined, { key: "" }, { key: Buffer.alloc(31).toString("base64") }, { other: "x" }])(
  "a Secret with %o is no key, and stays as it is",
  async (data) => {
    await using cluster = await keepSecret({ data });
    await using client = createClusterClient(cluster.config, { clock: systemClock });
    await expect(sharedPrivateKey(client, place, nothing, never)).rejects.toThrow(
      /^the Secret annex\/token-mac holds no key of 32 bytes: restore it/,
    );
    expect(cluster.requests.every((request) => request.startsWith("GET"))).toBe(true);
  },
);

test("what may not be read is told in one line", async () => {
  await using cluster = await startFakeCluster((_request, response) => answerJSON(response, 403, status(403, "Forbidden", "secrets is forbidden")));
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  await expect(sharedPrivateKey(client, place, nothing, never)).rejects.toThrow(
    "the key in the Secret annex/token-mac cannot be had: secrets is forbidden",
  );
});

test("a key that is missing is not made anew beside what was signed with it", async () => {
  await using cluster = await keepSecret();
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  const made = sharedPrivateKey(client, place, () => Promise.resolve("example.com/a"), never);
  await expect(made).rejects.toThrow(
    /^the Secret annex\/token-mac is missing, .*example\.com\/a.*backup.*kubectl --namespace=annex create secret generic token-mac --from-file=key$/,
  );
  expect(cluster.requests.every((request) => request.startsWith("GET"))).toBe(true);
});

test("what was signed may be another replica's, which has made the key meanwhile", async () => {
  await using cluster = await keepSecret();
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  let first: Uint8Array | undefined;
  const signed = async () => {
    first = await sharedPrivateKey(client, place, nothing, never);
    return "example.com/a";
  };
  expect(await sharedPrivateKey(client, place, signed, never)).toEqual(first);
});

test("a cluster is asked for each type of Secrets, and for one of them", async () => {
  const answer = (url: string | undefined) => ({ kind: "SecretList", items: url?.includes("b") === true ? [{}] : [] });
  await using cluster = await startFakeCluster((request, response) => answerJSON(response, 200, answer(request.url)));
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  expect(await clusterSecretType(client, ["a", "b"], never)).toBe("b");
  expect(await clusterSecretType(client, ["a"], never)).toBeUndefined();
  expect(cluster.requests[0]).toBe("GET /api/v1/secrets?fieldSelector=type%3Da&limit=1");
});
