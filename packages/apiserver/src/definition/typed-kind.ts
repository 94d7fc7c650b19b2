import { illegalBase64At, isJSONObject, type JSONObject, type JSONValue, type Schema } from "@annex/apimachinery";

/** A value has another JSON type than its field: such a body is not decoded at all. The message is the sentence for the client. */
export class WrongTypeError extends Error {
  override readonly name = "WrongTypeError";
}

/**
 * Reads an object as Go reads one into the struct of a compiled-in kind, and as Go writes it again: a value of another type than its field's is refused,
 * and an optional string, list or map that is empty is as if it had not been sent (`omitempty`). Metadata is left alone, it has rules of its own.
 *
 * @param object pruned and defaulted.
 * @returns the same reference when nothing was left out.
 * @throws {WrongTypeError} naming the field, without the names of Go's types.
 * Source: encoding/json; API conventions, "Optional vs. Required".
 */
export function asTyped(object: JSONObject, schema: Schema): JSONObject {
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  return typedProperties(object, { ...schema, properties }, "");
}

/**
 * Reads null as Go does into a struct: a field is as if it had not been sent, an element of a list or map is the zero value of its type. Only where the schema has `nullable` it stays.
 *
 * @param object as it was sent: anything may stand in it.
 * @returns the same reference when there was none.
 * Source: encoding/json, Unmarshal.
 */
export function withoutNulls(object: JSONObject, schema: Schema): JSONObject {
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  const result = filled(object, { ...schema, properties });
  return isJSONObject(result) ? result : object;
}

function filled(value: JSONValue, schema: Schema): JSONValue {
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    const elements = value.map((element: JSONValue) => (element === null ? zeroOf(items) : filled(element, items)));
    return elements.every((element, index) => element === value[index]) ? value : elements;
  }
  if (!isJSONObject(value)) return value;
  const { properties = {}, additionalProperties } = schema;
  let changed: Record<string, JSONValue | undefined> | undefined;
  for (const [name, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    const element = typeof additionalProperties === "object" ? additionalProperties : undefined;
    const known = property ?? element;
    if (known === undefined || (member === null && known.nullable === true)) continue;
    const result = member !== null ? filled(member, known) : property === undefined ? zeroOf(known) : undefined;
    if (result === member) continue;
    changed ??= { ...value };
    if (result === undefined) delete changed[name];
    else changed[name] = result; // an own property by the spread, whatever its name
  }
  return changed ?? value;
}

/**
 * With the zero value of its type wherever a field is required or has a default, and is not there, or null and may not be: what code that relies on types can read, as it always can in Go.
 *
 * @returns the same reference when nothing was missing.
 */
export function withZeroValues(object: JSONObject, schema: Schema): JSONObject {
  return complete(object, schema) as JSONObject; // an object stays one
}

function complete(given: JSONValue, schema: Schema): JSONValue {
  const value = given ?? emptyOf(schema);
  if (Array.isArray(value)) {
    const { items } = schema;
    if (items === undefined) return value;
    const elements = value.map((element: JSONValue) => complete(element, items));
    return elements.every((element, index) => element === value[index]) ? value : elements;
  }
  if (!isJSONObject(value)) return value;
  const { properties = {}, additionalProperties, required = [] } = schema;
  const additional = typeof additionalProperties === "object" ? additionalProperties : undefined;
  const defaulted = Object.keys(properties).filter((name) => properties[name]?.default !== undefined);
  const names = new Set([...Object.keys(value), ...required, ...defaulted]);
  const entries = [...names].flatMap((name): [string, JSONValue][] => {
    const known = Object.hasOwn(properties, name) ? properties[name] : additional;
    const member = Object.hasOwn(value, name) ? value[name] : undefined;
    if (known === undefined) return member === undefined ? [] : [[name, member]];
    return [[name, complete(member ?? null, known)]];
  });
  return entries.every(([name, member]) => value[name] === member) ? value : Object.fromEntries(entries);
}

/** As {@link zeroOf}, but that a list which is not there has no elements, and of an enum the first value is taken: Go's empty text would be none of its type. */
function emptyOf(schema: Schema): JSONValue {
  if (schema.nullable === true) return null;
  const [first] = schema.enum ?? [];
  if (first !== undefined) return first;
  if (schema["x-kubernetes-int-or-string"] === true) return 0;
  return schema.type === "array" ? [] : zeroOf(schema);
}

function zeroOf({ type, nullable }: Schema): JSONValue {
  if (nullable === true) return null;
  switch (type) {
    case "string":
      return "";
    case "object":
      return {};
    case "boolean":
      return false;
    case "integer":
    case "number":
      return 0;
    default:
      return null;
  }
}

/** The schema by which the fields of a compiled-in kind are validated: what decoding sees to already is left out. */
export function withoutDecodedFormats(schema: Schema): Schema {
  const { format, properties, additionalProperties, items, ...rest } = schema;
  return {
    ...rest,
    ...(format === undefined || format === "byte" ? {} : { format }),
    ...(properties === undefined
      ? {}
      : { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withoutDecodedFormats(one)])) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: typeof additionalProperties === "object" ? withoutDecodedFormats(additionalProperties) : additionalProperties }),
    ...(items === undefined ? {} : { items: withoutDecodedFormats(items) }),
  };
}

function typed(value: JSONValue, schema: Schema, path: string): JSONValue {
  // Where a null may stand, validation says.
  if (value === null) return value;
  if (schema["x-kubernetes-int-or-string"] === true)
    return isInteger(value) || typeof value === "string" ? value : wrongType(value, "integer or string", path);
  switch (schema.type) {
    case "object":
      return isJSONObject(value) ? typedObject(value, schema, path) : wrongType(value, "object", path);
    case "array":
      return Array.isArray(value) ? typedList(value, schema, path) : wrongType(value, "array", path);
    case "string":
      return typeof value === "string" ? typedString(value, schema) : wrongType(value, "string", path);
    case "boolean":
      return typeof value === "boolean" ? value : wrongType(value, "boolean", path);
    case "integer":
      if (!isInteger(value)) return wrongType(value, "integer", path);
      return isInRange(value, schema) ? value : wrongType(value, schema.format ?? "int64", path);
    case "number":
      return typeof value === "number" || typeof value === "bigint" ? value : wrongType(value, "number", path);
    default:
      return value;
  }
}

function typedObject(object: JSONObject, schema: Schema, path: string): JSONObject {
  const { additionalProperties } = schema;
  if (typeof additionalProperties !== "object") return typedProperties(object, schema, path);
  const entries = Object.entries(object).map(([key, value]) => [key, typed(value ?? null, additionalProperties, `${path}.${key}`)] as const);
  return entries.every(([key, value]) => object[key] === value) ? object : Object.fromEntries(entries);
}

function typedProperties(object: JSONObject, schema: Schema, path: string): JSONObject {
  const { properties = {} } = schema;
  let changed: Record<string, JSONValue | undefined> | undefined;
  // Of several values of wrong types the first of the body is told.
  for (const [name, value] of Object.entries(object)) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (value === undefined || property === undefined) continue;
    const result = typed(value, property, path === "" ? name : `${path}.${name}`);
    const isLeftOut = property.default === undefined && schema.required?.includes(name) !== true && isEmpty(result, property);
    if (result === value && !isLeftOut) continue;
    changed ??= { ...object };
    if (isLeftOut) delete changed[name];
    else changed[name] = result;
  }
  return changed ?? object;
}

function typedList(list: readonly JSONValue[], { items }: Schema, path: string): readonly JSONValue[] {
  if (items === undefined) return list;
  const elements = list.map((element, index) => typed(element, items, `${path}[${index}]`));
  return elements.every((element, index) => element === list[index]) ? list : elements;
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function typedString(text: string, { format }: Schema): string {
  if (format !== "byte" || text === "") return text;
  const digits = text.replace(/[\r\n]/g, "");
  if (!BASE64.test(digits)) throw new WrongTypeError(`illegal base64 data at input byte ${illegalBase64At(text)}`);
  return digits;
}

/** A struct is never empty: it is written as `{}`. */
function isEmpty(value: JSONValue, { properties, ...schema }: Schema): boolean {
  if (value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return (
    isJSONObject(value) && properties === undefined && schema["x-kubernetes-preserve-unknown-fields"] !== true && Object.keys(value).length === 0
  );
}

function isInteger(value: JSONValue): value is number | bigint {
  return typeof value === "bigint" || Number.isInteger(value);
}

/** What Go's int32 holds, and otherwise its int64. */
function isInRange(value: number | bigint, { format }: Schema): boolean {
  const limit = format === "int32" ? 2 ** 31 : 2 ** 63;
  return value >= -limit && value < limit;
}

function wrongType(value: JSONValue, wanted: string, path: string): never {
  const sent = Array.isArray(value) ? "array" : typeof value === "bigint" ? "number" : typeof value === "boolean" ? "bool" : typeof value;
  throw new WrongTypeError(`json: cannot unmarshal ${sent} into field ${path} of type ${wanted}`);
}
