import { INITIAL_REVISION, MAX_VALUE_BYTES, StorageError } from "@annex/apiserver";
import { describe, expect } from "vitest";
import { bytesOf, type StorageHarness, storageKey, storageRevision, textOf } from "./storage-harness.ts";
import { testStorage } from "./with-storage.ts";

const A = storageKey("/w/a");
const B = storageKey("/w/b");

/** put and delete: compare-and-set, revisions, sizes. */
export function describeStorageWrites(open: () => Promise<StorageHarness>): void {
  const test = testStorage(open);

  describe("writes", () => {
    test("an empty store stands past 1, with everything before compacted", async (storage) => {
      expect(await storage.revisions()).toEqual({ current: INITIAL_REVISION, compacted: INITIAL_REVISION });
      expect(INITIAL_REVISION).toBeGreaterThan(1);
    });

    test("each write has a revision of its own, larger than all before", async (storage) => {
      const first = await storage.put(A, bytesOf("1"), 0);
      const second = await storage.put(B, bytesOf("1"), 0);
      const third = await storage.put(A, bytesOf("1"), first);
      const fourth = await storage.delete(B, second);
      const revisions = [INITIAL_REVISION, first, second, third, fourth];
      expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b));
      expect((await storage.revisions()).current).toBe(fourth);
    });

    test("a refused write takes no effect and is told what the key is at", async (storage) => {
      const first = await storage.put(A, bytesOf("first"), 0);
      const created = await conflictOf(storage.put(A, bytesOf("again"), 0));
      expect([created?.revision, created && textOf(created.value)]).toEqual([first, "first"]);

      const second = await storage.put(A, bytesOf("second"), first);
      for (const write of [
        storage.put(A, bytesOf("stale"), first),
        storage.delete(A, first),
        storage.put(A, bytesOf("ahead"), storageRevision(second + 1)),
      ]) {
        const current = await conflictOf(write);
        expect([current?.key, current?.revision, current && textOf(current.value)]).toEqual([A, second, "second"]);
      }
      expect((await storage.revisions()).current).toBe(second);
      expect((await storage.get(A))?.revision).toBe(second);
    });

    test("a write that expects a value meets an absent key: Conflict without current", async (storage) => {
      expect(await conflictOf(storage.put(A, bytesOf("x"), storageRevision(INITIAL_REVISION)))).toBeUndefined();
      expect(await conflictOf(storage.delete(A, storageRevision(INITIAL_REVISION)))).toBeUndefined();
      expect(await storage.get(A)).toBeUndefined();
    });

    test("a deleted key is absent, and a new life begins with 0", async (storage) => {
      const first = await storage.put(A, bytesOf("first"), 0);
      await storage.delete(A, first);
      expect(await storage.get(A)).toBeUndefined();
      expect((await storage.list("/w/")).values).toEqual([]);
      expect(await conflictOf(storage.put(A, bytesOf("x"), first))).toBeUndefined();
      expect(await conflictOf(storage.delete(A, first))).toBeUndefined();
      const second = await storage.put(A, bytesOf("second"), 0);
      expect(second).toBeGreaterThan(first);
    });

    test("keeps its own copy of the bytes", async (storage) => {
      const bytes = bytesOf("mine");
      const written = storage.put(A, bytes, 0);
      bytes.fill(0);
      await written;
      bytes.fill(1);
      expect(textOf((await storage.get(A))?.value ?? new Uint8Array(0))).toBe("mine");
    });

    test("takes part of a larger buffer", async (storage) => {
      await storage.put(A, bytesOf("0123456789").subarray(2, 5), 0);
      expect(textOf((await storage.get(A))?.value ?? new Uint8Array(0))).toBe("234");
    });

    test("takes the largest value and refuses one byte more", async (storage) => {
      const largest = new Uint8Array(MAX_VALUE_BYTES);
      for (let index = 0; index < largest.length; index += 997) largest[index] = index & 0xff;
      await storage.put(A, largest, 0);
      const stored = await storage.get(A);
      expect(stored?.value.every((byte, index) => byte === largest[index]) && stored.value.length === largest.length).toBe(true);
      await expect(storage.put(B, new Uint8Array(MAX_VALUE_BYTES + 1), 0)).rejects.toMatchObject({ name: "StorageError", code: "ValueTooLarge" });
      expect(await storage.get(B)).toBeUndefined();
    });

    test("after close every call fails with Closed", async (storage) => {
      await storage.put(A, bytesOf("x"), 0);
      await storage[Symbol.asyncDispose]();
      await storage[Symbol.asyncDispose]();
      const calls = [
        () => storage.get(A),
        () => storage.list("/"),
        () => storage.put(B, bytesOf("x"), 0),
        () => storage.delete(A, INITIAL_REVISION),
        () => storage.revisions(),
        () => storage.compact(INITIAL_REVISION),
        () => storage.watch({ prefix: "/", after: INITIAL_REVISION, signal: new AbortController().signal })[Symbol.asyncIterator]().next(),
      ];
      for (const call of calls) await expect(call()).rejects.toMatchObject({ name: "StorageError", code: "Closed" });
    });
  });
}

/** The `current` of the conflict that a write must end in. */
async function conflictOf(write: Promise<unknown>) {
  const error = await write.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof StorageError) || error.code !== "Conflict") expect.fail(`a Conflict was expected, not ${String(error)}`);
  return error.current;
}
