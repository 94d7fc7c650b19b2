import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONObject, JSONValue } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { compare, excludeFields } from "./compare.ts";
import { FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { structuralType } from "./structural-type.ts";

const text: Schema = { type: "string" };
const schema = {
  type: "object",
  properties: {
    s: text,
    n: { type: "number" },
    o: { type: "object", properties: { a: text, b: text } },
    m: { type: "object", additionalProperties: text },
    list: { type: "array", items: text },
    set: { type: "array", items: text, "x-kubernetes-list-type": "set" },
    map: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["k"],
      items: { type: "object", properties: { k: { type: "string", default: "d" }, v: text } },
    },
    atom: { type: "object", "x-kubernetes-map-type": "atomic", additionalProperties: text },
    free: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
} as const satisfies Schema;
const type = structuralType(schema);

// Every row says what structured-merge-diff 6.3.3 answers.
describe("compare", () => {
  test.each<{ name: string; left: JSONObject; right: JSONObject; added?: JSONValue; modified?: JSONValue; removed?: JSONValue }>([
    { name: "nothing", left: { s: "a", o: { a: "x" } }, right: { o: { a: "x" }, s: "a" } },
    { name: "a scalar", left: { s: "a", n: 1 }, right: { s: "b", n: 1 }, modified: { "f:s": {} } },
    { name: "a scalar that comes", left: {}, right: { s: "a" }, added: { "f:s": {} } },
    { name: "a scalar that goes", left: { s: "a" }, right: {}, removed: { "f:s": {} } },
    { name: "null is a value", left: { s: null }, right: { s: "a" }, modified: { "f:s": {} } },
    { name: "an object takes all below it along", left: {}, right: { o: { a: "x" } }, added: { "f:o": { ".": {}, "f:a": {} } } },
    { name: "and so when it goes", left: { o: { a: "x", b: "y" } }, right: {}, removed: { "f:o": { ".": {}, "f:a": {}, "f:b": {} } } },
    { name: "an empty object comes", left: {}, right: { o: {} }, added: { "f:o": {} } },
    { name: "an empty object fills", left: { o: {} }, right: { o: { a: "x" } }, added: { "f:o": { "f:a": {} } } },
    { name: "an object becomes empty", left: { o: { a: "x" } }, right: { o: {} }, removed: { "f:o": { "f:a": {} } } },
    { name: "an empty object becomes null", left: { o: {} }, right: { o: null }, modified: { "f:o": {} } },
    { name: "a full object becomes null", left: { o: { a: "x" } }, right: { o: null }, removed: { "f:o": { "f:a": {} } } },
    { name: "an atomic list", left: { list: ["a", "b"] }, right: { list: ["b", "a"] }, modified: { "f:list": {} } },
    { name: "an atomic object", left: { atom: { a: "1" } }, right: { atom: { a: "2" } }, modified: { "f:atom": {} } },
    { name: "a set has no order", left: { set: ["a", "b"] }, right: { set: ["b", "a"] } },
    {
      name: "elements of a set",
      left: { set: ["a", "b"] },
      right: { set: ["b", "c"] },
      added: { "f:set": { 'v:"c"': {} } },
      removed: { "f:set": { 'v:"a"': {} } },
    },
    { name: "a set that becomes empty", left: { set: ["a"] }, right: { set: [] }, removed: { "f:set": { 'v:"a"': {} } } },
    { name: "an empty set becomes null", left: { set: [] }, right: { set: null }, modified: { "f:set": {} } },
    {
      name: "an element by its key, wherever it stands",
      left: {
        map: [
          { k: "a", v: "1" },
          { k: "b", v: "1" },
        ],
      },
      right: {
        map: [
          { k: "b", v: "2" },
          { k: "a", v: "1" },
        ],
      },
      modified: { "f:map": { 'k:{"k":"b"}': { "f:v": {} } } },
    },
    {
      name: "a key given, where its default stood",
      left: { map: [{ v: "1" }] },
      right: { map: [{ k: "d", v: "1" }] },
      added: { "f:map": { 'k:{"k":"d"}': { "f:k": {} } } },
    },
    {
      name: "duplicates come",
      left: { map: [{ k: "a", v: "1" }] },
      right: {
        map: [
          { k: "a", v: "1" },
          { k: "a", v: "2" },
        ],
      },
      added: { "f:map": { 'k:{"k":"a"}': {} } },
      removed: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:k": {}, "f:v": {} } } },
    },
    {
      name: "duplicates go",
      left: {
        map: [
          { k: "a", v: "1" },
          { k: "a", v: "2" },
        ],
      },
      right: { map: [{ k: "a", v: "1" }] },
      added: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:k": {}, "f:v": {} } } },
      removed: { "f:map": { 'k:{"k":"a"}': {} } },
    },
    {
      name: "duplicates change",
      left: {
        map: [
          { k: "a", v: "1" },
          { k: "a", v: "2" },
        ],
      },
      right: {
        map: [
          { k: "a", v: "2" },
          { k: "a", v: "1" },
        ],
      },
      modified: { "f:map": { 'k:{"k":"a"}': {} } },
    },
    {
      name: "duplicates all go",
      left: { set: ["a", "a"] },
      right: { set: ["b"] },
      added: { "f:set": { 'v:"b"': {} } },
      removed: { "f:set": { 'v:"a"': {} } },
    },
    {
      name: "an object becomes a text, where no schema says what it is",
      left: { free: { x: { y: 1, z: {} } } },
      right: { free: { x: "t" } },
      modified: { "f:free": { "f:x": {} } },
      removed: { "f:free": { "f:x": { "f:y": {}, "f:z": {} } } },
    },
    {
      name: "a list becomes an object",
      left: { free: { x: [1] } },
      right: { free: { x: { y: 1 } } },
      added: { "f:free": { "f:x": { "f:y": {} } } },
      modified: { "f:free": { "f:x": {} } },
    },
    { name: "a name of Object's comes", left: { m: {} }, right: { m: { constructor: "a" } }, added: { "f:m": { "f:constructor": {} } } },
    { name: "a name of Object's goes", left: { m: { toString: "a" } }, right: { m: {} }, removed: { "f:m": { "f:toString": {} } } },
    { name: "undefined is absent", left: { s: "a", n: undefined }, right: { s: undefined, o: undefined }, removed: { "f:s": {} } },
  ])("$name", ({ left, right, added = {}, modified = {}, removed = {} }) => {
    const comparison = compare(left, right, type);
    expect({ added: comparison.added.toFieldsV1(), modified: comparison.modified.toFieldsV1(), removed: comparison.removed.toFieldsV1() }).toEqual({
      added,
      modified,
      removed,
    });
  });

  const word = fc.constantFrom("a", "b", "c");
  const value: fc.Arbitrary<JSONObject> = fc.record(
    {
      s: fc.option(word),
      n: fc.integer({ min: 0, max: 2 }),
      o: fc.record({ a: word, b: word }, { requiredKeys: [] }),
      m: fc.dictionary(word, word),
      list: fc.array(word, { maxLength: 3 }),
      set: fc.array(word, { maxLength: 3 }),
      map: fc.array(fc.record({ k: word, v: word }, { requiredKeys: ["v"] }), { maxLength: 3 }),
      atom: fc.dictionary(word, word),
      free: fc.option(fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }) as fc.Arbitrary<JSONValue>)),
    },
    { requiredKeys: [], noNullPrototype: true },
  );

  test("of a value with itself is nothing; the other way round, what was added is removed", () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        const there = compare(left, right, type);
        const back = compare(right, left, type);
        const self = compare(left, structuredClone(left), type);
        expect([self.added.size, self.modified.size, self.removed.size]).toEqual([0, 0, 0]);
        expect(back.added.equals(there.removed)).toBe(true);
        expect(back.removed.equals(there.added)).toBe(true);
        expect(back.modified.equals(there.modified)).toBe(true);
      }),
    );
  });

  test("whoever writes an object where there was none changes all the fields that it sets", () => {
    fc.assert(
      fc.property(value, (right) => {
        expect(
          fieldSetOf(right, type)
            .difference(compare({}, right, type).added)
            .toFieldsV1(),
        ).toEqual({});
      }),
    );
  });

  test("without the fields that a request cannot change", () => {
    const comparison = compare({ s: "a", o: { a: "1", b: "1" } }, { s: "b", o: { a: "2" }, n: 1 }, type);
    const { added, modified, removed } = excludeFields(comparison, FieldSet.of(["o"], ["n"]));
    expect([added.toFieldsV1(), modified.toFieldsV1(), removed.toFieldsV1()]).toEqual([{}, { "f:s": {} }, {}]);
  });
});
