import fc from "fast-check";
import { expect, test } from "vitest";
import { compileAccepts } from "./accepts.ts";
import { compileNode } from "./compile.ts";
import { explain } from "./explain.ts";
import { Faults } from "./faults.ts";
import type { Schema } from "./schema.ts";

const scalar = fc.constantFrom<unknown>(
  null,
  "",
  "a",
  "ab",
  "abc",
  "😀",
  "::1",
  "1.2.3.4",
  0,
  1,
  2,
  5,
  -1,
  0.5,
  1.5,
  1e9 + 0.5,
  2 ** 31,
  1e20,
  1e39,
  2n ** 60n,
  2n ** 64n,
  true,
  undefined,
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small" },
    scalar,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c", "__proto__"), tie("any")),
  ),
})).any;

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 3 });
/** Levels are counted here: fast-check's own bias towards small values does not stop a tree this wide. */
function schemaOf(levels: number): fc.Arbitrary<Schema> {
  const inner = levels === 0 ? fc.constant<Schema>({ type: "string" }) : schemaOf(levels - 1);
  return fc
    .record({
      type: optional(fc.constantFrom("object", "array", "string", "integer", "number", "boolean")),
      nullable: optional(fc.boolean()),
      format: optional(fc.constantFrom("int32", "int64", "float", "double", "ipv4", "ipv6", "date-time", "made-up")),
      enum: optional(fc.array(fc.constantFrom("a", "ab", 1, 2, 0.5, null, [1], { a: 1 }), { maxLength: 3 })),
      minLength: optional(fc.nat(3)),
      maxLength: optional(fc.nat(3)),
      pattern: optional(fc.constantFrom("^a", "b$", "")),
      minimum: optional(fc.constantFrom(0, 1, 0.5)),
      maximum: optional(fc.constantFrom(1, 2, 1.5)),
      exclusiveMinimum: optional(fc.boolean()),
      exclusiveMaximum: optional(fc.boolean()),
      multipleOf: optional(fc.constantFrom(1, 2, 0.5)),
      minItems: optional(fc.nat(2)),
      maxItems: optional(fc.nat(2)),
      uniqueItems: optional(fc.boolean()),
      minProperties: optional(fc.nat(2)),
      maxProperties: optional(fc.nat(2)),
      required: optional(fc.subarray(["a", "b", "__proto__"])),
      properties: optional(fc.dictionary(fc.constantFrom("a", "b", "__proto__"), inner, { maxKeys: 2 })),
      additionalProperties: optional(fc.oneof(fc.boolean(), inner)),
      items: optional(inner),
      allOf: optional(fc.array(inner, { maxLength: 2 })),
      anyOf: optional(fc.array(inner, { maxLength: 2 })),
      oneOf: optional(fc.array(inner, { maxLength: 2 })),
      not: optional(inner),
      "x-kubernetes-int-or-string": optional(fc.boolean()),
    })
    .map((raw) => Object.fromEntries(Object.entries(raw).filter(([, keyword]) => keyword !== undefined)) as Schema); // what is left is a schema
}

test("what the quick check refuses has a fault, and what it accepts has none", () => {
  fc.assert(
    fc.property(schemaOf(2), value, (random, data) => {
      fc.pre(data !== undefined);
      const node = compileNode(random);
      const faults = new Faults("");
      explain(node, data, "", faults);
      expect(compileAccepts(node)(data)).toBe(faults.list.length === 0);
    }),
    { numRuns: 500 },
  );
}, 30_000);
