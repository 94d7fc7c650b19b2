import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type JSONValue, jsonEquals } from "../meta/index.ts";
import { applyJSONPatch, decodeJSONPatch, unknownJSONPatchFields } from "./index.ts";

const target = { spec: { list: ["p", "q", "r"], map: { a: 1, n: null, "k/~": 5 }, deep: [{ c: "x" }] } };

const done: readonly { name: string; patch: JSONValue; want: JSONValue }[] = [
  { name: "nothing", patch: [], want: target.spec },
  { name: "null", patch: null, want: target.spec },
  { name: "add a member", patch: [{ op: "add", path: "/spec/x", value: 1 }], want: { ...target.spec, x: 1 } },
  { name: "add without a value", patch: [{ op: "add", path: "/spec/x" }], want: { ...target.spec, x: null } },
  { name: "add to a list", patch: [{ op: "add", path: "/spec/list/1", value: "n" }], want: { ...target.spec, list: ["p", "n", "q", "r"] } },
  { name: "add at the end", patch: [{ op: "add", path: "/spec/list/-", value: "n" }], want: { ...target.spec, list: ["p", "q", "r", "n"] } },
  { name: "add from the end", patch: [{ op: "add", path: "/spec/list/-2", value: "n" }], want: { ...target.spec, list: ["p", "q", "n", "r"] } },
  { name: "replace what is not there", patch: [{ op: "replace", path: "/spec/x", value: 1 }], want: { ...target.spec, x: 1 } },
  { name: "replace the last element", patch: [{ op: "replace", path: "/spec/list/-1", value: 1 }], want: { ...target.spec, list: ["p", "q", 1] } },
  { name: "remove", patch: [{ op: "remove", path: "/spec/list/0" }], want: { ...target.spec, list: ["q", "r"] } },
  { name: "escapes", patch: [{ op: "remove", path: "/spec/map/k~1~0" }], want: { ...target.spec, map: { a: 1, n: null } } },
  { name: "~01 is ~1", patch: [{ op: "add", path: "/spec/~01", value: 1 }], want: { ...target.spec, "~1": 1 } },
  { name: "move", patch: [{ op: "move", from: "/spec/list/2", path: "/spec/list/0" }], want: { ...target.spec, list: ["r", "p", "q"] } },
  {
    name: "copy is deep",
    patch: [
      { op: "copy", from: "/spec/deep", path: "/spec/two" },
      { op: "replace", path: "/spec/two/0/c", value: "y" },
      { op: "add", path: "/spec/deep/0/d", value: 1 },
    ],
    want: { ...target.spec, deep: [{ c: "x", d: 1 }], two: [{ c: "y" }] },
  },
  { name: "copy what is not there", patch: [{ op: "copy", from: "/spec/none", path: "/spec/x" }], want: { ...target.spec, x: null } },
  { name: "test of what is not there finds null", patch: [{ op: "test", path: "/spec/none", value: null }], want: target.spec },
  { name: "test ignores the order of keys", patch: [{ op: "test", path: "/spec/map", value: { "k/~": 5, n: null, a: 1 } }], want: target.spec },
  { name: "no first slash", patch: [{ op: "add", path: "ignored/spec", value: 7 }], want: 7 },
  { name: "the whole", patch: [{ op: "replace", path: "", value: { spec: 8 } }], want: 8 },
];

test.each(done)("$name", ({ patch, want }) => {
  const before = structuredClone(target);
  expect(applyJSONPatch(target, decodeJSONPatch(patch))).toEqual({ spec: want });
  expect(target).toEqual(before);
});

const failing: readonly JSONValue[] = [
  { op: "test", path: "/spec/map/a", value: 2 },
  { op: "test", path: "/spec/list/9", value: null },
  { op: "test", path: "/spec/none/x", value: null },
  { op: "remove", path: "/spec/none" },
  { op: "remove", path: "" },
  { op: "remove", path: "/spec/list/-4" },
  { op: "add", path: "/a/b/c", value: 1 },
  { op: "add", path: "", value: {} },
  { op: "add", path: "/spec/list/4", value: 1 },
  { op: "add", path: "/spec/list/x", value: 1 },
  { op: "replace", path: "/spec/list/-", value: 1 },
  { op: "replace", path: "" },
  { op: "replace", path: "/spec/map/a/b", value: 1 },
  { op: "move", from: "/spec/none", path: "/spec/x" },
  { op: "move", path: "/spec/x" },
  { op: "add" },
  { op: "jump", path: "/spec" },
  { path: "/spec" },
  { op: "remove", path: "/spec/constructor" },
  { op: "add", path: "/__proto__/polluted", value: 1 },
  null,
];

test.each(failing.map((operation) => ({ operation })))("refuses $operation, and all before it", ({ operation }) => {
  const patch = decodeJSONPatch([{ op: "add", path: "/spec/x", value: 1 }, operation]);
  const message = "the server rejected our request due to an error in our request";
  expect(() => applyJSONPatch(target, patch)).toThrow(expect.objectContaining({ reason: "Invalid", code: 422, message, details: {} }));
  expect(target.spec).not.toHaveProperty("x");
});

describe("decoding", () => {
  test.each([
    { patch: { op: "add" }, message: "error decoding patch: a JSON patch must be a list of operations" },
    { patch: [1], message: "error decoding patch: [0] must be an object" },
    { patch: [{ op: 1 }], message: "error decoding patch: [0].op must be a string" },
    { patch: [{ op: "add", path: [] }], message: "error decoding patch: [0].path must be a string" },
  ])("refuses $patch", ({ patch, message }) => {
    expect(() => decodeJSONPatch(patch)).toThrow(expect.objectContaining({ code: 400, message }));
  });

  test("names unknown members", () => {
    expect(unknownJSONPatchFields([{ op: "test", path: "/a", foo: 1 }, null])).toEqual(['json patch unknown field "[0].foo"']);
  });
});

describe("limits", () => {
  test("10,000 operations", () => {
    const message = "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001";
    const patch = (length: number) => Array.from({ length }, () => ({ op: "test", path: "/spec/map/a", value: 1 }));
    expect(() => decodeJSONPatch(patch(10_001))).toThrow(expect.objectContaining({ code: 413, message }));
    expect(applyJSONPatch(target, decodeJSONPatch(patch(10_000)))).toEqual(target);
  });

  test("3 MiB of copies", () => {
    const copy = (times: number) => [
      { op: "add", path: "/b", value: "x".repeat(1_000_000) },
      ...Array.from({ length: times }, (_, index) => ({ op: "copy", from: "/b", path: `/c${index}` })),
    ];
    expect(Object.keys(Object(applyJSONPatch({}, copy(3))))).toHaveLength(4);
    expect(() => applyJSONPatch({}, copy(4))).toThrow(expect.objectContaining({ code: 422 }));
  });

  test("moves do not make a value that nobody can encode", () => {
    const path = "/a".repeat(900);
    const nest = (depth: number) => JSON.parse(`${'{"a":'.repeat(depth)}1${"}".repeat(depth)}`);
    const deepen = [
      { op: "move", from: "/a", path: "/x" },
      { op: "add", path: "/a", value: nest(900) },
      { op: "move", from: "/x", path },
    ];
    const patch = (times: number) => Array.from({ length: times }, () => deepen).flat();
    expect(() => applyJSONPatch({ a: 1 }, patch(5))).not.toThrow();
    expect(() => applyJSONPatch({ a: 1 }, patch(30))).toThrow(expect.objectContaining({ code: 422 }));
  });

  test("shifted elements", () => {
    const list = new Array<number>(1_000_000).fill(1);
    const patch = Array.from({ length: 60 }, () => ({ op: "add", path: "/list/0", value: 1 }));
    expect(() => applyJSONPatch({ list }, patch)).toThrow(expect.objectContaining({ code: 422 }));
  });
});

test("__proto__ is a key like others", () => {
  const patched = applyJSONPatch({}, [{ op: "add", path: "/__proto__", value: { polluted: true } }]);
  expect(JSON.stringify(patched)).toBe('{"__proto__":{"polluted":true}}');
  expect(Reflect.get({}, "polluted")).toBeUndefined();
});

test("what is added is there, and removing it restores the value", () => {
  const value = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JSONValue>;
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), fc.string(), value, (object, key, added) => {
      fc.pre(!Object.hasOwn(object, key));
      const path = `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const patched = applyJSONPatch(object, [
        { op: "add", path, value: added },
        { op: "test", path, value: added },
      ]);
      expect(jsonEquals(applyJSONPatch(patched, [{ op: "remove", path }]), object)).toBe(true);
    }),
  );
});
