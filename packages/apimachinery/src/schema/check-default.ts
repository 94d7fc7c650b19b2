import { aggregateFaults, type FieldError, fieldError, isJSONObject, type JSONValue } from "../meta/index.ts";
import { pruneUnknown } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { compileChecks } from "./validate.ts";

export interface DefaultOptions {
  /**
   * Whether what kube-apiserver takes is refused, too: defaults below `additionalProperties`, whatever they are, what stands for an int-or-string, duplicates in lists of type set
   * and map. Default false.
   */
  readonly isStrict?: boolean;
}

/**
 * Tries each default against the schema that has it.
 *
 * @param schema one that has structure by `checkStructural`.
 * @param path of the schema, which begins that of each fault.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting, ValidateDefaults.
 */
export function checkDefaults(schema: Schema, path: string, { isStrict = false }: DefaultOptions = {}): FieldError[] {
  return faultsBelow(schema, path, isStrict, undefined);
}

/** The type or metadata of an embedded object, or a part of it. */
interface PartOfObject {
  /** That of the whole object. */
  readonly schema: Schema;
  /** The object that has nothing but its type and this part. */
  readonly withPart: (part: JSONValue) => JSONValue;
}

function faultsBelow(schema: Schema, path: string, isStrict: boolean, part: PartOfObject | undefined): FieldError[] {
  const { properties = {}, additionalProperties, items, default: value } = schema;
  const isObject = schema["x-kubernetes-embedded-resource"] === true;
  const within = isObject ? undefined : part;
  const faults = value === undefined || value === null ? [] : defaultFaults(schema, value, `${path}.default`, isStrict, within);
  const below = (inner: Schema, at: string, its: PartOfObject | undefined) => faults.push(...faultsBelow(inner, `${path}.${at}`, isStrict, its));
  if (items !== undefined) below(items, "items", within && { ...within, withPart: (one) => within.withPart([one]) });
  if (isStrict && typeof additionalProperties === "object") below(additionalProperties, "additionalProperties", undefined);
  for (const [name, property] of Object.entries(properties)) {
    const whole = isObject && TYPE_AND_METADATA.includes(name) ? { schema, withPart: (object: JSONValue) => withType(object) } : within;
    below(property, `properties[${name}]`, whole && { ...whole, withPart: (field) => whole.withPart({ [name]: field }) });
  }
  return faults;
}

const TYPE_AND_METADATA: readonly string[] = ["apiVersion", "kind", "metadata"];

const withType = (object: JSONValue): JSONValue => ({ apiVersion: "validation/v1", kind: "Validation", ...(isJSONObject(object) ? object : {}) });

/** @param part where the default is one of an embedded object's metadata, which has fields that no schema names. */
function defaultFaults(schema: Schema, value: JSONValue, path: string, isStrict: boolean, part: PartOfObject | undefined): FieldError[] {
  const isKnown = part !== undefined || pruneUnknown(value, schema).unknown.length === 0;
  const unknown = isKnown ? [] : [fieldError.invalid(path, value, "must not have unknown fields")];
  const ofObject = part === undefined ? [] : compileChecks(part.schema).embeddedResources(part.withPart(value));
  if (ofObject.length > 0) return [fieldError.invalid(path, value, `must result in valid metadata: ${aggregateFaults(ofObject)}`)];
  const { values, embeddedResources, uniqueLists } = compileChecks(isStrict ? schema : withoutIntOrString(schema));
  const ofResources = embeddedResources(value);
  const found = ofResources.length > 0 ? ofResources : [...values(value), ...(isStrict ? uniqueLists(value) : [])];
  return [...unknown, ...found.map(({ reason, field, message }) => ({ reason, field: `${path}${field === "<nil>" ? "" : `.${field}`}`, message }))];
}

/** The schema with any value where it wants an int-or-string. Source: apiextensions-apiserver pkg/apiserver/schema, ToKubeOpenAPI. */
function withoutIntOrString({ "x-kubernetes-int-or-string": _intOrString, ...schema }: Schema): Schema {
  const { properties, additionalProperties, items } = schema;
  return {
    ...schema,
    ...(properties && { properties: Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, withoutIntOrString(one)])) }),
    ...(typeof additionalProperties === "object" && { additionalProperties: withoutIntOrString(additionalProperties) }),
    ...(items && { items: withoutIntOrString(items) }),
  };
}
