import { INITIAL_REVISION, MAX_VALUE_BYTES, type Storage } from "@annex/apiserver";
import { describe, expect } from "vitest";
import { bytesOf, contentsOf, eventLine, readUntil, type StorageHarness, storageKey } from "./storage-harness.ts";
import { testStorage } from "./with-storage.ts";

const A = storageKey("/d/a");
const B = storageKey("/d/b");

/** What must be there after the store was closed and opened again. */
export function describeStorageDurability(open: () => Promise<StorageHarness>): void {
  const test = testStorage(open);

  describe("durability", () => {
    test("values, revisions, history and compaction are there after a restart", async (storage, harness) => {
      const first = await storage.put(A, bytesOf("a1"), 0);
      const second = await storage.put(B, bytesOf("b1"), 0);
      const third = await storage.put(A, bytesOf("a2"), first);
      const fourth = await storage.delete(B, second);
      await storage.compact(first);
      const before = await contentsOf(storage, "");

      const again = await reopened(harness);
      expect(await contentsOf(again, "")).toEqual(before);
      expect(await again.revisions()).toEqual({ current: fourth, compacted: first });
      const feed = again.watch({ prefix: "", after: first, signal: new AbortController().signal });
      expect((await readUntil(feed, fourth)).map(eventLine)).toEqual([
        `${second} put /d/b = b1`,
        `${third} put /d/a = a2 was a1@${first}`,
        `${fourth} delete /d/b was b1@${second}`,
      ]);
      const tooOld = again.watch({ prefix: "", after: INITIAL_REVISION, signal: new AbortController().signal });
      await expect(tooOld[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "Compacted" });
    });

    test("revisions go on where they were, also after everything was deleted and compacted", async (storage, harness) => {
      const first = await storage.put(A, bytesOf("x"), 0);
      const second = await storage.delete(A, first);
      await storage.compact(second);
      const again = await reopened(harness);
      expect(await again.revisions()).toEqual({ current: second, compacted: second });
      expect(await again.put(A, bytesOf("y"), 0)).toBeGreaterThan(second);
    });

    test("a feed resumes over a restart without a gap", async (storage, harness) => {
      const seen = await storage.put(A, bytesOf("1"), 0);
      const missed = await storage.put(A, bytesOf("2"), seen);
      const again = await reopened(harness);
      const reading = readUntil(again.watch({ prefix: "", after: seen, signal: new AbortController().signal }), missed);
      expect((await reading).map(eventLine)).toEqual([`${missed} put /d/a = 2 was 1@${seen}`]);
      const live = again.watch({ prefix: "", after: missed, signal: new AbortController().signal })[Symbol.asyncIterator]();
      const step = live.next();
      const next = await again.put(A, bytesOf("3"), missed);
      expect((await step).value).toMatchObject({ revision: next, events: [{ key: A, previous: { revision: missed } }] });
      await live.return?.();
    });

    test("large values come back whole", async (storage, harness) => {
      const large = Uint8Array.from({ length: MAX_VALUE_BYTES }, (_, index) => (index * 31) & 0xff);
      await storage.put(A, large, 0);
      const again = await reopened(harness);
      const value = (await again.get(A))?.value;
      expect(value?.length === large.length && value.every((byte, index) => byte === large[index])).toBe(true);
    });

    test("close waits for the writes under way", async (storage, harness) => {
      const writes = Array.from({ length: 200 }, (_, index) => storage.put(storageKey(`/d/${index}`), bytesOf("x"), 0));
      const again = await reopened(harness);
      await Promise.all(writes);
      expect((await again.list("/d/")).values).toHaveLength(200);
    });
  });
}

async function reopened(harness: StorageHarness): Promise<Storage> {
  if (harness.reopen === undefined) expect.fail("the harness of a durable store has reopen");
  return await harness.reopen();
}
