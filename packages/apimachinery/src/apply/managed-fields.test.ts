import { describe, expect, test } from "vitest";
import type { ManagedFieldsEntry } from "../meta/index.ts";
import {
  capUpdateManagers,
  decodeManagedFields,
  encodeManagedFields,
  MAX_UPDATE_MANAGERS,
  type Managers,
  managerIdentifier,
} from "./managed-fields.ts";

const entry = (manager: string, fields: object = {}): ManagedFieldsEntry => ({
  manager,
  operation: "Update",
  apiVersion: "g/v1",
  time: "2026-01-01T00:00:00Z",
  fieldsType: "FieldsV1",
  fieldsV1: { "f:spec": { [`f:${manager}`]: {} } },
  ...fields,
});

function decode(entries: readonly unknown[]): Managers {
  const managers = decodeManagedFields(entries, false);
  if (managers === undefined) throw new Error("invalid");
  return managers;
}

describe("decoding", () => {
  test.each<{ name: string; entry: unknown }>([
    { name: "no operation", entry: entry("a", { operation: undefined }) },
    { name: "an unknown operation", entry: entry("a", { operation: "Patch" }) },
    { name: "no apiVersion", entry: entry("a", { apiVersion: "" }) },
    { name: "no fieldsType", entry: entry("a", { fieldsType: undefined }) },
    { name: "an unknown fieldsType", entry: entry("a", { fieldsType: "FieldsV2" }) },
    { name: "fields that are none", entry: entry("a", { fieldsV1: { spec: {} } }) },
    { name: "fields that are no object", entry: entry("a", { fieldsV1: "{}" }) },
    { name: "a time that is none", entry: entry("a", { time: "yesterday" }) },
    { name: "a manager that is no text", entry: entry("a", { manager: 1 }) },
    { name: "null", entry: null },
    { name: "nothing", entry: {} },
  ])("$name makes the whole list invalid", ({ entry: bad }) => expect(decodeManagedFields([entry("b"), bad], false)).toBeUndefined());

  test("what was encoded comes back; times in UTC and whole seconds", () => {
    const entries = [
      entry("a", { time: "2026-01-01T01:00:00.75+01:00" }),
      entry("b", { subresource: "status" }),
      entry("c", { fieldsV1: undefined, time: null }),
    ];
    expect(encodeManagedFields(decode(entries))).toEqual([
      entry("c", { fieldsV1: {}, time: undefined }),
      entry("a"),
      entry("b", { subresource: "status" }),
    ]);
  });

  test("of two entries of one manager the later one counts; applied ones are one whatever their version", () => {
    const managers = decode([
      entry("a"),
      entry("a", { fieldsV1: { "f:x": {} } }),
      entry("a", { operation: "Apply" }),
      entry("a", { operation: "Apply", apiVersion: "g/v2" }),
      entry("a", { apiVersion: "g/v2" }),
      entry("a", { subresource: "status" }),
    ]);
    expect([...managers.values()].map(({ operation, apiVersion, subresource }) => `${operation} ${apiVersion} ${subresource}`)).toEqual([
      "Update g/v1 ",
      "Apply g/v2 ",
      "Update g/v2 ",
      "Update g/v1 status",
    ]);
    expect(managers.values().next().value?.set.toFieldsV1()).toEqual({ "f:x": {} });
  });

  test("an identifier is the entry's JSON as Go writes it", () =>
    expect(managerIdentifier({ manager: "a<b", operation: "Update", apiVersion: "g/v1", subresource: "status" })).toBe(
      '{"manager":"a\\u003cb","operation":"Update","apiVersion":"g/v1","subresource":"status"}',
    ));
});

test("encoding: applied before updated, older first, then by manager, version and subresource", () => {
  const sorted = [
    entry("z", { operation: "Apply", time: "2026-01-02T00:00:00Z" }),
    entry("n", { time: undefined }),
    entry("y", { time: "2025-01-01T00:00:00Z" }),
    entry("a"),
    entry("a", { subresource: "status" }),
    entry("a", { apiVersion: "g/v2" }),
    entry("b"),
    entry("\uffee"),
    entry("\u{1f600}"),
  ];
  expect(encodeManagedFields(decode(sorted.toReversed()))).toEqual(sorted);
  expect(encodeManagedFields(new Map())).toEqual([]);
});

describe("the cap", () => {
  const day = (n: number) => `2026-01-${String(n).padStart(2, "0")}T00:00:00Z`;
  const managers = (count: number, fields: object = {}) =>
    Array.from({ length: count }, (_, index) => entry(`m${index}`, { time: day(index + 1), ...fields }));
  const names = (capped: Managers) => encodeManagedFields(capped).map(({ manager, apiVersion }) => `${manager} ${apiVersion}`);

  test("ten update managers stay", () => {
    const ten = decode([...managers(MAX_UPDATE_MANAGERS), ...managers(3, { operation: "Apply" })]);
    expect(capUpdateManagers(ten)).toBe(ten);
  });

  test("of twelve the three oldest are joined, under the latest time of theirs", () => {
    const capped = encodeManagedFields(capUpdateManagers(decode(managers(12).toReversed())));
    expect(capped.map(({ manager }) => manager)).toEqual(["ancient-changes", "m3", "m4", "m5", "m6", "m7", "m8", "m9", "m10", "m11"]);
    expect(capped[0]).toEqual(entry("ancient-changes", { time: day(3), fieldsV1: { "f:spec": { "f:m0": {}, "f:m1": {}, "f:m2": {} } } }));
  });

  test("each version has its own", () => {
    const all = [...managers(7), ...managers(6, { apiVersion: "g/v2" })];
    expect(names(capUpdateManagers(decode(all))).slice(0, 5)).toEqual([
      "ancient-changes g/v2",
      "ancient-changes g/v1",
      "m2 g/v2",
      "m3 g/v1",
      "m3 g/v2",
    ]);
    expect(capUpdateManagers(decode(all)).size).toBe(MAX_UPDATE_MANAGERS);
  });

  test("an earlier bucket takes up the next ones, its subresource is none", () => {
    const bucket = entry("ancient-changes", { time: day(1), fieldsV1: { "f:old": {} } });
    const capped = encodeManagedFields(capUpdateManagers(decode([bucket, ...managers(11, { subresource: "status" }).slice(1)])));
    expect(capped.length).toBe(MAX_UPDATE_MANAGERS);
    expect(capped[0]).toEqual({ ...bucket, time: day(2), fieldsV1: { "f:old": {}, "f:spec": { "f:m1": {} } } });
  });

  // Go loses "f:old" here: it joins the bucket with itself and drops it.
  test("a bucket that is not the oldest is not lost", () => {
    const bucket = entry("ancient-changes", { time: day(1), fieldsV1: { "f:old": {} } });
    const capped = encodeManagedFields(
      capUpdateManagers(decode([entry("a", { time: day(1) }), bucket, entry("b", { time: day(1) }), ...managers(9).slice(1)])),
    );
    expect(capped.length).toBe(MAX_UPDATE_MANAGERS);
    expect(capped.some(({ fieldsV1 }) => fieldsV1?.["f:old"] !== undefined)).toBe(true);
  });
});
