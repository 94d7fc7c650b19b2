import type { Storage, StorageKey } from "@annex/apiserver";
import { describe, expect } from "vitest";
import { bytesOf, type StorageHarness, storageKey, textOf } from "./storage-harness.ts";
import { testStorage } from "./with-storage.ts";

/** get, list, paging, and the edges of prefixes. */
export function describeStorageReads(open: () => Promise<StorageHarness>): void {
  const test = testStorage(open);

  describe("reads", () => {
    test("an absent key is undefined", async (storage) => {
      expect(await storage.get(storageKey("/a/none"))).toBeUndefined();
    });

    test("a key that is none is absent, whatever is near it", async (storage) => {
      await storage.put(storageKey("/a/x"), bytesOf("x"), 0);
      for (const text of ["/a/x\0", "/a/x\0y", "/a/x\ud800", "", "/a/", "/A/x", "/a/x "]) expect(await storage.get(storageKey(text))).toBeUndefined();
    });

    test("gives back the bytes and the revision that wrote them", async (storage) => {
      const key = storageKey("/a/x");
      const revision = await storage.put(key, Uint8Array.of(0, 1, 127, 128, 255), 0);
      const got = await storage.get(key);
      expect(got?.key).toBe(key);
      expect(got?.revision).toBe(revision);
      expect([...(got?.value ?? [])]).toEqual([0, 1, 127, 128, 255]);
    });

    test("an empty value is a value", async (storage) => {
      await storage.put(storageKey("/a/empty"), new Uint8Array(0), 0);
      expect((await storage.get(storageKey("/a/empty")))?.value.byteLength).toBe(0);
      expect((await storage.list("/a/")).values).toHaveLength(1);
    });

    test("lists nothing from an empty store, at its revision", async (storage) => {
      const { current } = await storage.revisions();
      expect(await storage.list("/")).toEqual({ values: [], revision: current, more: false });
    });

    test("lists a prefix in byte order and nothing beside it", async (storage) => {
      await fill(storage, ["/a/b", "/a/B", "/a/a/z", "/a/a-", "/a/", "/a", "/b/a", "/a0", "/a/~", "/A/b"]);
      expect(await keys(storage, "/a/")).toEqual(["/a/", "/a/B", "/a/a-", "/a/a/z", "/a/b", "/a/~"]);
      expect(await keys(storage, "/a")).toEqual(["/a", "/a/", "/a/B", "/a/a-", "/a/a/z", "/a/b", "/a/~", "/a0"]);
      expect(await keys(storage, "/c/")).toEqual([]);
      expect(await keys(storage, "")).toHaveLength(10);
    });

    test.each([
      { stored: ["/x~", "/x~~", "/y"], prefix: "/x~", want: ["/x~", "/x~~"] },
      { stored: ["/p%", "/p_", "/p*", "/pA", "/P_"], prefix: "/p_", want: ["/p_"] },
      { stored: ["/p%x", "/pax"], prefix: "/p%", want: ["/p%x"] },
      { stored: ["/q'", "/q'a", '/q"'], prefix: "/q'", want: ["/q'", "/q'a"] },
      { stored: [`/${"k".repeat(1023)}`, `/${"k".repeat(1022)}`], prefix: `/${"k".repeat(1023)}`, want: [`/${"k".repeat(1023)}`] },
    ])("takes the prefix literally: $prefix", async (storage, { stored, prefix, want }) => {
      await fill(storage, stored);
      expect(await keys(storage, prefix)).toEqual(want);
    });

    test("a page holds at most its limit and says whether more follows", async (storage) => {
      await fill(storage, ["/a/1", "/a/2", "/a/3", "/b/1"]);
      const page = async (limit: number, start?: string) => {
        const list = await storage.list("/a/", start === undefined ? { limit } : { limit, start: storageKey(start) });
        return { keys: list.values.map(({ key }) => key as string), more: list.more };
      };
      expect(await page(2)).toEqual({ keys: ["/a/1", "/a/2"], more: true });
      expect(await page(3)).toEqual({ keys: ["/a/1", "/a/2", "/a/3"], more: false });
      expect(await page(4)).toEqual({ keys: ["/a/1", "/a/2", "/a/3"], more: false });
      expect(await page(0)).toEqual({ keys: [], more: true });
      expect(await page(2, "/a/2")).toEqual({ keys: ["/a/2", "/a/3"], more: false });
      expect(await page(1, "/a/2")).toEqual({ keys: ["/a/2"], more: true });
      expect(await page(1, "/a/25")).toEqual({ keys: ["/a/3"], more: false });
      expect(await page(9, "/a/4")).toEqual({ keys: [], more: false });
    });

    test("a start outside the prefix shows no other keys", async (storage) => {
      await fill(storage, ["/a/1", "/b/1", "/c/1"]);
      expect(await keys(storage, "/b/", storageKey("/a/"))).toEqual(["/b/1"]);
      expect(await keys(storage, "/b/", storageKey("/c/"))).toEqual([]);
    });

    test("pages joined are the list", async (storage) => {
      const all = Array.from({ length: 57 }, (_, index) => `/page/${String(index * 7919).padStart(7, "0")}`);
      await fill(storage, all);
      const seen: string[] = [];
      let start = storageKey("/page/");
      for (;;) {
        const page = await storage.list("/page/", { start, limit: 10 });
        seen.push(...page.values.map(({ key }) => key));
        const last = page.values.at(-1);
        if (!page.more || last === undefined) break;
        start = storageKey(`${last.key}\0`);
      }
      expect(seen).toEqual(all);
    });

    test("a list carries each value's own revision and the store's", async (storage) => {
      const first = await storage.put(storageKey("/a/1"), bytesOf("one"), 0);
      const second = await storage.put(storageKey("/a/2"), bytesOf("two"), 0);
      const elsewhere = await storage.put(storageKey("/z/1"), bytesOf("z"), 0);
      const list = await storage.list("/a/");
      expect(list.values.map(({ value, revision }) => [textOf(value), revision])).toEqual([
        ["one", first],
        ["two", second],
      ]);
      expect(list.revision).toBe(elsewhere);
    });
  });
}

async function fill(storage: Storage, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => storage.put(storageKey(key), bytesOf(key), 0)));
}

async function keys(storage: Storage, prefix: string, start?: StorageKey): Promise<string[]> {
  const list = await storage.list(prefix, start === undefined ? {} : { start });
  return list.values.map(({ key }) => key);
}
