import { isJSONObject, type JSONObject, type JSONValue, parseRFC3339 } from "@annex/apimachinery";
import { WrongTypeError } from "./typed-kind.ts";

/** What does not fit its type: the value, where it is below the field, and the type that it should have. */
interface Misfit {
  readonly value: JSONValue;
  readonly below: string;
  readonly text: string;
}

/** Says what of a value does not fit. */
type FieldType = (value: JSONValue) => Misfit | undefined;

const scalar =
  (text: string, is: (value: JSONValue) => boolean): FieldType =>
  (value) =>
    is(value) ? undefined : { value, below: "", text };

/** The first misfit that there is. */
function firstOf<T>(all: Iterable<T>, misfit: (one: T) => Misfit | undefined): Misfit | undefined {
  for (const one of all) {
    const found = misfit(one);
    if (found !== undefined) return found;
  }
  return undefined;
}

const listOf =
  (text: string, element: FieldType): FieldType =>
  (value) =>
    Array.isArray(value) ? firstOf<JSONValue>(value, element) : { value, below: "", text };

/** Of an object with these fields, each of which may be absent or null. */
const struct =
  (text: string, fields: Readonly<Record<string, FieldType>>): FieldType =>
  (value) => {
    if (!isJSONObject(value)) return { value, below: "", text };
    return firstOf(Object.entries(fields), ([name, type]) => {
      const misfit = type(value[name] ?? null);
      return misfit === undefined || misfit.value === null ? undefined : { ...misfit, below: `.${name}${misfit.below}` };
    });
  };

const STRING = scalar("string", (value) => typeof value === "string");
const BOOL = scalar("bool", (value) => typeof value === "boolean");
const INTEGER = scalar(
  "int64",
  (value) => typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 63),
);
const TIME = scalar("time as in RFC 3339", (value) => typeof value === "string" && faultOf(value) === undefined);
const STRINGS = listOf("array of strings", STRING);
const STRING_MAP: FieldType = (value) =>
  isJSONObject(value) ? firstOf(Object.values(value), (one) => STRING(one ?? "")) : { value, below: "", text: "map of strings" };
const OWNERS = listOf(
  "array of owner references",
  struct("owner reference", { apiVersion: STRING, kind: STRING, name: STRING, uid: STRING, controller: BOOL, blockOwnerDeletion: BOOL }),
);
const MANAGERS = listOf(
  "array of managed fields entries",
  struct("managed fields entry", { manager: STRING, operation: STRING, apiVersion: STRING, time: STRING, fieldsType: STRING, subresource: STRING }),
);

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
  ["managedFields", MANAGERS],
];

/**
 * Reads `metadata` as Go reads it into ObjectMeta, whatever the kind: fields have their types, a null is no value (within a list or a map of strings the
 * empty string), and what is empty is as if it had not been sent. Fields that metadata does not have stay, for field validation to tell.
 *
 * @param keepsEmptyManagers of a compiled-in kind: an empty list of managedFields clears them. Elsewhere only `[{}]` does.
 * @throws {WrongTypeError} naming the field.
 * Source: meta/v1 ObjectMeta, whose fields are `omitempty`; apiextensions schema/objectmeta for custom resources.
 */
export function decodeMetadata(metadata: JSONValue | undefined, keepsEmptyManagers = false): JSONObject {
  if (metadata === undefined || metadata === null) return {};
  if (!isJSONObject(metadata))
    throw new WrongTypeError(`json: cannot unmarshal ${Array.isArray(metadata) ? "array" : typeof metadata} into field metadata`);
  const result: Record<string, JSONValue | undefined> = { ...metadata };
  for (const [field, type] of FIELDS) {
    const value = Object.hasOwn(metadata, field) ? asInGo(metadata[field], type) : undefined;
    if (value === undefined) continue;
    if (value === null) {
      delete result[field];
      continue;
    }
    const misfit = type(value);
    if (misfit !== undefined) {
      if (type === TIME && typeof value === "string") throw new WrongTypeError(faultOf(value) ?? "");
      throw new WrongTypeError(
        `json: cannot unmarshal ${jsonTypeName(misfit.value)} into field metadata.${field}${misfit.below} of type ${misfit.text}`,
      );
    }
    if (isEmpty(value) && !(keepsEmptyManagers && type === MANAGERS)) delete result[field];
    else result[field] = value;
    if (type === MANAGERS) checkTimes(value);
  }
  return result;
}

/** The fields of metadata that {@link decodeMetadata} can read. */
export function readableMetadata(metadata: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(metadata).filter(([field, value]) => isReadable(field, value)));
}

function isReadable(field: string, value: JSONValue | undefined): boolean {
  try {
    decodeMetadata({ [field]: value });
    return true;
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    return false;
  }
}

/** @throws {WrongTypeError} for an entry of managedFields whose time is none. */
function checkTimes(entries: JSONValue): void {
  if (!Array.isArray(entries)) return;
  for (const entry of entries) {
    const fault = isJSONObject(entry) && typeof entry.time === "string" ? faultOf(entry.time) : undefined;
    if (fault !== undefined) throw new WrongTypeError(fault);
  }
}

function asOwner(owner: JSONObject): JSONObject {
  const { apiVersion, kind, name, uid } = owner;
  if (apiVersion && kind && name && uid) return owner;
  return { ...owner, apiVersion: apiVersion ?? "", kind: kind ?? "", name: name ?? "", uid: uid ?? "" };
}

/** Why a text is no time. */
function faultOf(text: string): string | undefined {
  const read = parseRFC3339(text);
  return "fault" in read ? read.fault : undefined;
}

/** In Go a null in a list or a map is the zero value of what lies there: an empty string, a struct whose fields are; and an empty string is what an owner reference must say and does not. */
function asInGo(value: JSONValue | undefined, type: FieldType): JSONValue | undefined {
  if (type === OWNERS && Array.isArray(value))
    return value.map((owner) => (owner === null ? asOwner({}) : isJSONObject(owner) ? asOwner(owner) : owner));
  if (type === MANAGERS && Array.isArray(value)) return value.includes(null) ? value.map((entry) => entry ?? {}) : value;
  if (type === STRINGS && Array.isArray(value)) return value.includes(null) ? value.map((one) => one ?? "") : value;
  if (type !== STRING_MAP || !isJSONObject(value)) return value;
  const entries = Object.entries(value);
  return entries.some(([, one]) => one === null) ? Object.fromEntries(entries.map(([key, one]) => [key, one ?? ""])) : value;
}

/** Zero is a value of `deletionGracePeriodSeconds` and of nothing else; there no client has a say. */
function isEmpty(value: JSONValue): boolean {
  if (value === "") return true;
  if (Array.isArray(value)) return value.length === 0;
  return isJSONObject(value) && Object.keys(value).length === 0;
}

/** What Go calls the type of a JSON value. */
export function jsonTypeName(value: JSONValue): string {
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value === "boolean" ? "bool" : typeof value;
}
