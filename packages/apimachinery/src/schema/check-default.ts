import { type FieldError, fieldError, type JSONValue } from "../meta/index.ts";
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
  const { properties = {}, additionalProperties, items, default: value } = schema;
  const faults = value === undefined || value === null ? [] : defaultFaults(schema, value, `${path}.default`, isStrict);
  const below = (inner: Schema, at: string) => faults.push(...checkDefaults(inner, `${path}.${at}`, { isStrict }));
  if (items !== undefined) below(items, "items");
  if (isStrict && typeof additionalProperties === "object") below(additionalProperties, "additionalProperties");
  for (const [name, property] of Object.entries(properties)) below(property, `properties[${name}]`);
  return faults;
}

function defaultFaults(schema: Schema, value: JSONValue, path: string, isStrict: boolean): FieldError[] {
  const unknown = pruneUnknown(value, schema).unknown.length > 0 ? [fieldError.invalid(path, value, "must not have unknown fields")] : [];
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
