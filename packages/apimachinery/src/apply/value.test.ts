import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import { compareStrings, compareValues, equalValues, formatEncoded, formatName, formatValue } from "./value.ts";

const encoder = new TextEncoder();

describe("compareStrings", () => {
  test("is the order of the UTF-8 bytes", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "é", "\ud7ff", "\ue000", "\uffee", "\u{10000}", "\u{1f600}"), maxLength: 4 });
    fc.assert(
      fc.property(text, text, (left, right) => {
        const [a, b] = [[...encoder.encode(left)], [...encoder.encode(right)]];
        const at = a.findIndex((byte, index) => byte !== b[index]);
        const want = at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? -1);
        expect(Math.sign(compareStrings(left, right))).toBe(Math.sign(want));
      }),
    );
  });

  test("a character beyond U+FFFF comes last", () => expect(["\u{1f600}", "\uffee", "z"].sort(compareStrings)).toEqual(["z", "\uffee", "\u{1f600}"]));
});

describe("compareValues", () => {
  test("kinds: numbers, strings, booleans, lists, objects, null; each in its own order", () => {
    const ordered = [
      -1,
      0.5,
      1,
      2,
      9007199254740993n,
      9007199254740994n,
      "",
      "a",
      "b",
      false,
      true,
      [],
      [1],
      [1, 1],
      [2],
      {},
      { a: 1 },
      { a: 1, b: 1 },
      { b: 0 },
      null,
    ];
    for (const [i, left] of ordered.entries()) {
      for (const [j, right] of ordered.entries()) expect(Math.sign(compareValues(left, right)), `${i} ${j}`).toBe(Math.sign(i - j));
    }
  });

  test("a large integer equals its rounded self, as in Go", () => expect(compareValues(9007199254740993n, 9007199254740992)).toBe(0));
});

describe("equalValues", () => {
  test.each<{ left: JSONValue; right: JSONValue; want: boolean }>([
    { left: 9223372036854775807n, right: 2 ** 63, want: true },
    { left: 9223372036854775807n, right: 9223372036854775806n, want: false },
    { left: { a: [1, { b: null }], c: undefined }, right: { a: [1, { b: null }] }, want: true },
    { left: { a: null }, right: {}, want: false },
    { left: {}, right: { a: null }, want: false },
    { left: { toString: 1 }, right: { a: 1 }, want: false },
    { left: [1], right: [1, 2], want: false },
    { left: [], right: {}, want: false },
    { left: null, right: {}, want: false },
    { left: 1, right: "1", want: false },
  ])("$left and $right: $want", ({ left, right, want }) => expect(equalValues(left, right)).toBe(want));
});

describe("formatValue", () => {
  // What Go prints, asked of structured-merge-diff.
  test.each([
    { value: "a<b>&", want: '"a\\u003cb\\u003e\\u0026"' },
    { value: '\b\f\n\r\t\u0001"\\', want: '"\\u0008\\u000c\\n\\r\\t\\u0001\\"\\\\"' },
    { value: "é\u2028\u2029\u007f\u{1f600}", want: '"é\\u2028\\u2029\u007f\u{1f600}"' },
    { value: 1e-7, want: "1e-07" },
    { value: 2.5e-10, want: "2.5e-10" },
    { value: 0.000001, want: "0.000001" },
    { value: 1e21, want: "1e+21" },
    { value: 123456789012345680000, want: "123456789012345680000" },
    { value: 9007199254740993n, want: "9007199254740993" },
    { value: true, want: "true" },
    { value: null, want: "null" },
    { value: { b: [1, "<"], a: {} }, want: '{"a":{},"b":[1,"\\u003c"]}' },
  ])("$want", ({ value, want }) => expect(formatValue(value)).toBe(want));

  test("a name keeps what only HTML would escape", () => expect(formatName("a<b\u2028\n")).toBe('"a<b\u2028\\n"'));
});

test.each([
  { value: '\b\f\n\t\u0001"<é\u2028', want: '"\\b\\f\\n\\t\\u0001\\"\\u003cé\\u2028"' },
  { value: { b: 1e-7, a: 1e21 }, want: '{"a":1e+21,"b":1e-7}' },
])("formatEncoded: $want", ({ value, want }) => expect(formatEncoded(value)).toBe(want));
