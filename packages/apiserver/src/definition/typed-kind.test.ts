import { type JSONObject, t } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "./index.ts";
import { asTyped, withoutNulls } from "./typed-kind.ts";

const schema = t.object({
  metadata: t.unknown(),
  text: t.optional(t.string()),
  must: t.string(),
  named: t.string({ default: "x" }),
  list: t.optional(t.array(t.object({ note: t.optional(t.string()), n: t.optional(t.integer()) }))),
  map: t.optional(t.record(t.string())),
  bytes: t.optional(t.record(t.string({ format: "byte" }))),
  struct: t.optional(t.object({ note: t.optional(t.string()) })),
  any: t.optional(t.unknown()),
  flag: t.optional(t.boolean()),
  share: t.optional(t.number()),
  port: t.optional(t.intOrString()),
  short: t.optional(t.integer({ format: "int32" })),
  long: t.optional(t.int64()),
});

describe("what is empty is left out, as `omitempty` does", () => {
  test.each<{ sent: JSONObject; want: JSONObject }>([
    { sent: { text: "", list: [], map: {} }, want: {} },
    { sent: { must: "", named: "" }, want: { must: "", named: "" } },
    { sent: { short: -(2 ** 31), long: -(2n ** 63n) }, want: { short: -(2 ** 31), long: -(2n ** 63n) } },
    { sent: { struct: {}, flag: false, share: 0, any: {} }, want: { struct: {}, flag: false, share: 0, any: {} } },
    { sent: { struct: { note: "" }, list: [{ note: "" }, {}] }, want: { struct: {}, list: [{}, {}] } },
    { sent: { map: { a: "" }, bytes: { b: "" } }, want: { map: { a: "" }, bytes: { b: "" } } },
    { sent: { metadata: { labels: {} } }, want: { metadata: { labels: {} } } },
    { sent: { bytes: { b: "YW\nJj\r\n" } }, want: { bytes: { b: "YWJj" } } },
  ])("$sent", ({ sent, want }) => expect(asTyped(sent, schema)).toEqual(want));

  test("what has nothing empty is the same reference, and nothing is changed in place", () => {
    const full = { must: "a", list: [{ n: 1 }], map: { a: "b" } };
    expect(asTyped(full, schema)).toBe(full);
    const sent = { text: "", struct: { note: "" } };
    asTyped(sent, schema);
    expect(sent).toEqual({ text: "", struct: { note: "" } });
  });
});

test.each<{ sent: JSONObject; want: string }>([
  { sent: { text: 5 }, want: "json: cannot unmarshal number into field text of type string" },
  { sent: { list: {} }, want: "json: cannot unmarshal object into field list of type array" },
  { sent: { list: [{ n: "1" }] }, want: "json: cannot unmarshal string into field list[0].n of type integer" },
  { sent: { list: [{ n: 1.5 }] }, want: "json: cannot unmarshal number into field list[0].n of type integer" },
  { sent: { map: { a: true } }, want: "json: cannot unmarshal bool into field map.a of type string" },
  { sent: { struct: [] }, want: "json: cannot unmarshal array into field struct of type object" },
  { sent: { short: 2 ** 31 }, want: "json: cannot unmarshal number into field short of type int32" },
  { sent: { short: -(2 ** 31) - 1 }, want: "json: cannot unmarshal number into field short of type int32" },
  { sent: { long: 2n ** 63n }, want: "json: cannot unmarshal number into field long of type int64" },
  { sent: { flag: "true" }, want: "json: cannot unmarshal string into field flag of type boolean" },
  { sent: { share: "1" }, want: "json: cannot unmarshal string into field share of type number" },
  { sent: { port: true }, want: "json: cannot unmarshal bool into field port of type integer or string" },
  { sent: { bytes: { a: "@@" } }, want: "illegal base64 data at input byte 0" },
  { sent: { bytes: { a: "YW=" } }, want: "illegal base64 data at input byte 3" },
])("$want", ({ sent, want }) => expect(() => asTyped(sent, schema)).toThrow(expect.objectContaining({ name: "WrongTypeError", message: want })));

test("of several wrong types the first of the body is told", () => {
  const two = t.object({ a: t.optional(t.string()), b: t.optional(t.string()) });
  for (const [sent, field] of [
    [{ a: 1, b: 1 }, "a"],
    [{ b: 1, a: 1 }, "b"],
  ] as const) {
    expect(() => asTyped(sent, two)).toThrow(`field ${field} of type string`);
  }
});

// As encoding/json reads them; asked of kube-apiserver with rules, subjects and data of Secrets.
test.each<{ sent: JSONObject; want: object }>([
  { sent: { texts: null, struct: null, flag: null }, want: {} },
  { sent: { texts: ["a", null] }, want: { texts: ["a", ""] } },
  { sent: { structs: [null, { n: null, m: null }] }, want: { structs: [{}, { m: null }] } },
  { sent: { map: { a: null, __proto__x: null } }, want: { map: { a: "", __proto__x: "" } } },
  { sent: { kept: null }, want: { kept: null } },
  { sent: { unknown: null, metadata: { labels: null } }, want: { unknown: null, metadata: { labels: null } } },
  { sent: { texts: "x", structs: {}, map: [null] }, want: { texts: "x", structs: {}, map: [null] } },
])("nulls of $sent", ({ sent, want }) => {
  const nullsSchema = t.object({
    texts: t.optional(t.array(t.string())),
    structs: t.optional(t.array(t.object({ n: t.optional(t.integer()) }))),
    struct: t.optional(t.object({})),
    flag: t.optional(t.boolean()),
    map: t.optional(t.record(t.string())),
    kept: t.optional(t.nullable(t.array(t.string()))),
  });
  expect(withoutNulls(sent, nullsSchema)).toEqual(want);
  expect(withoutNulls(want as JSONObject, nullsSchema)).toBe(want);
});

describe("over the wire", () => {
  const input = {
    group: "example.com",
    kind: "Thing",
    scope: "Cluster",
    versions: { v1: { schema: { spec: t.object({ n: t.optional(t.integer()) }) } } },
  } as const;
  const body = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a" }, spec: { n: "text" } };

  test.each([
    {
      isBuiltIn: true,
      code: 400,
      message: 'Thing in version "v1" cannot be handled as a Thing: json: cannot unmarshal string into field spec.n of type integer',
    },
    {
      isBuiltIn: false,
      code: 422,
      message: expect.stringContaining('spec.n: Invalid value: "string": spec.n in body must be of type integer: "string"'),
    },
  ])("a wrong type is $code where isBuiltIn is $isBuiltIn", async ({ isBuiltIn, code, message }) => {
    await using server = await startHarness([defineResource({ ...input, isBuiltIn })]);
    expect((await server.request("POST", "/apis/example.com/v1/things", { body })).json()).toMatchObject({ code, message });
    await server.request("POST", "/apis/example.com/v1/things", { body: { ...body, spec: {} } });
    const patch = [{ op: "add", path: "/spec/n", value: "text" }];
    const headers = { "content-type": "application/json-patch+json" };
    expect((await server.request("PATCH", "/apis/example.com/v1/things/a", { body: patch, headers })).status).toBe(422);
  });
});
