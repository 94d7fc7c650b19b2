import { checkDefaults } from "./check-default.ts";
import { checkStructural } from "./check-structural.ts";
import { MAX_SCHEMA_DEPTH } from "./decode-schema.ts";
import type { Schema } from "./schema.ts";

/** Keywords of other dialects: they would be published, and do nothing. */
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
const BOUNDS = [
  ["minLength", "maxLength"],
  ["minItems", "maxItems"],
  ["minProperties", "maxProperties"],
] as const;

/**
 * Says what is wrong with a schema that an author wrote: where it is not structural, where it could never do what it says (which kube-apiserver would take), where
 * a default is not valid against it. Asked once, when a definition is made.
 *
 * @param path of the schema, which begins each complaint: `versions.v1.schema`.
 * @returns a sentence for each fault, in the words of CustomResourceDefinitions where these have the same rule; empty for a usable schema.
 */
export function checkSchema(schema: Schema, path: string): string[] {
  const complaints = checkStructural(schema, path).faults.map(({ field, message }) => `${field}: ${message}`);
  checkSense(schema, undefined, path, 0, complaints);
  // Defaults are tried against the schema, which must be usable for that.
  if (complaints.length > 0) return complaints;
  return checkDefaults(schema, path, { isStrict: true }).map(({ field, message }) => `${field}: ${message}`);
}

/** @param outer the structural schema at the same place, of a value validation; undefined where there is none, or the schema is structure itself. */
function checkSense(schema: Schema, outer: Schema | undefined, path: string, depth: number, complaints: string[]): void {
  if (depth > MAX_SCHEMA_DEPTH) return; // told as not structural
  for (const keyword of FORBIDDEN) if (keyword in schema) complaints.push(`${path}.${keyword}: Forbidden: ${keyword} is not supported`);
  if (outer === undefined) checkType(schema, path, complaints);
  checkBounds(schema, path, complaints);
  checkNumbers(schema, path, complaints);
  if (schema.enum?.length === 0) complaints.push(`${path}.enum: Invalid value: must not be empty`);
  const structure = outer ?? schema;
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    if (schema[keyword]?.length === 0) complaints.push(`${path}.${keyword}: Invalid value: must not be empty`);
    for (const [index, one] of (schema[keyword] ?? []).entries()) checkSense(one, structure, `${path}.${keyword}[${index}]`, depth + 1, complaints);
  }
  if (schema.not !== undefined) checkSense(schema.not, structure, `${path}.not`, depth + 1, complaints);
  checkChildren(schema, outer, path, depth, complaints);
}

function checkChildren(schema: Schema, outer: Schema | undefined, path: string, depth: number, complaints: string[]): void {
  const { properties = {}, additionalProperties, items } = schema;
  for (const [name, property] of Object.entries(properties)) {
    const at = `${path}.properties[${name}]`;
    const known = Object.hasOwn(outer?.properties ?? {}, name) ? outer?.properties?.[name] : undefined;
    const around = known ?? (typeof outer?.additionalProperties === "object" ? outer.additionalProperties : undefined);
    if (outer !== undefined && around === undefined && outer["x-kubernetes-preserve-unknown-fields"] !== true) {
      complaints.push(`${at}: Required value: because it is defined in a value validation, it must be in the schema around it as well`);
    }
    checkSense(property, outer && (around ?? {}), at, depth + 1, complaints);
  }
  if (items !== undefined) checkSense(items, outer && (outer.items ?? {}), `${path}.items`, depth + 1, complaints);
  if (typeof additionalProperties === "object") checkSense(additionalProperties, undefined, `${path}.additionalProperties`, depth + 1, complaints);
}

function checkType(schema: Schema, path: string, complaints: string[]): void {
  const { type, properties, additionalProperties, items } = schema;
  if (type === undefined) return;
  if (schema["x-kubernetes-int-or-string"] === true)
    complaints.push(`${path}.type: Invalid value: "${type}": must be empty if x-kubernetes-int-or-string is true`);
  if (additionalProperties === false) complaints.push(`${path}.additionalProperties: Forbidden: additionalProperties cannot be set to false`);
  if ((properties !== undefined || additionalProperties !== undefined) && type !== "object")
    complaints.push(`${path}.type: Invalid value: "${type}": must be object if properties or additionalProperties is specified`);
  if (items !== undefined && type !== "array") complaints.push(`${path}.type: Invalid value: "${type}": must be array if items is specified`);
}

function checkBounds(schema: Schema, path: string, complaints: string[]): void {
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
