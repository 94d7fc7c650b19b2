import { memoryStorage, type Storage, StorageError } from "@annex/apiserver";
import { settled } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { CLUSTER_TOKENS, SECRETS, startTokenServer, TOKENS, type TokenServer, take } from "./testing/token-server.ts";

const GRACE_MS = 600_000;
const ROUND_MS = 5_000;

/** Runs so many loops beside each other while something happens. */
async function withLoops<T>(server: TokenServer, loops: number, task: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const running = Array.from({ length: loops }, () => server.runExpiry({ graceMs: GRACE_MS }, stop.signal));
  await settled();
  try {
    return await task();
  } finally {
    stop.abort();
    await Promise.all(running);
  }
}

describe("the expiry loop", () => {
  test.each([1, 3])("records the end once, by a write, and removes the token a grace time later: %i at once", async (loops) => {
    await using server = await startTokenServer();
    const created = await server.create("a", { userID: "admin", ttl: 90 });
    await server.create("forever");
    const cluster = (await server.request("POST", CLUSTER_TOKENS, { body: { metadata: { name: "c" }, spec: { ttl: 90 } } })).json();
    const watch = await server.request("GET", `${TOKENS}?watch=true&resourceVersion=${created.metadata.resourceVersion}`);
    const seen = take(watch.events(), 3);
    await withLoops(server, loops, async () => {
      await server.clock.step(89_000);
      expect(await server.read(`${TOKENS}/a`)).toMatchObject({
        metadata: { resourceVersion: created.metadata.resourceVersion },
        status: { expired: false },
      });
      await server.clock.step(1_000 + ROUND_MS);
      const expired = await server.read(`${TOKENS}/a`);
      expect(expired).toMatchObject({
        metadata: { generation: 1, uid: created.metadata.uid },
        spec: created.spec,
        status: { expired: true, healthy: true },
      });
      expect(expired.metadata.managedFields.map(({ manager, subresource }) => [manager, subresource])).toContainEqual(["annex-expiry", "status"]);
      expect((await server.read(`${CLUSTER_TOKENS}/c`)).status).toMatchObject({ expired: true });
      // Recorded once: nothing is written in later rounds.
      await server.clock.step(10 * ROUND_MS);
      expect((await server.read(`${TOKENS}/a`)).metadata.resourceVersion).toBe(expired.metadata.resourceVersion);
      await server.clock.step(GRACE_MS);
      expect((await server.read(TOKENS)).items.map(({ metadata }) => metadata.name)).toEqual(["forever"]);
      expect((await server.request("GET", `${SECRETS}/a`)).status).toBe(404);
      expect((await server.request("GET", `${CLUSTER_TOKENS}/c`)).status).toBe(404);
    });
    expect((await seen).map(({ type, object }) => [type, object.metadata.name, object.status.expired])).toEqual([
      ["ADDED", "forever", false],
      ["MODIFIED", "a", true],
      ["DELETED", "a", true],
    ]);
    expect(cluster.status.expired).toBe(false);
    expect(server.log).toEqual([]);
  });

  test("an end that is put off is no longer recorded", async () => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin", ttl: 90 });
    await withLoops(server, 1, async () => {
      await server.clock.step(100_000);
      expect((await server.read(`${TOKENS}/a`)).status).toMatchObject({ expired: true });
      expect((await server.patch(`${TOKENS}/a`, { metadata: { labels: { x: "y" } } })).json().status).toMatchObject({ expired: true });
      expect((await server.patch(`${TOKENS}/a`, { spec: { ttl: 200 } })).json().status).toMatchObject({ expired: false });
      await server.clock.step(GRACE_MS);
      expect((await server.read(`${TOKENS}/a`)).status).toMatchObject({ expired: true });
    });
  });

  test("a finalizer holds an expired token, which is then being deleted", async () => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin", ttl: 90 }, { finalizers: ["example.com/hold"] });
    await withLoops(server, 1, async () => {
      await server.clock.step(GRACE_MS + 100_000);
      const held = await server.read(`${TOKENS}/a`);
      expect(held.metadata.deletionTimestamp).toBeDefined();
      await server.clock.step(10 * ROUND_MS);
      expect((await server.read(`${TOKENS}/a`)).metadata.resourceVersion).toBe(held.metadata.resourceVersion);
      await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } });
      expect((await server.request("GET", `${TOKENS}/a`)).status).toBe(404);
    });
  });

  test("one token that cannot be written keeps no other from its end", async () => {
    await using server = await startTokenServer();
    for (const name of ["a", "b", "c"]) await server.create(name, { userID: "admin", ttl: 90 });
    await server.patch(`${SECRETS}/a`, { immutable: true });
    await server.editSecret(`${SECRETS}/b`, { enabled: "perhaps", userID: "" });
    await withLoops(server, 1, async () => {
      await server.clock.step(100_000);
      expect((await server.read(`${TOKENS}/c`)).status).toMatchObject({ expired: true });
      expect(server.log.map(({ level, fields }) => [level, fields.name])).toContainEqual(["warn", "a"]);
      await server.clock.step(GRACE_MS);
      expect((await server.read(TOKENS)).items).toEqual([]);
    });
  });

  test("looks through more tokens than one page", async () => {
    await using server = await startTokenServer();
    for (let index = 0; index < 510; index++) await server.create(`t-${String(index).padStart(3, "0")}`, { userID: "admin", ttl: 1 });
    await withLoops(server, 1, async () => {
      await server.clock.step(ROUND_MS);
      await settled();
      expect((await server.read(`${TOKENS}/t-509`)).status).toMatchObject({ expired: true });
    });
  }, 60_000);

  test("finishes a deletion that nothing of the token's holds any more", async () => {
    await using server = await startTokenServer();
    await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] });
    // The token's own finalizers are lost by an edit; ours on the Secret holds it, and nobody else knows.
    await server.editSecret(`${SECRETS}/a`, { metadata: "lost" });
    await server.request("DELETE", `${SECRETS}/a`);
    expect((await server.request("GET", `${SECRETS}/a`)).status).toBe(200);
    await withLoops(server, 2, async () => {
      await server.clock.step(ROUND_MS);
      expect((await server.request("GET", `${SECRETS}/a`)).status).toBe(404);
    });
  });

  test("a deletion whose server ended between its two writes goes on when it is asked for again", async () => {
    const { storage, fail } = failingStorage();
    await using server = await startTokenServer({ storage });
    await server.create("a", { userID: "admin" }, { finalizers: ["example.com/hold"] });
    await server.request("DELETE", `${TOKENS}/a`);
    // The Secret is put into deletion by one write, and let go by the next, which does not happen.
    fail((key) => key === "/core/secrets/default/a", 1);
    expect((await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } })).status).toBe(503);
    fail(() => false, 0);
    expect((await server.read(`${TOKENS}/a`)).metadata.deletionTimestamp).toBeDefined();
    expect((await server.read(`${SECRETS}/a`)).metadata.deletionTimestamp).toBeDefined();
    expect((await server.patch(`${TOKENS}/a`, { metadata: { finalizers: null } })).status).toBe(200);
    expect((await server.request("GET", `${SECRETS}/a`)).status).toBe(404);
  });
});

/** A store whose writes to some keys fail after so many have succeeded. */
function failingStorage() {
  const storage = memoryStorage();
  let isChosen: (key: string) => boolean = () => false;
  let remaining = 0;
  const guard =
    <Args extends readonly unknown[], R>(operation: (...args: Args) => R) =>
    (...args: Args): R => {
      if (isChosen(String(args[0])) && remaining-- <= 0) throw new StorageError("Unavailable", "the disk is gone");
      return operation(...args);
    };
  const put: Storage["put"] = async (...args) => guard((...all: typeof args) => storage.put(...all))(...args);
  const remove: Storage["delete"] = async (...args) => guard((...all: typeof args) => storage.delete(...all))(...args);
  return {
    storage: new Proxy(storage, {
      get: (target, name) => {
        if (name === "put") return put;
        if (name === "delete") return remove;
        const value: unknown = Reflect.get(target, name);
        return typeof value === "function" ? value.bind(target) : value;
      },
    }),
    fail: (chosen: (key: string) => boolean, after: number) => {
      isChosen = chosen;
      remaining = after;
    },
  };
}
