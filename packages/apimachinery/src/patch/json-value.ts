import { badRequest, isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";

/** An object under construction. */
export type MutableObject = { [key: string]: JSONValue | undefined };

/**
 * How deep a patch may nest. The codec reads deeper texts; what works on them recurses, and no API object comes near.
 */
export const MAX_PATCH_DEPTH = 1_000;

/** Sets an own property, whatever its name: assigning `__proto__` would change the prototype instead. */
export function setOwn(object: MutableObject, key: string, value: JSONValue | undefined): void {
  if (key === "__proto__") Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  else object[key] = value;
}

/** An own property; undefined where there is none, or only an inherited one. */
export function getOwn(object: JSONObject, key: string): JSONValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** Narrows as Array.isArray does, which forgets what a readonly array holds. */
export function isJSONArray(value: JSONValue | undefined): value is readonly JSONValue[] {
  return Array.isArray(value);
}

/** Whether a value nests at most so deep; a scalar is 0 deep. Does not recurse. */
export function isNestedAtMost(value: JSONValue, maxDepth: number): boolean {
  let level: JSONValue[] = [value];
  for (let depth = 0; level.length > 0; depth++) {
    const next: JSONValue[] = [];
    for (const container of level) {
      if (isJSONArray(container)) for (const element of container) next.push(element);
      else if (isJSONObject(container)) for (const key of Object.keys(container)) next.push(container[key] ?? null);
      else continue;
      if (depth === maxDepth) return false;
    }
    level = next;
  }
  return true;
}

/** @throws {APIError} `BadRequest` when a patch nests deeper than {@link MAX_PATCH_DEPTH}. */
export function checkPatchDepth(patch: JSONValue): void {
  if (!isNestedAtMost(patch, MAX_PATCH_DEPTH)) throw badRequest(`error decoding patch: it nests deeper than ${MAX_PATCH_DEPTH}`);
}
