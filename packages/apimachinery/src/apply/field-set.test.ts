import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONObject } from "../meta/index.ts";
import { fieldElement, formatPath, MalformedFieldsError } from "./field-path.ts";
import { FieldSet, MAX_DEPTH } from "./field-set.ts";

const set = (fields: JSONObject) => FieldSet.fromFieldsV1(fields);
const paths = (fields: FieldSet) => [...fields.paths()].map(formatPath);

/** Few names, so that two sets meet. */
const { fields } = fc.letrec<{ fields: JSONObject }>((tie) => ({
  fields: fc.dictionary(
    fc.constantFrom(".", "f:a", "f:b", "f:c", 'v:"x"', 'k:{"n":1}', "i:0"),
    fc.oneof({ maxDepth: 3 }, fc.constant({}), tie("fields")),
    {
      maxKeys: 4,
    },
  ),
}));
const fieldSet = fields.map(set);

describe("FieldsV1", () => {
  test.each<{ name: string; fields: JSONObject; want: string[]; canonical?: JSONObject }>([
    { name: "an empty object is a member", fields: { "f:a": {} }, want: [".a"] },
    { name: "a parent is one only where it says so", fields: { "f:a": { "f:b": {} }, "f:c": { ".": {}, "f:d": {} } }, want: [".c", ".a.b", ".c.d"] },
    { name: "null is an empty object", fields: { "f:a": null }, want: [".a"], canonical: { "f:a": {} } },
    {
      name: "what the dot holds is not looked at",
      fields: { "f:a": { ".": { "f:x": 5 }, "f:b": {} } },
      want: [".a", ".a.b"],
      canonical: { "f:a": { ".": {}, "f:b": {} } },
    },
    { name: "the root is no member", fields: { ".": {} }, want: [], canonical: {} },
    {
      name: "elements of an unknown type are left out",
      fields: { "x:a": { "y:b": 1 }, "f:a": { "x:b": {} } },
      want: [".a"],
      canonical: { "f:a": {} },
    },
    {
      name: "one element spelled in two ways: the later one has what is below",
      fields: { "v:1.0": { ".": {}, "f:a": {} }, "v:1": { "f:b": {} }, "v:1e0": {} },
      want: ["[=1]", "[=1].b"],
      canonical: { "v:1": { ".": {}, "f:b": {} } },
    },
    {
      name: "a name of Object's",
      fields: { "f:__proto__": {}, "f:constructor": { "f:toString": {} } },
      want: [".__proto__", ".constructor.toString"],
    },
  ])("$name", ({ fields, want, canonical = fields }) => {
    const read = set(fields);
    expect(paths(read)).toEqual(want);
    expect(JSON.stringify(read.toFieldsV1())).toBe(JSON.stringify(canonical));
    expect(read.size).toBe(want.length);
  });

  test("is written in canonical order", () => {
    const written = set({
      "i:0": {},
      'v:"b"': {},
      "v:3": {},
      'k:{"n":2}': {},
      'k:{"n":1}': {},
      "f:b": {},
      "f:a": { "f:z": {}, ".": {} },
    }).toFieldsV1();
    expect(JSON.stringify(written)).toBe('{"f:a":{".":{},"f:z":{}},"f:b":{},"k:{\\"n\\":1}":{},"k:{\\"n\\":2}":{},"v:3":{},"v:\\"b\\"":{},"i:0":{}}');
  });

  test.each<{ name: string; fields: JSONObject }>([
    { name: "a key that is no element", fields: { "f:a": { spec: {} } } },
    { name: "a text for a value", fields: { "f:a": "x" } },
    { name: "a list for a value", fields: { "f:a": [] } },
    { name: "a value that is no JSON", fields: { "v:{": {} } },
  ])("refuses $name", ({ fields }) => expect(() => set(fields)).toThrow(MalformedFieldsError));

  const nested = (depth: number): JSONObject => (depth === 0 ? {} : { "f:a": nested(depth - 1) });

  test("has a bounded depth", () => {
    expect(set(nested(MAX_DEPTH)).size).toBe(1);
    expect(() => set(nested(MAX_DEPTH + 1))).toThrow(MalformedFieldsError);
  });

  // What is below elements of a list is read and written once where it is the same as below the one before.
  test.each<JSONObject>([
    { 'k:{"n":"a"}': { ".": {}, "f:x": {} }, 'k:{"n":"b"}': { ".": {}, "f:x": {} }, 'k:{"n":"c"}': { "f:x": {} } },
    { 'k:{"n":"a"}': { ".": {}, "f:x": {} }, 'k:{"n":"b"}': { ".": {}, "f:x": {}, "f:y": {} }, 'k:{"n":"c"}': { ".": {}, "f:y": {} } },
    { 'k:{"n":"a"}': { "f:x": {}, "f:y": {} }, 'k:{"n":"b"}': { "f:x": {} }, 'k:{"n":"c"}': {}, 'k:{"n":"d"}': { "f:x": {} } },
    { 'k:{"n":"a"}': { "f:x": {} }, 'k:{"n":"b"}': { "f:x": { ".": {}, "f:y": {} } }, 'k:{"n":"c"}': { "f:x": { "f:y": {} } } },
  ])("neighbours are told apart: %j", (fields) => {
    expect(set(fields).toFieldsV1()).toEqual(fields);
    const reversed = Object.fromEntries(Object.entries(fields).reverse());
    expect(set(reversed).toFieldsV1()).toEqual(fields);
    expect(set(reversed).equals(set(fields))).toBe(true);
    for (const key of Object.keys(fields)) {
      const others = Object.fromEntries(Object.entries(fields).filter(([other]) => other !== key));
      expect(set(others).equals(set({ ...fields, [key]: { "f:z": {} } }))).toBe(false);
      expect(
        set(fields)
          .difference(set(others))
          .equals(set({ [key]: fields[key] })),
      ).toBe(true);
      expect(
        set(others)
          .union(set({ [key]: fields[key] }))
          .equals(set(fields)),
      ).toBe(true);
    }
  });

  test("neighbours of which one is a member are told apart", () => {
    const both = set({ 'k:{"n":"a"}': { ".": {}, "f:x": {} }, 'k:{"n":"b"}': { ".": {}, "f:x": {} } });
    const rest = both.difference(set({ 'k:{"n":"b"}': {} }));
    expect(rest.toFieldsV1()).toEqual({ 'k:{"n":"a"}': { ".": {}, "f:x": {} }, 'k:{"n":"b"}': { "f:x": {} } });
  });

  test("reading what was written gives the same set", () => {
    fc.assert(
      fc.property(fieldSet, (one) => {
        expect(set(one.toFieldsV1()).equals(one)).toBe(true);
      }),
    );
  });
});

describe("operations", () => {
  const table: {
    name: string;
    left: JSONObject;
    right: JSONObject;
    union: JSONObject;
    intersection: JSONObject;
    difference: JSONObject;
    recursive: JSONObject;
  }[] = [
    {
      name: "a parent and its child",
      left: { "f:a": { ".": {}, "f:b": {} } },
      right: { "f:a": {} },
      union: { "f:a": { ".": {}, "f:b": {} } },
      intersection: { "f:a": {} },
      difference: { "f:a": { "f:b": {} } },
      recursive: {},
    },
    {
      name: "a child and its parent",
      left: { "f:a": {} },
      right: { "f:a": { "f:b": {} } },
      union: { "f:a": { ".": {}, "f:b": {} } },
      intersection: {},
      difference: { "f:a": {} },
      recursive: { "f:a": {} },
    },
    {
      name: "apart",
      left: { "f:a": {} },
      right: { "f:b": {} },
      union: { "f:a": {}, "f:b": {} },
      intersection: {},
      difference: { "f:a": {} },
      recursive: { "f:a": {} },
    },
  ];
  test.each(table)("$name", ({ name: _, left, right, ...want }) => {
    const [a, b] = [set(left), set(right)];
    expect({
      union: a.union(b).toFieldsV1(),
      intersection: a.intersection(b).toFieldsV1(),
      difference: a.difference(b).toFieldsV1(),
      recursive: a.recursiveDifference(b).toFieldsV1(),
    }).toEqual(want);
  });

  test("are those of sets of paths", () => {
    fc.assert(
      fc.property(fieldSet, fieldSet, (a, b) => {
        const [left, right] = [new Set(paths(a)), new Set(paths(b))];
        const below = (path: string) => [...right].some((other) => path === other || path.startsWith(`${other}.`) || path.startsWith(`${other}[`));
        const sorted = (list: Iterable<string>) => [...list].sort();
        expect(sorted(paths(a.union(b)))).toEqual(sorted(new Set([...left, ...right])));
        expect(sorted(paths(a.intersection(b)))).toEqual(sorted([...left].filter((path) => right.has(path))));
        expect(sorted(paths(a.difference(b)))).toEqual(sorted([...left].filter((path) => !right.has(path))));
        expect(sorted(paths(a.recursiveDifference(b)))).toEqual(sorted([...left].filter((path) => !below(path))));
        expect(a.equals(b)).toBe(sorted(left).join() === sorted(right).join());
        expect(a.isEmpty).toBe(left.size === 0);
      }),
    );
  });

  test("a set has exactly its paths", () => {
    fc.assert(
      fc.property(fieldSet, fieldSet, (a, b) => {
        const own = new Set(paths(a));
        for (const path of [...a.paths(), ...b.paths()]) expect(a.has(path)).toBe(own.has(formatPath(path)));
      }),
    );
  });

  test("leaves have no member below them", () => {
    fc.assert(
      fc.property(fieldSet, (a) => {
        const all = paths(a);
        const isParent = (path: string) => all.some((other) => other !== path && (other.startsWith(`${path}.`) || other.startsWith(`${path}[`)));
        expect(paths(a.leaves())).toEqual(all.filter((path) => !isParent(path)));
      }),
    );
  });

  test("give back the set itself where nothing changed", () => {
    const a = set({ "f:a": { ".": {}, "f:b": {} }, "f:c": {} });
    const b = set({ "f:a": { "f:x": {} }, "f:z": {} });
    expect(a.difference(b)).toBe(a);
    expect(a.recursiveDifference(b)).toBe(a);
    expect(a.union(set({ "f:a": { "f:b": {} } }))).toBe(a);
    expect(a.intersection(a)).toBe(a);
  });

  test("of, below, and the empty path", () => {
    const a = FieldSet.of(["metadata", "labels"], ["status"], ["metadata"], []);
    expect(a.toFieldsV1()).toEqual({ "f:metadata": { ".": {}, "f:labels": {} }, "f:status": {} });
    expect(paths(a.below(fieldElement("metadata")))).toEqual([".labels"]);
    expect(a.below(fieldElement("spec")).isEmpty).toBe(true);
    expect(a.has([])).toBe(false);
  });
});
