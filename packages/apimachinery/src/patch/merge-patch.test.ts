import fc from "fast-check";
import { expect, test } from "vitest";
import { isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import { applyMergePatch } from "./index.ts";

const cases: readonly { target: JSONValue; patch: JSONObject; want: JSONValue }[] = [
  // RFC 7386, appendix A, as far as a patch of an API object is an object.
  { target: { a: "b" }, patch: { a: "c" }, want: { a: "c" } },
  { target: { a: "b" }, patch: { b: "c" }, want: { a: "b", b: "c" } },
  { target: { a: "b" }, patch: { a: null }, want: {} },
  { target: { a: "b", b: "c" }, patch: { a: null }, want: { b: "c" } },
  { target: { a: ["b"] }, patch: { a: "c" }, want: { a: "c" } },
  { target: { a: "c" }, patch: { a: ["b"] }, want: { a: ["b"] } },
  { target: { a: { b: "c" } }, patch: { a: { b: "d", c: null } }, want: { a: { b: "d" } } },
  { target: { a: [{ b: "c" }] }, patch: { a: [1] }, want: { a: [1] } },
  { target: { e: null }, patch: { a: 1 }, want: { e: null, a: 1 } },
  { target: [1, 2], patch: { a: "b", c: null }, want: { a: "b" } },
  { target: {}, patch: { a: { bb: { ccc: null } } }, want: { a: { bb: {} } } },
  // Where Kubernetes' library goes further than the RFC.
  { target: { a: 1 }, patch: { a: [{ b: null, c: 1 }, null] }, want: { a: [{ c: 1 }, null] } },
  { target: { a: {} }, patch: { a: [{ b: null, c: 1 }] }, want: { a: [{ b: null, c: 1 }] } },
];

test.each(cases)("$target with $patch", ({ target, patch, want }) => {
  const before = structuredClone([target, patch]);
  expect(applyMergePatch(target, patch)).toEqual(want);
  expect([target, patch]).toEqual(before);
});

test("refuses what is no object", () => {
  expect(() => applyMergePatch({}, null)).toThrow(expect.objectContaining({ code: 400, message: "Invalid JSON Patch" }));
  expect(() => applyMergePatch({}, [1])).toThrow(expect.objectContaining({ code: 400 }));
  const deep = JSON.parse(`${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`);
  expect(() => applyMergePatch({}, deep)).toThrow(expect.objectContaining({ code: 400 }));
});

test("__proto__ is a key like others", () => {
  const patched = applyMergePatch({ a: 1 }, JSON.parse('{"__proto__": {"polluted": true, "n": null}}'));
  expect(JSON.stringify(patched)).toBe('{"a":1,"__proto__":{"polluted":true}}');
  expect(Reflect.get(patched, "polluted")).toBeUndefined();
});

test("null removes, and what the patch does not name is shared", () => {
  const object = fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JSONValue>);
  fc.assert(
    fc.property(object, object, (target, patch) => {
      const once = applyMergePatch(target, patch);
      for (const key of Object.keys(patch)) if (patch[key] === null) expect(Object.hasOwn(once, key)).toBe(false);
      for (const key of Object.keys(target)) if (!Object.hasOwn(patch, key)) expect(once[key]).toBe(target[key]);
      expect(isJSONObject(once)).toBe(true);
    }),
  );
});
