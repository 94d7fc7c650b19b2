import { isJSONObject, type JSONValue, jsonEquals, type Schema } from "@annex/apimachinery";

/** A field whose value is another one after than before. */
export interface Difference {
  /** From the object's root: property names, and `*` for any key of a map and any element of a list. */
  readonly steps: readonly string[];
  /** Undefined where there was none. */
  readonly before: JSONValue | undefined;
  readonly after: JSONValue | undefined;
}

/** Every field in which two values differ, the deepest that says so. @param schema names which objects are maps. */
export function differences(
  before: JSONValue | undefined,
  after: JSONValue | undefined,
  schema: Schema,
  steps: readonly string[] = [],
): Difference[] {
  if (jsonEquals(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((element: JSONValue, index) => differences(element, after[index], schema.items ?? {}, [...steps, ELEMENT]));
  }
  if (!isJSONObject(before) || !isJSONObject(after)) return [{ steps, before, after }];
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((name) => {
    const property = own(schema.properties, name);
    const isKey = property === undefined && typeof schema.additionalProperties === "object";
    const inner = property ?? (isKey ? (schema.additionalProperties as Schema) : {});
    return differences(own(before, name), own(after, name), inner, [...steps, isKey ? ANY_KEY : name]);
  });
}

/** What is inherited is no field: `constructor` and `__proto__` are names like any other. */
function own<T>(object: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

const ELEMENT = "[*]";
const ANY_KEY = "*";

/** `spec.items[*].name` */
export function formatField(steps: readonly string[]): string {
  return steps.reduce((path, step) => (step === ELEMENT ? `${path}${step}` : path === "" ? step : `${path}.${step}`), "");
}

/** `spec.items[0].name` and `spec.items[*].name`, as steps. */
export function parseField(field: string): readonly string[] {
  return field.split(/\.|(?=\[)/).map((step) => (step.startsWith("[") ? ELEMENT : step));
}

/** Whether a field is the one that is named, or lies below it. */
export function isWithin(steps: readonly string[], named: readonly string[]): boolean {
  return named.length <= steps.length && named.every((step, index) => step === steps[index] || (step === ANY_KEY && steps[index] !== ELEMENT));
}

/** Whether a schema may have a field. */
export function hasField(schema: Schema, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined || schema["x-kubernetes-preserve-unknown-fields"] === true) return true;
  const { additionalProperties, items } = schema;
  const inner =
    step === ELEMENT ? items : (own(schema.properties, step) ?? (typeof additionalProperties === "object" ? additionalProperties : undefined));
  return inner !== undefined && hasField(inner, rest);
}
