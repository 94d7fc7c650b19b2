import { type FieldError, fieldError } from "../meta/index.ts";
import { pruneUnknown } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { compileValidator } from "./validate.ts";

export interface DefaultOptions {
  /** Whether defaults are tried that kube-apiserver takes whatever they are: those below `additionalProperties`, and what stands for an int-or-string. Default false. */
  readonly isStrict?: boolean;
}

/**
 * Tries each default against the schema that has it, from the inside out; where an inner one is wrong the outer ones are not tried.
 *
 * @param schema one that has structure by `checkStructural`.
 * @param path of the schema, which begins that of each fault.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting, ValidateDefaults.
 */
export function checkDefaults(schema: Schema, path: string, options: DefaultOptions = {}): FieldError[] {
  const { properties = {}, additionalProperties, items } = schema;
  const faults = Object.entries(properties).flatMap(([name, property]) => checkDefaults(property, `${path}.properties[${name}]`, options));
  if (options.isStrict === true && typeof additionalProperties === "object")
    faults.push(...checkDefaults(additionalProperties, `${path}.additionalProperties`, options));
  if (items !== undefined) faults.push(...checkDefaults(items, `${path}.items`, options));
  const value = schema.default;
  if (value === undefined || value === null || faults.length > 0) return faults;
  if (pruneUnknown(value, schema).unknown.length > 0) faults.push(fieldError.invalid(`${path}.default`, value, "must not have unknown fields"));
  for (const { reason, field, message } of compileValidator(options.isStrict === true ? schema : withoutIntOrString(schema))(value))
    faults.push({ reason, field: `${path}.default${field === "<nil>" ? "" : `.${field}`}`, message });
  return faults;
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
