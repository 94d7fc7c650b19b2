import fc from "fast-check";
import { expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import { t } from "./builder.ts";
import { pruneUnknown } from "./prune.ts";
import type { Schema } from "./schema.ts";

const item = t.object({ x: t.optional(t.string()) });
const schema: Schema = t.object({
  spec: t.object({
    a: t.optional(t.string()),
    list: t.optional(t.array(item)),
    map: t.optional(t.record(item)),
    anything: t.optional(t.unknown()),
    open: t.optional(t.object({ known: t.optional(item) }, { "x-kubernetes-preserve-unknown-fields": true })),
    openList: t.optional({ ...t.array(item), "x-kubernetes-preserve-unknown-fields": true }),
    template: t.optional(t.embeddedResource()),
    resource: t.optional({ ...item, "x-kubernetes-embedded-resource": true }),
    admits: t.optional({ type: "object", additionalProperties: true }),
    closed: t.optional({ type: "object", additionalProperties: false }),
  }),
});

test.each<{ name: string; spec: JSONValue; want?: JSONValue; unknown?: string[] }>([
  { name: "known fields", spec: { a: "1", list: [{ x: "1" }], map: { any: { x: "1" } } } },
  { name: "unknown fields, sorted", spec: { z: 1, a: "1", foo: { x: 1 } }, want: { a: "1" }, unknown: ["spec.foo", "spec.z"] },
  { name: "in lists", spec: { list: [{ x: "1" }, { y: 1, x: "2" }] }, want: { list: [{ x: "1" }, { x: "2" }] }, unknown: ["spec.list[1].y"] },
  { name: "in maps", spec: { map: { k: { y: 1 } } }, want: { map: { k: {} } }, unknown: ["spec.map.k.y"] },
  { name: "free values", spec: { anything: { deep: [{ er: 1 }] } } },
  {
    name: "an open object, closed within a known field",
    spec: { open: { u: { v: 1 }, known: { y: 1 } } },
    want: { open: { u: { v: 1 }, known: {} } },
    unknown: ["spec.open.known.y"],
  },
  {
    name: "an open list",
    spec: { openList: [{ y: 1 }, { x: { z: 1 } }] },
    want: { openList: [{ y: 1 }, { x: {} }] },
    unknown: ["spec.openList[1].x.z"],
  },
  { name: "an embedded resource", spec: { template: { apiVersion: "v1", kind: "Pod", metadata: { name: "n" }, spec: { any: 1 } } } },
  {
    name: "an embedded resource with a schema",
    spec: { resource: { apiVersion: "v1", kind: "Pod", metadata: { name: "n" }, x: "1", y: 1 } },
    want: { resource: { apiVersion: "v1", kind: "Pod", metadata: { name: "n" }, x: "1" } },
    unknown: ["spec.resource.y"],
  },
  {
    name: "additionalProperties: true admits names only",
    spec: { admits: { k: 1, o: { p: 1 } } },
    want: { admits: { k: 1, o: {} } },
    unknown: ["spec.admits.o.p"],
  },
  {
    name: "additionalProperties: false leaves names to be refused",
    spec: { closed: { k: 1, o: { p: 1 } } },
    want: { closed: { k: 1, o: {} } },
    unknown: ["spec.closed.o.p"],
  },
  { name: "an object where a string is due", spec: { a: { b: 1 } }, want: { a: {} }, unknown: ["spec.a.b"] },
])("$name", ({ spec, want = spec, unknown = [] }) => {
  const value = { spec };
  const before = JSON.stringify(value);
  const pruned = pruneUnknown(value, schema);
  expect(pruned).toEqual({ value: { spec: want }, unknown });
  if (unknown.length === 0) expect(pruned.value).toBe(value);
  expect(JSON.stringify(value)).toBe(before);
});

test("type and metadata are kept at the root of a resource only", () => {
  const object = { apiVersion: "v1", kind: "K", metadata: { any: { thing: 1 } }, spec: {}, mystery: 1 };
  expect(pruneUnknown(object, schema, { isResourceRoot: true })).toEqual({ value: { ...object, mystery: undefined }, unknown: ["mystery"] });
  expect(pruneUnknown(object, schema).unknown).toEqual(["apiVersion", "kind", "metadata", "mystery"]);
});

test("__proto__ and inherited names are fields like others", () => {
  const hostile = JSON.parse('{"spec":{"__proto__":{"x":1},"constructor":1,"a":"1"}}');
  const pruned = pruneUnknown(hostile, schema);
  expect(JSON.stringify(pruned)).toBe('{"value":{"spec":{"a":"1"}},"unknown":["spec.__proto__","spec.constructor"]}');
  const admitted = JSON.parse('{"__proto__":{"y":1},"b":{"x":"1"}}');
  const kept = pruneUnknown(admitted, t.record(item)).value;
  expect(JSON.stringify(kept)).toBe('{"__proto__":{},"b":{"x":"1"}}');
  expect(Object.getPrototypeOf(kept)).toBe(Object.prototype);
});

test("the report is bounded in number and in length, the pruning is not", () => {
  const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`f${index}`, 1]));
  expect(pruneUnknown({ spec: many }, schema)).toMatchObject({ value: { spec: {} }, unknown: { length: 100 } });
  const long = Object.fromEntries(Array.from({ length: 90 }, (_, index) => [`f${index}`.padEnd(10_000, "x"), 1]));
  const { value, unknown } = pruneUnknown({ spec: long }, schema);
  expect(value).toEqual({ spec: {} });
  expect(unknown.join("").length).toBeLessThanOrEqual(65536);
});

test("what was pruned has nothing unknown", () => {
  const names = fc.constantFrom("spec", "a", "list", "map", "anything", "open", "known", "template", "metadata", "x", "y", "__proto__");
  const value = fc.letrec((tie) => ({
    any: fc.oneof({ depthSize: "small" }, fc.constantFrom(null, 1, "s"), fc.array(tie("any")), tie("object")),
    object: fc.dictionary(names, tie("any"), { noNullPrototype: true }),
  }));
  fc.assert(
    fc.property(value.object, (random) => {
      const once = pruneUnknown({ spec: random } as JSONValue, schema).value; // what the arbitrary makes is JSON
      const twice = pruneUnknown(once, schema);
      expect(twice.unknown).toEqual([]);
      expect(twice.value).toBe(once);
    }),
  );
});
