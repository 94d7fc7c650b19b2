import { describe, expect, test } from "vitest";
import { t } from "./builder.ts";
import type { Schema } from "./schema.ts";
import { compileChecks, compileValidator } from "./validate.ts";

const short = t.string({ maxLength: 2 });
const part = t.object({ name: t.string(), size: t.optional(t.integer({ minimum: 1 })), note: t.optional(short) });
const schemas = {
  text: short,
  number: { type: "integer", minimum: 3 },
  choice: t.literals(["a", "b"]),
  pair: t.object({ a: t.optional(short), b: t.optional(short) }),
  big: t.object({ a: t.optional(short), b: t.optional(t.string()) }, { maxProperties: 1 }),
  free: t.object({ a: t.optional(short) }, { "x-kubernetes-preserve-unknown-fields": true, maxProperties: 1 }),
  needs: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: ["a"] },
  byName: t.record(part),
  list: t.array(part),
  map: t.listMap(part, { keys: ["name"], maxItems: 1 }),
  compound: t.listMap(t.object({ port: t.integer(), protocol: t.string({ default: "TCP" }), note: t.optional(short) }), {
    keys: ["port", "protocol"],
  }),
  all: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, allOf: [{ properties: { a: { maxLength: 2 } } }] },
  not: { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, not: { properties: { a: { maxLength: 2 } } } },
  one: {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "string" } },
    oneOf: [{ properties: { a: { enum: ["x"] } } }, { properties: { a: { enum: ["y"] } } }],
  },
} as const satisfies Record<string, Schema>;

const validate = compileValidator({ type: "object", properties: { spec: { type: "object", properties: schemas } } });
const fields = (old: object | undefined, value: object) => validate({ spec: value }, old && { spec: old }).map(({ field }) => field);

// What is let through, and what is told: kube-apiserver 1.36 was asked.
describe("an update tells the faults of what changed", () => {
  test.each<readonly [what: string, old: object, value: object, told: readonly string[]]>([
    ["a value that stays as it is", { text: "abc" }, { text: "abc" }, []],
    ["a value that changes", { text: "abc" }, { text: "abcd" }, ["spec.text"]],
    ["a value that is new", {}, { text: "abc" }, ["spec.text"]],
    ["beside one that is new", { text: "abc", choice: "c" }, { text: "abc", choice: "d" }, ["spec.choice"]],
    ["a value of another type that stays", { number: "1" }, { number: "1" }, []],
    ["one property of two", { pair: { a: "abc", b: "abc" } }, { pair: { a: "abc", b: "abcd" } }, ["spec.pair.b"]],
    ["too many properties, one of which changes", { big: { a: "x", b: "1" } }, { big: { a: "x", b: "2" } }, ["spec.big"]],
    ["too many properties, none of which changes", { big: { a: "x", b: "1" } }, { big: { a: "x", b: "1" } }, []],
    ["too many properties, some of them unknown: never known to be unchanged", { free: { a: "x", z: 1 } }, { free: { a: "x", z: 1 } }, ["spec.free"]],
    ["what is missing, beside a change", { needs: { b: "x" } }, { needs: { b: "y" } }, ["spec.needs.a"]],
    ["what is missing, beside none", { needs: { b: "x" } }, { needs: { b: "x" } }, []],
    [
      "values of a free map, by name",
      { byName: { x: { name: "n", note: "abc" } } },
      { byName: { x: { name: "m", note: "abc" }, y: { note: "abc" } } },
      ["spec.byName.y.note", "spec.byName.y.name"],
    ],
    ["elements of a plain list, when all of it stays", { list: [{ name: "n", size: 0 }] }, { list: [{ name: "n", size: 0 }] }, []],
    [
      "elements of a plain list, when one is added",
      { list: [{ name: "n", size: 0 }] },
      { list: [{ name: "n", size: 0 }, { name: "o" }] },
      ["spec.list[0].size"],
    ],
    ["elements of a list of type map, by their key", { map: [{ name: "n", size: 0 }] }, { map: [{ name: "n", size: 0, note: "ab" }] }, []],
    ["elements of a list of type map, of another key", { map: [{ name: "n", size: 0 }] }, { map: [{ name: "o", size: 0 }] }, ["spec.map[0].size"]],
    [
      "too many elements of a list of type map in another order",
      { map: [{ name: "n" }, { name: "o" }] },
      { map: [{ name: "o" }, { name: "n" }] },
      [],
    ],
    [
      "too many elements of a list of type map, one of which changes",
      { map: [{ name: "n" }, { name: "o" }] },
      { map: [{ name: "o" }, { name: "n", size: 1 }] },
      ["spec.map"],
    ],
    [
      "elements with several keys",
      { compound: [{ port: 1, protocol: "TCP", note: "abc" }] },
      {
        compound: [
          { port: 1, protocol: "UDP", note: "abc" },
          { port: 1, protocol: "TCP", note: "abc" },
        ],
      },
      ["spec.compound[0].note"],
    ],
    ["allOf of a value that stays", { all: { a: "abc" } }, { all: { a: "abc" } }, []],
    ["allOf of a value of which another part changes", { all: { a: "abc", b: "1" } }, { all: { a: "abc", b: "2" } }, ["spec.all.a", "<nil>"]],
    ["not, of a value of which another part changes", { not: { a: "abc", b: "1" } }, { not: { a: "abc", b: "2" } }, []],
    ["oneOf, of a value of which another part changes", { one: { a: "x", b: "1" } }, { one: { a: "x", b: "2" } }, []],
    ["a value that was something else altogether", { pair: "text" }, { pair: { a: "abc" } }, ["spec.pair.a"]],
  ])("%s", (_what, old, value, told) => {
    expect(fields(old, value)).toEqual(told);
    // Without what was there before nothing is let through.
    if (told.length === 0 && JSON.stringify(old) === JSON.stringify(value)) expect(fields(undefined, value)).not.toEqual([]);
  });

  test("names of free maps and lists are no fields of every object", () => {
    expect(fields({ byName: {} }, { byName: { constructor: { name: "n", note: "abc" } } })).toEqual(["spec.byName.constructor.note"]);
    expect(
      fields(
        { byName: JSON.parse('{"__proto__": {"name": "n", "note": "abc"}}') },
        { byName: JSON.parse('{"__proto__": {"name": "m", "note": "abc"}}') },
      ),
    ).toEqual([]);
  });
});

test("of apiVersion and kind nobody knows whether they are unchanged", () => {
  const kinds = compileValidator({ type: "object", properties: { kind: { type: "string", maxLength: 1 }, text: short } });
  expect(kinds({ kind: "Kind", text: "abc" }, { kind: "Kind", text: "abc" }).map(({ field }) => field)).toEqual([]);
  expect(kinds({ kind: "Kind", text: "abc" }, { kind: "Kind", text: "ab" }).map(({ field }) => field)).toEqual(["kind", "text"]);
});

test("duplicates are all let through when there were any", () => {
  const { uniqueLists } = compileChecks(t.object({ a: t.set(t.string()), b: t.set(t.string()) }));
  const faults = (old: object | undefined, value: object) => uniqueLists(value, old).map(({ field }) => field);
  expect(faults({ a: ["x", "x"], b: [] }, { a: ["x"], b: ["y", "y"] })).toEqual([]);
  expect(faults({ a: ["x"], b: [] }, { a: ["x"], b: ["y", "y"] })).toEqual(["b[1]"]);
  expect(faults(undefined, { a: ["x", "x"], b: [] })).toEqual(["a[1]"]);
});

test("embedded resources are checked whether or not they changed", () => {
  const { embeddedResources } = compileChecks({ type: "object", properties: { template: t.embeddedResource() } });
  const value = { template: { apiVersion: "v1" } };
  expect(embeddedResources(value, value).map(({ field }) => field)).toEqual(["template.kind"]);
});

test("a fault that is let through leaves the ones before it, and room for those after it", () => {
  const many = compileValidator({ type: "object", properties: { a: t.array(short), b: t.array(short) } });
  const old = { a: Array.from({ length: 2000 }, (_, index) => `abc${index}`), b: ["ab"] };
  expect(many({ ...old, b: ["abc"] }, old).map(({ field }) => field)).toEqual(["b[0]"]);
});

test("comparing with what was there costs work linear in the size of both", () => {
  const validator = compileValidator({ type: "object", properties: { map: t.listMap(part, { keys: ["name"] }), text: short } });
  const size = 5_000;
  let reads = 0;
  const element = (index: number) =>
    Object.defineProperty({ size: 0 }, "name", {
      enumerable: true,
      get: () => {
        reads++;
        return `n${index}`;
      },
    });
  const [map, old] = [
    Array.from({ length: size }, (_, index) => element(index)),
    Array.from({ length: size }, (_, index) => element(size - 1 - index)),
  ];
  expect(validator({ map, text: "abc" }, { map: old, text: "ab" }).map(({ field }) => field)).toEqual(["text"]);
  expect(reads).toBeLessThan(50 * size);
});
