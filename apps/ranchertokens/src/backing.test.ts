import { describe, expect, test } from "vitest";
import {
  CLUSTER_NAMESPACE,
  CLUSTER_SECRETS,
  CLUSTER_TOKENS,
  dataOf,
  plaintextOf,
  SECRETS,
  startTokenServer,
  TOKENS,
  take,
  token,
} from "./testing/token-server.ts";

const signal = new AbortController().signal;

describe("the Secret behind a token", () => {
  test("has its name and namespace, a type of its own, and the values", async () => {
    await using server = await startTokenServer();
    const metadata = { labels: { team: "a" }, annotations: { note: "b" }, finalizers: ["example.com/hold"] };
    const owner = { apiVersion: "v1", kind: "ConfigMap", name: "o", uid: "u-1" };
    const created = await server.create("a", { userID: "admin", clusterName: "c", ttl: 90 }, { ...metadata, ownerReferences: [owner] });
    const secret = await server.read(`${SECRETS}/a`);
    expect(secret).toMatchObject({
      type: "tomlebreux.com/token",
      metadata: { name: "a", namespace: "default", labels: metadata.labels, annotations: metadata.annotations, finalizers: ["tomlebreux.com/token"] },
    });
    expect(secret.metadata.ownerReferences).toBeUndefined();
    expect(Object.keys(secret.data).sort()).toEqual([
      "clusterName",
      "enabled",
      "hashedToken",
      "mac",
      "metadata",
      "transitions",
      "ttl",
      "uidMAC",
      "userID",
    ]);
    const values = { userID: "admin", clusterName: "c", ttl: "90", enabled: "true", hashedToken: created.status.hashedToken };
    for (const [key, value] of Object.entries(values)) expect(dataOf(secret, key)).toBe(value);
    const { uid, generation, creationTimestamp, managedFields } = created.metadata;
    const own = { uid, generation, creationTimestamp, managedFields, finalizers: ["example.com/hold"], ownerReferences: [owner] };
    expect(JSON.parse(dataOf(secret, "metadata"))).toEqual(own);
    expect(secret.metadata.uid).not.toBe(uid);
    expect(secret.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
    expect(JSON.stringify(secret.metadata.managedFields)).not.toContain("f:spec");
    expect(JSON.stringify(managedFields)).toContain("f:spec");
  });

  test("of a ClusterRancherToken lies in the server's own namespace", async () => {
    await using server = await startTokenServer();
    const created = (await server.request("POST", CLUSTER_TOKENS, { body: { metadata: { name: "a" }, spec: { ttl: 90 } } })).json();
    expect(created.metadata.namespace).toBeUndefined();
    const secret = await server.read(`${CLUSTER_SECRETS}/a`);
    expect(secret).toMatchObject({ type: "tomlebreux.com/cluster-token", metadata: { namespace: CLUSTER_NAMESPACE } });
    // Neither kind shows the other's Secrets, wherever they lie.
    expect((await server.request("GET", `/apis/tomlebreux.com/v1alpha1/namespaces/${CLUSTER_NAMESPACE}/ranchertokens/a`)).status).toBe(404);
    await server.create("b");
    expect((await server.read(CLUSTER_TOKENS)).items.map(({ metadata }) => metadata.name)).toEqual(["a"]);
    expect((await server.read("/apis/tomlebreux.com/v1alpha1/ranchertokens")).items.map(({ metadata }) => metadata.name)).toEqual(["b"]);
  });

  test("is at the token's resourceVersion, whichever of the two is written", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const versions = async () =>
      [await server.read(`${TOKENS}/a`), await server.read(`${SECRETS}/a`)].map(({ metadata }) => metadata.resourceVersion);
    await server.patch(`${TOKENS}/a`, { metadata: { labels: { x: "y" } } });
    expect(new Set(await versions()).size).toBe(1);
    await server.patch(`${SECRETS}/a`, { metadata: { annotations: { x: "y" } } });
    expect(new Set(await versions()).size).toBe(1);
    const list = await server.read(TOKENS);
    expect(list.items[0]?.metadata.resourceVersion).toBe((await versions())[0]);
  });

  test("shares labels and annotations with the token, both ways", async () => {
    await using server = await startTokenServer();
    const created = await server.create("a");
    await server.patch(`${SECRETS}/a`, { metadata: { labels: { by: "secret" }, annotations: { by: "secret" } } });
    expect(await server.read(`${TOKENS}/a`)).toMatchObject({
      metadata: { labels: { by: "secret" }, annotations: { by: "secret" }, uid: created.metadata.uid, generation: 1 },
      status: { healthy: true },
    });
    await server.patch(`${TOKENS}/a`, { metadata: { labels: { by: null, from: "token" } } });
    expect((await server.read(`${SECRETS}/a`)).metadata.labels).toEqual({ from: "token" });
  });

  test("keeps what is not the token's: other keys, other finalizers", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    await server.editSecret(`${SECRETS}/a`, { other: "mine" });
    await server.patch(`${SECRETS}/a`, { metadata: { finalizers: ["example.com/other"] } });
    await server.patch(`${TOKENS}/a`, { spec: { ttl: 5 }, metadata: { finalizers: ["example.com/hold"] } });
    const secret = await server.read(`${SECRETS}/a`);
    expect(dataOf(secret, "other")).toBe("mine");
    expect(secret.metadata.finalizers).toEqual(["example.com/other", "tomlebreux.com/token"]);
    await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } });
    expect((await server.read(`${SECRETS}/a`)).metadata.finalizers).toEqual(["example.com/other"]);
  });

  test("takes metadata larger than a call takes arguments", async () => {
    await using server = await startTokenServer();
    const ownerReferences = Array.from({ length: 3000 }, (_, index) => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      name: `owner-${index}`,
      uid: `uid-${index}`,
    }));
    await server.create("a", { userID: "admin" }, { ownerReferences });
    expect((await server.read(`${TOKENS}/a`)).metadata.ownerReferences).toEqual(ownerReferences);
  });

  test.each(["", "?dryRun=All"])("that is somebody else's is not touched: 409 %s", async (query) => {
    await using server = await startTokenServer();
    const made = await server.request("POST", SECRETS, { body: { metadata: { name: "a" }, stringData: { password: "p" } } });
    const refused = await server.request("POST", `${TOKENS}${query}`, { body: token("a") });
    expect(refused.json()).toMatchObject({ code: 409, reason: "AlreadyExists", message: 'ranchertokens.tomlebreux.com "a" already exists' });
    expect(await server.read(`${SECRETS}/a`)).toEqual(made.json());
    for (const method of ["GET", "DELETE"]) expect((await server.request(method, `${TOKENS}/a`)).status).toBe(404);
    expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: 5 } })).status).toBe(404);
    expect((await server.read(TOKENS)).items).toEqual([]);
    expect(await server.read(`${SECRETS}/a`)).toEqual(made.json());
  });
});

describe("deleting", () => {
  const names = async (server: Awaited<ReturnType<typeof startTokenServer>>) =>
    [await server.request("GET", `${TOKENS}/a`), await server.request("GET", `${SECRETS}/a`)].map(({ status }) => status);

  test.each([`${TOKENS}/a`, `${SECRETS}/a`])("%s takes the other along", async (target) => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    const watch = (await server.request("GET", `${TOKENS}?watch=true&resourceVersion=${metadata.resourceVersion}`)).events();
    expect((await server.request("DELETE", target)).json()).toMatchObject({ status: "Success" });
    expect(await names(server)).toEqual([404, 404]);
    expect(await take(watch, 1)).toMatchObject([{ type: "DELETED", object: { metadata: { uid: metadata.uid } } }]);
  });

  test("a token answers its own uid, which is its precondition", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    const { uid } = (await server.read(`${SECRETS}/a`)).metadata;
    expect((await server.request("DELETE", `${TOKENS}/a`, { body: { preconditions: { uid } } })).status).toBe(409);
    const deleted = await server.request("DELETE", `${TOKENS}/a`, { body: { preconditions: { uid: metadata.uid } } });
    expect(deleted.json()).toMatchObject({ details: { name: "a", group: "tomlebreux.com", kind: "ranchertokens", uid: metadata.uid } });
  });

  test("a token that finalizers hold keeps the Secret until they are gone", async () => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] });
    const held = await server.request("DELETE", `${TOKENS}/a`);
    expect(held.json()).toMatchObject({
      kind: "RancherToken",
      metadata: { deletionGracePeriodSeconds: 0, deletionTimestamp: "2026-01-01T00:00:00Z", generation: 2 },
    });
    expect(await names(server)).toEqual([200, 200]);
    expect((await server.read(`${SECRETS}/a`)).metadata.deletionTimestamp).toBeUndefined();
    expect((await server.patch(`${TOKENS}/a`, { metadata: { finalizers: ["example.com/hold", "example.com/late"] } })).json()).toMatchObject({
      code: 422,
    });
    expect((await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } })).status).toBe(200);
    expect(await names(server)).toEqual([404, 404]);
  });

  test("a deletion that waits for dependents, or orphans them, is held where a garbage collector will finish it", async () => {
    await using server = await startTokenServer({ enableGarbageCollector: true });
    for (const [name, propagationPolicy, finalizer] of [
      ["a", "Foreground", "foregroundDeletion"],
      ["b", "Orphan", "orphan"],
    ] as const) {
      await server.create(name);
      const held = await server.request("DELETE", `${TOKENS}/${name}`, { body: { propagationPolicy } });
      expect(held.json()).toMatchObject({ kind: "RancherToken", metadata: { finalizers: [finalizer], deletionTimestamp: expect.any(String) } });
    }
    await server.create("c");
    await server.request("DELETE", `${TOKENS}/c`, { body: { propagationPolicy: "Background" } });
    expect((await server.request("GET", `${TOKENS}/c`)).status).toBe(404);
  });

  test("a Secret whose token finalizers hold waits for them", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] });
    const watch = (await server.request("GET", `${TOKENS}?watch=true&resourceVersion=${metadata.resourceVersion}`)).events();
    expect((await server.request("DELETE", `${SECRETS}/a`)).json()).toMatchObject({
      kind: "Secret",
      metadata: { deletionTimestamp: expect.any(String) },
    });
    const dying = await server.read(`${TOKENS}/a`);
    expect(dying.metadata).toMatchObject({ deletionTimestamp: "2026-01-01T00:00:00Z", finalizers: ["example.com/hold"], uid: metadata.uid });
    expect((await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } })).status).toBe(200);
    expect(await names(server)).toEqual([404, 404]);
    expect((await take(watch, 2)).map(({ type }) => type)).toEqual(["MODIFIED", "DELETED"]);
  });

  test("a token whose Secret somebody holds stays, as being deleted, until that one lets go", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    await server.patch(`${SECRETS}/a`, { metadata: { finalizers: ["example.com/other"] } });
    const held = await server.request("DELETE", `${TOKENS}/a`);
    expect(held.json()).toMatchObject({ kind: "RancherToken", metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } });
    expect((await server.read(`${TOKENS}/a`)).metadata.deletionTimestamp).toBe("2026-01-01T00:00:00Z");
    expect((await server.request("DELETE", `${TOKENS}/a`)).status).toBe(200);
    await server.patch(`${SECRETS}/a`, { metadata: { finalizers: null } });
    expect(await names(server)).toEqual([404, 404]);
  });

  test("both are held: each finalizer in turn", async () => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] });
    await server.patch(`${SECRETS}/a`, { metadata: { finalizers: ["example.com/other", "tomlebreux.com/token"] } });
    await server.request("DELETE", `${TOKENS}/a`);
    expect((await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } })).status).toBe(200);
    expect(await names(server)).toEqual([200, 200]);
    const waiting = await server.read(`${TOKENS}/a`);
    expect(waiting).toMatchObject({ metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" }, status: { healthy: true } });
    expect(waiting.metadata.finalizers).toBeUndefined();
    expect((await server.read(`${SECRETS}/a`)).metadata.finalizers).toEqual(["example.com/other"]);
    await server.patch(`${SECRETS}/a`, { metadata: { finalizers: null } });
    expect(await names(server)).toEqual([404, 404]);
  });

  test("a dry run deletes neither", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    expect((await server.request("DELETE", `${TOKENS}/a?dryRun=All`)).json()).toMatchObject({ status: "Success" });
    expect(await names(server)).toEqual([200, 200]);
  });

  test("a collection takes the tokens and leaves other Secrets", async () => {
    await using server = await startTokenServer();
    for (const name of ["a", "b", "c"]) await server.create(name, { userID: "admin" }, { labels: { keep: String(name === "c") } });
    await server.request("POST", SECRETS, { body: { metadata: { name: "other", labels: { keep: "false" } } } });
    const deleted = await server.request("DELETE", `${TOKENS}?labelSelector=keep%3Dfalse`);
    expect(deleted.json().items.map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
    expect((await server.read(SECRETS)).items.map(({ metadata }) => metadata.name)).toEqual(["c", "other"]);
  });

  test("a deleted token is good for nothing, and one that is being deleted neither", async () => {
    await using server = await startTokenServer();
    const plaintext = plaintextOf(await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] }));
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
    await server.request("DELETE", `${SECRETS}/a`);
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "Deleting" });
    await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } });
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "NotFound" });
    await server.create("a");
    expect(await server.verify(plaintext, signal)).toEqual({ isValid: false, reason: "WrongSecret" });
  });
});
