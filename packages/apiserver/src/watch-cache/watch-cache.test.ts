import { getEventListeners } from "node:events";
import { APIError, type KubernetesObject, t } from "@annex/apimachinery";
import { steppedClock } from "@annex/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";
import type { WatchBatch } from "../object-view.ts";
import { memoryStorage, type Revision, type Storage, type StorageKey } from "../storage/index.ts";
import { objectCodec } from "./object-codec.ts";
import type { FollowOptions, ResourceCache } from "./resource-cache.ts";
import { WatchCache, type WatchCacheOptions } from "./watch-cache.ts";

const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  versions: { v1: { schema: { spec: t.object({ n: t.optional(t.integer()) }) } } },
});
const PREFIX = "/example.com/things/";
const codec = objectCodec(Thing, "hash", (object) => object);
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const keyOf = (name: string) => `${PREFIX}default/${name}` as StorageKey;

function thing(name: string, n: number, labels?: Record<string, string>): KubernetesObject {
  const metadata = { name, namespace: "default", ...(labels === undefined ? {} : { labels }) };
  return { apiVersion: "example.com/v1", kind: "Thing", metadata, spec: { n } };
}

async function open(storage: Storage, options: Partial<WatchCacheOptions> = {}) {
  const clock = steppedClock();
  const cache = new WatchCache({ storage, clock, log: silent, ...options });
  const things = cache.add(codec, PREFIX);
  await cache.start();
  const write = async (name: string, n: number | undefined, labels?: Record<string, string>): Promise<Revision> => {
    const expected = things.get(keyOf(name))?.revision ?? (0 as Revision);
    const revision =
      n === undefined
        ? await storage.delete(keyOf(name), expected)
        : await storage.put(keyOf(name), codec.encodeStored(thing(name, n, labels)), expected);
    await cache.reached(revision, new AbortController().signal);
    return revision;
  };
  return { cache, things, clock, write, [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose]() };
}

function snapshot(things: ResourceCache, at = things.revision): string[] {
  const seen: string[] = [];
  things.scan(PREFIX, PREFIX, at, ({ name, object, resourceVersion }) => {
    seen.push(`${name}=${JSON.stringify(object.spec)}@${resourceVersion}`);
    return true;
  });
  return seen;
}

/** Reads so many events, then leaves. */
async function read(things: ResourceCache, count: number, options: Partial<FollowOptions> & { after: Revision }) {
  const seen: [string, string, string][] = [];
  for await (const batch of follow(things, options)) {
    for (const { type, view } of batch.events) seen.push([type, view.name, view.resourceVersion]);
    if (seen.length >= count) break;
  }
  return seen;
}

function follow(things: ResourceCache, options: Partial<FollowOptions> & { after: Revision }): AsyncIterable<WatchBatch> {
  return things.follow({
    prefix: PREFIX,
    matches: undefined,
    progressMs: 60_000,
    progressAt: undefined,
    signal: new AbortController().signal,
    ...options,
  });
}

describe("lists at an older revision", () => {
  test("show what was there then, whatever happened since", async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.option(fc.nat(9), { nil: undefined, freq: 3 })), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(steps, async (writes) => {
        await using opened = await open(memoryStorage());
        const { things, write } = opened;
        const past = new Map([[things.revision, snapshot(things)]]);
        for (const [name, n] of writes) {
          if (n === undefined && things.get(keyOf(name)) === undefined) continue;
          past.set(await write(name, n), snapshot(things));
        }
        for (const [revision, state] of past) expect(snapshot(things, revision)).toEqual(state);
      }),
      { numRuns: 40 },
    );
  });

  test("are refused once the changes since then are forgotten", async () => {
    await using opened = await open(memoryStorage(), { maxEvents: 4 });
    const first = await opened.write("a", 1);
    for (let n = 2; n < 9; n++) await opened.write("a", n);
    expect(() => snapshot(opened.things, first)).toThrow(expect.objectContaining({ reason: "Expired", code: 410 }));
  });
});

describe("following", () => {
  test("an object that begins or ceases to match is ADDED and DELETED", async () => {
    await using opened = await open(memoryStorage());
    const { things, write } = opened;
    const after = things.revision;
    const first = await write("a", 1, { x: "1" });
    const second = await write("a", 2, { x: "1" });
    const gone = await write("a", 3, { x: "2" });
    await write("a", 4, { x: "2" });
    const back = await write("a", 5, { x: "1" });
    const deleted = await write("a", undefined);
    const seen = await read(things, 5, { after, matches: ({ labels }) => labels.x === "1" });
    expect(seen).toEqual([
      ["ADDED", "a", String(first)],
      ["MODIFIED", "a", String(second)],
      ["DELETED", "a", String(gone)],
      ["ADDED", "a", String(back)],
      ["DELETED", "a", String(deleted)],
    ]);
  });

  test("a deletion carries the last state at the revision of the deletion, in its bytes too", async () => {
    await using opened = await open(memoryStorage());
    const { things, write } = opened;
    const after = await write("a", 7, { x: "1" });
    const deleted = await write("a", undefined);
    for await (const { events } of follow(things, { after })) {
      const { view } = events[0] ?? {};
      expect(JSON.parse(new TextDecoder().decode(view?.bytes("v1")))).toEqual({
        ...thing("a", 7, { x: "1" }),
        metadata: { ...thing("a", 7, { x: "1" }).metadata, resourceVersion: String(deleted) },
      });
      break;
    }
  });

  test("a start before what is remembered is 410, and so is a reader that fell behind", async () => {
    await using opened = await open(memoryStorage(), { maxEvents: 4 });
    const { things, write } = opened;
    const start = await write("a", 0);
    const reader = follow(things, { after: start })[Symbol.asyncIterator]();
    await write("a", 1);
    expect((await reader.next()).value.events).toHaveLength(1);
    for (let n = 2; n < 9; n++) await write("a", n);
    await expect(reader.next()).rejects.toMatchObject({ reason: "Expired", message: `too old resource version: ${start + 1} (${things.oldest})` });
    await expect(read(things, 1, { after: start })).rejects.toSatisfy((error) => APIError.is(error) && error.code === 410);
  });

  test("events are bounded by the bytes of their objects", async () => {
    await using opened = await open(memoryStorage(), { maxEventBytes: 10_000 });
    const start = await opened.write("a", 0);
    await opened.write("a", 1, { x: "y".repeat(4_000) });
    expect(opened.things.oldest).toBeLessThan(start);
    await opened.write("a", 2, { x: "y".repeat(7_000) });
    expect(opened.things.oldest).toBeGreaterThan(start);
  });

  test("tells how far it is when nothing happens", async () => {
    await using opened = await open(memoryStorage());
    const { things, write, clock } = opened;
    const reader = follow(things, { after: await write("a", 0), progressMs: 12_000, matches: () => false })[Symbol.asyncIterator]();
    const next = reader.next();
    const unseen = await write("a", 1);
    await clock.step(20_000);
    expect((await next).value).toEqual({ events: [], resourceVersion: String(unseen), isInitialEnd: false });
    await reader.return?.();
  });

  test("leaves nothing on the signal, and ends with it", async () => {
    await using opened = await open(memoryStorage());
    const { things, write } = opened;
    const abort = new AbortController();
    const reader = follow(things, { after: things.revision, signal: abort.signal })[Symbol.asyncIterator]();
    for (let n = 0; n < 5; n++) {
      const next = reader.next();
      await write("a", n);
      await next;
    }
    const listeners = getEventListeners(abort.signal, "abort").length;
    expect(listeners).toBe(1);
    const last = reader.next();
    abort.abort();
    expect(await last).toEqual({ value: undefined, done: true });
    expect(getEventListeners(abort.signal, "abort")).toEqual([]);
  });
});

describe("a restart", () => {
  test("remembers the changes that storage remembers", async () => {
    const storage = memoryStorage();
    const states = new Map<Revision, string[]>();
    let start = 0 as Revision;
    {
      await using before = await open(storage);
      start = await before.write("a", 1);
      states.set(start, snapshot(before.things));
      states.set(await before.write("b", 1), snapshot(before.things));
      states.set(await before.write("a", 2), snapshot(before.things));
      states.set(await before.write("b", undefined), snapshot(before.things));
    }
    await using after = await open(storage);
    for (const [revision, state] of states) expect(snapshot(after.things, revision)).toEqual(state);
    expect(await read(after.things, 3, { after: start })).toEqual([
      ["ADDED", "b", String(start + 1)],
      ["MODIFIED", "a", String(start + 2)],
      ["DELETED", "b", String(start + 3)],
    ]);
  });

  test("keeps changes that a listing was ahead of", async () => {
    const storage = memoryStorage();
    // The listing is made after the revision was asked for: it holds changes that the feed delivers once more.
    let write = async () => undefined as unknown;
    const ahead: Storage = Object.assign(Object.create(storage), {
      revisions: () => storage.revisions(),
      put: storage.put.bind(storage),
      watch: storage.watch.bind(storage),
      async list(...args: Parameters<Storage["list"]>) {
        await write();
        return storage.list(...args);
      },
    });
    const first = await storage.put(keyOf("a"), codec.encodeStored(thing("a", 1)), 0);
    write = async () => {
      write = async () => undefined;
      const second = await storage.put(keyOf("a"), codec.encodeStored(thing("a", 2)), first);
      await storage.put(keyOf("a"), codec.encodeStored(thing("a", 3)), second);
    };
    await using opened = await open(ahead);
    expect(snapshot(opened.things)).toEqual([`a={"n":3}@${first + 2}`]);
    expect(snapshot(opened.things, first)).toEqual([`a={"n":1}@${first}`]);
    expect(await read(opened.things, 2, { after: first })).toHaveLength(2);
  });

  test("what is older than the window is forgotten, here and in storage", async () => {
    const storage = memoryStorage();
    await using opened = await open(storage, { windowMs: 60_000 });
    const first = await opened.write("a", 1);
    await opened.clock.step(30_000);
    const second = await opened.write("a", 2);
    await opened.clock.step(50_000);
    expect(opened.things.oldest).toBeGreaterThanOrEqual(first);
    expect(opened.things.oldest).toBeLessThanOrEqual(second);
    expect((await storage.revisions()).compacted).toBe(opened.things.oldest);
  });
});
