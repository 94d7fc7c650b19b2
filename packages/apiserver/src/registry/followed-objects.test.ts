import { type KubernetesObject, parseFieldSelector, parseLabelSelector, t } from "@annex/apimachinery";
import { settled, steppedClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";
import type { WatchBatch } from "../object-view.ts";
import { FollowedObjects } from "./followed-objects.ts";

const Note = defineResource({
  group: "example.com",
  kind: "Note",
  scope: "Namespaced",
  versions: { v1: { schema: { text: t.optional(t.string()) } } },
});
const never = new AbortController().signal;
const EVERYTHING = { namespace: "", labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };
const ANY = { ...EVERYTHING, limit: 0, continue: "", consistency: { type: "Any" } } as const;

/** A note as an item of a list: without its type. */
function note(name: string, resourceVersion: number, fields: object = {}, namespace = "default"): KubernetesObject {
  return { metadata: { name, namespace, resourceVersion: String(resourceVersion) }, ...fields } as unknown as KubernetesObject; // as sent
}

function follow(limits: { maxEvents?: number; maxEventBytes?: number } = {}) {
  const clock = steppedClock();
  return { clock, notes: new FollowedObjects({ resource: Note, clock, maxEvents: 100, maxEventBytes: 1 << 20, ...limits }) };
}

/** Reads a watch until it ends or the signal aborts: each batch as a line. */
function reading(batches: AsyncIterable<WatchBatch>): { readonly lines: string[]; readonly done: Promise<unknown> } {
  const lines: string[] = [];
  const done = (async () => {
    for await (const { events, resourceVersion, isInitialEnd } of batches) {
      lines.push(...events.map(({ type, view }) => `${type} ${view.namespace}/${view.name}@${view.resourceVersion}`));
      if (isInitialEnd || events.length === 0) lines.push(`${isInitialEnd ? "INITIAL" : "PROGRESS"} ${resourceVersion}`);
    }
  })();
  return { lines, done: done.catch((error: unknown) => error) };
}

const listed = async (notes: FollowedObjects) => (await notes.list(ANY, undefined, { signal: never })).items.map(({ object }) => object);

describe("objects of another server", () => {
  test("are read at its resourceVersions, whole, with their type", async () => {
    const { notes } = follow();
    expect([notes.isSynced, notes.resourceVersion]).toEqual([false, "0"]);
    const labels = { a: "b" };
    notes.reset([note("b", 5, { text: "t", other: { x: [1] } }), { ...note("a", 7), metadata: { ...note("a", 7).metadata, labels } }], "9");
    expect([notes.isSynced, notes.resourceVersion, notes.size]).toEqual([true, "9", 2]);
    expect(await listed(notes)).toEqual([
      { apiVersion: "example.com/v1", kind: "Note", metadata: { name: "a", namespace: "default", resourceVersion: "7", labels } },
      {
        apiVersion: "example.com/v1",
        kind: "Note",
        metadata: { name: "b", namespace: "default", resourceVersion: "5" },
        text: "t",
        other: { x: [1] },
      },
    ]);
    const selected = await notes.list({ ...ANY, labelSelector: parseLabelSelector("a=b") }, undefined, { signal: never });
    expect(selected.items.map(({ name }) => name)).toEqual(["a"]);
    expect(selected.resourceVersion).toBe("9");
  });

  test("change as they are told to, each change once", async () => {
    const { notes } = follow();
    notes.reset([note("a", 5), note("b", 6)], "9");
    const stop = new AbortController();
    const watch = reading(await notes.watch({ ...EVERYTHING, resourceVersion: "0", sendInitialEvents: undefined }, undefined, stop.signal));
    await settled();
    notes.put(note("a", 12));
    notes.put(note("a", 12));
    notes.put(note("c", 13, {}, "other"));
    notes.deleted(note("a", 14));
    notes.put(note("a", 12));
    notes.deleted(note("nobody", 15));
    await settled();
    stop.abort();
    await watch.done;
    const initial = ["ADDED default/a@5", "ADDED default/b@6", "INITIAL 9"];
    expect(watch.lines).toEqual([...initial, "MODIFIED default/a@12", "ADDED other/c@13", "DELETED default/a@14"]);
    expect((await listed(notes)).map(({ metadata }) => metadata.name)).toEqual(["b", "c"]);
    expect(notes.resourceVersion).toBe("15");
  });

  test("are watched from a place that is remembered; a new listing ends watches as expired", async () => {
    const { notes } = follow();
    notes.reset([note("a", 5)], "9");
    expect([notes.remembers("8"), notes.remembers("9"), notes.remembers("100")]).toEqual([false, true, true]);
    const from = (resourceVersion: string) =>
      notes.watch({ ...EVERYTHING, resourceVersion, sendInitialEvents: undefined }, undefined, never).then(reading);
    notes.put(note("a", 11));
    const [early, late, future] = [await from("8"), await from("9"), await from("20")];
    await settled();
    notes.put(note("a", 18));
    notes.put(note("a", 22));
    await settled();
    notes.reset([note("a", 30)], "31");
    expect(await early.done).toMatchObject({ code: 410, reason: "Expired", message: "too old resource version: 8 (9)" });
    expect(await late.done).toMatchObject({ code: 410, reason: "Expired" });
    expect(await future.done).toMatchObject({ code: 410, reason: "Expired" });
    expect([late.lines, future.lines]).toEqual([
      ["MODIFIED default/a@11", "MODIFIED default/a@18", "MODIFIED default/a@22"],
      ["MODIFIED default/a@22"],
    ]);
  });

  test("are remembered within bounds", async () => {
    const { notes } = follow({ maxEvents: 8 });
    notes.reset([], "9");
    for (let revision = 10; revision < 30; revision++) notes.put(note("a", revision));
    expect([notes.remembers("10"), notes.remembers("28")]).toEqual([false, true]);
  });

  test("tell how far they have come to watches on which nothing happens", async () => {
    const { notes, clock } = follow();
    notes.reset([], "9");
    const stop = new AbortController();
    const watch = reading(await notes.watch({ ...EVERYTHING, resourceVersion: "9", sendInitialEvents: undefined }, undefined, stop.signal));
    await settled();
    notes.progress("40");
    await clock.step(61_000);
    notes.tick();
    await settled();
    expect(watch.lines).toEqual(["PROGRESS 40"]);
    stop.abort();
    await watch.done;
  });

  test("can be waited for, and counted behind one", async () => {
    const { notes } = follow();
    notes.reset([note("a", 1), note("b", 2), note("c", 3), note("b", 4, {}, "other")], "9");
    const waiting = notes.reached("12", never);
    const gone = notes.reached("99", AbortSignal.abort(new Error("enough")));
    notes.progress("12");
    await waiting;
    await expect(gone).rejects.toThrow("enough");
    const [, b] = (await notes.list(ANY, undefined, { signal: never })).items;
    if (b === undefined) throw new Error("b is there");
    expect([notes.countBehind("default", b), notes.countBehind("", b)]).toEqual([1, 2]);
  });
});
