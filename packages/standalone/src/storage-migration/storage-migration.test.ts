import { t } from "@annex/apimachinery";
import { defineResource, memoryStorage, type Resource, type Storage } from "@annex/apiserver";
import { type AnswerBody, type Harness, type HarnessResponse, type SteppedClock, settled, startHarness, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { runStorageMigrator, StorageVersionMigration } from "./index.ts";

const MIGRATIONS = "/apis/storagemigration.k8s.io/v1beta1/storageversionmigrations";
const MERGE = { "content-type": "application/merge-patch+json" };
const base = { group: "example.com", kind: "Thing", scope: "Cluster" } as const;
const schema = { spec: t.object({ color: t.optional(t.string()) }) };
const Old = defineResource({ ...base, versions: { v1: { schema } } });
const convert = { toStorage: ({ spec }: { spec: object }) => ({ spec }), fromStorage: ({ spec }: { spec: object }) => ({ spec }) };
const Present = defineResource({ ...base, versions: { v1: { schema, ...convert }, v2: { storage: true, schema } } });
const THINGS = "/apis/example.com/v1/things";

const order = (name: string, resource: object = { group: "example.com", resource: "things" }) => ({ metadata: { name }, spec: { resource } });
const faults = (response: HarnessResponse) => response.json().details.causes.map(({ field, message }) => `${field}: ${message}`);

interface MigrationServer extends Harness {
  readonly clock: SteppedClock;
  readonly conditionsOf: (name: string) => Promise<readonly string[]>;
}

/** A server of which things there are two, as the older definition wrote them; the migrator runs until it is disposed of. */
async function startMigrationServer(kind: Resource = Present, storage: Storage = memoryStorage()): Promise<MigrationServer> {
  if ((await storage.list("/")).values.length === 0) {
    await using older = await startHarness([Old], { storage });
    for (const name of ["a", "b"]) await older.request("POST", THINGS, { body: { metadata: { name }, spec: { color: "red" } } });
  }
  const clock = steppedClock();
  const resources = [StorageVersionMigration, kind];
  const harness = await startHarness(resources, { storage, clock });
  const { server } = harness;
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  const stop = new AbortController();
  const running = runStorageMigrator({ resources, verbsOf: server.verbsOf, context: server.loopback, clock, log }, stop.signal);
  return {
    ...harness,
    clock,
    async conditionsOf(name) {
      await settled();
      const { status } = (await harness.request("GET", `${MIGRATIONS}/${name}`)).json();
      return ((status.conditions ?? []) as Record<string, string>[]).map(
        ({ type, status: is, reason, message }) => `${type}=${is} ${reason}: ${message}`,
      );
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await harness[Symbol.asyncDispose]();
    },
  };
}

const stored = ({ server }: Harness) => server.storedObjects().find(({ resource }) => resource === "things")?.versions;

describe("a migration that is ordered", () => {
  test("is carried out, and says how it went", async () => {
    await using server = await startMigrationServer();
    expect(stored(server)).toEqual([{ apiVersion: "example.com/v1", objects: 2, stale: 2 }]);
    expect((await server.request("POST", MIGRATIONS, { body: order("all") })).status).toBe(201);
    expect(await server.conditionsOf("all")).toEqual([
      "Running=False MigrationCompleted: Migration completed",
      "Succeeded=True StorageVersionMigrationSucceeded: 2 of 2 objects were written anew",
    ]);
    expect(stored(server)).toEqual([{ apiVersion: "example.com/v2", objects: 2, stale: 0 }]);
    const done = (await server.request("GET", `${MIGRATIONS}/all`)).json();
    expect(done.status.resourceVersion).toMatch(/^\d+$/);
    // It is over: nothing happens to it any more.
    await server.request("PATCH", `${MIGRATIONS}/all`, { body: { metadata: { labels: { x: "y" } } }, headers: MERGE });
    expect((await server.request("GET", `${MIGRATIONS}/all`)).json().status).toEqual(done.status);
  });

  test("of what is not served fails, and the next one is carried out", async () => {
    await using server = await startMigrationServer();
    await server.request("POST", MIGRATIONS, { body: order("none", { group: "example.com", resource: "nothings" }) });
    await server.request("POST", MIGRATIONS, { body: order("all") });
    expect(await server.conditionsOf("none")).toEqual([
      "Running=False MigrationCompleted: Migration completed",
      "Failed=True StorageVersionMigrationFailed: the resource is not served",
    ]);
    expect((await server.conditionsOf("all")).at(-1)).toMatch(/^Succeeded=True/);
  });

  test("of objects that are refused fails, and names the first", async () => {
    const Strict = defineResource({
      ...base,
      versions: { v1: { schema, ...convert }, v2: { storage: true, schema } },
      validate: ({ object, invalid }) => {
        if (object.metadata.name === "b") invalid("spec", "x".repeat(2000));
      },
    });
    await using server = await startMigrationServer(Strict);
    await server.request("POST", MIGRATIONS, { body: order("all") });
    const failed = (await server.conditionsOf("all")).at(-1);
    expect(failed).toContain(
      "Failed=True StorageVersionMigrationFailed: 1 of 2 objects were written anew; 1 were refused, the first of them b: Thing.example.com ",
    );
    expect(failed?.length).toBeLessThan(1100);
  });

  test("goes on after a restart, whatever its status says of running", async () => {
    const storage = memoryStorage();
    {
      await using older = await startHarness([Old, StorageVersionMigration], { storage });
      await older.request("POST", THINGS, { body: { metadata: { name: "a" } } });
      await older.request("POST", MIGRATIONS, { body: order("all") });
      const running = { type: "Running", status: "True", lastTransitionTime: "2025-01-01T00:00:00Z", reason: "MigrationRunning", message: "" };
      await older.request("PATCH", `${MIGRATIONS}/all/status`, {
        body: { status: { conditions: [running], resourceVersion: "1001" } },
        headers: MERGE,
      });
    }
    await using server = await startMigrationServer(Present, storage);
    expect((await server.conditionsOf("all")).at(-1)).toBe("Succeeded=True StorageVersionMigrationSucceeded: 1 of 1 objects were written anew");
    expect((await server.request("GET", `${MIGRATIONS}/all`)).json().status.resourceVersion).toBe("1001");
  });

  test("that is deleted while it waits is forgotten", async () => {
    await using server = await startMigrationServer();
    await Promise.all([server.request("POST", MIGRATIONS, { body: order("gone") }), server.request("POST", MIGRATIONS, { body: order("all") })]);
    await server.request("DELETE", `${MIGRATIONS}/gone`);
    expect((await server.conditionsOf("all")).at(-1)).toMatch(/^Succeeded=True/);
  });

  test("shows in a table", async () => {
    await using server = await startMigrationServer();
    await server.request("POST", MIGRATIONS, { body: order("all") });
    await server.conditionsOf("all");
    await server.request("POST", MIGRATIONS, { body: order("core", { resource: "secrets" }) });
    await server.conditionsOf("core");
    const table = (await server.request("GET", MIGRATIONS, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).json();
    expect(table.rows.map(({ cells }) => cells.slice(0, 3))).toEqual([
      ["all", "things.example.com", "Succeeded"],
      ["core", "secrets", "Failed"],
    ]);
  });
});

describe("an order", () => {
  test.each([
    { resource: { group: "example.com" }, want: "spec.resource.resource: Required value: resource is required to be set" },
    { resource: { resource: "Things" }, want: expect.stringMatching(/^spec\.resource\.resource: Invalid value: "Things": a DNS-1035 label must/) },
    {
      resource: { group: "a b", resource: "things" },
      want: expect.stringMatching(/^spec\.resource\.group: Invalid value: "a b": a lowercase RFC 1123/),
    },
  ])("of $resource is refused", async ({ resource, want }) => {
    await using server = await startMigrationServer();
    const refused = await server.request("POST", MIGRATIONS, { body: order("bad", resource) });
    expect(refused.status, refused.text).toBe(422);
    expect(faults(refused)).toEqual([want]);
  });

  test("does not change, nor does how it went", async () => {
    await using server = await startMigrationServer();
    const forged = { status: { conditions: [], resourceVersion: "5" } };
    const made = await server.request("POST", MIGRATIONS, { body: { ...order("all"), ...forged } });
    expect(made.json().status).toEqual({});
    expect((await server.conditionsOf("all")).at(-1)).toMatch(/^Succeeded=True/);
    const patch = (body: object, place = "") => server.request("PATCH", `${MIGRATIONS}/all${place}`, { body, headers: MERGE });
    expect(faults(await patch({ spec: { resource: { resource: "others" } } }))).toEqual([expect.stringContaining("field is immutable")]);
    expect(faults(await patch({ status: { resourceVersion: "7" } }, "/status"))).toEqual([
      'status.resourceVersion: Invalid value: "7": field is immutable',
    ]);
    const condition = (type: string, status: string) => ({ type, status, lastTransitionTime: "2026-01-01T00:00:00Z", reason: "R", message: "" });
    const conditions = async (...list: readonly object[]) => faults(await patch({ status: { conditions: list } }, "/status")).join();
    expect(await conditions(condition("Succeeded", "True"), condition("Failed", "True"))).toContain("cannot be true at the same time");
    expect(await conditions(condition("Succeeded", "False"))).toContain("Success condition cannot be set to false once it is true");
    expect(await conditions(condition("Failed", "True"))).toContain("Success condition cannot be set to false");
    expect(await conditions({ ...condition("Succeeded", "True"), reason: "not one word" })).toContain("status.conditions[0].reason");
  });
});

test("the kind is discovered as Kubernetes' own", async () => {
  await using server = await startMigrationServer();
  const { resources } = (await server.request("GET", "/apis/storagemigration.k8s.io/v1beta1")).json() as AnswerBody & { resources: object[] };
  expect(resources).toMatchObject([
    { name: "storageversionmigrations", kind: "StorageVersionMigration", namespaced: false },
    { name: "storageversionmigrations/status" },
  ]);
});
