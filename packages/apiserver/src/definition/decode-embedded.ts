import { formatGoValue, isJSONObject, type JSONValue, OBJECT_META_SCHEMA, type Pruned, pruneUnknown, type Schema, setOwn } from "@annex/apimachinery";
import { decodeMetadata, readableMetadata } from "./decode-metadata.ts";
import { WrongTypeError } from "./typed-kind.ts";

/**
 * Reads the type and the metadata of the objects within an object (`x-kubernetes-embedded-resource`) as those of the object itself are read: of the right types,
 * without what is empty, and without fields that metadata does not have.
 *
 * @param pruned by the same schema.
 * @returns the object, and its unknown fields with those of the metadata within behind them.
 * @throws {WrongTypeError} naming the place.
 * Source: apiextensions-apiserver pkg/apiserver/schema/objectmeta, CoerceWithOptions.
 */
export function decodeEmbedded({ value, unknown }: Pruned, schema: Schema): Pruned {
  const more: string[] = [];
  const decoded = decode(value, schema, ROOT, more, decodeOwn);
  return more.length === 0 ? { value: decoded, unknown } : { value: decoded, unknown: [...unknown, ...more] };
}

/** The same of what an apply made: what cannot be read is left as it is, for validation to refuse beside every other fault. */
export function decodeEmbeddedLeniently({ value, unknown }: Pruned, schema: Schema): Pruned {
  return { value: decode(value, schema, ROOT, [], leaveOwn), unknown };
}

/** The same of an object that was stored under another schema: what has the wrong type there is dropped. */
export function coerceEmbedded(value: JSONValue, schema: Schema): JSONValue {
  return decode(value, schema, ROOT, [], coerceOwn);
}

/** A place, as faults name it and as unknown fields are told: keys of free maps stand in brackets in the one and not in the other. */
interface Path {
  readonly fault: string;
  readonly unknown: string;
}

const ROOT: Path = { fault: "", unknown: "" };
const child = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

/** Reads a field of an embedded resource. @returns undefined for one that goes. */
type DecodeOwn = (name: string, value: JSONValue, path: Path, unknown: string[]) => JSONValue | undefined;

function decode(value: JSONValue, schema: Schema, path: Path, unknown: string[], decodeField: DecodeOwn): JSONValue {
  if (Array.isArray(value)) return decodeElements(value, schema, path, unknown, decodeField);
  if (!isJSONObject(value)) return value;
  const { properties = {}, additionalProperties } = schema;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  let copy: Record<string, JSONValue | undefined> | undefined;
  for (const name in value) {
    const field = value[name];
    const isProperty = Object.hasOwn(properties, name);
    const known = isProperty ? properties[name] : additionalProperties;
    // Of what nothing is known nothing is to be read.
    if (field === undefined || (typeof known !== "object" && !isEmbedded)) continue;
    const at: Path = {
      fault: isProperty || additionalProperties === undefined ? child(path.fault, name) : `${path.fault}[${name}]`,
      unknown: child(path.unknown, name),
    };
    const own = isEmbedded ? decodeField(name, field, at, unknown) : field;
    const decoded = typeof known === "object" && own !== undefined ? decode(own, known, at, unknown, decodeField) : own;
    if (decoded === field) continue;
    copy ??= { ...value }; // whose keys are properties of its own, `__proto__` too
    if (decoded === undefined) delete copy[name];
    else setOwn(copy, name, decoded);
  }
  return copy ?? value;
}

function decodeElements(list: readonly JSONValue[], { items }: Schema, path: Path, unknown: string[], decodeField: DecodeOwn): JSONValue {
  if (items === undefined) return list;
  let copy: JSONValue[] | undefined;
  for (const [index, element] of list.entries()) {
    if (typeof element !== "object") continue;
    const at: Path = { fault: `${path.fault}[${index}]`, unknown: `${path.unknown}[${index}]` };
    const decoded = decode(element, items, at, unknown, decodeField);
    if (decoded === element) continue;
    copy ??= [...list];
    copy[index] = decoded;
  }
  return copy ?? list;
}

/** What every object has; any other field is left as it is. */
function decodeOwn(name: string, value: JSONValue, path: Path, unknown: string[]): JSONValue {
  const fault = (why: string) => new WrongTypeError(`${path.fault}: Invalid value: ${formatGoValue(value)}: ${why}`);
  if (name === "apiVersion" || name === "kind") {
    if (typeof value !== "string") throw fault("must be a string");
    return value;
  }
  if (name !== "metadata") return value;
  try {
    const pruned = pruneUnknown(decodeMetadata(value), OBJECT_META_SCHEMA);
    unknown.push(...pruned.unknown.map((field) => `${path.unknown}.${field}`));
    return pruned.value;
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    throw fault(error.message);
  }
}

function leaveOwn(name: string, value: JSONValue, path: Path): JSONValue {
  try {
    return decodeOwn(name, value, path, []);
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    return value;
  }
}

function coerceOwn(name: string, value: JSONValue, path: Path): JSONValue | undefined {
  try {
    return decodeOwn(name, value, path, []);
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    if (name !== "metadata" || !isJSONObject(value)) return name === "metadata" ? value : undefined;
    return pruneUnknown(decodeMetadata(readableMetadata(value)), OBJECT_META_SCHEMA).value;
  }
}
