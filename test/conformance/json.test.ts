import { describe, expect, test } from "vitest";
import { formatJSON, isSameJSON, NumberText, parseJSON } from "./json.ts";

describe("numbers", () => {
  test.each(["9007199254740993", "1.0", "1e1", "-0", "0.10"])("%s keeps its text", (text) => {
    expect(parseJSON(`{"a":[${text}]}`)).toEqual({ a: [new NumberText(text)] });
    expect(formatJSON(parseJSON(`[${text}]`) ?? null)).toBe(`[${text}]`);
  });

  test.each([
    ["5", "5.0", true],
    ["10", "1e1", true],
    ["9007199254740992", "9007199254740993", false],
    ["9007199254740993", "9007199254740993", true],
    ["1", "true", false],
    ["0", "null", false],
    ['"1"', "1", false],
  ])("%s and %s are one value: %s", (left, right, isSame) => {
    expect(isSameJSON(parseJSON(left), parseJSON(right))).toBe(isSame);
  });

  test("digits in texts are no numbers", () => {
    expect(parseJSON('{"1.0":"1.0, \\"2.0\\"","n":1.0}')).toEqual({ "1.0": '1.0, "2.0"', n: new NumberText("1.0") });
  });
});

test.each(["{", '{"a":01}', "", "1.0 2.0"])("%j is no JSON", (text) => expect(parseJSON(text)).toBeUndefined());

test("texts are written as Python does", () => {
  const value = { b: ["ä", "\u2028"], a: {}, c: [] };
  expect(formatJSON(value)).toBe('{"b": ["ä", "\u2028"], "a": {}, "c": []}');
  expect(formatJSON(value, { sorted: true, ascii: true })).toBe('{"a": {}, "b": ["\\u00e4", "\\u2028"], "c": []}');
  expect(formatJSON(value, { indent: 2 })).toBe('{\n  "b": [\n    "ä",\n    "\u2028"\n  ],\n  "a": {},\n  "c": []\n}');
});
