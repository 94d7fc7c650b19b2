import { isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import { hasDefault, propertyMap } from "./property-map.ts";
import type { Schema } from "./schema.ts";

/**
 * Fills in defaults and drops nulls: an absent field with a default takes it; so does a null, unless the schema is nullable; a null that is neither
 * nullable nor has a default is dropped from objects (an element of a list stays). A default is filled in itself, level by level. A default of the
 * root is not applied.
 *
 * @param value is not changed. What is equal to before is the same reference in the result; defaults are the schema's own values, shared.
 * @param keepsNulls whether a null that is neither nullable nor has a default stays, for validation to refuse. Default false.
 * @returns the same reference when nothing changed.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting, Default and PruneNonNullableNullsWithoutDefaults.
 */
export function applyDefaults(value: JSONValue, schema: Schema, keepsNulls = false): JSONValue {
  if (Array.isArray(value)) return defaultList(value, schema.items, keepsNulls);
  return isJSONObject(value) ? defaultObject(value, schema, keepsNulls) : value;
}

function defaultList(list: readonly JSONValue[], items: Schema | undefined, keepsNulls: boolean): JSONValue {
  if (items === undefined) return list;
  let result: JSONValue[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const element = list[index] ?? null;
    const filled = applyDefaults(isDefaultable(element, items) ? (items.default ?? null) : element, items, keepsNulls);
    if (filled === element) continue;
    result ??= [...list];
    result[index] = filled;
  }
  return result ?? list;
}

const isDefaultable = (value: JSONValue, schema: Schema): boolean => value === null && schema.nullable !== true && hasDefault(schema);

function defaultObject(object: JSONObject, schema: Schema, keepsNulls: boolean): JSONObject {
  // Most objects need nothing: only one that does gets a map of what changes.
  let changes: Map<string, JSONValue | undefined> | undefined;
  const { byName, defaulted } = propertyMap(schema);
  const additional = typeof schema.additionalProperties === "object" ? schema.additionalProperties : undefined;
  for (const [name, property] of defaulted) {
    if (Object.hasOwn(object, name) && object[name] !== undefined) continue;
    changes = (changes ?? new Map()).set(name, applyDefaults(property.default ?? null, property));
  }
  for (const name in object) {
    const field = object[name];
    const child = byName.get(name) ?? additional;
    if (field === undefined || child === undefined) continue;
    const filled = defaultField(field, child, keepsNulls);
    if (filled !== field) changes = (changes ?? new Map()).set(name, filled);
  }
  return changes === undefined ? object : changed(object, changes);
}

/** @returns undefined for a null that is dropped. */
function defaultField(field: JSONValue, schema: Schema, keepsNulls: boolean): JSONValue | undefined {
  if (field !== null || schema.nullable === true) return applyDefaults(field, schema, keepsNulls);
  if (hasDefault(schema)) return applyDefaults(schema.default ?? null, schema);
  return keepsNulls ? null : undefined;
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
