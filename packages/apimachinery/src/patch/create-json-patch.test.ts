import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isJSONObject, type JSONValue, jsonEquals } from "../meta/index.ts";
import { createJSONPatch } from "./create-json-patch.ts";
import { applyJSONPatch } from "./json-patch.ts";

describe("what makes one of the other", () => {
  test.each<{ what: string; from: JSONValue; to: JSONValue; want: readonly unknown[] }>([
    { what: "the same, in another order", from: { a: 1, b: [{}] }, to: { b: [{}], a: 1 }, want: [] },
    { what: "a new map", from: { metadata: {} }, to: { metadata: { a: { b: "c" } } }, want: [{ op: "add", path: "/metadata/a", value: { b: "c" } }] },
    { what: "a key in a map", from: { a: { b: 1 } }, to: { a: { b: 1, "x/y~z": 2 } }, want: [{ op: "add", path: "/a/x~1y~0z", value: 2 }] },
    { what: "a value", from: { a: { b: 1, c: 2 } }, to: { a: { b: null, c: 2 } }, want: [{ op: "replace", path: "/a/b", value: null }] },
    { what: "one that is gone", from: { a: 1, b: 2 }, to: { a: 1 }, want: [{ op: "remove", path: "/b" }] },
    { what: "a list", from: { a: [1, 2] }, to: { a: [1, 3] }, want: [{ op: "replace", path: "/a", value: [1, 3] }] },
    { what: "another type", from: { a: {} }, to: { a: [] }, want: [{ op: "replace", path: "/a", value: [] }] },
    { what: "all of it", from: 1, to: {}, want: [{ op: "replace", path: "", value: {} }] },
  ])("$what", ({ from, to, want }) => expect(createJSONPatch(from, to)).toEqual(want));

  test("undefined is absent", () => {
    expect(createJSONPatch({ a: 1 }, { a: undefined, b: undefined })).toEqual([{ op: "remove", path: "/a" }]);
  });
});

test("applied to the first it gives the second, whatever they are", () => {
  const value = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<JSONValue>;
  const keys = fc.constantFrom("a", "b", "a/b", "~", "__proto__");
  const object = fc.dictionary(keys, value) as fc.Arbitrary<JSONValue>;
  const check = (from: JSONValue, to: JSONValue) => jsonEquals(applyJSONPatch(from, createJSONPatch(from, to)), to);
  fc.assert(fc.property(fc.dictionary(keys, object), fc.dictionary(keys, object), check));
  fc.assert(fc.property(object, value.filter(isJSONObject), check));
});
