import { isJSONObject, type JSONObject, type JSONValue } from "@annex/apimachinery";
import { WrongTypeError } from "../definition/typed-kind.ts";

interface FieldType {
  readonly text: string;
  readonly is: (value: JSONValue) => boolean;
}

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)$/;

const STRING: FieldType = { text: "string", is: (value) => typeof value === "string" };
const INTEGER: FieldType = { text: "int64", is: (value) => typeof value === "bigint" || Number.isInteger(value) };
const TIME: FieldType = {
  text: "time as in RFC 3339",
  is: (value) => typeof value === "string" && RFC_3339.test(value) && !Number.isNaN(Date.parse(value)),
};
const STRINGS: FieldType = { text: "array of strings", is: (value) => Array.isArray(value) && value.every(STRING.is) };
const STRING_MAP: FieldType = {
  text: "map of strings",
  is: (value) => isJSONObject(value) && Object.values(value).every((one) => typeof one === "string"),
};
const OWNERS: FieldType = {
  text: "array of owner references",
  is: (value) =>
    Array.isArray(value) && value.every((owner) => isJSONObject(owner) && OWNER_FIELDS.every(([key, type]) => isAbsentOr(owner[key], type))),
};
const OBJECTS: FieldType = { text: "array of objects", is: (value) => Array.isArray(value) && value.every(isJSONObject) };

const OWNER_FIELDS: readonly (readonly [string, string])[] = [
  ["apiVersion", "string"],
  ["kind", "string"],
  ["name", "string"],
  ["uid", "string"],
  ["controller", "boolean"],
  ["blockOwnerDeletion", "boolean"],
];

function isAbsentOr(value: JSONValue | undefined, type: string): boolean {
  return value === undefined || value === null || typeof value === type;
}

const FIELDS: readonly (readonly [string, FieldType])[] = [
  ["name", STRING],
  ["generateName", STRING],
  ["namespace", STRING],
  ["selfLink", STRING],
  ["uid", STRING],
  ["resourceVersion", STRING],
  ["generation", INTEGER],
  ["creationTimestamp", TIME],
  ["deletionTimestamp", TIME],
  ["deletionGracePeriodSeconds", INTEGER],
  ["labels", STRING_MAP],
  ["annotations", STRING_MAP],
  ["ownerReferences", OWNERS],
  ["finalizers", STRINGS],
  ["managedFields", OBJECTS],
];

/**
 * Reads `metadata` as Go reads it into ObjectMeta, whatever the kind: fields have their types, a null is no value (within a list or a map of strings the
 * empty string), and what is empty is as if it had not been sent. Fields that metadata does not have stay, for field validation to tell.
 *
 * @throws {WrongTypeError} naming the field.
 * Source: meta/v1 ObjectMeta, whose fields are `omitempty`; apiextensions schema/objectmeta for custom resources.
 */
export function decodeMetadata(metadata: JSONValue | undefined): JSONObject {
  if (metadata === undefined || metadata === null) return {};
  if (!isJSONObject(metadata))
    throw new WrongTypeError(`json: cannot unmarshal ${Array.isArray(metadata) ? "array" : typeof metadata} into field metadata`);
  const result: Record<string, JSONValue | undefined> = { ...metadata };
  for (const [field, type] of FIELDS) {
    const value = Object.hasOwn(metadata, field) ? withoutNulls(metadata[field], type) : undefined;
    if (value === undefined) continue;
    if (isEmpty(value)) delete result[field];
    else if (type.is(value)) result[field] = value;
    else if (type === TIME && typeof value === "string")
      throw new WrongTypeError(`parsing time ${JSON.stringify(value)} as "2006-01-02T15:04:05Z07:00"`);
    else throw new WrongTypeError(`json: cannot unmarshal ${typeName(value)} into field metadata.${field} of type ${type.text}`);
  }
  return result;
}

/** In Go a null in a list or a map of strings is an empty string. */
function withoutNulls(value: JSONValue | undefined, type: FieldType): JSONValue | undefined {
  if (type === STRINGS && Array.isArray(value)) return value.includes(null) ? value.map((one) => one ?? "") : value;
  if (type !== STRING_MAP || !isJSONObject(value)) return value;
  const entries = Object.entries(value);
  return entries.some(([, one]) => one === null) ? Object.fromEntries(entries.map(([key, one]) => [key, one ?? ""])) : value;
}

/** Zero is a value of `deletionGracePeriodSeconds` and of nothing else; there no client has a say. */
function isEmpty(value: JSONValue): boolean {
  if (value === null || value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJSONObject(value) && Object.keys(value).length === 0;
}

function typeName(value: JSONValue): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value === "boolean" ? "bool" : typeof value;
}
