import { isJSONObject, type JSONValue } from "../meta/index.ts";
import { compareCodePoints } from "../schema/go-format.ts";
import { type Operand, type Operator, parsePath, type Step } from "./jsonpath-parser.ts";

/** What a path leads to in a value: in order, none when it leads nowhere. */
export type JSONPathQuery = (value: JSONValue) => readonly JSONValue[];

/**
 * Compiles a path of the form that the printer columns of CustomResourceDefinitions use. Supported are
 * fields (`.spec.size`), escaped dots in them (`.metadata.annotations.example\.com/team`, `['example\.com/team']`), wildcards (`.*`, `[*]`),
 * indexes and slices, also from the end (`[0]`, `[-1]`, `[1:]`, `[::2]`), and filters with one comparison or none
 * (`.status.conditions[?(@.type=="Ready")].status`, `[?(@.count>=2)]`, `[?(@.optional)]`).
 *
 * As in Kubernetes, quotes in brackets do not protect a dot (`['a.b']` is `.a.b`), and a path that asks the impossible of any element it
 * passes (an index out of bounds, an index or a filter of what is no array, a comparison of a string with a number) leads nowhere at all. Unlike
 * there, `1` and `1.0` are the same number, `[*]` passes over empty arrays, `.*` gives an object's fields in the order of their names and none of a string,
 * and a filter that asks for what cannot be there (`[?(@[0])]` of no array) lets nothing pass.
 *
 * @param path without the braces of a template.
 * @returns a pure function; its work is bounded by the size of the value times the length of the path.
 * @throws {TypeError} for a path with anything else in it: recursive descent, unions, functions, text outside of the path.
 * Source: k8s.io/client-go/util/jsonpath; apiextensions/v1 CustomResourceColumnDefinition.jsonPath.
 */
export function compileJSONPath(path: string): JSONPathQuery {
  const steps = parsePath(path);
  return (value) => walk([value], steps) ?? [];
}

/** @returns undefined for a path that cannot be followed. */
function walk(values: readonly JSONValue[], steps: readonly Step[]): readonly JSONValue[] | undefined {
  let current: readonly JSONValue[] = values;
  for (const step of steps) {
    const next: JSONValue[] = [];
    for (const value of current) if (!follow(value, step, next)) return undefined;
    current = next;
  }
  return current;
}

/** Adds to `found` what a step leads to. @returns false when it cannot be taken. */
function follow(value: JSONValue, step: Step, found: JSONValue[]): boolean {
  switch (step.type) {
    case "field": {
      const field = isJSONObject(value) && Object.hasOwn(value, step.name) ? value[step.name] : undefined;
      if (field !== undefined) found.push(field);
      return true;
    }
    case "wildcard":
      for (const child of children(value)) found.push(child);
      return true;
    case "slice":
      return value === null || (Array.isArray(value) && slice(value, step, found));
    case "filter":
    case "exists":
      return Array.isArray(value) && filter(value, step, found);
    default:
      return step satisfies never;
  }
}

function children(value: JSONValue): readonly JSONValue[] {
  if (Array.isArray(value)) return value;
  if (!isJSONObject(value)) return [];
  const keys = Object.keys(value).sort(compareCodePoints);
  return keys.map((key) => value[key]).filter((child) => child !== undefined);
}

function slice(array: readonly JSONValue[], step: Extract<Step, { type: "slice" }>, found: JSONValue[]): boolean {
  const { length } = array;
  const start = step.start < 0 ? step.start + length : step.start;
  const asked = step.isIndex ? start + 1 : (step.end ?? length);
  const end = asked < 0 ? asked + length : asked;
  if (start === end) return true;
  if (start < 0 || start >= length || end < start || end > length) return false;
  for (let index = start; index < end; index += step.step) found.push(array[index] ?? null);
  return true;
}

function filter(array: readonly JSONValue[], step: Extract<Step, { type: "filter" | "exists" }>, found: JSONValue[]): boolean {
  for (const element of array) {
    const passes = step.type === "exists" ? (walk([element], step.steps) ?? []).length > 0 : compares(element, step);
    if (passes === undefined) return false;
    if (passes) found.push(element);
  }
  return true;
}

/** @returns undefined when the two cannot be compared. An element that lacks either side just does not pass. */
function compares(element: JSONValue, { left, operator, right }: Extract<Step, { type: "filter" }>): boolean | undefined {
  const [lefts, rights] = [operandValues(element, left), operandValues(element, right)];
  if (lefts === undefined || lefts.length > 1) return undefined;
  const a = lefts[0];
  if (a === undefined) return false;
  if (rights === undefined || rights.length > 1) return undefined;
  const b = rights[0];
  if (b === undefined) return false;
  if (isNumber(a) && isNumber(b)) return holds(operator, a < b ? -1 : a > b ? 1 : 0);
  if (typeof a === "string" && typeof b === "string") return holds(operator, compareCodePoints(a, b));
  if (typeof a !== "boolean" || typeof b !== "boolean") return undefined;
  return operator === "==" || operator === "!=" ? (a === b) === (operator === "==") : undefined;
}

function operandValues(element: JSONValue, operand: Operand): readonly JSONValue[] | undefined {
  return operand.type === "literal" ? [operand.value] : walk([element], operand.steps);
}

function isNumber(value: JSONValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function holds(operator: Operator, order: number): boolean {
  switch (operator) {
    case "==":
      return order === 0;
    case "!=":
      return order !== 0;
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    default:
      return operator satisfies never;
  }
}
