import { expired, type KubernetesObject, t } from "@annex/apimachinery";
import { type Harness, settled, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource, type Resource } from "../definition/index.ts";
import { memoryStorage, type Storage } from "../storage/index.ts";
import { migrate, type ResourceVerbs } from "./index.ts";

const base = { group: "example.com", kind: "Thing", scope: "Namespaced", statusSubresource: true } as const;
const old = { spec: t.object({ color: t.optional(t.string()), size: t.optional(t.integer()) }), status: t.object({ phase: t.optional(t.string()) }) };
const Old = defineResource({ ...base, versions: { v1: { schema: old } } });
const both = {
  v1: {
    schema: old,
    toStorage: ({ spec: { color, size }, status }: { spec: { color?: string; size?: number }; status: object }) => ({
      spec: { hue: color, size },
      status,
    }),
    fromStorage: ({ spec: { hue, size }, status }: { spec: { hue?: string; size?: number }; status: object }) => ({
      spec: { color: hue, size },
      status,
    }),
  },
  v2: { storage: true, schema: { spec: t.object({ hue: t.optional(t.string()), size: t.optional(t.integer()) }), status: old.status } },
} as const;
const Present = defineResource({ ...base, versions: both });
const things = (version: string) => `/apis/example.com/${version}/namespaces/default/things`;
const MERGE = { "content-type": "application/merge-patch+json" };
const signal = new AbortController().signal;

/** A store with objects of these names, as the older definition wrote them. */
async function oldStore(...names: readonly string[]): Promise<Storage> {
  const storage = memoryStorage();
  await using server = await startHarness([Old], { storage });
  for (const name of names)
    expect((await server.request("POST", things("v1"), { body: { metadata: { name }, spec: { color: name } } })).status).toBe(201);
  return storage;
}

const run = ({ server }: Harness, resource: Resource = Present) =>
  migrate({ resource, verbs: server.verbsOf("example.com", "things"), context: () => server.loopback(signal) });
const storedIn = ({ server }: Harness) => server.storedObjects().map(({ versions }) => versions);
const V1 = "example.com/v1";
const V2 = "example.com/v2";

describe("what is stored", () => {
  test("is told by version, and by whether it would be written otherwise", async () => {
    await using server = await startHarness([Present], { storage: await oldStore("a", "b", "c") });
    expect(server.server.storedObjects()).toEqual([
      { group: "example.com", resource: "things", storageVersion: V2, versions: [{ apiVersion: V1, objects: 3, stale: 3 }] },
    ]);
    await server.request("PATCH", `${things("v1")}/a`, { body: { spec: { size: 1 } }, headers: MERGE });
    await server.request("DELETE", `${things("v1")}/b`);
    await server.request("POST", things("v1"), { body: { metadata: { name: "d" } } });
    expect(storedIn(server)).toEqual([
      [
        { apiVersion: V1, objects: 1, stale: 1 },
        { apiVersion: V2, objects: 2, stale: 0 },
      ],
    ]);
  });

  test("is not stale because of a schema that changes nothing in it, and is because of a default", async () => {
    const storage = await oldStore("a");
    const spec = t.object({ color: t.optional(t.string({ description: "Said otherwise." })), size: t.optional(t.integer()) });
    {
      await using server = await startHarness([defineResource({ ...base, versions: { v1: { schema: { spec, status: old.status } } } })], { storage });
      expect(storedIn(server)).toEqual([[{ apiVersion: V1, objects: 1, stale: 0 }]]);
      const read = (await server.request("GET", `${things("v1")}/a`)).json();
      expect((await server.request("PUT", `${things("v1")}/a`, { body: read })).json()).toEqual(read);
    }
    const defaulted = t.object({ color: t.optional(t.string()), size: t.integer({ default: 3 }) });
    await using server = await startHarness([defineResource({ ...base, versions: { v1: { schema: { spec: defaulted, status: old.status } } } })], {
      storage,
    });
    expect(storedIn(server)).toEqual([[{ apiVersion: V1, objects: 1, stale: 1 }]]);
  });
});

describe("a write that changes nothing", () => {
  test("is one for an object that is stored otherwise, once", async () => {
    await using server = await startHarness([Present], { storage: await oldStore("a") });
    const before = (await server.request("GET", `${things("v1")}/a`)).json();
    const rehearsed = (await server.request("PUT", `${things("v1")}/a?dryRun=All`, { body: before })).json();
    expect(rehearsed).toEqual(before);
    expect(storedIn(server)).toEqual([[{ apiVersion: V1, objects: 1, stale: 1 }]]);
    const after = (await server.request("PUT", `${things("v1")}/a`, { body: before })).json();
    expect(after.metadata.resourceVersion).not.toBe(before.metadata.resourceVersion);
    expect({ ...after, metadata: { ...after.metadata, resourceVersion: "" } }).toEqual({
      ...before,
      metadata: { ...before.metadata, resourceVersion: "" },
    });
    expect((await server.request("PUT", `${things("v1")}/a`, { body: after })).json()).toEqual(after);
    expect((await server.request("PATCH", `${things("v2")}/a`, { body: {}, headers: MERGE })).json().metadata).toEqual(after.metadata);
  });
});

describe("a migration", () => {
  test("writes what is stored otherwise anew, and tells watchers of that and nothing else", async () => {
    const storage = await oldStore("a", "b", "c");
    await using server = await startHarness([Present], { storage });
    await server.request("PATCH", `${things("v2")}/b`, { body: { spec: { size: 1 } }, headers: MERGE });
    const before = (await server.request("GET", things("v2"))).json();
    const watch = (await server.request("GET", `${things("v1")}?watch=true&resourceVersion=${before.metadata.resourceVersion}`)).events();
    expect(await run(server)).toEqual({ seen: 3, written: 2, refused: 0, firstRefusal: undefined });
    const after = (await server.request("GET", things("v2"))).json();
    for (const [index, item] of after.items.entries()) {
      const { resourceVersion, ...metadata } = item.metadata;
      const { resourceVersion: former, ...rest } = before.items[index]?.metadata ?? {};
      expect({ ...item, metadata }).toEqual({ ...before.items[index], metadata: rest });
      expect(resourceVersion === former).toBe(item.metadata.name === "b");
    }
    const seen = [];
    for await (const { type, object } of watch) {
      seen.push(`${type} ${object.metadata.name} ${String(object.spec.color)}`);
      if (seen.length === 2) break;
    }
    expect(seen.sort()).toEqual(["MODIFIED a a", "MODIFIED c c"]);
    expect(storedIn(server)).toEqual([[{ apiVersion: V2, objects: 3, stale: 0 }]]);
    // Begun anew it finds nothing to do.
    expect(await run(server)).toMatchObject({ seen: 3, written: 0 });
    await server[Symbol.asyncDispose]();
    // And the old version can go.
    await using later = await startHarness([defineResource({ ...base, versions: { v2: { schema: both.v2.schema } } })], { storage });
    expect((await later.request("GET", things("v2"))).json().items.map(({ spec }) => spec.hue)).toEqual(["a", "b", "c"]);
  });

  test("loses no write of others, who write all the while", async () => {
    const names = Array.from({ length: 60 }, (_, index) => `n${index}`);
    await using server = await startHarness([Present], { storage: await oldStore(...names) });
    const write = async (name: string, size: number) =>
      server.request("PATCH", `${things(size % 2 === 0 ? "v1" : "v2")}/${name}`, { body: { spec: { size } }, headers: MERGE });
    const [result, ...written] = await Promise.all([
      run(server),
      ...names.map(async (name, index) => {
        if (index % 5 === 0) return server.request("DELETE", `${things("v1")}/${name}`);
        await write(name, index);
        return write(name, index + 1000);
      }),
    ]);
    expect(written.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(result.refused).toBe(0);
    const left = (await server.request("GET", things("v2"))).json().items.map(({ metadata, spec }) => [metadata.name, spec.hue, spec.size]);
    const want = names.flatMap((name, index) => (index % 5 === 0 ? [] : [[name, name, index + 1000]]));
    expect(left.sort()).toEqual(want.sort());
    expect(storedIn(server)).toEqual([[{ apiVersion: V2, objects: 48, stale: 0 }]]);
  });

  test("that a stop interrupted goes on where it was", async () => {
    const storage = await oldStore(...Array.from({ length: 40 }, (_, index) => `n${index}`));
    const stop = new AbortController();
    let puts = 0;
    const stopping = new Proxy(storage, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (name !== "put" || typeof value !== "function") return typeof value === "function" ? value.bind(target) : value;
        return (...args: readonly unknown[]) => {
          if (++puts === 10) stop.abort(new Error("stopped"));
          return Reflect.apply(value, target, args);
        };
      },
    });
    {
      await using server = await startHarness([Present], { storage: stopping });
      const verbs = server.server.verbsOf("example.com", "things");
      await expect(migrate({ resource: Present, verbs, context: () => server.server.loopback(stop.signal) })).rejects.toThrow("stopped");
      await settled();
    }
    await using server = await startHarness([Present], { storage });
    const [versions = []] = storedIn(server);
    expect(versions.map(({ apiVersion }) => apiVersion)).toEqual([V1, V2]);
    const remaining = versions[0]?.objects ?? 0;
    expect(await run(server)).toMatchObject({ seen: 40, written: remaining });
    expect(storedIn(server)).toEqual([[{ apiVersion: V2, objects: 40, stale: 0 }]]);
  });

  test("begins its pages anew when the moment that they show is too long ago", async () => {
    await using server = await startHarness([Present], { storage: await oldStore("a", "b", "c", "d", "e") });
    const verbs = server.server.verbsOf("example.com", "things");
    const limits: number[] = [];
    const list: ResourceVerbs["list"] = (options, context) => {
      limits.push(options.limit);
      if (limits.length === 2) throw expired("too old");
      if (verbs.list === undefined) throw new Error("things are listed");
      return verbs.list({ ...options, limit: 2 }, context);
    };
    const result = await migrate({ resource: Present, verbs: { ...verbs, list }, context: () => server.server.loopback(signal) });
    expect(result).toEqual({ seen: 5, written: 5, refused: 0, firstRefusal: undefined });
    expect(limits).toEqual([500, 500, 500, 500, 500]);
  });

  test("leaves what is refused as it is, does the rest, and says what was refused", async () => {
    const Strict = defineResource({
      ...base,
      versions: both,
      validate: ({ object, invalid }) => {
        if (object.spec.hue === "b") invalid("spec.hue", "must not be b");
      },
    });
    await using server = await startHarness([Strict], { storage: await oldStore("a", "b", "c") });
    const result = await run(server, Strict);
    expect(result).toMatchObject({ seen: 3, written: 2, refused: 1, firstRefusal: { namespace: "default", name: "b" } });
    expect(result.firstRefusal?.error.message).toContain("must not be b");
    expect(storedIn(server)).toEqual([
      [
        { apiVersion: V1, objects: 1, stale: 1 },
        { apiVersion: V2, objects: 2, stale: 0 },
      ],
    ]);
  });

  test("goes through the storage version, whatever the preferred one cannot hold", async () => {
    const narrow = {
      schema: { spec: t.object({}), status: old.status },
      toStorage: () => ({ spec: {}, status: {} }),
      fromStorage: () => ({ spec: {}, status: {} }),
    };
    const Narrow = defineResource({ ...base, preferredVersion: "v3", versions: { ...both, v3: narrow } });
    await using server = await startHarness([Narrow], { storage: await oldStore("a") });
    expect(await run(server, Narrow)).toMatchObject({ written: 1 });
    expect((await server.request("GET", `${things("v2")}/a`)).json().spec).toEqual({ hue: "a" });
  });

  test("has nothing to do for a kind that keeps nothing", async () => {
    const object: KubernetesObject = { apiVersion: "example.com/v1", kind: "Ask", metadata: { name: "a" } };
    const Ask = defineResource({
      group: "example.com",
      kind: "Ask",
      scope: "Cluster",
      versions: { v1: { schema: {} } },
      handlers: { create: () => object },
    });
    await using server = await startHarness([Ask]);
    const verbs = server.server.verbsOf("example.com", "asks");
    expect(await migrate({ resource: Ask, verbs, context: () => server.server.loopback(signal) })).toMatchObject({ seen: 0, written: 0 });
    expect(server.server.storedObjects()).toEqual([]);
  });
});
