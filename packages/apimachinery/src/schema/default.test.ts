import fc from "fast-check";
import { expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import { t } from "./builder.ts";
import { applyDefaults } from "./default.ts";
import type { Schema } from "./schema.ts";

const inner = t.object({ v: t.integer({ default: 3 }), w: t.nullable(t.string({ default: "q" })), x: t.optional(t.string()) });
const schema: Schema = {
  ...t.object({
    plain: t.string({ default: "p" }),
    nothing: t.optional(t.string()),
    mayBeNull: t.optional(t.nullable(t.string())),
    deep: { ...inner, default: {} },
    list: t.optional(t.array(inner)),
    numbers: t.optional(t.array(t.integer({ default: 7 }))),
    map: t.optional(t.record(inner)),
    counts: t.optional(t.record(t.integer({ default: 1 }))),
    any: t.optional(t.unknown()),
  }),
  default: { plain: "of the root, never applied" },
};
const DEFAULTS = { plain: "p", deep: { v: 3, w: "q" } };

test.each<{ name: string; value: JSONValue; want: JSONValue }>([
  { name: "what is absent", value: {}, want: DEFAULTS },
  { name: "a default that has defaults within", value: { plain: "a" }, want: { ...DEFAULTS, plain: "a" } },
  { name: "null takes the default", value: { plain: null, deep: null }, want: DEFAULTS },
  {
    name: "a nullable null stays, with or without a default",
    value: { mayBeNull: null, deep: { w: null } },
    want: { plain: "p", mayBeNull: null, deep: { v: 3, w: null } },
  },
  { name: "a null without a default goes", value: { nothing: null, list: null }, want: DEFAULTS },
  {
    name: "within lists",
    value: { list: [{}, { v: 1 }] },
    want: {
      ...DEFAULTS,
      list: [
        { v: 3, w: "q" },
        { v: 1, w: "q" },
      ],
    },
  },
  {
    name: "null elements stay, or take the default",
    value: { list: [null], numbers: [null, 2] },
    want: { ...DEFAULTS, list: [null], numbers: [7, 2] },
  },
  {
    name: "within maps",
    value: { map: { a: {}, b: null }, counts: { c: null } },
    want: { ...DEFAULTS, map: { a: { v: 3, w: "q" } }, counts: { c: 1 } },
  },
  { name: "what has no schema is left alone", value: { any: { a: null }, mystery: null }, want: { ...DEFAULTS, any: { a: null }, mystery: null } },
  { name: "a value of another type", value: { deep: 1, list: {}, map: [{}] }, want: { ...DEFAULTS, deep: 1, list: {}, map: [{}] } },
  { name: "undefined counts as absent", value: { plain: undefined }, want: DEFAULTS },
])("$name", ({ value, want }) => {
  const before = JSON.stringify(value);
  expect(applyDefaults(value, schema)).toEqual(want);
  expect(JSON.stringify(value)).toBe(before);
});

test("a null default is none", () => {
  expect(
    applyDefaults({ a: null }, { type: "object", properties: { a: { type: "string", default: null }, b: { type: "string", default: null } } }),
  ).toEqual({});
});

test("inherited names are not fields, and __proto__ is one", () => {
  const hostile: Schema = t.object({ ["__proto__"]: t.string({ default: "x" }), toString: t.string({ default: "y" }) });
  const result = applyDefaults({}, hostile);
  expect(Object.entries(result ?? {})).toEqual([
    ["__proto__", "x"],
    ["toString", "y"],
  ]);
  expect(Object.getPrototypeOf(result)).toBe(Object.prototype);
  const kept = JSON.parse('{"__proto__":{"polluted":true},"constructor":null}');
  expect(JSON.stringify(applyDefaults(kept, t.object({ a: t.string({ default: "a" }) })))).toBe(
    '{"__proto__":{"polluted":true},"constructor":null,"a":"a"}',
  );
});

test("defaulting twice is defaulting once, and what did not change is the same reference", () => {
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, fc.constantFrom(null, 1, "s"), fc.array(tie("any")), tie("object")),
    object: fc.dictionary(fc.constantFrom("plain", "nothing", "mayBeNull", "deep", "list", "numbers", "map", "counts", "any", "v", "w"), tie("any")),
  }));
  fc.assert(
    fc.property(value.object, (random) => {
      const once = applyDefaults(random as JSONValue, schema); // what the arbitrary makes is JSON
      expect(applyDefaults(once, schema)).toBe(once);
    }),
  );
});
