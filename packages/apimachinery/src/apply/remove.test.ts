import { describe, expect, test } from "vitest";
import type { JSONObject, JSONValue } from "../meta/index.ts";
import { schema } from "../testing/apply-schema.ts";
import { FieldSet } from "./field-set.ts";
import { extractItems, removeItems } from "./remove.ts";
import { structuralType } from "./structural-type.ts";

const type = structuralType(schema);

// Every row says what structured-merge-diff 6.3.3 answers.
describe("removeItems", () => {
  test.each<{ name: string; live: JSONValue; set: JSONObject; want: JSONValue }>([
    {
      name: "nothing",
      live: {
        s: "a",
        o: { a: "1", b: "2" },
        m: { x: { a: "1" }, y: { a: "2" } },
        set: ["a", "b"],
        map: [{ k: "a", v: "1", w: "2" }, { k: "b" }],
        list: ["a"],
      },
      set: {},
      want: {
        list: ["a"],
        m: { x: { a: "1" }, y: { a: "2" } },
        map: [{ k: "a", v: "1", w: "2" }, { k: "b" }],
        o: { a: "1", b: "2" },
        s: "a",
        set: ["a", "b"],
      },
    },
    { name: "a scalar", live: { s: "a", n: 1 }, set: { "f:s": {} }, want: { n: 1 } },
    { name: "an object and all below", live: { o: { a: "1" }, s: "a" }, set: { "f:o": {} }, want: { s: "a" } },
    { name: "a field of an object", live: { o: { a: "1", b: "2" } }, set: { "f:o": { "f:a": {} } }, want: { o: { b: "2" } } },
    { name: "the last field: the object is null", live: { o: { a: "1" } }, set: { "f:o": { "f:a": {} } }, want: { o: null } },
    { name: "an entry of a map", live: { m: { x: { a: "1" }, y: { a: "2" } } }, set: { "f:m": { "f:x": {} } }, want: { m: { y: { a: "2" } } } },
    { name: "elements of a set", live: { set: ["a", "b", "a"] }, set: { "f:set": { 'v:"a"': {} } }, want: { set: ["b"] } },
    {
      name: "an element by another key",
      live: { map: [{ k: "a", v: "1" }] },
      set: { "f:map": { 'k:{"q":"a"}': {} } },
      want: { map: [{ k: "a", v: "1" }] },
    },
    { name: "an element by one key more", live: { map: [{ k: "a" }] }, set: { "f:map": { 'k:{"k":"a","q":"b"}': {} } }, want: { map: [{ k: "a" }] } },
    {
      name: "an element of a list with keys by its value",
      live: { map: [{ k: "a" }] },
      set: { "f:map": { 'v:"a"': {} } },
      want: { map: [{ k: "a" }] },
    },
    { name: "an element of a set by a key", live: { set: ["a"] }, set: { "f:set": { 'k:{"k":"a"}': {} } }, want: { set: ["a"] } },
    { name: "the last element: the list is null", live: { set: ["a"] }, set: { "f:set": { 'v:"a"': {} } }, want: { set: null } },
    {
      name: "an element and one's field",
      live: { map: [{ k: "a", v: "1", w: "2" }, { k: "b" }] },
      set: { "f:map": { 'k:{"k":"a"}': { "f:v": {} }, 'k:{"k":"b"}': {} } },
      want: { map: [{ k: "a", w: "2" }] },
    },
    {
      name: "below what is atomic all goes",
      live: { atom: { a: "1", b: "2" }, s: "a" },
      set: { "f:atom": { "f:a": {} } },
      want: { atom: null, s: "a" },
    },
    { name: "all there is", live: { s: "a" }, set: { "f:s": {} }, want: null },
    { name: "what is not there", live: { s: "a", o: {} }, set: { "f:n": {}, "f:o": { "f:a": {} } }, want: { o: null, s: "a" } },
  ])("$name", ({ live, set, want }) => {
    const before = structuredClone(live);
    expect(removeItems(live, FieldSet.fromFieldsV1(set), type)).toEqual(want);
    expect(live).toEqual(before);
  });

  test("where nothing goes, the value itself comes back", () => {
    const value = { o: { a: "1" }, map: [{ k: "a" }] };
    expect(removeItems(value, FieldSet.of(["s"], ["o", "b"]), type)).toBe(value);
  });
});

describe("extractItems", () => {
  test.each<{ name: string; live: JSONValue; set: JSONObject; want: JSONValue }>([
    { name: "a scalar", live: { s: "a", n: 1 }, set: { "f:s": {} }, want: { s: "a" } },
    { name: "a field of an object", live: { o: { a: "1", b: "2" }, s: "a" }, set: { "f:o": { "f:a": {} } }, want: { o: { a: "1" } } },
    { name: "an atomic list", live: { list: ["a"], s: "a" }, set: { "f:list": {} }, want: { list: ["a"] } },
    { name: "an object that is a member: nothing of it", live: { o: { a: "1" } }, set: { "f:o": {} }, want: { o: null } },
    { name: "an empty object that is a member", live: { o: {} }, set: { "f:o": {} }, want: { o: {} } },
    {
      name: "an element as a whole",
      live: { map: [{ k: "a", v: "1" }, { k: "b" }] },
      set: { "f:map": { 'k:{"k":"a"}': {} } },
      want: { map: [{ k: "a", v: "1" }] },
    },
    {
      name: "fields of an element",
      live: { map: [{ k: "a", v: "1", w: "2" }] },
      set: { "f:map": { 'k:{"k":"a"}': { ".": {}, "f:w": {} } } },
      want: { map: [{ w: "2" }] },
    },
    { name: "nothing", live: { s: "a" }, set: {}, want: null },
  ])("$name", ({ live, set, want }) => expect(extractItems(live, FieldSet.fromFieldsV1(set), type)).toEqual(want));
});
