import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "./json.ts";
import type { ObjectMeta } from "./object.ts";

/** The fields of metadata in the order of Go's struct. Source: meta/v1 ObjectMeta. */
const METADATA_FIELDS = [
  "name",
  "generateName",
  "namespace",
  "selfLink",
  "uid",
  "resourceVersion",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "labels",
  "annotations",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const satisfies readonly (keyof ObjectMeta)[];

/** Metadata as Go writes it: its fields in the order of the struct, labels and annotations by their keys. What has no place there comes last. */
export function inFieldOrder(metadata: ObjectMeta): ObjectMeta {
  const ordered: Record<string, unknown> = {};
  for (const field of METADATA_FIELDS) {
    const value = metadata[field];
    if (value !== undefined) ordered[field] = field === "labels" || field === "annotations" ? byKey(value as JSONObject) : value;
  }
  return { ...ordered, ...metadata, ...ordered };
}

/**
 * A value whose objects have their keys sorted, at every depth: what Go writes of maps, and so of a custom resource.
 *
 * @param value is not changed; what of it is in order is the same reference in the result.
 */
export function sortedKeys(value: JSONValue): JSONValue {
  if (typeof value !== "object" || value === null) return value;
  return isJSONObject(value) ? sortedObject(value) : sortedList(value);
}

function sortedList(list: JSONArray): JSONArray {
  let result: JSONValue[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const element = list[index] ?? null;
    const sorted = sortedKeys(element);
    if (sorted === element) continue;
    result ??= [...list];
    result[index] = sorted;
  }
  return result ?? list;
}

function sortedObject(object: JSONObject): JSONObject {
  const keys = Object.keys(object);
  const isSorted = inOrder(keys);
  if (!isSorted) keys.sort();
  let changes: Map<string, JSONValue> | undefined;
  for (const key of keys) {
    const field = object[key];
    if (typeof field !== "object" || field === null) continue;
    const sorted = sortedKeys(field);
    if (sorted !== field) changes = (changes ?? new Map()).set(key, sorted);
  }
  if (isSorted && changes === undefined) return object;
  // Entries make `__proto__` a key like any other, and of many keys an object that V8 walks faster than one that was given key after key.
  return Object.fromEntries(keys.map((key) => [key, changes?.get(key) ?? object[key]]));
}

function inOrder(keys: readonly string[]): boolean {
  for (let index = 1; index < keys.length; index++) if ((keys[index - 1] as string) >= (keys[index] as string)) return false;
  return true;
}

function byKey(map: JSONObject): JSONObject {
  const keys = Object.keys(map);
  return inOrder(keys) ? map : Object.fromEntries(keys.sort().map((key) => [key, map[key]]));
}
