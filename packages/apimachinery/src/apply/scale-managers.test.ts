import { expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../meta/index.ts";
import { fieldElement } from "./field-path.ts";
import { parentManagedFields, scaleManagedFields } from "./scale-managers.ts";

const TIME = "2026-01-01T00:00:00Z";
const path = (...names: string[]) => names.map(fieldElement);
const PATHS = new Map([
  ["g/v1", path("spec", "deep", "count")],
  ["g/v1beta1", path("spec", "n")],
  ["g/v1alpha1", undefined],
]);
const COUNT = { "f:spec": { "f:deep": { "f:count": {} } } };
const REPLICAS = { "f:spec": { "f:replicas": {} } };

const entry = (manager: string, fieldsV1: object, fields: object = {}): ManagedFieldsEntry => ({
  manager,
  operation: "Update",
  apiVersion: "g/v1",
  time: TIME,
  fieldsType: "FieldsV1",
  fieldsV1: fieldsV1 as NonNullable<ManagedFieldsEntry["fieldsV1"]>,
  ...fields,
});
const ofScale = (manager: string, fields: object = {}) => entry(manager, REPLICAS, { apiVersion: "autoscaling/v1", ...fields });
const withoutTime = ({ time: _time, ...rest }: ManagedFieldsEntry): ManagedFieldsEntry => rest;

test("a scale is managed by those who own the number, each by its own version's path", () => {
  const parent = [
    entry("applied", { "f:spec": { "f:x": {}, "f:deep": { "f:count": {} } } }, { operation: "Apply" }),
    entry("beta", { "f:spec": { "f:n": {} } }, { apiVersion: "g/v1beta1" }),
    entry("alpha", COUNT, { apiVersion: "g/v1alpha1" }),
    entry("gone", COUNT, { apiVersion: "g/v0" }),
    entry("else", { "f:spec": { "f:deep": {} } }),
    entry("scaler", COUNT, { subresource: "scale" }),
  ];
  expect(scaleManagedFields(parent, PATHS)).toEqual([
    ofScale("applied", { operation: "Apply" }),
    ofScale("beta"),
    ofScale("scaler", { subresource: "scale" }),
  ]);
});

test.each<{ name: string; parent: ManagedFieldsEntry[]; scale: ManagedFieldsEntry[]; want: ManagedFieldsEntry[] }>([
  {
    name: "who lost the number keeps the rest, and who has it gets an entry without a time",
    parent: [entry("creator", { "f:spec": { "f:x": {}, "f:deep": { ".": {}, "f:count": {} } } })],
    scale: [ofScale("scaler", { subresource: "scale" })],
    want: [withoutTime(entry("scaler", COUNT, { subresource: "scale" })), entry("creator", { "f:spec": { "f:x": {}, "f:deep": {} } })],
  },
  {
    name: "who owned nothing else is gone",
    parent: [entry("old", COUNT, { subresource: "scale" })],
    scale: [ofScale("new", { subresource: "scale" })],
    want: [withoutTime(entry("new", COUNT, { subresource: "scale" }))],
  },
  {
    name: "an updater who keeps it has two entries",
    parent: [entry("creator", { "f:spec": { "f:x": {}, "f:deep": { "f:count": {} } } })],
    scale: [ofScale("creator")],
    want: [withoutTime(entry("creator", COUNT)), entry("creator", { "f:spec": { "f:x": {} } })],
  },
  {
    name: "an applier who keeps it has the one it had",
    parent: [entry("a", { "f:spec": { "f:x": {}, "f:deep": { "f:count": {} } } }, { operation: "Apply" })],
    scale: [ofScale("a", { operation: "Apply" })],
    want: [entry("a", { "f:spec": { "f:x": {}, "f:deep": { "f:count": {} } } }, { operation: "Apply" })],
  },
  {
    name: "an applier who applied something else to the scale keeps the number, too",
    parent: [entry("a", COUNT, { operation: "Apply" })],
    scale: [entry("a", { "f:metadata": { "f:labels": {} } }, { operation: "Apply", apiVersion: "autoscaling/v1" })],
    want: [entry("a", COUNT, { operation: "Apply" })],
  },
  {
    name: "other versions: without a scale left alone, unknown dropped, rewritten where they owned it",
    parent: [
      entry("alpha", COUNT, { apiVersion: "g/v1alpha1" }),
      entry("beta", { "f:spec": { "f:n": {} } }, { apiVersion: "g/v1beta1" }),
      entry("gone", COUNT, { apiVersion: "g/v0" }),
    ],
    scale: [ofScale("beta")],
    want: [withoutTime(entry("beta", COUNT)), entry("alpha", COUNT, { apiVersion: "g/v1alpha1" })],
  },
  { name: "a scale's manager of something else is nobody", parent: [], scale: [entry("a", { "f:metadata": { "f:labels": {} } })], want: [] },
])("$name", ({ parent, scale, want }) => expect(parentManagedFields(parent, scale, "g/v1", PATHS)).toEqual(want));

test("a version without a scale has none to write", () => {
  expect(() => parentManagedFields([], [], "g/v1alpha1", PATHS)).toThrow("g/v1alpha1 has no scale");
});
