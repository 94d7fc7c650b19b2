// Objects of up to 3 MiB that are made to cost as much as they can, of a schema that has what could cost: each gets a Status, in time linear in its size.
// Measured on two busy cores in November 2026: at most 0.9 s of processor time. The limit is that of a machine with much else to do.
import { type JSONObject, rule, t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { compileResource } from "../definition/compile-resource.ts";

const LIMIT_MS = 60_000;
const BOMBS = "/apis/example.com/v1/bombs";

const spec = t.object({
  known: t.optional(t.object({ a: t.optional(t.string()) })),
  free: t.optional(t.object({}, { "x-kubernetes-preserve-unknown-fields": true })),
  ruled: t.optional(t.array(t.integer({ rules: [rule("self >= 0")] }), { maxItems: 200_000 })),
  short: t.optional(t.array(t.string({ maxLength: 4 }))),
  set: t.optional(t.set(t.string())),
  nested: t.optional(t.string({ pattern: "^(a+)+$" })),
  overlapping: t.optional(t.string({ pattern: "(x+x+)+y" })),
  squared: t.optional(t.array(t.integer(), { maxItems: 300, rules: [rule("self.all(a, self.all(b, a + b >= 0))")] })),
  embedded: t.optional(t.array(t.embeddedResource())),
});
const Bomb = compileResource({ group: "example.com", kind: "Bomb", scope: "Cluster", versions: { v1: { schema: { spec } } } });

const many = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_, index) => make(index));
const fields = (count: number): JSONObject => Object.fromEntries(many(count, (index) => [`k${index}`, 1]));
const object = (fieldsOfSpec: object) => JSON.stringify({ apiVersion: "example.com/v1", kind: "Bomb", metadata: { name: "a" }, spec: fieldsOfSpec });

describe("an object that is made to cost", () => {
  test.each<{ readonly what: string; readonly body: () => string; readonly code: number; readonly causes?: readonly string[] }>([
    { what: "200,000 unknown fields", body: () => object({ known: fields(200_000) }), code: 201 },
    { what: "200,000 elements with a rule each", body: () => object({ ruled: many(200_000, () => 1) }), code: 201 },
    { what: "200,000 elements whose rules fail", body: () => object({ ruled: many(200_000, () => -1) }), code: 422, causes: ["spec.ruled[0]"] },
    { what: "300,000 elements that are too long", body: () => object({ short: many(300_000, () => "abcde") }), code: 422, causes: ["spec.short[0]"] },
    { what: "a set of 300,000 equals", body: () => object({ set: many(300_000, () => "a") }), code: 422, causes: ["spec.set[1]"] },
    { what: "a nested repetition", body: () => object({ nested: `${"a".repeat(2_900_000)}b` }), code: 422, causes: ["spec.nested"] },
    { what: "repetitions that overlap", body: () => object({ overlapping: "x".repeat(2_900_000) }), code: 422, causes: ["spec.overlapping"] },
    { what: "a rule that costs the square of its list", body: () => object({ squared: many(300, () => 1) }), code: 201 },
    {
      what: "a list that is longer than its rule allows",
      body: () => object({ squared: many(200_000, () => 1) }),
      code: 422,
      causes: ["spec.squared"],
    },
    { what: "400,000 embedded resources that are none", body: () => object({ embedded: many(400_000, () => ({})) }), code: 422 },
    {
      what: "nesting beyond what is read",
      body: () => object({ free: {} }).replace('"free":{}', `"free":{"a":${"[".repeat(1_000_000)}${"]".repeat(1_000_000)}}`),
      code: 400,
    },
  ])("$what", { timeout: LIMIT_MS }, async ({ body, code, causes }) => {
    await using server = await startHarness([Bomb]);
    const answer = await server.request("POST", BOMBS, { body: body(), headers: { "content-type": "application/json" } });
    expect(answer.status).toBe(code);
    if (code === 201) return;
    expect(answer.json()).toMatchObject({ kind: "Status", code });
    expect(answer.text.length).toBeLessThan(16 * 1024 * 1024);
    const told = answer.json().details?.causes?.map(({ field }) => field) ?? [];
    expect(told.length).toBeLessThanOrEqual(1000);
    if (causes !== undefined) expect(told).toEqual(expect.arrayContaining([...causes]));
  });
});

test("a schema that nests without end, or whose rules could cost without bound, is no definition", () => {
  let deep = t.object({});
  for (let level = 0; level < 70; level++) deep = t.object({ a: t.optional(deep) });
  const versions = (schema: object) => ({ v1: { schema: { spec: schema } } });
  const define = (schema: object) => () => compileResource({ group: "example.com", kind: "Deep", scope: "Cluster", versions: versions(schema) });
  expect(define(deep)).toThrow("must not be nested deeper than 64 levels");
  expect(define(t.array(t.integer(), { rules: [rule("self.all(a, self.all(b, a != b))")] }))).toThrow(
    /estimated rule cost exceeds budget by factor of .* \(try simplifying the rule, or adding maxItems, /,
  );
  expect(define(t.string({ pattern: "(a{1000}){1000}" }))).toThrow("must be a valid regular expression");
});
