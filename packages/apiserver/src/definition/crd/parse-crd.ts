import {
  type CompiledRules,
  decodeSchema,
  type FieldError,
  fieldError,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type ObjectMeta,
  type Schema,
} from "@annex/apimachinery";
import { decodeMetadata } from "../decode-metadata.ts";
import { defaultAndPrune } from "../default-and-prune.ts";
import { WrongTypeError } from "../typed-kind.ts";
import { CRD_V1, type CRDNames, type CustomResourceDefinition } from "./custom-resource-definition.ts";
import { validateCRD } from "./validate-crd.ts";

/** A CustomResourceDefinition cannot be served. Its message has a line for each fault: `spec.versions[0].name: Required value`. */
export class CRDError extends Error {
  override readonly name = "CRDError";
  readonly faults: readonly FieldError[];

  constructor(faults: readonly FieldError[]) {
    super(faults.map(({ field, message }) => (field === "" ? message : `${field}: ${message}`)).join("\n"));
    this.faults = faults;
  }
}

/** A CustomResourceDefinition that can be served. */
export interface ParsedCRD {
  /** With the defaults of its fields, and without a status. */
  readonly definition: CustomResourceDefinition;
  /** The schemas of `definition.spec.versions`, in their order. */
  readonly schemas: readonly Schema[];
  /** Their rules in CEL. */
  readonly rules: readonly (CompiledRules | undefined)[];
}

/**
 * Reads a CustomResourceDefinition as kube-apiserver reads one that is created with strict field validation.
 *
 * @param value JSON, decoded.
 * @throws {CRDError} with every fault; with the first one where a value has the wrong type.
 * Source: apiextensions/v1, types.go and defaults.go.
 */
export function parseCRD(value: JSONValue): ParsedCRD {
  const { object, faults } = decode(value);
  const definition = withDefaults(object as unknown as CustomResourceDefinition); // read by the schema that its type is of
  const schemas = (definition.spec.versions ?? []).map(({ schema }, index) => {
    const root = schema?.openAPIV3Schema;
    // What the file's decoder made.
    return root === undefined ? undefined : decodeSchema(root as JSONValue, `spec.versions[${index}].schema.openAPIV3Schema`, faults);
  });
  // A schema that could not be read has faults already; what remains of it would have more.
  if (faults.length > 0) throw new CRDError(faults);
  const validated = validateCRD(definition, schemas);
  if (validated.faults.length > 0) throw new CRDError(validated.faults);
  return { definition, schemas: schemas.map((schema) => schema ?? {}), rules: validated.rules };
}

function decode(value: JSONValue): { readonly object: JSONObject; readonly faults: FieldError[] } {
  if (!isJSONObject(value)) throw new CRDError([{ reason: "FieldValueInvalid", field: "", message: "must be an object" }]);
  const typeFaults = [
    ...(value.kind === "CustomResourceDefinition" ? [] : [fieldError.notSupported("kind", value.kind, ["CustomResourceDefinition"])]),
    ...(value.apiVersion === CRD_V1.apiVersion ? [] : [fieldError.notSupported("apiVersion", value.apiVersion, [CRD_V1.apiVersion])]),
  ];
  if (typeFaults.length > 0) throw new CRDError(typeFaults);
  const { status: _status, ...rest } = value;
  try {
    const { object, unknown } = defaultAndPrune({ ...rest, metadata: decodeMetadata(rest.metadata) }, CRD_V1);
    return { object, faults: unknown.map((field) => fieldError.forbidden(field, "unknown field")) };
  } catch (error) {
    if (!(error instanceof WrongTypeError)) throw error;
    throw new CRDError([{ reason: "FieldValueTypeInvalid", field: "", message: error.message }]);
  }
}

function withDefaults({ spec, metadata, apiVersion, kind }: CustomResourceDefinition): CustomResourceDefinition {
  const { name, labels, annotations } = metadata;
  const own: ObjectMeta = { ...(name && { name }), ...(labels && { labels }), ...(annotations && { annotations }) };
  const given = spec.names ?? {};
  const names: CRDNames = {
    ...given,
    ...(given.kind && { singular: given.singular ?? given.kind.toLowerCase(), listKind: given.listKind ?? `${given.kind}List` }),
  };
  return { apiVersion, kind, metadata: own, spec: { ...spec, names, conversion: spec.conversion ?? { strategy: "None" } }, status: {} };
}
