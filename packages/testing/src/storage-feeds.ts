import { INITIAL_REVISION, type Revision, type Storage, type StorageBatch } from "@annex/apiserver";
import { describe, expect } from "vitest";
import { bytesOf, eventLine, readUntil, type StorageHarness, storageKey, storageRevision } from "./storage-harness.ts";
import { testStorage } from "./with-storage.ts";

const A = storageKey("/f/a");
const B = storageKey("/f/b");
const OTHER = storageKey("/g/a");

/** watch and compact. */
export function describeStorageFeeds(open: () => Promise<StorageHarness>): void {
  const test = testStorage(open);

  describe("feeds", () => {
    test("tell the past in order, with what was there before", async (storage) => {
      const history = await someHistory(storage);
      const events = await readUntil(feed(storage, "/f/", INITIAL_REVISION), history.at(-1) ?? INITIAL_REVISION);
      const [first, second, , fourth, fifth, sixth] = history;
      expect(events.map(eventLine)).toEqual([
        `${first} put /f/a = a1`,
        `${second} put /f/b = b1`,
        `${fourth} put /f/a = a2 was a1@${first}`,
        `${fifth} delete /f/b was b1@${second}`,
        `${sixth} put /f/b = b2`,
      ]);
    });

    test("begin after any revision asked for", async (storage) => {
      const history = await someHistory(storage);
      const end = history.at(-1) ?? INITIAL_REVISION;
      const all = await readUntil(feed(storage, "", INITIAL_REVISION), end);
      for (const after of [INITIAL_REVISION, ...history.slice(0, -1)]) {
        const events = await readUntil(feed(storage, "", after), end);
        expect(events.map(eventLine)).toEqual(all.filter(({ revision }) => revision > after).map(eventLine));
      }
    });

    test("deliver what happens before the writer hears of it", async (storage) => {
      const { current } = await storage.revisions();
      const iterator = feed(storage, "/f/", current)[Symbol.asyncIterator]();
      for (let index = 0; index < 20; index++) {
        const order: string[] = [];
        const waiting = iterator.next().then((step) => {
          order.push("feed");
          return step;
        });
        const written = storage.put(storageKey(`/f/${index}`), bytesOf(String(index)), 0).then((revision) => {
          order.push("writer");
          return revision;
        });
        const [step, revision] = await Promise.all([waiting, written]);
        expect(order).toEqual(["feed", "writer"]);
        expect(step.value).toMatchObject({ revision, events: [{ type: "put", key: `/f/${index}`, revision }] });
      }
      await iterator.return?.();
    });

    test("have no gap between the past and what happens", async (storage) => {
      const first = await storage.put(A, bytesOf("0"), 0);
      const seen: string[] = [];
      const reading = (async () => {
        for await (const batch of feed(storage, "/f/", INITIAL_REVISION)) {
          seen.push(...batch.events.map(eventLine));
          if (seen.length === 51) break;
        }
      })();
      let revision = first;
      const want = [`${first} put /f/a = 0`];
      for (let index = 1; index <= 50; index++) {
        const next = await storage.put(A, bytesOf(String(index)), revision);
        want.push(`${next} put /f/a = ${index} was ${index - 1}@${revision}`);
        revision = next;
      }
      await reading;
      expect(seen).toEqual(want);
    });

    test("report progress where others write", async (storage) => {
      const { current } = await storage.revisions();
      const iterator = feed(storage, "/f/", current)[Symbol.asyncIterator]();
      const step = iterator.next();
      const revision = await storage.put(OTHER, bytesOf("x"), 0);
      expect(await step).toEqual({ done: false, value: { events: [], revision } });
      await iterator.return?.();
    });

    test("several at once see the same, each its own prefix", async (storage) => {
      const readers = ["/f/", "/f/", "/g/", ""].map((prefix) =>
        readUntil(feed(storage, prefix, INITIAL_REVISION), storageRevision(INITIAL_REVISION + 6)),
      );
      await someHistory(storage);
      const [first, second, other, all] = (await Promise.all(readers)).map((events) => events.map(eventLine));
      expect(first).toHaveLength(5);
      expect(second).toEqual(first);
      expect(other).toHaveLength(1);
      expect([...(first ?? []), ...(other ?? [])].sort()).toEqual([...(all ?? [])].sort());
    });

    test("every iteration of one watch is a feed of its own", async (storage) => {
      const end = (await someHistory(storage)).at(-1) ?? INITIAL_REVISION;
      const watch = feed(storage, "/f/", INITIAL_REVISION);
      expect((await readUntil(watch, end)).map(eventLine)).toEqual((await readUntil(watch, end)).map(eventLine));
    });

    test("deliver a long past in order, however slowly it is read", async (storage) => {
      const writes = await Promise.all(Array.from({ length: 1_500 }, (_, index) => storage.put(storageKey(`/f/${index}`), bytesOf("x"), 0)));
      const end = storageRevision(Math.max(...writes));
      const events = await readUntil(feed(storage, "/f/", INITIAL_REVISION), end);
      expect(events.map(({ revision }) => revision)).toEqual(writes.toSorted((a, b) => a - b));
    });

    test("begin once the store is past a revision that lies ahead", async (storage) => {
      const { current } = await storage.revisions();
      const reading = readUntil(feed(storage, "/f/", storageRevision(current + 2)), storageRevision(current + 3));
      for (const name of ["1", "2", "3"]) await storage.put(storageKey(`/f/${name}`), bytesOf(name), 0);
      expect((await reading).map(({ key }) => key)).toEqual(["/f/3"]);
    });

    test("end without an error when aborted: before, while waiting, between steps", async (storage) => {
      const { current } = await storage.revisions();
      const before = AbortSignal.abort();
      expect(await readAll(storage.watch({ prefix: "", after: current, signal: before }))).toEqual([]);

      const waiting = new AbortController();
      const step = storage.watch({ prefix: "", after: current, signal: waiting.signal })[Symbol.asyncIterator]().next();
      await storage.get(A);
      waiting.abort();
      expect(await step).toEqual({ done: true, value: undefined });

      const between = new AbortController();
      const iterator = storage.watch({ prefix: "", after: current, signal: between.signal })[Symbol.asyncIterator]();
      await storage.put(A, bytesOf("x"), 0);
      expect((await iterator.next()).done).toBe(false);
      between.abort();
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    });

    test("are over when left early, also with a step under way", async (storage) => {
      const { current } = await storage.revisions();
      const iterator = feed(storage, "", current)[Symbol.asyncIterator]();
      const step = iterator.next();
      await iterator.return?.();
      expect(await step).toEqual({ done: true, value: undefined });
      await storage.put(A, bytesOf("x"), 0);
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    });

    test("a reader that asks twice at once gets two steps in order", async (storage) => {
      const { current } = await storage.revisions();
      const iterator = feed(storage, "/f/", current)[Symbol.asyncIterator]();
      const steps = [iterator.next(), iterator.next()];
      const first = await storage.put(A, bytesOf("1"), 0);
      const second = await storage.put(A, bytesOf("2"), first);
      const revisions = (await Promise.all(steps)).map((step) => (step.value as StorageBatch | undefined)?.revision); // a step that is not done has a batch
      expect(revisions).toEqual([first, second]);
      await iterator.return?.();
    });

    test("end with Closed when the store is closed", async (storage) => {
      const { current } = await storage.revisions();
      const waiting = feed(storage, "", current)[Symbol.asyncIterator]().next();
      const outcome = expect(waiting).rejects.toMatchObject({ name: "StorageError", code: "Closed" });
      await storage[Symbol.asyncDispose]();
      await outcome;
    });
  });

  describe("compaction", () => {
    test("forgets the history up to a revision and keeps every value", async (storage) => {
      const history = await someHistory(storage);
      const [first, , third, fourth, fifth, sixth] = history;
      if (third === undefined || fourth === undefined || sixth === undefined) expect.fail("the history is too short");
      await storage.compact(fourth);
      expect(await storage.revisions()).toEqual({ current: sixth, compacted: fourth });
      await expect(firstStep(storage, third)).rejects.toMatchObject({ name: "StorageError", code: "Compacted" });
      await expect(firstStep(storage, storageRevision(1))).rejects.toMatchObject({ code: "Compacted" });
      const events = await readUntil(feed(storage, "/f/", fourth), sixth);
      expect(events.map(eventLine)).toEqual([`${fifth} delete /f/b was b1@${(first ?? 0) + 1}`, `${sixth} put /f/b = b2`]);
      expect((await storage.list("")).values.map(({ key, revision }) => [key, revision])).toEqual([
        [A, fourth],
        [B, sixth],
        [OTHER, third],
      ]);
    });

    test("never goes back, and never past the newest write", async (storage) => {
      const history = await someHistory(storage);
      const current = history.at(-1) ?? INITIAL_REVISION;
      await storage.compact(storageRevision(current + 1_000));
      expect(await storage.revisions()).toEqual({ current, compacted: current });
      await storage.compact(storageRevision(current - 2));
      expect(await storage.revisions()).toEqual({ current, compacted: current });
      const next = await storage.put(storageKey("/f/c"), bytesOf("c"), 0);
      expect((await readUntil(feed(storage, "", current), next)).map(eventLine)).toEqual([`${next} put /f/c = c`]);
    });

    test("an event after it still carries what was there before, however old", async (storage) => {
      const first = await storage.put(A, bytesOf("old"), 0);
      const other = await storage.put(OTHER, bytesOf("x"), 0);
      await storage.compact(other);
      const removed = await storage.delete(A, first);
      expect((await readUntil(feed(storage, "", other), removed)).map(eventLine)).toEqual([`${removed} delete /f/a was old@${first}`]);
      await storage.compact(removed);
      const again = await storage.put(A, bytesOf("new"), 0);
      expect((await readUntil(feed(storage, "", removed), again)).map(eventLine)).toEqual([`${again} put /f/a = new`]);
    });

    test("ends a feed that fell behind it", async (storage) => {
      const iterator = feed(storage, "", INITIAL_REVISION)[Symbol.asyncIterator]();
      const first = await storage.put(A, bytesOf("1"), 0);
      expect((await iterator.next()).value).toMatchObject({ revision: first });
      const second = await storage.put(A, bytesOf("2"), first);
      await storage.compact(second);
      await expect(iterator.next()).rejects.toMatchObject({ name: "StorageError", code: "Compacted" });
      expect(await iterator.next()).toEqual({ done: true, value: undefined });
    });
  });
}

/** Six writes: /f/a, /f/b, /g/a created; /f/a changed, /f/b deleted, /f/b created again. Gives their revisions. */
async function someHistory(storage: Storage): Promise<Revision[]> {
  const first = await storage.put(A, bytesOf("a1"), 0);
  const second = await storage.put(B, bytesOf("b1"), 0);
  const third = await storage.put(OTHER, bytesOf("g1"), 0);
  const fourth = await storage.put(A, bytesOf("a2"), first);
  const fifth = await storage.delete(B, second);
  const sixth = await storage.put(B, bytesOf("b2"), 0);
  return [first, second, third, fourth, fifth, sixth];
}

function feed(storage: Storage, prefix: string, after: Revision): AsyncIterable<StorageBatch> {
  return storage.watch({ prefix, after, signal: new AbortController().signal });
}

function firstStep(storage: Storage, after: Revision): Promise<IteratorResult<StorageBatch>> {
  return feed(storage, "", after)[Symbol.asyncIterator]().next();
}

async function readAll(batches: AsyncIterable<StorageBatch>): Promise<StorageBatch[]> {
  const all: StorageBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}
