import { type FieldError, fieldError, isJSONObject, type JSONValue } from "../meta/index.ts";
import type { Schema } from "./schema.ts";

/** How deep a schema may nest; beyond, it is refused. No schema of Kubernetes comes near, and what walks schemas recurses. */
export const MAX_SCHEMA_DEPTH = 64;

/** Reads the value of one keyword. @returns undefined where it says nothing, or where it was refused. */
type Read = (value: JSONValue, path: string, depth: number, faults: FieldError[]) => unknown;

/**
 * Reads a schema out of JSON: every keyword is one that there is, with a value of its type. What says nothing (null, `""`, `[]`, `{}`, false) is left out where
 * Go leaves it out. Whether the schema is structural is for `checkStructural` to say.
 *
 * @param path of the schema, which begins that of each fault: `spec.versions[0].schema.openAPIV3Schema`.
 * @param faults every fault is added.
 * @returns what of the schema could be read.
 * Source: apiextensions/v1 JSONSchemaProps.
 */
export function decodeSchema(value: JSONValue, path: string, faults: FieldError[]): Schema {
  return decodeNode(value, path, 0, faults) ?? {};
}

function decodeNode(value: JSONValue, path: string, depth: number, faults: FieldError[]): Schema | undefined {
  if (value === null) return undefined;
  if (!isJSONObject(value)) {
    faults.push(fieldError.typeInvalid(path, typeOf(value), "must be an object"));
    return undefined;
  }
  if (depth > MAX_SCHEMA_DEPTH) {
    faults.push(fieldError.forbidden(path, `must not be nested deeper than ${MAX_SCHEMA_DEPTH} levels`));
    return undefined;
  }
  const entries: [string, unknown][] = [];
  for (const [keyword, given] of Object.entries(value)) {
    const read = KEYWORDS.get(keyword);
    const at = `${path}.${keyword}`;
    if (read === undefined) faults.push(fieldError.forbidden(at, UNSUPPORTED.has(keyword) ? `${keyword} is not supported` : "unknown field"));
    else if (given !== undefined && (given !== null || read === anything)) {
      const decoded = read(given, at, depth, faults);
      if (decoded !== undefined) entries.push([keyword, decoded]);
    }
  }
  // Each keyword's reader made what its place holds.
  return Object.fromEntries(entries) as Schema;
}

/** Keywords of JSON Schema that CustomResourceDefinitions know and refuse. */
const UNSUPPORTED: ReadonlySet<string> = new Set(["id", "$schema", "$ref", "additionalItems", "definitions", "dependencies", "patternProperties"]);

function typeOf(value: JSONValue): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value === "bigint" ? "number" : typeof value;
}

function wrongType(value: JSONValue, wanted: string, path: string, faults: FieldError[]): undefined {
  faults.push(fieldError.typeInvalid(path, typeOf(value), `must be ${wanted}`));
}

const anything: Read = (value) => (value === null ? undefined : value);

const text: Read = (value, path, _depth, faults) => {
  if (typeof value !== "string") return wrongType(value, "a string", path, faults);
  return value === "" ? undefined : value;
};

/** Of these `""` is told from nothing, and refused later. */
const anyText: Read = (value, path, _depth, faults) => (typeof value === "string" ? value : wrongType(value, "a string", path, faults));

const flag: Read = (value, path, _depth, faults) => {
  if (typeof value !== "boolean") return wrongType(value, "true or false", path, faults);
  return value ? true : undefined;
};

/** Of these false is told from nothing, and refused later. */
const anyFlag: Read = (value, path, _depth, faults) => (typeof value === "boolean" ? value : wrongType(value, "true or false", path, faults));

const number: Read = (value, path, _depth, faults) =>
  typeof value === "number" || typeof value === "bigint" ? Number(value) : wrongType(value, "a number", path, faults);

const wholeNumber: Read = (value, path, _depth, faults) =>
  typeof value === "bigint" || Number.isInteger(value) ? Number(value) : wrongType(value, "a whole number", path, faults);

const list =
  (item: Read): Read =>
  (value, path, depth, faults) => {
    if (!Array.isArray(value)) return wrongType(value, "a list", path, faults);
    const items = value.map((one, index) => item(one, `${path}[${index}]`, depth, faults));
    return items.length === 0 ? undefined : items;
  };

/** An element may be empty: its place counts. */
const element =
  (read: Read, empty: unknown): Read =>
  (value, path, depth, faults) =>
    read(value, path, depth, faults) ?? empty;

const record =
  (item: Read): Read =>
  (value, path, depth, faults) => {
    if (!isJSONObject(value)) return wrongType(value, "an object", path, faults);
    const entries = Object.entries(value).map(([name, one]) => [name, item(one ?? null, `${path}[${name}]`, depth, faults)] as const);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  };

const struct =
  (fields: Readonly<Record<string, Read>>): Read =>
  (value, path, depth, faults) => {
    if (!isJSONObject(value)) return wrongType(value, "an object", path, faults);
    const entries: [string, unknown][] = [];
    for (const [name, one] of Object.entries(value)) {
      const read = Object.hasOwn(fields, name) ? fields[name] : undefined;
      if (read === undefined) faults.push(fieldError.forbidden(`${path}.${name}`, "unknown field"));
      else if (one !== undefined && one !== null) entries.push([name, read(one, `${path}.${name}`, depth, faults)]);
    }
    return Object.fromEntries(entries.filter(([, one]) => one !== undefined));
  };

const schema: Read = (value, path, depth, faults) => decodeNode(value, path, depth + 1, faults);
const schemas = list(element(schema, {}));

const items: Read = (value, path, depth, faults) => {
  if (!Array.isArray(value)) return schema(value, path, depth, faults);
  faults.push(fieldError.forbidden(path, "items must be a schema object and not an array"));
};

const schemaOrFlag: Read = (value, path, depth, faults) => (typeof value === "boolean" ? value : schema(value, path, depth, faults));

const RULE = struct({ rule: text, message: text, messageExpression: text, reason: anyText, fieldPath: text, optionalOldSelf: anyFlag });

const KEYWORDS: ReadonlyMap<string, Read> = new Map<string, Read>([
  ...["description", "type", "format", "title", "pattern"].map((name) => [name, text] as const),
  ...["x-kubernetes-list-type", "x-kubernetes-map-type"].map((name) => [name, anyText] as const),
  ...["exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable"].map((name) => [name, flag] as const),
  ...["x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"].map((name) => [name, flag] as const),
  ["x-kubernetes-preserve-unknown-fields", anyFlag],
  ...["maximum", "minimum", "multipleOf"].map((name) => [name, number] as const),
  ...["maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"].map((name) => [name, wholeNumber] as const),
  ...["default", "example"].map((name) => [name, anything] as const),
  ["enum", list((value) => value)],
  ...["required", "x-kubernetes-list-map-keys"].map((name) => [name, list(element(text, ""))] as const),
  ...["allOf", "anyOf", "oneOf"].map((name) => [name, schemas] as const),
  ["not", schema],
  ["items", items],
  ["properties", record(element(schema, {}))],
  ["additionalProperties", schemaOrFlag],
  ["externalDocs", struct({ description: text, url: text })],
  ["x-kubernetes-validations", list(element(RULE, {}))],
]);
