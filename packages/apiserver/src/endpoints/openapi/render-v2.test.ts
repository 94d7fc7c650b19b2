import { expect, test } from "vitest";
import type { DocumentSchema } from "./model.ts";
import { simplify } from "./render-v2.ts";

const text: DocumentSchema = { type: "string" };
const nullable: DocumentSchema = { type: "string", nullable: true };

test.each<{ name: string; schema: DocumentSchema; want: DocumentSchema }>([
  {
    name: "keeps what both versions know",
    schema: { type: "integer", minimum: 1, default: 2, enum: [1, 2] },
    want: { type: "integer", minimum: 1, enum: [1, 2] },
  },
  { name: "drops alternatives", schema: { type: "object", allOf: [text], anyOf: [text], oneOf: [text], not: text }, want: { type: "object" } },
  { name: "takes the type of what may be null", schema: nullable, want: {} },
  {
    name: "takes the properties of what may be null",
    schema: { type: "object", nullable: true, properties: { a: text }, description: "d" },
    want: { description: "d" },
  },
  {
    name: "does not require what may be null",
    schema: { type: "object", required: ["a", "b"], properties: { a: text, b: nullable } },
    want: { type: "object", required: ["a"], properties: { a: text, b: {} } },
  },
  {
    name: "requires nothing of a map whose values may be null",
    schema: { type: "object", required: ["a"], additionalProperties: nullable },
    want: { type: "object", additionalProperties: {} },
  },
  {
    name: "says nothing of an object that keeps unknown fields",
    schema: { type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { a: text } },
    want: { "x-kubernetes-preserve-unknown-fields": true },
  },
  {
    name: "requires nothing of an embedded object that keeps unknown fields",
    schema: {
      type: "object",
      "x-kubernetes-preserve-unknown-fields": true,
      "x-kubernetes-embedded-resource": true,
      required: ["kind", "apiVersion"],
    },
    want: { "x-kubernetes-preserve-unknown-fields": true, "x-kubernetes-embedded-resource": true },
  },
  {
    name: "keeps another type than object",
    schema: { type: "string", "x-kubernetes-preserve-unknown-fields": true },
    want: { type: "string", "x-kubernetes-preserve-unknown-fields": true },
  },
  { name: "takes the type of a list without items", schema: { type: "array" }, want: {} },
  { name: "keeps a list with items", schema: { type: "array", items: nullable }, want: { type: "array", items: {} } },
  {
    name: "looks inside",
    schema: { type: "object", additionalProperties: { type: "array", items: { ...text, not: text } } },
    want: { type: "object", additionalProperties: { type: "array", items: text } },
  },
  {
    name: "keeps additionalProperties that are no schema",
    schema: { type: "object", additionalProperties: true },
    want: { type: "object", additionalProperties: true },
  },
])("$name", ({ schema, want }) => expect(simplify(schema)).toEqual(want));

test("of a built-in kind what may be null is said as if it might not", () => {
  const schema = (rules: DocumentSchema): DocumentSchema => ({
    type: "object",
    required: ["rules"],
    properties: { rules, extra: { type: "object", additionalProperties: rules } },
  });
  const rules: DocumentSchema = { type: "array", items: { $ref: "Rule" } };
  expect(simplify(schema({ ...rules, nullable: true }), true)).toEqual(schema(rules));
});
