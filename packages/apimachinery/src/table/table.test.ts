import { describe, expect, test } from "vitest";
import type { JSONValue, KubernetesObject } from "../meta/index.ts";
import { formatAge, humanDuration } from "./age.ts";
import { type ColumnType, formatCell } from "./cells.ts";
import { partialObjectMetadata, partialObjectMetadataList } from "./partial-object-metadata.ts";
import { CREATED_AT_COLUMN, compileColumns, makeTable, parseIncludeObject, type TableColumn, type TableOptions } from "./table.ts";

const NOW = Date.parse("2026-11-23T13:35:00Z");
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

test.each([
  { ms: -2 * SECOND, want: "<invalid>" },
  { ms: -1_999, want: "0s" },
  { ms: 0, want: "0s" },
  { ms: 1_999, want: "1s" },
  { ms: 119 * SECOND, want: "119s" },
  { ms: 2 * MINUTE, want: "2m" },
  { ms: 2 * MINUTE + SECOND, want: "2m1s" },
  { ms: 10 * MINUTE - 1, want: "9m59s" },
  { ms: 10 * MINUTE + 59 * SECOND, want: "10m" },
  { ms: 3 * HOUR - 1, want: "179m" },
  { ms: 3 * HOUR, want: "3h" },
  { ms: 3 * HOUR + MINUTE, want: "3h1m" },
  { ms: 8 * HOUR - 1, want: "7h59m" },
  { ms: 8 * HOUR + 59 * MINUTE, want: "8h" },
  { ms: 2 * DAY - 1, want: "47h" },
  { ms: 2 * DAY, want: "2d" },
  { ms: 2 * DAY + HOUR, want: "2d1h" },
  { ms: 8 * DAY - 1, want: "7d23h" },
  { ms: 8 * DAY + 23 * HOUR, want: "8d" },
  { ms: 730 * DAY - 1, want: "729d" },
  { ms: 730 * DAY, want: "2y" },
  { ms: 731 * DAY, want: "2y1d" },
  { ms: 8 * 365 * DAY - 1, want: "7y364d" },
  { ms: 8 * 365 * DAY + 364 * DAY, want: "8y" },
  { ms: 1_000 * 365 * DAY, want: "292y" },
])("$ms ms are $want to people", ({ ms, want }) => expect(humanDuration(ms)).toBe(want));

// Shown by kube-apiserver 1.36 for a date column, on 2026-11-23.
test.each([
  { timestamp: "2020-01-01T00:00:00Z", want: "6y328d" },
  { timestamp: "2020-01-01T1:00:00,5+02:00", want: "6y328d" },
  { timestamp: "2020-01-01T00:00:00.123456789123Z", want: "6y328d" },
  { timestamp: "2020-01-01T00:00:00+24:00", want: "6y329d" },
  { timestamp: "1600-01-01T00:00:00Z", want: "292y" },
  { timestamp: "0001-01-01T00:00:00Z", want: "<unknown>" },
  { timestamp: "", want: "<unknown>" },
  { timestamp: "null", want: "<unknown>" },
  { timestamp: undefined, want: "<unknown>" },
  { timestamp: "not", want: "<invalid>" },
  { timestamp: "2020-02-30T00:00:00Z", want: "<invalid>" },
  { timestamp: "2020-01-01T24:00:00Z", want: "<invalid>" },
  { timestamp: "2020-01-01T23:59:60Z", want: "<invalid>" },
  { timestamp: "2020-01-01t00:00:00z", want: "<invalid>" },
  { timestamp: "2020-01-01 00:00:00Z", want: "<invalid>" },
  { timestamp: "2020-01-01T00:00:00+0000", want: "<invalid>" },
  { timestamp: "2020-01-01T00:00:00+25:00", want: "<invalid>" },
  { timestamp: "2100-01-01T00:00:00Z", want: "<invalid>" },
  { timestamp: "2026-11-23T15:34:55+02:00", want: "5s" },
  { timestamp: "2026-11-23T08:34:55-05:00", want: "5s" },
])("$timestamp shows as $want", ({ timestamp, want }) => expect(formatAge(timestamp, NOW)).toBe(want));

test.each<{ type: ColumnType; value: JSONValue; want: unknown }>([
  { type: "string", value: "", want: "" },
  { type: "string", value: 3, want: "3" },
  { type: "string", value: 3.7, want: "3.7" },
  { type: "string", value: 1e-7, want: "1e-07" },
  { type: "string", value: 1e22, want: "1e+22" },
  { type: "string", value: 1234567.5, want: "1.2345675e+06" },
  { type: "string", value: 9007199254740993n, want: "9007199254740993" },
  { type: "string", value: true, want: "true" },
  { type: "string", value: null, want: "<no value>" },
  { type: "string", value: { z: "zed", a: 1 }, want: '{"a":1,"z":"zed"}' },
  { type: "string", value: ["x", null], want: '["x",null]' },
  { type: "string", value: "<a&b>", want: "<a&b>" },
  { type: "string", value: { k: "<a&b>" }, want: '{"k":"\\u003ca\\u0026b\\u003e"}' },
  { type: "integer", value: 3.7, want: 3 },
  { type: "integer", value: -3.7, want: -3 },
  { type: "integer", value: -0.5, want: 0 },
  { type: "integer", value: 9007199254740993n, want: 9007199254740993n },
  { type: "integer", value: 1e30, want: null },
  { type: "integer", value: -(2 ** 63), want: -(2 ** 63) },
  { type: "integer", value: "3", want: null },
  { type: "integer", value: null, want: null },
  { type: "number", value: 3.7, want: 3.7 },
  { type: "number", value: 1e30, want: 1e30 },
  { type: "number", value: 9007199254740993n, want: 9007199254740992 },
  { type: "number", value: "3", want: null },
  { type: "boolean", value: false, want: false },
  { type: "boolean", value: "false", want: null },
  { type: "date", value: "2026-11-23T13:34:55Z", want: "5s" },
  { type: "date", value: 3, want: null },
  { type: "date", value: null, want: null },
])("a $type column shows $value as $want", ({ type, value, want }) => expect(formatCell(type, value, NOW)).toBe(want));

const one: KubernetesObject = {
  apiVersion: "example.com/v1",
  kind: "Widget",
  metadata: { name: "one", resourceVersion: "7", creationTimestamp: "2026-11-23T13:30:00Z", labels: { a: "b" } },
  spec: { color: "red", size: 3, list: [1, 2] },
};

const options: TableOptions = {
  printer: compileColumns([]),
  version: "v1",
  objects: [one],
  listMeta: { resourceVersion: "9", continue: "c", remainingItemCount: 1 },
  includeObject: "Metadata",
  includeColumns: true,
  now: NOW,
};

const columns: readonly TableColumn[] = [
  { name: "Color", type: "string", jsonPath: ".spec.color", description: "Paint" },
  { name: "Size", type: "integer", jsonPath: ".spec.size", priority: 1, format: "int32" },
  { name: "First", type: "integer", jsonPath: ".spec.list[*]" },
  { name: "Phase", type: "string", jsonPath: ".status.phase" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
];

describe("a table", () => {
  test("of a kind without columns has Name and Created At, in Kubernetes' words", () => {
    const table = makeTable(options);
    expect(table).toMatchObject({
      kind: "Table",
      apiVersion: "meta.k8s.io/v1",
      metadata: { resourceVersion: "9", continue: "c", remainingItemCount: 1 },
      columnDefinitions: [
        {
          name: "Name",
          type: "string",
          format: "name",
          priority: 0,
          description: expect.stringMatching(/^Name must be unique within a namespace\. .*#names$/),
        },
        {
          name: "Created At",
          type: "date",
          format: "",
          priority: 0,
          description: expect.stringMatching(/^CreationTimestamp is a timestamp.*#metadata$/s),
        },
      ],
    });
    expect(table.rows).toEqual([
      {
        cells: ["one", "2026-11-23T13:30:00Z"],
        object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: one.metadata },
      },
    ]);
  });

  test("of a kind with columns has Name and those, and no more", () => {
    const table = makeTable({ ...options, printer: compileColumns(columns) });
    expect(table.columnDefinitions?.slice(1)).toEqual([
      { name: "Color", type: "string", format: "", description: "Paint", priority: 0 },
      {
        name: "Size",
        type: "integer",
        format: "int32",
        description: "Custom resource definition column (in JSONPath format): .spec.size",
        priority: 1,
      },
      {
        name: "First",
        type: "integer",
        format: "",
        description: "Custom resource definition column (in JSONPath format): .spec.list[*]",
        priority: 0,
      },
      {
        name: "Phase",
        type: "string",
        format: "",
        description: "Custom resource definition column (in JSONPath format): .status.phase",
        priority: 0,
      },
      {
        name: "Age",
        type: "date",
        format: "",
        description: "Custom resource definition column (in JSONPath format): .metadata.creationTimestamp",
        priority: 0,
      },
    ]);
    expect(table.rows?.[0]?.cells).toEqual(["one", "red", 3, 1, null, "5m"]);
  });

  test("shows what a column computes as it is", () => {
    const cells: readonly (string | number | boolean | null | undefined)[] = ["x", 2, false, null, undefined, Number.NaN];
    const printer = compileColumns(cells.map((cell, index) => ({ name: `c${index}`, type: "string", value: () => cell })));
    expect(printer.cells(one, NOW)).toEqual(["one", "x", 2, false, null, null, null]);
    const typed: TableColumn = {
      name: "Left",
      type: "date",
      value: (object: KubernetesObject, now: number) => formatAge(object.metadata.creationTimestamp, now),
    };
    expect(compileColumns([typed]).cells(one, NOW)).toEqual(["one", "5m"]);
    expect(compileColumns([typed]).columnDefinitions[1]?.description).toBe("");
  });

  test("of nothing has empty rows, and null where the kind has no columns of its own", () => {
    expect(makeTable({ ...options, printer: compileColumns([CREATED_AT_COLUMN]), objects: [] }).rows).toEqual([]);
    expect(makeTable({ ...options, printer: compileColumns([]), objects: [] }).rows).toBeNull();
  });

  test("after the first of a watch has null for columns", () => {
    expect(makeTable({ ...options, includeColumns: false }).columnDefinitions).toBeNull();
  });

  test("carries objects as asked, in the asked version", () => {
    expect(makeTable({ ...options, includeObject: "Object" }).rows?.[0]?.object).toBe(one);
    expect(makeTable({ ...options, includeObject: "None" }).rows?.[0]?.object).toBeNull();
    const beta = makeTable({ ...options, version: "v1beta1" });
    expect([beta.apiVersion, beta.rows?.[0]?.object?.apiVersion]).toEqual(["meta.k8s.io/v1beta1", "meta.k8s.io/v1beta1"]);
  });

  test("of the bookmark that ends the initial events carries its metadata whatever was asked", () => {
    const bookmark: KubernetesObject = { ...one, metadata: { resourceVersion: "9", annotations: { "k8s.io/initial-events-end": "true" } } };
    const table = makeTable({ ...options, objects: [bookmark], includeObject: "None" });
    expect(table.rows).toEqual([
      { cells: ["", "0001-01-01T00:00:00Z"], object: { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: bookmark.metadata } },
    ]);
  });
});

test("a column needs one of jsonPath and value, and a path that can be read", () => {
  const value = () => 1;
  expect(() => compileColumns([{ name: "X", type: "string" }])).toThrow(new TypeError('column "X" needs one of jsonPath and value'));
  expect(() => compileColumns([{ name: "X", type: "string", jsonPath: ".x", value }])).toThrow(TypeError);
  expect(() => compileColumns([{ name: "X", type: "string", jsonPath: "..x" }])).toThrow(/recursive descent/);
});

test.each([
  { value: undefined, want: "Metadata" },
  { value: null, want: "Metadata" },
  { value: "", want: "Metadata" },
  { value: "Metadata", want: "Metadata" },
  { value: "Object", want: "Object" },
  { value: "None", want: "None" },
])("includeObject=$value is $want", ({ value, want }) => expect(parseIncludeObject(value)).toBe(want));

test.each(["All", "object", 'a"b'])("includeObject=%s is refused", (value) => {
  const message = `Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`;
  expect(() => parseIncludeObject(value)).toThrow(expect.objectContaining({ code: 400, reason: "BadRequest", message }));
});

test("partial metadata is the metadata and nothing else", () => {
  expect(partialObjectMetadata(one, "v1")).toEqual({ kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata: one.metadata });
  expect(partialObjectMetadataList([one, one], { resourceVersion: "9" }, "v1beta1")).toEqual({
    kind: "PartialObjectMetadataList",
    apiVersion: "meta.k8s.io/v1beta1",
    metadata: { resourceVersion: "9" },
    items: [partialObjectMetadata(one, "v1beta1"), partialObjectMetadata(one, "v1beta1")],
  });
});
