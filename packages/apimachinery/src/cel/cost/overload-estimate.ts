import type { CallEstimate } from "./model.ts";
import { add, multiply, ONE, type Range, scale } from "./range.ts";
import { REGEX_FACTOR, TRAVERSAL_FACTOR } from "./unit.ts";

/** @returns undefined for the ordinary cost of 1. */
type OverloadEstimate = (target: Range | undefined, args: readonly Range[]) => CallEstimate | undefined;

export const traverse = (size: Range, times = 1): Range => scale(size, times * TRAVERSAL_FACTOR);

/** Of matching a text against a pattern. */
export const match = (text: Range, pattern: Range): Range => multiply(traverse(add(text, ONE)), scale(pattern, REGEX_FACTOR));

const ofArgument: OverloadEstimate = (_target, [argument]) => (argument === undefined ? undefined : { cost: traverse(argument) });

const concatenated: OverloadEstimate = (_target, [left, right]) => {
  if (left === undefined || right === undefined) return undefined;
  const resultSize = add(left, right);
  return { cost: traverse(resultSize), resultSize };
};

const compared: OverloadEstimate = (_target, [left, right]) => {
  if (left === undefined || right === undefined) return undefined;
  const max = left.max < right.max ? left.max : right.max;
  return { cost: traverse({ min: max > 0n ? 1n : 0n, max }) };
};

/** The overloads that take time in proportion to their arguments, or whose result has a size. Source: cel-go checker functionCost. */
export const OVERLOAD_ESTIMATES: ReadonlyMap<string, OverloadEstimate> = new Map<string, OverloadEstimate>([
  ["string_format", (target) => (target === undefined ? undefined : { cost: traverse(target) })],
  [
    "string_to_bytes",
    (_target, [text]) => (text === undefined ? undefined : { cost: traverse(text), resultSize: { min: text.min, max: wrapped(text.max * 4n) } }),
  ],
  [
    "bytes_to_string",
    (_target, [bytes]) => (bytes === undefined ? undefined : { cost: traverse(bytes), resultSize: { min: bytes.min / 4n, max: bytes.max } }),
  ],
  [
    "strings_quote",
    (_target, [text]) =>
      text === undefined ? undefined : { cost: traverse(text), resultSize: { min: wrapped(text.min + 2n), max: wrapped(text.max * 2n + 2n) } },
  ],
  ["starts_with_string", ofArgument],
  ["ends_with_string", ofArgument],
  ["in_list", (_target, [, list]) => (list === undefined ? undefined : { cost: scale(list, 1) })],
  ["matches_string", (target, [pattern]) => (target === undefined || pattern === undefined ? undefined : { cost: match(target, pattern) })],
  [
    "contains_string",
    (target, [part]) => (target === undefined || part === undefined ? undefined : { cost: multiply(traverse(target), traverse(part)) }),
  ],
  ["add_string", concatenated],
  ["add_bytes", concatenated],
  ["add_list", (_target, [left, right]) => (left === undefined || right === undefined ? undefined : { cost: ONE, resultSize: add(left, right) })],
  ["equals", compared],
  ["not_equals", compared],
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((name): [string, OverloadEstimate][] => [
    [`${name}_string`, compared],
    [`${name}_bytes`, compared],
  ]),
]);

/** Go multiplies these without looking for overflow. */
const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value);
