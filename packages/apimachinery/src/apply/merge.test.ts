import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONObject, JSONValue } from "../meta/index.ts";
import { schema } from "../testing/apply-schema.ts";
import { merge } from "./merge.ts";
import { structuralType } from "./structural-type.ts";

const type = structuralType(schema);

// Every row says what structured-merge-diff 6.3.3 answers.
describe("merge", () => {
  test.each<{ name: string; live: JSONValue; applied: JSONValue; want: JSONValue }>([
    { name: "nothing", live: { s: "a" }, applied: {}, want: { s: "a" } },
    { name: "a scalar", live: { s: "a", n: 1 }, applied: { s: "b" }, want: { n: 1, s: "b" } },
    { name: "null in a scalar", live: { s: "a" }, applied: { s: null }, want: { s: null } },
    { name: "an object field by field", live: { o: { a: "1" } }, applied: { o: { b: "2" } }, want: { o: { a: "1", b: "2" } } },
    { name: "null keeps what an object holds", live: { o: { a: "1" } }, applied: { o: null }, want: { o: { a: "1" } } },
    { name: "null replaces an empty object", live: { o: {} }, applied: { o: null }, want: { o: null } },
    { name: "an empty object keeps what there is", live: { o: { a: "1" } }, applied: { o: {} }, want: { o: { a: "1" } } },
    { name: "an empty object replaces null", live: { o: null }, applied: { o: {} }, want: { o: {} } },
    { name: "null keeps what a set holds", live: { set: ["a"] }, applied: { set: null }, want: { set: ["a"] } },
    { name: "an atomic list as a whole", live: { list: ["a", "b"] }, applied: { list: ["c"] }, want: { list: ["c"] } },
    { name: "null in an atomic list", live: { list: ["a"] }, applied: { list: null }, want: { list: null } },
    { name: "an atomic object as a whole", live: { atom: { a: "1" } }, applied: { atom: { b: "2" } }, want: { atom: { b: "2" } } },
    { name: "a set in the order of the configuration", live: { set: ["a", "b", "c"] }, applied: { set: ["c", "a"] }, want: { set: ["b", "c", "a"] } },
    {
      name: "others keep their place between neighbours",
      live: { set: ["x", "a", "y", "b", "z"] },
      applied: { set: ["b", "n", "a"] },
      want: { set: ["x", "y", "b", "z", "n", "a"] },
    },
    {
      name: "new elements before, between and behind",
      live: { set: ["a", "b"] },
      applied: { set: ["n1", "a", "n2", "b", "n3"] },
      want: { set: ["n1", "a", "n2", "b", "n3"] },
    },
    {
      name: "an element by its key",
      live: {
        map: [
          { k: "a", v: "1", w: "1" },
          { k: "b", v: "1" },
        ],
      },
      applied: { map: [{ k: "a", v: "2" }] },
      want: {
        map: [
          { k: "a", v: "2", w: "1" },
          { k: "b", v: "1" },
        ],
      },
    },
    {
      name: "an element by the default of its key",
      live: { map: [{ v: "1", w: "1" }] },
      applied: { map: [{ k: "d", v: "2" }] },
      want: { map: [{ k: "d", v: "2", w: "1" }] },
    },
    {
      name: "an element that stood twice becomes the applied one",
      live: { map: [{ k: "a", v: "1", w: "1" }, { k: "b" }, { k: "a", w: "2" }] },
      applied: { map: [{ k: "a", v: "3" }] },
      want: { map: [{ k: "a", v: "3" }, { k: "b" }] },
    },
    {
      name: "elements that stand twice and are not named stay",
      live: { set: ["a", "b", "a"] },
      applied: { set: ["c"] },
      want: { set: ["a", "b", "a", "c"] },
    },
    {
      name: "where no schema says what it is, an object replaces a text",
      live: { free: { x: "t" } },
      applied: { free: { x: { y: 1 } } },
      want: { free: { x: { y: 1 } } },
    },
    { name: "and a text an object", live: { free: { x: { y: 1 } } }, applied: { free: { x: "t" } }, want: { free: { x: "t" } } },
    { name: "but null keeps an object", live: { free: { x: { y: 1 } } }, applied: { free: { x: null } }, want: { free: { x: { y: 1 } } } },
    { name: "and replaces a list", live: { free: { x: [1] } }, applied: { free: { x: null } }, want: { free: { x: null } } },
  ])("$name", ({ live, applied, want }) => expect(merge(live, applied, type)).toEqual(want));

  const word = fc.constantFrom("a", "b", "c");
  const value: fc.Arbitrary<JSONObject> = fc.record(
    {
      s: fc.option(word),
      o: fc.record({ a: word, b: word }, { requiredKeys: [] }),
      set: fc.uniqueArray(word, { maxLength: 3 }),
      map: fc.uniqueArray(fc.record({ k: word, v: word }, { requiredKeys: ["k"] }), { maxLength: 3, selector: ({ k }) => k }),
      atom: fc.dictionary(word, word),
      free: fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JSONValue>),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

  test("applied once more changes nothing, and no input is changed", () => {
    fc.assert(
      fc.property(value, value, (live, applied) => {
        const before = JSON.stringify([live, applied]);
        const merged = merge(live, applied, type);
        expect(merge(merged, applied, type)).toBe(merged);
        expect(JSON.stringify([live, applied])).toBe(before);
      }),
    );
  });

  test("parts that do not change are those of the present value", () => {
    const live = { o: { a: "1" }, map: [{ k: "a", v: "1" }, { k: "b" }], s: "x" };
    const merged = merge(live, { s: "y", o: { a: "1" }, map: [{ k: "a", v: "1" }] }, type) as typeof live;
    expect(merged.o).toBe(live.o);
    expect(merged.map).toBe(live.map);
    expect(merge(live, structuredClone(live), type)).toBe(live);
  });

  test("a field named __proto__ is a field", () => {
    const live = JSON.parse('{"m":{"a":{}}}') as JSONValue;
    const merged = merge(live, JSON.parse('{"m":{"__proto__":{"a":"x"}}}') as JSONValue, type);
    expect(JSON.stringify(merged)).toBe('{"m":{"a":{},"__proto__":{"a":"x"}}}');
  });
});
