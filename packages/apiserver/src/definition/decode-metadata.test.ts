import type { JSONValue } from "@annex/apimachinery";
import { expect, test } from "vitest";
import { decodeMetadata } from "./decode-metadata.ts";

test.each<{ sent: JSONValue | undefined; want: object }>([
  { sent: undefined, want: {} },
  { sent: null, want: {} },
  { sent: { name: "", labels: {}, finalizers: [], ownerReferences: [], creationTimestamp: null }, want: {} },
  { sent: { deletionGracePeriodSeconds: 0 }, want: { deletionGracePeriodSeconds: 0 } },
  { sent: { labels: { a: null }, annotations: { b: "c" } }, want: { labels: { a: "" }, annotations: { b: "c" } } },
  { sent: { finalizers: ["a", null] }, want: { finalizers: ["a", ""] } },
  { sent: { creationTimestamp: "2020-01-02T03:04:05.678+02:00" }, want: { creationTimestamp: "2020-01-02T03:04:05.678+02:00" } },
  { sent: { unknown: 5 }, want: { unknown: 5 } },
  { sent: { managedFields: [] }, want: {} },
  { sent: { managedFields: [{}] }, want: { managedFields: [{}] } },
  {
    sent: { ownerReferences: [{ kind: "Thing", name: null, controller: true }] },
    want: { ownerReferences: [{ apiVersion: "", kind: "Thing", name: "", uid: "", controller: true }] },
  },
])("$sent is read as $want", ({ sent, want }) => expect(decodeMetadata(sent)).toEqual(want));

test("an empty list of managedFields says something of compiled-in kinds alone", () =>
  expect(decodeMetadata({ managedFields: [], finalizers: [] }, true)).toEqual({ managedFields: [] }));

test.each<{ sent: JSONValue; want: string }>([
  { sent: [], want: "json: cannot unmarshal array into field metadata" },
  { sent: "a", want: "json: cannot unmarshal string into field metadata" },
  { sent: { name: 5 }, want: "json: cannot unmarshal number into field metadata.name of type string" },
  { sent: { labels: { a: 1 } }, want: "json: cannot unmarshal number into field metadata.labels of type string" },
  { sent: { finalizers: "a" }, want: "json: cannot unmarshal string into field metadata.finalizers of type array of strings" },
  { sent: { labels: [] }, want: "json: cannot unmarshal array into field metadata.labels of type map of strings" },
  { sent: { annotations: "" }, want: "json: cannot unmarshal string into field metadata.annotations of type map of strings" },
  { sent: { ownerReferences: {} }, want: "json: cannot unmarshal object into field metadata.ownerReferences of type array of owner references" },
  { sent: { finalizers: "" }, want: "json: cannot unmarshal string into field metadata.finalizers of type array of strings" },
  { sent: { creationTimestamp: "" }, want: 'parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006"' },
  { sent: { generation: 1e20 }, want: "json: cannot unmarshal number into field metadata.generation of type int64" },
  { sent: { finalizers: ["a", [1]] }, want: "json: cannot unmarshal array into field metadata.finalizers of type string" },
  { sent: { ownerReferences: ["a"] }, want: "json: cannot unmarshal string into field metadata.ownerReferences of type owner reference" },
  {
    sent: { ownerReferences: [{ controller: "x" }] },
    want: "json: cannot unmarshal string into field metadata.ownerReferences.controller of type bool",
  },
  { sent: { generation: 1.5 }, want: "json: cannot unmarshal number into field metadata.generation of type int64" },
  {
    sent: { ownerReferences: [{ uid: 5 }] },
    want: "json: cannot unmarshal number into field metadata.ownerReferences.uid of type string",
  },
  { sent: { creationTimestamp: "2021-02-30T00:00:00Z" }, want: 'parsing time "2021-02-30T00:00:00Z": day out of range' },
  {
    sent: { managedFields: [{ time: "2020-01-01T00:00:00Z" }, { time: "yesterday" }] },
    want: 'parsing time "yesterday" as "2006-01-02T15:04:05Z07:00": cannot parse "yesterday" as "2006"',
  },
  {
    sent: { managedFields: [{ manager: 5 }] },
    want: "json: cannot unmarshal number into field metadata.managedFields.manager of type string",
  },
  { sent: { deletionTimestamp: 5 }, want: "json: cannot unmarshal number into field metadata.deletionTimestamp of type time as in RFC 3339" },
])("$want", ({ sent, want }) => expect(() => decodeMetadata(sent)).toThrow(expect.objectContaining({ name: "WrongTypeError", message: want })));
