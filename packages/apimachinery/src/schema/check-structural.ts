import { type FieldError, fieldError } from "../meta/index.ts";
import { compileRE2 } from "../meta/re2.ts";
import { checkKeywords } from "./check-keywords.ts";
import { MAX_SCHEMA_DEPTH } from "./decode-schema.ts";
import type { Schema } from "./schema.ts";

/** Where a schema stands, for the sentence about a missing type. */
type Level = "root" | "item" | "field";

/** What is wrong with a schema that is to be structural. */
export interface StructuralFaults {
  /** Every fault, each once; empty for a structural schema. */
  readonly faults: readonly FieldError[];
  /** Whether the schema tells the types of all values, so that its defaults and rules can be looked at; how its keywords go together is another matter. */
  readonly hasStructure: boolean;
  /** The paths of the schemas whose keywords do not go together: rules of these, and of those around them, are not compiled. */
  readonly faulty: ReadonlySet<string>;
}

/**
 * Says where a schema is not structural: the rules by which kube-apiserver takes or refuses the schema of a CustomResourceDefinition, in its words. Defaults
 * are not tried: `checkDefaults` does.
 *
 * @param path of the schema, which begins that of each fault: `spec.versions[0].schema.openAPIV3Schema`.
 * @param isResourceRoot whether it describes whole objects: there metadata is not the schema's to describe. Default false.
 * Source: apiextensions-apiserver pkg/apiserver/schema, ValidateStructural; pkg/apis/apiextensions/validation, ValidateCustomResourceDefinitionOpenAPISchema.
 */
export function checkStructural(schema: Schema, path: string, { isResourceRoot = false } = {}): StructuralFaults {
  const faults: FieldError[] = [];
  checkStructure(schema, "root", isResourceRoot, path, 0, faults);
  checkCompleteness(schema, schema, path, path, 0, faults);
  const hasStructure = faults.length === 0;
  const faulty = checkKeywords(schema, path, isResourceRoot, faults);
  const seen = new Set<string>();
  const isNew = ({ field, message }: FieldError) => {
    const line = `${field}: ${message}`;
    return !seen.has(line) && seen.add(line);
  };
  return { faults: faults.filter(isNew), hasStructure, faulty };
}

/** @param isResourceRoot whether this schema is that of whole objects that are served. */
function checkStructure(schema: Schema, level: Level, isResourceRoot: boolean, path: string, depth: number, faults: FieldError[]): void {
  if (depth > MAX_SCHEMA_DEPTH) {
    faults.push(fieldError.forbidden(path, `must not be nested deeper than ${MAX_SCHEMA_DEPTH} levels`));
    return;
  }
  const { type, items, properties = {}, additionalProperties } = schema;
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  if (type === "array" && items === undefined) faults.push(fieldError.required(`${path}.items`, "must be specified"));
  if (items !== undefined) checkStructure(items, "item", false, `${path}.items`, depth + 1, faults);
  for (const [name, property] of Object.entries(properties))
    checkStructure(property, "field", false, `${path}.properties[${name}]`, depth + 1, faults);
  if (isResourceRoot && additionalProperties !== undefined)
    faults.push(fieldError.forbidden(`${path}.additionalProperties`, "must not be used at the root"));
  if (typeof additionalProperties === "object")
    checkStructure(additionalProperties, "field", false, `${path}.additionalProperties`, depth + 1, faults);
  checkExtensions(schema, path, faults);
  checkValueValidation(schema, isIntOrString(schema.anyOf), isIntOrString(schema.allOf?.[0]?.anyOf), path, depth, faults);
  checkType(schema, level, isResourceRoot, path, faults);
  if (isEmbedded && additionalProperties !== undefined)
    faults.push(fieldError.forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set"));
  if (isEmbedded || isResourceRoot) checkTypeMeta(schema, isResourceRoot, path, faults);
  if (isEmbedded && schema["x-kubernetes-preserve-unknown-fields"] !== true && Object.keys(properties).length === 0) {
    const why = "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields";
    faults.push(fieldError.required(`${path}.properties`, why));
  }
}

function checkExtensions(schema: Schema, path: string, faults: FieldError[]): void {
  if (schema["x-kubernetes-int-or-string"] !== true) return;
  for (const keyword of ["x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const) {
    if (schema[keyword] === true) faults.push(fieldError.invalid(`${path}.${keyword}`, true, "must be false if x-kubernetes-int-or-string is true"));
  }
}

const PLACES: Readonly<Record<Level, string>> = { root: "at the root", item: "for specified array items", field: "for specified object fields" };

function checkType(schema: Schema, level: Level, isResourceRoot: boolean, path: string, faults: FieldError[]): void {
  const { type } = schema;
  const isOpen = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (schema["x-kubernetes-embedded-resource"] === true && type !== "object") {
    const why = "must be object if x-kubernetes-embedded-resource is true";
    faults.push(type === undefined ? fieldError.required(`${path}.type`, why) : fieldError.invalid(`${path}.type`, type, why));
  } else if (type === undefined && !isOpen) {
    faults.push(fieldError.required(`${path}.type`, `must not be empty ${PLACES[level]}`));
  }
  if (isResourceRoot && type !== undefined && type !== "object") faults.push(fieldError.invalid(`${path}.type`, type, "must be object at the root"));
}

/** Of the type and metadata of objects a schema may restrict the name, and nothing else at the root. */
function checkTypeMeta({ properties = {} }: Schema, isResourceRoot: boolean, path: string, faults: FieldError[]): void {
  for (const name of ["kind", "apiVersion"]) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property !== undefined && property.type !== "string")
      faults.push(fieldError.invalid(`${path}.properties[${name}].type`, property.type ?? "", "must be string"));
  }
  const metadata = Object.hasOwn(properties, "metadata") ? properties.metadata : undefined;
  if (metadata === undefined) return;
  const at = `${path}.properties[metadata]`;
  if (metadata.type !== "object") faults.push(fieldError.invalid(`${at}.type`, metadata.type ?? "", "must be object"));
  const { type: _type, default: _default, properties: restricted = {}, ...rest } = metadata;
  const isOfNames = Object.keys(restricted).every((name) => name === "name" || name === "generateName");
  if (isResourceRoot && !(isOfNames && Object.keys(rest).length === 0)) {
    faults.push(fieldError.forbidden(at, "must not specify anything other than name and generateName, but metadata is implicitly specified"));
  }
}

/** Whether alternatives say what `x-kubernetes-int-or-string` says, and nothing more: this alone may be said twice. */
function isIntOrString(alternatives: readonly Schema[] | undefined): boolean {
  if (alternatives?.length !== 2) return false;
  return alternatives.every((one, index) => one.type === (index === 0 ? "integer" : "string") && Object.keys(one).length === 1);
}

/** What all schemas have, also those in allOf, anyOf, oneOf and not: alternatives, and a pattern. */
function checkValueValidation(
  schema: Schema,
  skipsAnyOf: boolean,
  skipsFirstAllOf: boolean,
  path: string,
  depth: number,
  faults: FieldError[],
): void {
  if (!skipsAnyOf) for (const [index, one] of (schema.anyOf ?? []).entries()) checkNested(one, false, `${path}.anyOf[${index}]`, depth + 1, faults);
  for (const [index, one] of (schema.allOf ?? []).entries())
    checkNested(one, skipsFirstAllOf && index === 0, `${path}.allOf[${index}]`, depth + 1, faults);
  for (const [index, one] of (schema.oneOf ?? []).entries()) checkNested(one, false, `${path}.oneOf[${index}]`, depth + 1, faults);
  if (schema.not !== undefined) checkNested(schema.not, false, `${path}.not`, depth + 1, faults);
  if (schema.pattern === undefined) return;
  try {
    compileRE2(schema.pattern);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    faults.push(fieldError.invalid(`${path}.pattern`, schema.pattern, `must be a valid regular expression, but isn't: ${why}`));
  }
}

/** What a schema in allOf, anyOf, oneOf or not must leave to the schema around it, and in which words that is told. */
const STRUCTURE = [
  ["type", "empty"],
  ["additionalProperties", "undefined"],
  ["default", "undefined"],
  ["title", "empty"],
  ["description", "empty"],
  ["nullable", "false"],
  ["x-kubernetes-preserve-unknown-fields", "false"],
  ["x-kubernetes-embedded-resource", "false"],
  ["x-kubernetes-int-or-string", "false"],
  ["x-kubernetes-list-map-keys", "empty"],
  ["x-kubernetes-list-type", "undefined"],
  ["x-kubernetes-map-type", "undefined"],
  ["x-kubernetes-validations", "empty"],
] as const satisfies readonly (readonly [keyof Schema, string])[];

function checkNested(schema: Schema, skipsAnyOf: boolean, path: string, depth: number, faults: FieldError[]): void {
  if (depth > MAX_SCHEMA_DEPTH) {
    faults.push(fieldError.forbidden(path, `must not be nested deeper than ${MAX_SCHEMA_DEPTH} levels`));
    return;
  }
  checkValueValidation(schema, skipsAnyOf, false, path, depth, faults);
  if (schema.items !== undefined) checkNested(schema.items, false, `${path}.items`, depth + 1, faults);
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkNested(property, false, `${path}.properties[${name}]`, depth + 1, faults);
  for (const [keyword, state] of STRUCTURE) {
    const value = schema[keyword];
    if (value !== undefined && (value !== false || state === "undefined"))
      faults.push(fieldError.forbidden(`${path}.${keyword}`, `must be ${state} to be structural`));
  }
  if (Object.hasOwn(schema.properties ?? {}, "metadata"))
    faults.push(fieldError.forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context"));
}

/** Whether what the alternatives at the root speak of is in the schema itself: the root's alone, as in Kubernetes. */
function checkCompleteness(validation: Schema, schema: Schema, path: string, at: string, depth: number, faults: FieldError[]): void {
  if (depth > MAX_SCHEMA_DEPTH) return; // told by the walk through the structure
  const nested = (one: Schema, place: string) => checkNestedCompleteness(one, schema, path, place, depth + 1, faults);
  if (validation.not !== undefined) nested(validation.not, `${at}.not`);
  for (const keyword of ["allOf", "anyOf", "oneOf"] as const) {
    for (const [index, one] of (validation[keyword] ?? []).entries()) nested(one, `${at}.${keyword}[${index}]`);
  }
}

function checkNestedCompleteness(
  validation: Schema,
  schema: Schema | undefined,
  path: string,
  at: string,
  depth: number,
  faults: FieldError[],
): void {
  if (schema === undefined) {
    faults.push(fieldError.required(path, `because it is defined in ${at}`));
    return;
  }
  checkCompleteness(validation, schema, path, at, depth, faults);
  if (validation.items !== undefined) checkNestedCompleteness(validation.items, schema.items, `${path}.items`, `${at}.items`, depth + 1, faults);
  for (const [name, property] of Object.entries(validation.properties ?? {})) {
    const known = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : undefined;
    checkNestedCompleteness(property, known, `${path}.properties[${name}]`, `${at}.properties[${name}]`, depth + 1, faults);
  }
}
