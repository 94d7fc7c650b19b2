import { expect, test } from "vitest";
import { setClock } from "../testing/review-cluster.ts";
import { ExpiringCache } from "./expiring-cache.ts";

const WIDE = { maxEntries: 100, maxKeyLength: 100, maxKeysLength: 1000 };

test.each([
  { what: "at once", laterMs: 0, want: 1 },
  { what: "until it ends", laterMs: 999, want: 1 },
  { what: "not when it ends", laterMs: 1000, want: undefined },
  { what: "not when the clock was set back", laterMs: -1, want: undefined },
  { what: "not when the clock was set back by five minutes", laterMs: -300_000, want: undefined },
])("a value is there $what", ({ laterMs, want }) => {
  const clock = setClock();
  const cache = new ExpiringCache<number>(clock, WIDE);
  cache.set("a", 1, 1000);
  clock.ms += laterMs;
  expect(cache.get("a")).toBe(want);
});

test("a clock that goes back and forth makes nothing live again", () => {
  const clock = setClock();
  const cache = new ExpiringCache<number>(clock, WIDE);
  cache.set("a", 1, 1000);
  clock.ms -= 1;
  cache.get("a");
  clock.ms += 2;
  expect(cache.get("a")).toBeUndefined();
});

test("what was used longest ago makes room", () => {
  const cache = new ExpiringCache<number>(setClock(), { ...WIDE, maxEntries: 2 });
  cache.set("a", 1, 1000);
  cache.set("b", 2, 1000);
  cache.get("a");
  cache.set("c", 3, 1000);
  expect(["a", "b", "c"].map((key) => cache.get(key))).toEqual([1, undefined, 3]);
  expect(cache.size).toBe(2);
});

test("what has a longer key is not kept", () => {
  const cache = new ExpiringCache<number>(setClock(), { ...WIDE, maxKeyLength: 4 });
  cache.set("1234", 1, 1000);
  cache.set("12345", 2, 1000);
  expect(["1234", "12345"].map((key) => cache.get(key))).toEqual([1, undefined]);
});

test("all keys together have a length", () => {
  const cache = new ExpiringCache<number>(setClock(), { ...WIDE, maxKeysLength: 8 });
  cache.set("1111", 1, 1000);
  cache.set("2222", 2, 1000);
  cache.set("2222", 3, 1000);
  expect(["1111", "2222"].map((key) => cache.get(key))).toEqual([1, 3]);
  cache.set("3", 4, 1000);
  expect(["1111", "2222", "3"].map((key) => cache.get(key))).toEqual([undefined, 3, 4]);
});

test("nothing is kept for no time, and what was there before goes", () => {
  const cache = new ExpiringCache<number>(setClock(), WIDE);
  cache.set("a", 1, 1000);
  cache.set("a", 2, 0);
  expect(cache.get("a")).toBeUndefined();
});
