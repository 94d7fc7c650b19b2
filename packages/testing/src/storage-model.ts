import { INITIAL_REVISION, type Revision, type Storage, StorageError, type StorageKey } from "@annex/apiserver";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesOf, contentsOf, eventLine, type StorageHarness, storageKey, storageRevision, textOf } from "./storage-harness.ts";

type Command =
  | { readonly type: "put"; readonly key: string; readonly value: string; readonly expected: Expected }
  | { readonly type: "delete"; readonly key: string; readonly expected: Expected }
  | { readonly type: "compact"; readonly back: number }
  | { readonly type: "list"; readonly prefix: string; readonly start: string; readonly limit: number }
  | { readonly type: "reopen" };
type Expected = "right" | "absent" | "old";

/** What a store is to do, said in the plainest way: a map and a list of events. */
interface Model {
  readonly values: Map<string, { readonly value: string; readonly revision: number }>;
  readonly events: { readonly key: string; readonly revision: number; readonly line: string }[];
  current: number;
  compacted: number;
}

const key = fc.constantFrom("/a", "/a/", "/a/1", "/a/2", "/a0", "/b/1", "/b/2");
const expected = fc.constantFrom<Expected>("right", "right", "right", "absent", "old");
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ type: fc.constant("put" as const), key, value: fc.string({ maxLength: 5 }), expected }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant("delete" as const), key, expected }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("compact" as const), back: fc.nat({ max: 6 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("list" as const), prefix: fc.constantFrom("", "/a", "/a/", "/b/"), start: key, limit: fc.nat(4) }),
  },
  { weight: 1, arbitrary: fc.constant<Command>({ type: "reopen" }) },
);

/** Random histories: the store agrees with the model step by step, and a list followed by a watch equals the store. */
export function describeStorageModel(open: () => Promise<StorageHarness>, runs: number): void {
  describe("random histories", () => {
    test("agree with a simple model", { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(command, { maxLength: 40 }), fc.nat(39), async (commands, listAt) => {
          const harness = await open();
          try {
            await runHistory(harness, commands, listAt);
          } finally {
            await harness.dispose();
          }
        }),
        { numRuns: runs },
      );
    });
  });
}

async function runHistory(harness: StorageHarness, commands: readonly Command[], listAt: number): Promise<void> {
  const model: Model = { values: new Map(), events: [], current: INITIAL_REVISION, compacted: INITIAL_REVISION };
  let storage = harness.storage;
  let mirror: { contents: Record<string, string>; revision: Revision } | undefined;
  for (const [index, step] of commands.entries()) {
    if (index === listAt) mirror = { contents: await contentsOf(storage, "/a"), revision: (await storage.list("/a")).revision };
    if (step.type === "reopen") storage = (await harness.reopen?.()) ?? storage;
    else await runCommand(storage, model, step);
    expect(await storage.revisions()).toEqual({ current: model.current, compacted: model.compacted });
  }
  expect(await contentsOf(storage, "")).toEqual(modelContents(model, ""));
  await expectHistory(storage, model);
  if (mirror !== undefined && mirror.revision >= model.compacted) await expectMirror(storage, model, mirror);
}

async function runCommand(storage: Storage, model: Model, step: Exclude<Command, { type: "reopen" }>): Promise<void> {
  switch (step.type) {
    case "put":
    case "delete":
      return await runWrite(storage, model, step);
    case "compact":
      await storage.compact(storageRevision(model.current - step.back));
      model.compacted = Math.max(model.compacted, model.current - step.back);
      return;
    case "list": {
      const list = await storage.list(step.prefix, { start: storageKey(step.start), limit: step.limit });
      const all = Object.keys(modelContents(model, step.prefix)).filter((name) => name >= step.start);
      expect(list.values.map(({ key: name }) => name)).toEqual(all.slice(0, step.limit));
      expect([list.more, list.revision]).toEqual([all.length > step.limit, model.current]);
      return;
    }
    default:
      return step satisfies never;
  }
}

async function runWrite(storage: Storage, model: Model, step: Extract<Command, { type: "put" | "delete" }>): Promise<void> {
  const previous = model.values.get(step.key);
  const wanted = { right: previous?.revision ?? 0, absent: 0, old: INITIAL_REVISION }[step.expected];
  const name: StorageKey = storageKey(step.key);
  let revision: Revision;
  try {
    if (step.type === "put")
      revision = await storage.put(name, bytesOf(step.value), wanted as Revision | 0); // the model's numbers are revisions
    else revision = await storage.delete(name, storageRevision(wanted));
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== "Conflict") throw error;
    expect(wanted !== previous?.revision && (step.type === "delete" || wanted !== (previous?.revision ?? 0))).toBe(true);
    expect(error.current && { value: textOf(error.current.value), revision: error.current.revision }).toEqual(previous);
    return;
  }
  expect(previous?.revision ?? 0).toBe(wanted);
  expect(revision).toBeGreaterThan(model.current);
  model.current = revision;
  const was = previous === undefined ? "" : ` was ${previous.value}@${previous.revision}`;
  if (step.type === "put") model.values.set(step.key, { value: step.value, revision });
  else model.values.delete(step.key);
  model.events.push({ key: step.key, revision, line: `${revision} ${step.type} ${step.key}${step.type === "put" ? ` = ${step.value}` : ""}${was}` });
}

/** Every event since the compacted revision, no more and no fewer. */
async function expectHistory(storage: Storage, model: Model): Promise<void> {
  const events = await eventsAfter(storage, "", storageRevision(model.compacted), model.current);
  expect(events.map(eventLine)).toEqual(model.events.filter(({ revision }) => revision > model.compacted).map(({ line }) => line));
}

/** A copy made from a list and kept up to date by a feed is what the store holds. */
async function expectMirror(storage: Storage, model: Model, mirror: { contents: Record<string, string>; revision: Revision }): Promise<void> {
  const contents = { ...mirror.contents };
  for (const event of await eventsAfter(storage, "/a", mirror.revision, model.current)) {
    if (event.type === "put") contents[event.key] = `${textOf(event.value)}@${event.revision}`;
    else delete contents[event.key];
  }
  expect(contents).toEqual(await contentsOf(storage, "/a"));
}

async function eventsAfter(storage: Storage, prefix: string, after: Revision, until: number) {
  const events = [];
  if (until <= after) return [];
  for await (const batch of storage.watch({ prefix, after, signal: new AbortController().signal })) {
    events.push(...batch.events);
    if (batch.revision >= until) break;
  }
  return events;
}

function modelContents(model: Model, prefix: string): Record<string, string> {
  const names = [...model.values.keys()].filter((name) => name.startsWith(prefix)).sort();
  return Object.fromEntries(names.map((name) => [name, `${model.values.get(name)?.value}@${model.values.get(name)?.revision}`]));
}
