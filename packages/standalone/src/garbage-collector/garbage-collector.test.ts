import { t } from "@annex/apimachinery";
import { defineResource } from "@annex/apiserver";
import { type Harness, type SteppedClock, settled, startHarness, steppedClock } from "@annex/testing";
import { describe, expect, test, vi } from "vitest";
import { ensureNamespaces, Namespace, Secret, SYSTEM_NAMESPACES } from "../core/index.ts";
import { runGarbageCollector } from "./index.ts";

const versions = { v1: { schema: { spec: t.object({}) } } };
const Box = defineResource({ group: "example.com", kind: "Box", scope: "Namespaced", versions });
const Rack = defineResource({ group: "example.com", kind: "Rack", scope: "Cluster", versions });
/** Nobody but the server may know of it. */
const Hidden = defineResource({ group: "example.com", kind: "Hidden", scope: "Namespaced", resource: "hiddens", versions, visibleTo: () => false });
const boxesIn = (namespace: string) => `/apis/example.com/v1/namespaces/${namespace}/boxes`;
const BOXES = boxesIn("default");
const RACKS = "/apis/example.com/v1/racks";

interface Server extends Harness {
  readonly clock: SteppedClock;
  readonly collect: () => void;
  /** Creates an object. @returns a reference to it as an owner. */
  readonly make: (path: string, name: string, metadata?: object) => Promise<Owner>;
  readonly names: (path?: string) => Promise<string[]>;
  readonly metadata: (path: string) => Promise<Record<string, unknown>>;
  readonly remove: (path: string, propagationPolicy?: string) => Promise<number>;
}
interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

async function start(): Promise<Server> {
  const clock = steppedClock();
  const resources = [Namespace, Secret, Box, Rack, Hidden];
  const harness = await startHarness(resources, { clock, enableGarbageCollector: true });
  const log = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
  const options = { resources, verbsOf: harness.server.verbsOf, context: harness.server.loopback, clock, log };
  const stop = new AbortController();
  let running = Promise.resolve();
  await ensureNamespaces(SYSTEM_NAMESPACES, options, stop.signal);
  const drained = () => clock.step(1_000);
  return {
    ...harness,
    clock,
    collect: () => {
      running = runGarbageCollector(options, stop.signal);
    },
    make: async (path, name, metadata = {}) => {
      const kind = path.endsWith("racks") ? "Rack" : path.endsWith("boxes") ? "Box" : "Hidden";
      const answer = await harness.request("POST", path, { body: { apiVersion: "example.com/v1", kind, metadata: { name, ...metadata } } });
      expect(answer.status).toBe(201);
      return { apiVersion: "example.com/v1", kind, name, uid: answer.json().metadata.uid };
    },
    names: async (path = BOXES) => {
      await drained();
      return (await harness.request("GET", path)).json().items.map(({ metadata }) => metadata.name);
    },
    metadata: async (path) => {
      await drained();
      return (await harness.request("GET", path)).json().metadata as unknown as Record<string, unknown>;
    },
    remove: async (path, propagationPolicy) =>
      (await harness.request("DELETE", path, propagationPolicy === undefined ? {} : { body: { propagationPolicy } })).status,
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await settled();
      await harness[Symbol.asyncDispose]();
    },
  };
}

const blocking = (owner: Owner) => ({ ownerReferences: [{ ...owner, blockOwnerDeletion: true }] });
const owned = (...owners: Owner[]) => ({ ownerReferences: owners });
const HELD = ["example.com/held"];

describe("the garbage collector", () => {
  test("deletes what was owned, to the last generation", async () => {
    await using server = await start();
    server.collect();
    const parent = await server.make(BOXES, "parent");
    const child = await server.make(BOXES, "child", owned(parent));
    await server.make(BOXES, "grandchild", owned(child));
    await server.make(BOXES, "stranger");
    expect(await server.names()).toEqual(["child", "grandchild", "parent", "stranger"]);
    await server.remove(`${BOXES}/parent`);
    expect(await server.names()).toEqual(["stranger"]);
  });

  test("does what was left to do before it ran", async () => {
    await using server = await start();
    const parent = await server.make(BOXES, "parent");
    for (let count = 0; count < 100; count++) await server.make(BOXES, `child-${count}`, owned(parent));
    await server.remove(`${BOXES}/parent`);
    expect(await server.names()).toHaveLength(100);
    server.collect();
    expect(await server.names()).toEqual([]);
  });

  test("lets requests have their turn while it reads many objects", async () => {
    await using server = await start();
    const parent = await server.make(BOXES, "parent");
    for (let count = 0; count < 1_100; count++) await server.make(BOXES, `box-${count}`);
    await server.make(BOXES, "child", owned(parent));
    const sleep = vi.spyOn(server.clock, "sleep");
    server.collect();
    await server.remove(`${BOXES}/parent`);
    expect(await server.names()).toHaveLength(1_100);
    expect(sleep.mock.calls.filter(([ms]) => ms === 0)).toHaveLength(2);
  });

  test.each([
    ["an owner that never was", (owner: Owner) => ({ ...owner, name: "nobody" })],
    ["another object of the owner's name", (owner: Owner) => ({ ...owner, uid: "00000000-0000-0000-0000-000000000000" })],
  ])("deletes what names %s", async (_what, reference) => {
    await using server = await start();
    server.collect();
    const parent = await server.make(BOXES, "parent");
    await server.make(BOXES, "child", owned(reference(parent)));
    expect(await server.names()).toEqual(["parent"]);
  });

  test("an owner in another namespace is no owner, one without a namespace is", async () => {
    await using server = await start();
    server.collect();
    const elsewhere = await server.make(boxesIn("kube-system"), "parent");
    const rack = await server.make(RACKS, "rack");
    await server.make(BOXES, "a", owned(elsewhere));
    await server.make(BOXES, "b", owned(rack));
    expect(await server.names()).toEqual(["b"]);
    await server.remove(`${RACKS}/rack`);
    expect(await server.names()).toEqual([]);
  });

  test.each([
    ["of a kind that is not served", { apiVersion: "other.example.com/v1", kind: "Thing", name: "x", uid: "00000000-0000-0000-0000-000000000000" }],
    ["of a version that is not served", { apiVersion: "example.com/v9", kind: "Rack", name: "x", uid: "00000000-0000-0000-0000-000000000000" }],
    ["in a namespace, of what is in none", { apiVersion: "v1", kind: "Secret", name: "x", uid: "00000000-0000-0000-0000-000000000000" }],
  ])("leaves alone what has an owner %s", async (_what, owner) => {
    await using server = await start();
    server.collect();
    await server.make(RACKS, "rack", owned(owner));
    expect(await server.names(RACKS)).toEqual(["rack"]);
  });

  test("takes away the owners that are gone from what still has one", async () => {
    await using server = await start();
    server.collect();
    const [first, second] = [await server.make(BOXES, "first"), await server.make(BOXES, "second")];
    await server.make(BOXES, "child", owned(first, second));
    await server.remove(`${BOXES}/first`);
    expect(await server.metadata(`${BOXES}/child`)).toMatchObject({ ownerReferences: [second] });
    await server.remove(`${BOXES}/second`);
    expect(await server.names()).toEqual([]);
  });

  test("in the foreground, an owner waits for what blocks it, and for nothing else", async () => {
    await using server = await start();
    server.collect();
    const parent = await server.make(BOXES, "parent");
    await server.make(BOXES, "blocking", { ...blocking(parent), finalizers: HELD });
    await server.make(BOXES, "other", { ...owned(parent), finalizers: HELD });
    expect(await server.remove(`${BOXES}/parent`, "Foreground")).toBe(200);
    expect(await server.metadata(`${BOXES}/parent`)).toMatchObject({ finalizers: ["foregroundDeletion"] });
    expect(await server.metadata(`${BOXES}/blocking`)).toHaveProperty("deletionTimestamp");
    await server.request("PATCH", `${BOXES}/blocking`, { body: { metadata: { finalizers: null } }, headers: MERGE });
    expect(await server.names()).toEqual(["other"]);
  });

  test("in the foreground, the dependents of dependents go first", async () => {
    await using server = await start();
    server.collect();
    const parent = await server.make(BOXES, "parent");
    const child = await server.make(BOXES, "child", blocking(parent));
    await server.make(BOXES, "grandchild", { ...blocking(child), finalizers: HELD });
    await server.remove(`${BOXES}/parent`, "Foreground");
    expect(await server.metadata(`${BOXES}/child`)).toMatchObject({ finalizers: ["foregroundDeletion"] });
    await server.request("PATCH", `${BOXES}/grandchild`, { body: { metadata: { finalizers: null } }, headers: MERGE });
    expect(await server.names()).toEqual([]);
  });

  test("an owner that is let go by its dependent no longer waits", async () => {
    await using server = await start();
    server.collect();
    const parent = await server.make(BOXES, "parent");
    await server.make(BOXES, "child", { ...blocking(parent), finalizers: HELD });
    await server.remove(`${BOXES}/parent`, "Foreground");
    await server.request("PATCH", `${BOXES}/child`, { body: { metadata: { ownerReferences: null } }, headers: MERGE });
    expect(await server.names()).toEqual(["child"]);
  });

  test("a circle is deleted in the foreground, too", async () => {
    await using server = await start();
    server.collect();
    const a = await server.make(BOXES, "a");
    const b = await server.make(BOXES, "b", blocking(a));
    await server.request("PATCH", `${BOXES}/a`, { body: { metadata: blocking(b) }, headers: MERGE });
    await server.remove(`${BOXES}/a`, "Foreground");
    expect(await server.names()).toEqual([]);
  });

  test("orphans what it is told to, and then lets the owner go", async () => {
    await using server = await start();
    server.collect();
    const [parent, other] = [await server.make(BOXES, "parent"), await server.make(BOXES, "other")];
    await server.make(BOXES, "alone", blocking(parent));
    await server.make(BOXES, "shared", owned(parent, other));
    await server.remove(`${BOXES}/parent`, "Orphan");
    expect(await server.names()).toEqual(["alone", "other", "shared"]);
    expect(await server.metadata(`${BOXES}/alone`)).not.toHaveProperty("ownerReferences");
    expect(await server.metadata(`${BOXES}/shared`)).toMatchObject({ ownerReferences: [other] });
  });

  test("what users may not know of is collected all the same", async () => {
    await using server = await start();
    server.collect();
    const parent = await server.make(BOXES, "parent");
    const hidden = "/apis/example.com/v1/namespaces/default/hiddens";
    await server.make(hidden, "child", owned(parent));
    expect(await server.names(hidden)).toEqual([]);
    await server.remove(`${BOXES}/parent`);
    await server.names();
    expect((await server.request("POST", hidden, { body: { metadata: { name: "child" } } })).status).toBe(201);
  });
});

const MERGE = { "content-type": "application/merge-patch+json" };
