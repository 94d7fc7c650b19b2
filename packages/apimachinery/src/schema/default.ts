import { isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import type { Schema } from "./schema.ts";

/**
 * Fills in defaults and drops nulls: an absent field with a default takes it; so does a null, unless the schema is nullable; a null that is neither
 * nullable nor has a default is dropped from objects (an element of a list stays). A default is filled in itself, level by level. A default of the
 * root is not applied.
 *
 * @param value is not changed. What is equal to before is the same reference in the result; defaults are the schema's own values, shared.
 * @returns the same reference when nothing changed.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting, Default and PruneNonNullableNullsWithoutDefaults.
 */
export function applyDefaults(value: JSONValue, schema: Schema): JSONValue {
  if (Array.isArray(value)) return defaultList(value, schema.items);
  return isJSONObject(value) ? defaultObject(value, schema) : value;
}

const hasDefault = (schema: Schema): boolean => schema.default !== undefined && schema.default !== null;

function defaultList(list: readonly JSONValue[], items: Schema | undefined): JSONValue {
  if (items === undefined) return list;
  let result: JSONValue[] | undefined;
  for (const [index, element] of list.entries()) {
    const filled = applyDefaults(isDefaultable(element, items) ? (items.default ?? null) : element, items);
    if (filled === element) continue;
    result ??= [...list];
    result[index] = filled;
  }
  return result ?? list;
}

const isDefaultable = (value: JSONValue, schema: Schema): boolean => value === null && schema.nullable !== true && hasDefault(schema);

function defaultObject(object: JSONObject, schema: Schema): JSONObject {
  const changes = new Map<string, JSONValue | undefined>();
  const properties = schema.properties ?? {};
  const additional = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  for (const name in properties) {
    const property = properties[name];
    if (property === undefined || !hasDefault(property)) continue;
    if (Object.hasOwn(object, name) && object[name] !== undefined) continue;
    changes.set(name, applyDefaults(property.default ?? null, property));
  }
  for (const name in object) {
    const field = object[name];
    const child = Object.hasOwn(properties, name) ? properties[name] : additional;
    if (field === undefined || child === undefined) continue;
    const filled = defaultField(field, child);
    if (filled !== field) changes.set(name, filled);
  }
  return changes.size === 0 ? object : changed(object, changes);
}

/** @returns undefined for a null that is dropped. */
function defaultField(field: JSONValue, schema: Schema): JSONValue | undefined {
  if (field !== null || schema.nullable === true) return applyDefaults(field, schema);
  return hasDefault(schema) ? applyDefaults(schema.default ?? null, schema) : undefined;
}

/** A copy with fields replaced, added at the end, or (undefined) left out. Entries make any name an own property, `__proto__` too. */
function changed(object: JSONObject, changes: Map<string, JSONValue | undefined>): JSONObject {
  const entries: [string, JSONValue][] = [];
  for (const [name, field] of Object.entries(object)) {
    const value = changes.has(name) ? changes.get(name) : field;
    changes.delete(name);
    if (value !== undefined) entries.push([name, value]);
  }
  for (const [name, value] of changes) if (value !== undefined) entries.push([name, value]);
  return Object.fromEntries(entries);
}
