/**
 * A decoded JSON value. Integers beyond 2^53 are `bigint`, so that no digit is lost between a client and the store;
 * every other number is a `number`.
 */
export type JSONValue = null | boolean | number | bigint | string | JSONArray | JSONObject;

export type JSONArray = readonly JSONValue[];

export interface JSONObject {
  readonly [key: string]: JSONValue | undefined;
}

/** Whether a value is a JSON object: not null, not an array. */
export function isJSONObject(value: unknown): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Whether two JSON values are the same: keys in any order, elements in the same order. A property that is `undefined`
 * counts as absent.
 */
export function jsonEquals(left: unknown, right: unknown): boolean {
  if (left === right) return true;
  if (Array.isArray(left)) {
    return Array.isArray(right) && listEquals(left, right);
  }
  if (!isJSONObject(left) || !isJSONObject(right)) return false;
  let common = 0;
  for (const key in left) {
    const value = left[key];
    if (value === undefined) continue;
    common++;
    // No value of JSON is what an object inherits: the same is its own.
    if (right[key] !== value && (!Object.hasOwn(right, key) || !jsonEquals(value, right[key]))) return false;
  }
  for (const key in right) if (right[key] !== undefined) common--;
  return common === 0;
}

function listEquals(left: readonly unknown[], right: readonly unknown[]): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (!jsonEquals(left[index], right[index])) return false;
  return true;
}

/** Sets a key of a parsed object: `__proto__` too is a key like any other. */
export function setOwn(object: Record<string, JSONValue | undefined>, key: string, value: JSONValue): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}
