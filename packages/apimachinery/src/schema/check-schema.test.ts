import { expect, test } from "vitest";
import { isValidLabelValue } from "../meta/index.ts";
import { t } from "./builder.ts";
import { checkSchema } from "./check-schema.ts";
import type { Schema } from "./schema.ts";

const a: Schema = { type: "string" };
const listMap = (items: Schema, keys: readonly string[] = ["n"]): Schema => ({
  type: "array",
  items,
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
});
const embedded = { "x-kubernetes-embedded-resource": true } as const;
const deep = (levels: number): Schema => (levels === 0 ? a : { type: "array", items: deep(levels - 1) });
const endless: { type: "array"; items?: Schema } = { type: "array" };
endless.items = endless;

test.each<{ name: string; schema: Schema }>([
  {
    name: "whatever the builder makes",
    schema: t.object({
      a: t.string({ pattern: "^a$", default: "a" }),
      b: t.integer({ minimum: 1 }),
      c: t.listMap(t.object({ n: t.string(), p: t.integer({ default: 1 }) }), { keys: ["n", "p"] }),
      d: t.set(t.string()),
      e: t.set(t.object({ x: t.string() }, { "x-kubernetes-map-type": "atomic" })),
      f: t.record(t.intOrString()),
      g: t.unknown(),
      h: t.embeddedResource(),
      i: t.nullable(t.int64({ default: 1 })),
      m: {
        type: "object",
        ...embedded,
        properties: { metadata: { type: "object", default: { name: "x" } }, kind: { type: "string", default: "K" } },
      },
      j: t.object({ k: t.string({ default: "x" }), l: t.nullable(t.string({ default: "y" })) }, { default: {} }),
    }),
  },
  {
    name: "value validations of fields that are there",
    schema: { type: "object", properties: { a }, oneOf: [{ required: ["a"] }, { properties: { a: { maxLength: 1 } }, not: { required: ["a"] } }] },
  },
  {
    name: "int-or-string, said twice",
    schema: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }], pattern: "%$" },
  },
  { name: "a null default", schema: { type: "string", default: null } },
  { name: "64 levels", schema: deep(64) },
])("accepts $name", ({ schema }) => {
  expect(checkSchema(schema, "s")).toEqual([]);
});

test.each<{ want: string; schema: object }>([
  { schema: {}, want: "s.type: Required value: must not be empty at the root" },
  { schema: { type: "object", properties: { a: {} } }, want: "s.properties[a].type: Required value: must not be empty for specified object fields" },
  {
    schema: { type: "object", additionalProperties: {} },
    want: "s.additionalProperties.type: Required value: must not be empty for specified object fields",
  },
  { schema: { type: "array", items: {} }, want: "s.items.type: Required value: must not be empty for specified array items" },
  {
    schema: { type: "null" },
    want: 's.type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"',
  },
  {
    schema: { type: "string", "x-kubernetes-int-or-string": true },
    want: 's.type: Invalid value: "string": must be empty if x-kubernetes-int-or-string is true',
  },
  { schema: { type: "object", $ref: "#" }, want: "s.$ref: Forbidden: $ref is not supported" },
  {
    schema: { type: "object", properties: { a }, additionalProperties: a },
    want: "s.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive",
  },
  { schema: { type: "object", additionalProperties: false }, want: "s.additionalProperties: Forbidden: additionalProperties cannot be set to false" },
  {
    schema: { type: "string", properties: { a } },
    want: 's.type: Invalid value: "string": must be object if properties or additionalProperties is specified',
  },
  { schema: { type: "array" }, want: "s.items: Required value: must be specified" },
  { schema: { type: "string", items: a }, want: 's.type: Invalid value: "string": must be array if items is specified' },
  {
    schema: { type: "string", "x-kubernetes-map-type": "atomic" },
    want: 's.type: Invalid value: "string": must be object if x-kubernetes-map-type is specified',
  },
  {
    schema: { "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true },
    want: "s.type: Required value: must be object if x-kubernetes-embedded-resource is true",
  },
  {
    schema: { type: "object", "x-kubernetes-embedded-resource": true },
    want: "s.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
  },
  {
    schema: { type: "array", items: a, uniqueItems: true },
    want: "s.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic",
  },
  {
    schema: { type: "array", items: a, "x-kubernetes-list-map-keys": ["n"] },
    want: "s.x-kubernetes-list-type: Required value: must be map if x-kubernetes-list-map-keys is non-empty",
  },
  {
    schema: { type: "array", items: a, "x-kubernetes-list-type": "bag" },
    want: 's.x-kubernetes-list-type: Unsupported value: "bag": supported values: "atomic", "set", "map"',
  },
  {
    schema: { type: "string", "x-kubernetes-list-type": "set" },
    want: 's.type: Invalid value: "string": must be array if x-kubernetes-list-type is specified',
  },
  {
    schema: { type: "array", items: { ...a, nullable: true }, "x-kubernetes-list-type": "set" },
    want: "s.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is set",
  },
  {
    schema: t.set(t.object({})),
    want: "s.items.x-kubernetes-map-type: Invalid value: null: must be atomic as item of a list with x-kubernetes-list-type=set",
  },
  {
    schema: listMap(t.object({ n: t.string() }), []),
    want: "s.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map",
  },
  {
    schema: listMap({ ...t.record(t.string()) }),
    want: 's.x-kubernetes-list-map-keys: Invalid value: ["n"]: entries must all be names of item properties',
  },
  {
    schema: listMap(t.object({ n: t.string() }), ["n", "constructor"]),
    want: 's.x-kubernetes-list-map-keys: Invalid value: ["n","constructor"]: entries must all be names of item properties',
  },
  {
    schema: listMap(t.object({ n: t.string() }), ["n", "n"]),
    want: 's.x-kubernetes-list-map-keys: Invalid value: ["n","n"]: must not contain duplicate entries',
  },
  {
    schema: listMap(t.object({ n: t.object({}) })),
    want: 's.items.properties[n].type: Invalid value: "object": must be a scalar type if parent array\'s x-kubernetes-list-type is map',
  },
  {
    schema: listMap(t.object({ n: t.optional(t.string()) })),
    want: "s.items.properties[n].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property",
  },
  {
    schema: { type: "string", pattern: "(?=a)" },
    want: 's.pattern: Invalid value: "(?=a)": must be a valid regular expression, but isn\'t: error parsing regexp: invalid or unsupported Perl syntax: `(?=`',
  },
  {
    schema: { type: "string", allOf: [{ pattern: "(a)\\1" }] },
    want: 's.allOf[0].pattern: Invalid value: "(a)\\\\1": must be a valid regular expression, but isn\'t: error parsing regexp: invalid escape sequence: `\\1`',
  },
  {
    schema: { type: "string", pattern: "[a\\" },
    want: 's.pattern: Invalid value: "[a\\\\": must be a valid regular expression, but isn\'t: error parsing regexp: trailing backslash at end of expression: ``',
  },
  { schema: { type: "string", maxLength: -1 }, want: "s.maxLength: Invalid value: -1: must be a whole number, not negative" },
  { schema: { type: "string", minLength: 2, maxLength: 1 }, want: "s.minLength: Invalid value: 2: must not be greater than maxLength" },
  { schema: { type: "integer", minimum: 0.5 }, want: "s.minimum: Invalid value: 0.5: must be a whole number of at most 2^53 - 1 for type integer" },
  { schema: { type: "number", maximum: Number.NaN }, want: "s.maximum: Invalid value: NaN: must be a number" },
  { schema: { type: "number", minimum: 2, maximum: 1 }, want: "s.minimum: Invalid value: 2: must not be greater than maximum" },
  { schema: { type: "number", multipleOf: 0 }, want: "s.multipleOf: Invalid value: 0: must be positive" },
  { schema: { type: "number", exclusiveMinimum: true }, want: "s.minimum: Required value: exclusiveMinimum is set" },
  { schema: { type: "number", exclusiveMaximum: true }, want: "s.maximum: Required value: exclusiveMaximum is set" },
  { schema: { type: "string", enum: [] }, want: "s.enum: Invalid value: must not be empty" },
  { schema: { type: "string", anyOf: [] }, want: "s.anyOf: Invalid value: must not be empty" },
  { schema: { type: "string", not: { type: "string" } }, want: "s.not.type: Forbidden: must be empty to be structural" },
  {
    schema: { type: "object", properties: { a }, oneOf: [{ properties: { b: {} } }] },
    want: "s.oneOf[0].properties[b]: Required value: because it is defined in a value validation, it must be in the schema around it as well",
  },
  {
    schema: { type: "object", properties: { a }, oneOf: [{ properties: { a: { default: "x" } } }] },
    want: "s.oneOf[0].properties[a].default: Forbidden: must be undefined to be structural",
  },
  { schema: deep(65), want: "s.items".concat(".items".repeat(64), ": Forbidden: must not be nested deeper than 64 levels") },
  { schema: { type: "string", default: 1 }, want: 's.default: Invalid value: "integer":  in body must be of type string: "integer"' },
  { schema: { type: "string", maxLength: 1, default: "ab" }, want: "s.default: Too long: may not be more than 1 byte" },
  {
    schema: { type: "object", properties: { b: { type: "object", properties: { a }, default: { x: 1 } } } },
    want: 's.properties[b].default: Invalid value: {"x":1}: must not have unknown fields',
  },
  {
    schema: { type: "object", ...embedded, properties: { metadata: { type: "object", default: { labels: { a: "b c" } } } } },
    want: `s.properties[metadata].default: Invalid value: {"labels":{"a":"b c"}}: must result in valid metadata: metadata.labels: Invalid value: "b c": ${isValidLabelValue("b c")[0]}`,
  },
  {
    schema: { type: "object", ...embedded, properties: { spec: { type: "object", properties: { a }, default: { x: 1 } } } },
    want: 's.properties[spec].default: Invalid value: {"x":1}: must not have unknown fields',
  },
  // `as`: a type that there is not.
  {
    schema: { type: "null" as "string" },
    want: "s.type: Forbidden: type cannot be set to null, use nullable as an alternative",
  },
  { schema: { type: "object", properties: { a }, required: ["a"], default: {} }, want: "s.default.a: Required value" },
  {
    schema: { type: "array", items: { type: "object", additionalProperties: { type: "integer", default: "1" } } },
    want: 's.items.additionalProperties.default: Invalid value: "string":  in body must be of type integer: "string"',
  },
])("$want", ({ schema, want }) => {
  expect(checkSchema(schema, "s")).toContain(want);
});

test("a schema that holds itself has an end", () => {
  expect(checkSchema(endless, "s")).toHaveLength(1);
});
