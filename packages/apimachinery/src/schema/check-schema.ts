import { checkDefault } from "./check-default.ts";
import { compilePattern } from "./compile.ts";
import type { Schema } from "./schema.ts";

/** Also what ends the walk through a schema that holds itself. */
const MAX_DEPTH = 64;
const TYPES: ReadonlySet<string> = new Set(["object", "array", "string", "integer", "number", "boolean"]);
const LIST_TYPES: ReadonlySet<string> = new Set(["atomic", "set", "map"]);
const MAP_TYPES: ReadonlySet<string> = new Set(["atomic", "granular"]);
const FORBIDDEN = [
  "$ref",
  "definitions",
  "dependencies",
  "additionalItems",
  "patternProperties",
  "id",
  "discriminator",
  "readOnly",
  "writeOnly",
  "xml",
];
/** What a value validation (a schema in allOf, anyOf, oneOf, not) must leave to the schema around it. */
const STRUCTURE = [
  "type",
  "title",
  "description",
  "default",
  "nullable",
  "additionalProperties",
  "x-kubernetes-int-or-string",
  "x-kubernetes-preserve-unknown-fields",
  "x-kubernetes-embedded-resource",
  "x-kubernetes-list-type",
  "x-kubernetes-list-map-keys",
  "x-kubernetes-map-type",
] as const;
const BOUNDS = [
  ["minLength", "maxLength"],
  ["minItems", "maxItems"],
  ["minProperties", "maxProperties"],
] as const;

/**
 * Says what is wrong with a schema: where it is not structural, where it could never do what it says, where a default is not valid against it.
 * Asked once, when a definition is made.
 *
 * @param path of the schema, which begins each complaint: `spec.versions[0].schema.openAPIV3Schema`.
 * @returns a sentence for each fault, in the words of CustomResourceDefinitions where these have the same rule; empty for a usable schema.
 * Source: apiextensions-apiserver pkg/apiserver/schema/validation.go, pkg/apis/apiextensions/validation.
 */
export function checkSchema(schema: Schema, path: string): string[] {
  const complaints: string[] = [];
  checkNode(schema, path, 0, "at the root", complaints);
  // Defaults are tried against the schema, which must be usable for that.
  if (complaints.length === 0) checkDefault(schema, path, complaints);
  return complaints;
}

/** @param place how the sentence about a missing type goes on. */
function checkNode(schema: Schema, path: string, depth: number, place: string, complaints: string[]): void {
  if (depth > MAX_DEPTH) {
    complaints.push(`${path}: Invalid value: must not be nested deeper than ${MAX_DEPTH} levels`);
    return;
  }
  checkType(schema, path, place, complaints);
  checkStructure(schema, path, complaints);
  checkLists(schema, path, complaints);
  checkValues(schema, path, complaints);
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    const alternatives = schema[keyword];
    if (alternatives?.length === 0) complaints.push(`${path}.${keyword}: Invalid value: must not be empty`);
    for (const [index, inner] of (alternatives ?? []).entries())
      checkValidation(inner, schema, `${path}.${keyword}[${index}]`, depth + 1, complaints);
  }
  if (schema.not !== undefined) checkValidation(schema.not, schema, `${path}.not`, depth + 1, complaints);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    checkNode(property, `${path}.properties[${name}]`, depth + 1, "for specified object fields", complaints);
  }
  if (typeof schema.additionalProperties === "object") {
    checkNode(schema.additionalProperties, `${path}.additionalProperties`, depth + 1, "for specified object fields", complaints);
  }
  if (schema.items !== undefined) checkNode(schema.items, `${path}.items`, depth + 1, "for specified array items", complaints);
}

function checkType(schema: Schema, path: string, place: string, complaints: string[]): void {
  const isIntOrString = schema["x-kubernetes-int-or-string"] === true;
  const { type } = schema;
  if (isIntOrString && type !== undefined)
    complaints.push(`${path}.type: Invalid value: "${type}": must be empty if x-kubernetes-int-or-string is true`);
  if (type !== undefined && !TYPES.has(type)) {
    complaints.push(`${path}.type: Unsupported value: "${type}": supported values: ${[...TYPES].map((one) => `"${one}"`).join(", ")}`);
  }
  if (type === undefined && !isIntOrString && schema["x-kubernetes-preserve-unknown-fields"] !== true) {
    complaints.push(`${path}.type: Required value: must not be empty ${place}`);
  }
}

function checkStructure(schema: Schema, path: string, complaints: string[]): void {
  const { type, properties, additionalProperties, items } = schema;
  for (const keyword of FORBIDDEN) if (keyword in schema) complaints.push(`${path}.${keyword}: Forbidden: ${keyword} is not supported`);
  if (properties !== undefined && additionalProperties !== undefined) {
    complaints.push(`${path}.additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive`);
  }
  if (additionalProperties === false) complaints.push(`${path}.additionalProperties: Forbidden: additionalProperties cannot be set to false`);
  if ((properties !== undefined || additionalProperties !== undefined) && type !== undefined && type !== "object") {
    complaints.push(`${path}.type: Invalid value: "${type}": must be object if properties or additionalProperties is specified`);
  }
  if (type === "array" && items === undefined) complaints.push(`${path}.items: Required value: must be specified`);
  if (items !== undefined && type !== undefined && type !== "array")
    complaints.push(`${path}.type: Invalid value: "${type}": must be array if items is specified`);
  const mapType = schema["x-kubernetes-map-type"];
  if (mapType !== undefined && (!MAP_TYPES.has(mapType) || type !== "object")) {
    complaints.push(`${path}.x-kubernetes-map-type: Invalid value: "${mapType}": must be atomic or granular, and type object`);
  }
  if (schema["x-kubernetes-embedded-resource"] === true) {
    if (type !== "object") complaints.push(`${path}.type: Invalid value: "${type ?? ""}": must be object if x-kubernetes-embedded-resource is true`);
    if (schema["x-kubernetes-preserve-unknown-fields"] !== true && Object.keys(properties ?? {}).length === 0) {
      complaints.push(
        `${path}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
      );
    }
  }
}

const isScalar = (schema: Schema): boolean =>
  schema.type !== "object" && schema.type !== "array" && schema["x-kubernetes-preserve-unknown-fields"] !== true;

function checkLists(schema: Schema, path: string, complaints: string[]): void {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"];
  const { items = {} } = schema;
  if (schema.uniqueItems === true) {
    complaints.push(`${path}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`);
  }
  if (keys !== undefined && listType !== "map") {
    complaints.push(`${path}.x-kubernetes-list-type: Invalid value: must be map if x-kubernetes-list-map-keys is non-empty`);
  }
  if (listType === undefined) return;
  if (!LIST_TYPES.has(listType))
    complaints.push(`${path}.x-kubernetes-list-type: Unsupported value: "${listType}": supported values: "atomic", "set", "map"`);
  if (schema.type !== "array")
    complaints.push(`${path}.type: Invalid value: "${schema.type ?? ""}": must be array if x-kubernetes-list-type is specified`);
  if (listType === "map") checkListMap(items, keys ?? [], path, complaints);
  if (listType !== "set") return;
  if (items.nullable === true) complaints.push(`${path}.items.nullable: Forbidden: cannot be nullable when x-kubernetes-list-type is "set"`);
  const isAtomic = items.type === "array" ? (items["x-kubernetes-list-type"] ?? "atomic") === "atomic" : items["x-kubernetes-map-type"] === "atomic";
  if (!isScalar(items) && !isAtomic)
    complaints.push(`${path}.items: Invalid value: must be a scalar, or atomic, as item of a list with x-kubernetes-list-type=set`);
}

function checkListMap(items: Schema, keys: readonly string[], path: string, complaints: string[]): void {
  if (keys.length === 0) complaints.push(`${path}.x-kubernetes-list-map-keys: Required value: must not be empty if x-kubernetes-list-type is map`);
  if (items.type !== "object")
    complaints.push(`${path}.items.type: Invalid value: "${items.type ?? ""}": must be object if parent array's x-kubernetes-list-type is map`);
  for (const [index, key] of keys.entries()) {
    const at = `${path}.x-kubernetes-list-map-keys[${index}]`;
    const property = Object.hasOwn(items.properties ?? {}, key) ? items.properties?.[key] : undefined;
    if (keys.indexOf(key) < index) complaints.push(`${at}: Duplicate value: "${key}"`);
    if (property === undefined) complaints.push(`${at}: Invalid value: "${key}": entries must all be names of item properties`);
    else if (!isScalar(property))
      complaints.push(`${path}.items.properties[${key}].type: Invalid value: must be a scalar type if parent array's x-kubernetes-list-type is map`);
    else if (property.default === undefined && items.required?.includes(key) !== true) {
      complaints.push(
        `${path}.items.properties[${key}].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      );
    }
  }
}

function checkValues(schema: Schema, path: string, complaints: string[]): void {
  if (schema.pattern !== undefined) {
    try {
      compilePattern(schema.pattern);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      complaints.push(`${path}.pattern: Invalid value: ${JSON.stringify(schema.pattern)}: must be a valid regular expression, but isn't: ${why}`);
    }
  }
  for (const [min, max] of BOUNDS) {
    for (const bound of [min, max]) {
      const value = schema[bound];
      if (value !== undefined && !(Number.isSafeInteger(value) && value >= 0))
        complaints.push(`${path}.${bound}: Invalid value: ${value}: must be a whole number, not negative`);
    }
    const [low, high] = [schema[min], schema[max]];
    if (low !== undefined && high !== undefined && low > high)
      complaints.push(`${path}.${min}: Invalid value: ${low}: must not be greater than ${max}`);
  }
  checkNumbers(schema, path, complaints);
  if (schema.enum !== undefined && schema.enum.length === 0) complaints.push(`${path}.enum: Invalid value: must not be empty`);
}

/** A bound that is out of the type's range makes kube-apiserver refuse every value. */
function checkNumbers(schema: Schema, path: string, complaints: string[]): void {
  const { minimum, maximum, multipleOf } = schema;
  for (const [keyword, value] of Object.entries({ minimum, maximum, multipleOf })) {
    if (value === undefined) continue;
    if (!Number.isFinite(value)) complaints.push(`${path}.${keyword}: Invalid value: ${value}: must be a number`);
    else if (schema.type === "integer" && !Number.isSafeInteger(value)) {
      complaints.push(`${path}.${keyword}: Invalid value: ${value}: must be a whole number of at most 2^53 - 1 for type integer`);
    }
  }
  if (multipleOf !== undefined && !(multipleOf > 0)) complaints.push(`${path}.multipleOf: Invalid value: ${multipleOf}: must be positive`);
  if (minimum !== undefined && maximum !== undefined && minimum > maximum)
    complaints.push(`${path}.minimum: Invalid value: ${minimum}: must not be greater than maximum`);
  if (schema.exclusiveMinimum === true && minimum === undefined) complaints.push(`${path}.minimum: Required value: exclusiveMinimum is set`);
  if (schema.exclusiveMaximum === true && maximum === undefined) complaints.push(`${path}.maximum: Required value: exclusiveMaximum is set`);
}

/** @param outer the structural schema at the same place; undefined where it has none. */
function checkValidation(schema: Schema, outer: Schema | undefined, path: string, depth: number, complaints: string[]): void {
  if (depth > MAX_DEPTH) {
    complaints.push(`${path}: Invalid value: must not be nested deeper than ${MAX_DEPTH} levels`);
    return;
  }
  // The one exception: an int-or-string may say so once more, as `anyOf: [{type: integer}, {type: string}]`.
  const isIntOrString = outer?.["x-kubernetes-int-or-string"] === true && (schema.type === "integer" || schema.type === "string");
  for (const keyword of STRUCTURE) {
    if (schema[keyword] !== undefined && !(keyword === "type" && isIntOrString)) {
      complaints.push(`${path}.${keyword}: Forbidden: must be empty to be structural`);
    }
  }
  checkValues(schema, path, complaints);
  const inner: [Schema, Schema | undefined, string][] = [];
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const known = Object.hasOwn(outer?.properties ?? {}, name) ? outer?.properties?.[name] : undefined;
    const values = typeof outer?.additionalProperties === "object" ? outer.additionalProperties : undefined;
    const at = `${path}.properties[${name}]`;
    if (known === undefined && values === undefined && outer?.["x-kubernetes-preserve-unknown-fields"] !== true) {
      complaints.push(`${at}: Required value: because it is defined in a value validation, it must be in the schema around it as well`);
    }
    inner.push([property, known ?? values, at]);
  }
  if (schema.items !== undefined) inner.push([schema.items, outer?.items, `${path}.items`]);
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, alternative] of (schema[keyword] ?? []).entries()) inner.push([alternative, outer, `${path}.${keyword}[${index}]`]);
  }
  if (schema.not !== undefined) inner.push([schema.not, outer, `${path}.not`]);
  for (const [one, around, at] of inner) checkValidation(one, around, at, depth + 1, complaints);
}
