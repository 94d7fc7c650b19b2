import { describe, expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { MAX_DEPTH } from "./field-set.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { objectType, structuralType } from "./structural-type.ts";
import { checkForm, SchemaMismatchError } from "./typed.ts";

const text: Schema = { type: "string" };
const ports: Schema = {
  type: "array",
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": ["port", "protocol"],
  items: { type: "object", properties: { port: { type: "integer" }, protocol: { type: "string", default: "TCP" }, name: text } },
};
const tags: Schema = { type: "array", items: text, "x-kubernetes-list-type": "set" };

/** A schema with one property `x`. */
const x = (schema: Schema): Schema => ({ type: "object", properties: { x: schema } });

// Every row says what structured-merge-diff 6.3.3 answers for the same schema and value.
describe("fieldSetOf", () => {
  test.each<{ name: string; schema: Schema; value: JSONValue; want: JSONValue }>([
    { name: "a named scalar", schema: x(text), value: { x: "a" }, want: { "f:x": {} } },
    { name: "a named null", schema: x(text), value: { x: null }, want: { "f:x": {} } },
    { name: "a named object is not a member", schema: x(x(text)), value: { x: { x: "a" } }, want: { "f:x": { "f:x": {} } } },
    { name: "an empty object is", schema: x(x(text)), value: { x: {} }, want: { "f:x": {} } },
    { name: "an empty list is not", schema: x(tags), value: { x: [] }, want: {} },
    {
      name: "an entry of a map is",
      schema: x({ type: "object", additionalProperties: x(text) }),
      value: { x: { k: { x: "a" } } },
      want: { "f:x": { "f:k": { ".": {}, "f:x": {} } } },
    },
    { name: "an atomic list", schema: x({ type: "array", items: text }), value: { x: ["a"] }, want: { "f:x": {} } },
    { name: "an atomic object", schema: x({ ...x(text), "x-kubernetes-map-type": "atomic" }), value: { x: { x: "a" } }, want: { "f:x": {} } },
    { name: "a set", schema: x(tags), value: { x: ["b", "a<"] }, want: { "f:x": { 'v:"a\\u003c"': {}, 'v:"b"': {} } } },
    { name: "a set with duplicates", schema: x(tags), value: { x: ["b", "b"] }, want: { "f:x": { 'v:"b"': {} } } },
    {
      name: "a map list, with a default for a key",
      schema: x(ports),
      value: { x: [{ port: 80, name: "n" }] },
      want: { "f:x": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:name": {}, "f:port": {} } } },
    },
    {
      name: "a key that is left out",
      schema: x(ports),
      value: { x: [{ name: "n" }] },
      want: { "f:x": { 'k:{"protocol":"TCP"}': { ".": {}, "f:name": {} } } },
    },
    {
      name: "a key that is null",
      schema: x(ports),
      value: { x: [{ port: null }] },
      want: { "f:x": { 'k:{"port":null,"protocol":"TCP"}': { ".": {}, "f:port": {} } } },
    },
    {
      name: "two elements of one key",
      schema: x(ports),
      value: { x: [{ port: 1 }, { port: 2 }, { port: 1, protocol: "TCP" }] },
      want: { "f:x": { 'k:{"port":1,"protocol":"TCP"}': {}, 'k:{"port":2,"protocol":"TCP"}': { ".": {}, "f:port": {} } } },
    },
    {
      name: "a list by its merge key",
      schema: x({ type: "array", items: x(text), "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": "x" }),
      value: { x: [{ x: "a" }] },
      want: { "f:x": { 'k:{"x":"a"}': { ".": {}, "f:x": {} } } },
    },
    {
      name: "unknown fields: objects field by field, lists as a whole",
      schema: x({ type: "object", "x-kubernetes-preserve-unknown-fields": true, properties: { known: { type: "integer" } } }),
      value: { x: { known: 1, free: { deep: [1, { y: 2 }], none: null, empty: {} } } },
      want: { "f:x": { "f:free": { ".": {}, "f:deep": {}, "f:empty": {}, "f:none": {} }, "f:known": {} } },
    },
    {
      name: "what preserves unknown fields does so for all below",
      schema: x({ ...x(x(text)), "x-kubernetes-preserve-unknown-fields": true }),
      value: { x: { x: { y: { z: 1 } } } },
      want: { "f:x": { "f:x": { "f:y": { ".": {}, "f:z": {} } } } },
    },
    {
      name: "an object without properties is free",
      schema: x({ type: "object" }),
      value: { x: { a: { b: 1 } } },
      want: { "f:x": { "f:a": { ".": {}, "f:b": {} } } },
    },
    { name: "int or string, a string", schema: x({ "x-kubernetes-int-or-string": true }), value: { x: "50%" }, want: { "f:x": {} } },
    { name: "int or string, an integer", schema: x({ "x-kubernetes-int-or-string": true }), value: { x: 5 }, want: { "f:x": {} } },
    { name: "without a type, an object", schema: x({}), value: { x: { a: [1] } }, want: { "f:x": { "f:a": {} } } },
    { name: "without a type, a list", schema: x({}), value: { x: [{ a: 1 }] }, want: { "f:x": {} } },
    {
      name: "names of Object's own",
      schema: x({ type: "object", additionalProperties: text }),
      value: { x: { constructor: "a" } },
      want: { "f:x": { "f:constructor": {} } },
    },
  ])("$name", ({ schema, value, want }) => {
    const type = structuralType(schema);
    checkForm(value, type, { allowsDuplicates: true });
    expect(JSON.stringify(fieldSetOf(value, type).toFieldsV1())).toBe(JSON.stringify(want));
  });

  test("metadata is every object's, and that of embedded objects too", () => {
    const schema: Schema = {
      type: "object",
      properties: {
        metadata: { type: "object", properties: { labels: { type: "integer" } } },
        template: { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true },
      },
    };
    const metadata = {
      name: "n",
      labels: { a: "b" },
      finalizers: ["f"],
      ownerReferences: [{ apiVersion: "v1", kind: "K", name: "o", uid: "u" }],
      managedFields: [{ manager: "m" }],
    };
    const owned = {
      "f:finalizers": { 'v:"f"': {} },
      "f:labels": { "f:a": {} },
      "f:managedFields": {},
      "f:name": {},
      "f:ownerReferences": { 'k:{"uid":"u"}': {} },
    };
    const value = { apiVersion: "g/v1", kind: "T", metadata, template: { apiVersion: "v1", kind: "K", metadata, spec: { a: 1 } } };
    checkForm(value, objectType(schema), { allowsDuplicates: false });
    expect(fieldSetOf(value, objectType(schema)).toFieldsV1()).toEqual({
      "f:apiVersion": {},
      "f:kind": {},
      "f:metadata": owned,
      "f:template": { "f:apiVersion": {}, "f:kind": {}, "f:metadata": owned, "f:spec": { ".": {}, "f:a": {} } },
    });
  });
});

test("an owner reference without a uid has an empty one", () => {
  const value = { metadata: { ownerReferences: [{ name: "o" }] } };
  const owned = { "f:metadata": { "f:ownerReferences": { 'k:{"uid":""}': {} } } };
  expect(fieldSetOf(value, objectType({ type: "object" })).toFieldsV1()).toEqual(owned);
});

const mismatch = (message: string): unknown => expect.objectContaining({ name: "SchemaMismatchError", message });

describe("checkForm", () => {
  const check = (schema: Schema, value: JSONValue, allowsDuplicates = true) => checkForm(value, structuralType(schema), { allowsDuplicates });

  test.each<{ name: string; schema: Schema; value: JSONValue; want: string }>([
    { name: "a text for a number", schema: x({ type: "integer" }), value: { x: "1" }, want: ".x: expected numeric (int or float), got string" },
    { name: "a boolean for a number", schema: x({ type: "number" }), value: { x: true }, want: ".x: expected numeric (int or float), got bool" },
    { name: "a number for a text", schema: x(text), value: { x: 1 }, want: ".x: expected string, got scalar" },
    { name: "a text for a boolean", schema: x({ type: "boolean" }), value: { x: "true" }, want: ".x: expected boolean, got scalar" },
    { name: "a list for an object", schema: x(x(text)), value: { x: [] }, want: ".x: expected map, got list" },
    { name: "an object for a list", schema: x(tags), value: { x: {} }, want: ".x: expected list, got map" },
    {
      name: "an object for a scalar of any kind",
      schema: x({ type: "string", format: "date-time" }),
      value: { x: {} },
      want: ".x: expected any scalar, got map",
    },
    { name: "an unknown field", schema: x(x(text)), value: { x: { y: 1 } }, want: ".x.y: field not declared in schema" },
    { name: "an unknown field of Object's", schema: x(text), value: { constructor: 1 }, want: ".constructor: field not declared in schema" },
    {
      name: "no additional properties",
      schema: { type: "object", additionalProperties: false },
      value: { y: 1 },
      want: ".y: field not declared in schema",
    },
    {
      name: "null in a set",
      schema: x(tags),
      value: { x: ["a", null] },
      want: ".x: element 1: associative list without keys has an element that's an explicit null",
    },
    {
      name: "an object in a set",
      schema: x(tags),
      value: { x: [{}] },
      want: ".x: element 0: associative list without keys has an element that's a map type",
    },
    { name: "a list in a set", schema: x(tags), value: { x: [[]] }, want: ".x: element 0: not supported: associative list with lists as elements" },
    {
      name: "null in a map list",
      schema: x(ports),
      value: { x: [null] },
      want: ".x: element 0: associative list with keys may not have a null element",
    },
    {
      name: "a text in a map list",
      schema: x(ports),
      value: { x: ["a"] },
      want: ".x: element 0: associative list with keys may not have non-map elements",
    },
    {
      name: "an element without a key",
      schema: x({ ...ports, "x-kubernetes-list-map-keys": ["port", "name"] }),
      value: { x: [{ protocol: "a" }] },
      want: '.x: element 0: associative list with keys has an element that omits all key fields ["port" "name"] (and doesn\'t have default values for any key fields)',
    },
    {
      name: "within an element",
      schema: x(ports),
      value: { x: [{ port: 1, name: 2 }] },
      want: '.x[port=1,protocol="TCP"].name: expected string, got scalar',
    },
    { name: "within an atomic list", schema: x({ type: "array", items: text }), value: { x: ["a", 1] }, want: ".x[1]: expected string, got scalar" },
    {
      name: "several faults",
      schema: { type: "object", properties: { a: { type: "integer" }, x: { type: "array", items: text } } },
      value: { a: "5", x: ["a", 1, {}] },
      want: "errors:\n  .a: expected numeric (int or float), got string\n  .x[1]: expected string, got scalar\n  .x[2]: expected string, got map",
    },
    {
      name: "no more of a list behind an element without a key, and what stands beside it",
      schema: { type: "object", properties: { x: tags, y: text } },
      value: { x: [null, {}], y: 1 },
      want: "errors:\n  .x: element 0: associative list without keys has an element that's an explicit null\n  .y: expected string, got scalar",
    },
  ])("$name", ({ schema, value, want }) => expect(() => check(schema, value)).toThrow(mismatch(want)));

  test("faults are counted", () => {
    const value = { x: Array.from({ length: 5000 }, () => 1) };
    expect(() => check(x({ type: "array", items: text }), value)).toThrow(/^errors:(\n {2}\.x\[\d+\]: expected string, got scalar){100}$/);
  });

  test.each<{ name: string; schema: Schema; value: JSONValue }>([
    { name: "null anywhere but in sets and map lists", schema: x(ports), value: { x: null } },
    { name: "formats may be sent otherwise than as text", schema: x({ type: "string", format: "int-or-string" }), value: { x: 5 } },
    {
      name: "elements that each have another one of two keys, with the same value",
      schema: x({ type: "array", items: { type: "object" }, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k", "l"] }),
      value: { x: [{ k: "s" }, { l: "s" }] },
    },
    { name: "large integers", schema: x({ type: "integer" }), value: { x: 9007199254740993n } },
  ])("lets $name pass", ({ schema, value }) => check(schema, value, false));

  test("duplicates, if asked", () => {
    const value = { x: ["b", "a", "b"] };
    check(x(tags), value);
    expect(() => check(x(tags), value, false)).toThrow(mismatch('.x: duplicate entries for key [="b"]'));
    expect(() => check(x(ports), { x: [{ port: 1 }, { port: 1, protocol: "TCP" }] }, false)).toThrow(
      'duplicate entries for key [port=1,protocol="TCP"]',
    );
    check(x({ type: "array", items: text }), value, false);
  });

  test("depth is bounded", () => {
    let value: JSONValue = 1;
    for (let depth = 0; depth < MAX_DEPTH; depth++) value = { a: value };
    check({ type: "object" }, value);
    expect(() => check({ type: "object" }, { a: value })).toThrow(SchemaMismatchError);
  });

  test("a map list needs keys", () => {
    const schema: Schema = { type: "array", items: x(text), "x-kubernetes-list-type": "map" };
    expect(() => structuralType(schema)).toThrow(TypeError);
  });
});
