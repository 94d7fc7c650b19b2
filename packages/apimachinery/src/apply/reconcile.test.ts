import { describe, expect, test } from "vitest";
import type { JSONObject } from "../meta/index.ts";
import { schema } from "../testing/apply-schema.ts";
import { FieldSet } from "./field-set.ts";
import { reconcileFieldSet, withNamedFields } from "./reconcile.ts";
import { structuralType } from "./structural-type.ts";

const type = structuralType(schema);

// Every row says what structured-merge-diff 6.3.3 answers.
describe("withNamedFields", () => {
  test.each<{ name: string; set: JSONObject; want: JSONObject }>([
    { name: "an object on the way", set: { "f:o": { "f:a": {} } }, want: { "f:o": { ".": {}, "f:a": {} } } },
    { name: "no entry of a map", set: { "f:m": { "f:x": { "f:a": {} } } }, want: { "f:m": { ".": {}, "f:x": { "f:a": {} } } } },
    {
      name: "a list, and no element",
      set: { "f:map": { 'k:{"k":"a"}': { "f:v": {} } } },
      want: { "f:map": { ".": {}, 'k:{"k":"a"}': { "f:v": {} } } },
    },
    {
      name: "nothing below what no schema names",
      set: { "f:free": { "f:x": { "f:y": {} } } },
      want: { "f:free": { ".": {}, "f:x": { "f:y": {} } } },
    },
    { name: "what is unknown stays", set: { "f:zz": { "f:a": {} } }, want: { "f:zz": { "f:a": {} } } },
  ])("$name", ({ set, want }) => expect(withNamedFields(FieldSet.fromFieldsV1(set), type).toFieldsV1()).toEqual(want));
});

describe("reconcileFieldSet", () => {
  test.each<{ name: string; set: JSONObject; want: JSONObject }>([
    { name: "an object became atomic", set: { "f:atom": { "f:a": {}, "f:b": {} } }, want: { "f:atom": {} } },
    { name: "a member with members below", set: { "f:atom": { ".": {}, "f:a": {} } }, want: { "f:atom": {} } },
    { name: "a member alone", set: { "f:atom": {} }, want: { "f:atom": {} } },
    { name: "a list became atomic", set: { "f:list": { 'v:"a"': {} } }, want: { "f:list": {} } },
    { name: "what is granular", set: { "f:o": { "f:a": {} }, "f:set": { 'v:"a"': {} } }, want: { "f:o": { "f:a": {} }, "f:set": { 'v:"a"': {} } } },
    { name: "what became granular", set: { "f:o": {} }, want: { "f:o": {} } },
    {
      name: "where no schema says what it is",
      set: { "f:free": { "f:x": { "f:y": {}, "i:0": {} } } },
      want: { "f:free": { "f:x": { "f:y": {}, "i:0": {} } } },
    },
    { name: "what is unknown", set: { "f:zz": { "f:a": {} } }, want: { "f:zz": { "f:a": {} } } },
  ])("$name", ({ set, want }) => expect(reconcileFieldSet(FieldSet.fromFieldsV1(set), type).toFieldsV1()).toEqual(want));
});
