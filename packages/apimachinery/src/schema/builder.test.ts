import { describe, expect, expectTypeOf, it, test } from "vitest";
import { type EmbeddedResource, type Lenient, rule, type Static, type TSchema, t } from "./builder.ts";
import type { Schema } from "./schema.ts";

const SAFE = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

describe("the data", () => {
  test.each<{ name: string; schema: Schema; want: Schema }>([
    {
      name: "an object: required is what is neither optional nor defaulted",
      schema: t.object({ a: t.string(), b: t.optional(t.integer({ minimum: 1 })), c: t.boolean({ default: false }) }, { description: "d" }),
      want: {
        type: "object",
        description: "d",
        properties: {
          a: { type: "string" },
          b: { type: "integer", minimum: 1, maximum: SAFE.maximum },
          c: { type: "boolean", default: false },
        },
        required: ["a"],
      },
    },
    { name: "an object with nothing required", schema: t.object({}), want: { type: "object", properties: {} } },
    { name: "an integer stays where a number is exact", schema: t.integer({ maximum: 1e300 }), want: { type: "integer", ...SAFE } },
    { name: "an int64", schema: t.int64({ minimum: 0 }), want: { type: "integer", format: "int64", minimum: 0 } },
    { name: "string literals", schema: t.literals(["A", "B"]), want: { type: "string", enum: ["A", "B"] } },
    { name: "whole literals", schema: t.literals([1, 2], { default: 1 }), want: { type: "integer", enum: [1, 2], default: 1 } },
    { name: "fractional literals", schema: t.literals([1, 2.5]), want: { type: "number", enum: [1, 2.5] } },
    { name: "nullable", schema: t.nullable(t.string({ maxLength: 3 })), want: { type: "string", maxLength: 3, nullable: true } },
    { name: "an array", schema: t.array(t.string(), { maxItems: 2 }), want: { type: "array", maxItems: 2, items: { type: "string" } } },
    {
      name: "an atomic list",
      schema: t.atomic(t.string()),
      want: { type: "array", "x-kubernetes-list-type": "atomic", items: { type: "string" } },
    },
    { name: "a set", schema: t.set(t.string()), want: { type: "array", "x-kubernetes-list-type": "set", items: { type: "string" } } },
    {
      name: "a list map",
      schema: t.listMap(t.object({ name: t.string() }), { keys: ["name"] }),
      want: {
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name"],
        items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
      },
    },
    { name: "a record", schema: t.record(t.number()), want: { type: "object", additionalProperties: { type: "number" } } },
    { name: "int or string", schema: t.intOrString(), want: { ...SAFE, "x-kubernetes-int-or-string": true } },
    { name: "unknown", schema: t.unknown(), want: { "x-kubernetes-preserve-unknown-fields": true } },
    {
      name: "an embedded resource",
      schema: t.embeddedResource(),
      want: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
    },
    {
      name: "an embedded resource with fields of its own",
      schema: t.embeddedResource({ properties: { spec: t.object({ a: t.string() }) }, description: "d" }),
      want: {
        type: "object",
        description: "d",
        "x-kubernetes-embedded-resource": true,
        properties: { spec: { type: "object", properties: { a: { type: "string" } }, required: ["a"] } },
        required: ["spec"],
      },
    },
    {
      name: "int or string within bounds",
      schema: t.intOrString({ minimum: 1, pattern: "^\\d+%$", default: "25%" }),
      want: { "x-kubernetes-int-or-string": true, minimum: 1, maximum: SAFE.maximum, pattern: "^\\d+%$", default: "25%" },
    },
    { name: "a boolean that must be true", schema: t.boolean({ enum: [true] }), want: { type: "boolean", enum: [true] } },
    {
      name: "rules, wherever options stand",
      schema: t.object(
        {
          min: t.integer({ rules: [rule("self >= oldSelf")] }),
          names: t.listMap(t.object({ name: t.string() }), { keys: ["name"], rules: [rule("true")] }),
        },
        { rules: [rule("self.min < 5", { message: "m", reason: "FieldValueForbidden", fieldPath: ".min" })] },
      ),
      want: {
        type: "object",
        "x-kubernetes-validations": [{ rule: "self.min < 5", message: "m", reason: "FieldValueForbidden", fieldPath: ".min" }],
        properties: {
          min: { type: "integer", ...SAFE, "x-kubernetes-validations": [{ rule: "self >= oldSelf" }] },
          names: {
            type: "array",
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "x-kubernetes-validations": [{ rule: "true" }],
            items: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
          },
        },
        required: ["min", "names"],
      },
    },
  ])("$name", ({ schema, want }) => {
    expect(schema).toStrictEqual(want);
  });

  it("keeps a property named __proto__ a property", () => {
    const schema = t.object({ ["__proto__"]: t.string() });
    expect(Object.keys(schema.properties ?? {})).toEqual(["__proto__"]);
    expect(schema.required).toEqual(["__proto__"]);
  });

  it("refuses a default on what is optional, and literals of nothing", () => {
    expect(() => t.optional(t.string({ default: "a" }))).toThrow(TypeError);
    expect(() => t.literals([])).toThrow(TypeError);
  });
});

describe("the static type", () => {
  const everything = t.object({
    string: t.string(),
    defaulted: t.integer({ default: 3 }),
    optional: t.optional(t.boolean()),
    literal: t.literals(["A", "B"]),
    one: t.literals([1, 2]),
    big: t.int64(),
    list: t.array(t.object({ name: t.string() })),
    set: t.set(t.string()),
    map: t.listMap(t.object({ name: t.string(), port: t.optional(t.integer()) }), { keys: ["name", "port"] }),
    record: t.record(t.string()),
    port: t.intOrString(),
    any: t.unknown(),
    nothing: t.nullable(t.string()),
    template: t.optional(t.embeddedResource()),
    widget: t.embeddedResource({ properties: { size: t.integer() } }),
  });

  it("follows from the schema", () => {
    expectTypeOf<Static<typeof everything>>().toEqualTypeOf<{
      readonly string: string;
      readonly defaulted: number;
      readonly optional?: boolean;
      readonly literal: "A" | "B";
      readonly one: 1 | 2;
      readonly big: number | bigint;
      readonly list: readonly { readonly name: string }[];
      readonly set: readonly string[];
      readonly map: readonly { readonly name: string; readonly port?: number }[];
      readonly record: { readonly [key: string]: string };
      readonly port: number | string;
      readonly any: unknown;
      readonly nothing: string | null;
      readonly template?: EmbeddedResource;
      readonly widget: EmbeddedResource & { readonly size: number };
    }>();
    expectTypeOf<Static<TSchema>>().toEqualTypeOf<unknown>();
    expectTypeOf<Static<Schema>>().toEqualTypeOf<unknown>();
    expectTypeOf(everything).toExtend<Schema>();
    expectTypeOf<TSchema<string>>().toExtend<TSchema>();
  });

  it("is checked where a schema is written", () => {
    t.string({ enum: ["a"], default: "a" });
    // @ts-expect-error not one of the literals
    t.literals(["A", "B"], { default: "C" });
    // @ts-expect-error a default of another type
    t.integer({ default: "1" });
    // @ts-expect-error only an object's properties can be left out
    t.array(t.optional(t.string()));
    // @ts-expect-error a map key that the elements do not have
    t.listMap(t.object({ name: t.string() }), { keys: ["nam"] });
    // @ts-expect-error a map without keys
    t.listMap(t.object({ name: t.string() }), { keys: [] });
    // @ts-expect-error an option of another type
    t.boolean({ minLength: 1 });
    // @ts-expect-error null goes by t.nullable
    t.string({ nullable: true });
  });

  it("bounds a whole number by its format, where that is int32", () => {
    expect(t.integer({ format: "int32", minimum: 0 })).toEqual({ type: "integer", format: "int32", minimum: 0 });
    expect(t.integer({ format: "int64" })).toEqual({ type: "integer", format: "int64", ...SAFE });
  });

  it("lets an author's function give undefined for an optional property only", () => {
    type Returned = Lenient<Static<typeof everything>>;
    expectTypeOf<Pick<Returned, "optional">>().toEqualTypeOf<{ readonly optional?: boolean | undefined }>();
    expectTypeOf<Pick<Returned, "string">>().toEqualTypeOf<{ readonly string: string }>();
    expectTypeOf<Returned["map"]>().toEqualTypeOf<readonly { readonly name: string; readonly port?: number | undefined }[]>();
  });
});
