import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelOpaque } from "../value/opaque.ts";
import { CelOptional } from "../value/optional.ts";
import { codePointCount } from "../value/text.ts";
import type { CelValue } from "../value/value.ts";
import { REGEX_FACTOR, TRAVERSAL_FACTOR } from "./unit.ts";

/**
 * What a call takes in cel-go's units. It is charged before the call is made, for a call that costs too much may take as long. Also told of calls
 * whose arguments are errors, which have the size 1.
 */
export type ActualCost = (args: readonly CelValue[]) => number;

/** The size of a value as costs count it: of texts, bytes, lists and maps, and 1 of all others. Source: cel-go interpreter actualSize. */
export function actualSize(value: CelValue | undefined): number {
  if (typeof value === "string") return codePointCount(value);
  if (value instanceof CelList || value instanceof CelMap) return value.size;
  if (value instanceof Uint8Array) return value.length;
  if (value instanceof CelOptional) return value.value === undefined ? 1 : actualSize(value.value);
  return value instanceof CelOpaque ? (value.costSize ?? 1) : 1;
}

export const traversal = (size: number, times = 1): number => Math.ceil(size * times * TRAVERSAL_FACTOR);

/** Of matching a text against a pattern. One is added to the text, so that the product is never 0. */
export const matching = (textSize: number, patternSize: number): number =>
  Math.ceil((1 + textSize) * TRAVERSAL_FACTOR) * Math.ceil(patternSize * REGEX_FACTOR);

const firstArgument: ActualCost = ([first]) => traversal(actualSize(first));
const smallerArgument: ActualCost = ([left, right]) => {
  if (typeof left === "string" && typeof right === "string" && left.length <= 10) return left.length === 0 || right.length === 0 ? 0 : 1;
  return traversal(Math.min(actualSize(left), actualSize(right)));
};
const bothArguments: ActualCost = ([left, right]) => traversal(actualSize(left) + actualSize(right));

/** The overloads that take time in proportion to their arguments; all others cost 1. Source: cel-go interpreter CostTracker.costCall. */
export const OVERLOAD_COSTS: ReadonlyMap<string, ActualCost> = new Map<string, ActualCost>([
  ["starts_with_string", firstArgument],
  ["ends_with_string", firstArgument],
  ["string_to_bytes", firstArgument],
  ["bytes_to_string", firstArgument],
  ["strings_quote", firstArgument],
  ["string_format", firstArgument],
  ["in_list", ([, list]) => actualSize(list)],
  ["equals", smallerArgument],
  ["not_equals", smallerArgument],
  ...["less", "less_equals", "greater", "greater_equals"].flatMap((name): [string, ActualCost][] => [
    [`${name}_string`, smallerArgument],
    [`${name}_bytes`, smallerArgument],
  ]),
  ["add_string", bothArguments],
  ["add_bytes", bothArguments],
  ["matches_string", ([text, pattern]) => matching(actualSize(text), actualSize(pattern))],
  ["contains_string", ([text, part]) => traversal(actualSize(text)) * traversal(actualSize(part))],
]);
