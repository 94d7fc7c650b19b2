import { describe, expect, test } from "vitest";
import { Warnings } from "./warnings.ts";

function told(...texts: readonly string[]): readonly string[] {
  const warnings = new Warnings();
  for (const text of texts) warnings.add(text);
  return warnings.headers.map((header) => /^299 - "(.*)"$/.exec(header)?.[1] ?? "");
}

const long = (letter: string, length: number) => letter.repeat(length);

describe("the warnings of one answer", () => {
  test("are told once, and not when they say nothing", () => expect(told("a", "", "b", "a")).toEqual(["a", "b"]));

  test("stay as they are up to 4,096 characters together", () => {
    expect(told(long("a", 3_000), long("ü", 1_096)).map((text) => text.length)).toEqual([3_000, 2 * 1_096]);
  });

  test("are cut to 256 each beyond that, the earlier ones, too", () => {
    expect(told("short", long("a", 4_000), long("b", 300)).map((text) => text.length)).toEqual([5, 256, 256]);
    expect(told(long("a", 5_000))).toEqual([long("a", 256)]);
  });

  test("end when they are too much all the same", () => {
    const texts = Array.from({ length: 60 }, (_, index) => `${String(index).padStart(2, "0")}${long("x", 300)}`);
    expect(told(...texts)).toHaveLength(16);
    expect(told(...Array.from({ length: 300 }, (_, index) => `${index}`))).toHaveLength(100);
  });

  test("have nothing in them that a header cannot hold", () => expect(told('a\n"b"\\')).toEqual(['a \\"b\\"\\\\']));
});
