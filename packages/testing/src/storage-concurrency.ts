import { INITIAL_REVISION, type Revision, type Storage, StorageError } from "@annex/apiserver";
import { describe, expect } from "vitest";
import { bytesOf, readUntil, type StorageHarness, storageKey, storageRevision, textOf } from "./storage-harness.ts";
import { testStorage } from "./with-storage.ts";

const KEY = storageKey("/c/one");

/** Many writers at once. */
export function describeStorageConcurrency(open: () => Promise<StorageHarness>): void {
  const test = testStorage(open);

  describe("concurrency", () => {
    test("of 100 that create one key exactly one wins", async (storage) => {
      const results = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => storage.put(KEY, bytesOf(String(index)), 0)));
      await expectOneWinner(storage, results);
    });

    test("of 100 that replace one value exactly one wins", async (storage) => {
      const revision = await storage.put(KEY, bytesOf("before"), 0);
      const results = await Promise.allSettled(Array.from({ length: 100 }, (_, index) => storage.put(KEY, bytesOf(String(index)), revision)));
      await expectOneWinner(storage, results);
    });

    test("of 50 that replace and 50 that delete exactly one wins", async (storage) => {
      const revision = await storage.put(KEY, bytesOf("before"), 0);
      const writes = Array.from({ length: 100 }, (_, index) =>
        index % 2 === 0 ? storage.put(KEY, bytesOf("x"), revision) : storage.delete(KEY, revision),
      );
      const won = (await Promise.allSettled(writes)).filter(({ status }) => status === "fulfilled");
      expect(won).toHaveLength(1);
    });

    test("100 counters that retry on Conflict lose no increment", async (storage) => {
      await storage.put(KEY, bytesOf("0"), 0);
      await Promise.all(Array.from({ length: 100 }, () => increment(storage)));
      expect(textOf((await storage.get(KEY))?.value ?? new Uint8Array(0))).toBe("100");
    });

    test("500 writes at once have 500 revisions, and the feed tells each once in order", async (storage) => {
      const reading = readUntil(
        storage.watch({ prefix: "/c/", after: INITIAL_REVISION, signal: new AbortController().signal }),
        storageRevision(INITIAL_REVISION + 500),
      );
      const revisions = await Promise.all(
        Array.from({ length: 500 }, (_, index) => storage.put(storageKey(`/c/${index}`), bytesOf(String(index)), 0)),
      );
      expect(new Set(revisions).size).toBe(500);
      const events = await reading;
      expect(events.map(({ revision }) => revision)).toEqual(revisions.toSorted((a, b) => a - b));
      for (const event of events) {
        const index = revisions.indexOf(event.revision);
        expect([event.key, event.type === "put" && textOf(event.value)]).toEqual([`/c/${index}`, String(index)]);
      }
    });

    test("an acknowledged write is read by everyone at once", async (storage) => {
      await Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const key = storageKey(`/c/${index}`);
          const revision = await storage.put(key, bytesOf("x"), 0);
          expect((await storage.get(key))?.revision).toBe(revision);
          const list = await storage.list(key);
          expect(list.values[0]?.revision).toBe(revision);
          expect(list.revision).toBeGreaterThanOrEqual(revision);
        }),
      );
    });
  });
}

async function expectOneWinner(storage: Storage, results: readonly PromiseSettledResult<Revision>[]): Promise<void> {
  const won = results.flatMap((result, index) => (result.status === "fulfilled" ? [{ index, revision: result.value }] : []));
  expect(won).toHaveLength(1);
  const stored = await storage.get(KEY);
  expect([stored?.revision, stored && textOf(stored.value)]).toEqual([won[0]?.revision, String(won[0]?.index)]);
  for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ name: "StorageError", code: "Conflict" });
}

async function increment(storage: Storage): Promise<void> {
  let current = await storage.get(KEY);
  for (;;) {
    if (current === undefined) expect.fail("the counter is gone");
    try {
      await storage.put(KEY, bytesOf(String(Number(textOf(current.value)) + 1)), current.revision);
      return;
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== "Conflict") throw error;
      current = error.current;
    }
  }
}
