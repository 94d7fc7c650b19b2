import {
  type CompiledRules,
  checkDefaults,
  checkDefaultsByRules,
  checkStructural,
  compileJSONPath,
  compileSchemaRules,
  type FieldError,
  fieldError,
  isDNS1035Label,
  isDNS1123Subdomain,
  type Schema,
  validateObjectMeta,
} from "@annex/apimachinery";
import type { CRDNames, CRDScale, CRDSpec, CRDVersion, CustomResourceDefinition } from "./custom-resource-definition.ts";
import { validateSelectableFields } from "./selectable-fields.ts";

/** Why a CustomResourceDefinition cannot be served; and of one that can, the rules of its versions, in their order. */
export interface ValidatedCRD {
  readonly faults: readonly FieldError[];
  readonly rules: readonly (CompiledRules | undefined)[];
}

/**
 * Says why a CustomResourceDefinition cannot be created, in kube-apiserver's words; and what of it is not supported here: conversion by webhook.
 *
 * @param schemas of its versions, in their order.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/validation, ValidateCustomResourceDefinition.
 */
export function validateCRD({ metadata, spec }: CustomResourceDefinition, schemas: readonly (Schema | undefined)[]): ValidatedCRD {
  const wanted = `${spec.names?.plural ?? ""}.${spec.group ?? ""}`;
  const nameRule = (name: string) => [...isDNS1123Subdomain(name), ...(name === wanted ? [] : [`must be spec.names.plural+"."+spec.group`])];
  const versions = validateVersions(spec, schemas);
  const faults = [
    ...validateObjectMeta(metadata, { isNamespaced: false, nameRule }),
    ...validateGroup(spec.group ?? ""),
    ...validateScope(spec.scope),
    ...versions.faults,
    ...validateNames(spec.names ?? {}),
    ...validateConversion(spec.conversion ?? {}),
    ...validateApproval(spec.group ?? "", metadata.annotations?.[APPROVED]),
    ...(spec.preserveUnknownFields === true ? [fieldError.invalid("spec.preserveUnknownFields", true, NO_PRESERVING)] : []),
  ];
  return { faults, rules: versions.rules };
}

const NO_PRESERVING = "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead";

function validateGroup(group: string): FieldError[] {
  if (group === "") return [fieldError.required("spec.group")];
  const faults = isDNS1123Subdomain(group);
  if (faults.length > 0) return [fieldError.invalid("spec.group", group, faults.join(","))];
  return group.includes(".") ? [] : [fieldError.invalid("spec.group", group, "should be a domain with at least one dot")];
}

function validateScope(scope = ""): FieldError[] {
  if (scope === "") return [fieldError.required("spec.scope")];
  const supported = ["Cluster", "Namespaced"];
  return supported.includes(scope) ? [] : [fieldError.notSupported("spec.scope", scope, supported)];
}

function validateVersions({ versions = [] }: CRDSpec, schemas: readonly (Schema | undefined)[]): ValidatedCRD {
  const names = versions.map(({ name = "" }) => name);
  const faults: FieldError[] = [];
  const rules = versions.map((version, index) => validateVersion(version, schemas[index], `spec.versions[${index}]`, faults));
  if (new Set(names).size < names.length) faults.push(fieldError.invalid("spec.versions", names, "must contain unique version names"));
  if (versions.filter(({ storage }) => storage).length !== 1)
    faults.push(fieldError.invalid("spec.versions", names, "must have exactly one version marked as storage version"));
  return { faults, rules };
}

/** @returns its rules, where all is well with its schema. */
function validateVersion(version: CRDVersion, schema: Schema | undefined, path: string, faults: FieldError[]): CompiledRules | undefined {
  const { name = "", subresources, additionalPrinterColumns = [], selectableFields = [] } = version;
  const label = isDNS1035Label(name);
  if (label.length > 0) faults.push(fieldError.invalid(`${path}.name`, name, label.join(",")));
  faults.push(...validateDeprecationWarning(version, `${path}.deprecationWarning`));
  const schemaPath = `${path}.schema.openAPIV3Schema`;
  const rules = schema && validateSchema(schema, subresources?.status !== undefined, schemaPath, faults);
  if (schema === undefined) faults.push(fieldError.required(schemaPath));
  if (subresources?.scale !== undefined) faults.push(...validateScale(subresources.scale, `${path}.subresources.scale`));
  for (const [index, column] of additionalPrinterColumns.entries())
    faults.push(...validateColumn(column, `${path}.additionalPrinterColumns[${index}]`));
  if (schema !== undefined)
    faults.push(
      ...validateSelectableFields(
        selectableFields.map(({ jsonPath = "" }) => jsonPath),
        schema,
        `${path}.selectableFields`,
      ),
    );
  return rules;
}

const MAX_WARNING_BYTES = 256;
const encoder = new TextEncoder();

function validateDeprecationWarning({ deprecated = false, deprecationWarning }: CRDVersion, path: string): FieldError[] {
  if (deprecationWarning === undefined) return [];
  if (!deprecated) return [fieldError.invalid(path, deprecationWarning, "can only be set for deprecated versions")];
  const faults: FieldError[] = [];
  const complain = (why: string) => faults.push(fieldError.invalid(path, deprecationWarning, why));
  if (encoder.encode(deprecationWarning).length > MAX_WARNING_BYTES) complain(`must be <= ${MAX_WARNING_BYTES} characters long`);
  const odd = deprecationWarning.search(/[^ \p{L}\p{M}\p{N}\p{P}\p{S}]/u);
  if (odd >= 0) {
    const index = encoder.encode(deprecationWarning.slice(0, odd)).length;
    complain(`must only contain printable UTF-8 characters; non-printable character found at index ${index}`);
  }
  return faults;
}

/** What may stand at the root of a schema whose status is validated by itself. */
const ROOT_KEYWORDS: ReadonlySet<string> = new Set([
  ...["description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern"],
  ...["maxItems", "minItems", "uniqueItems", "multipleOf", "required", "items", "properties", "externalDocs", "example"],
  ...["x-kubernetes-preserve-unknown-fields", "x-kubernetes-validations"],
]);

/** @returns its rules, where all is well with it. */
function validateSchema(schema: Schema, hasStatus: boolean, path: string, faults: FieldError[]): CompiledRules | undefined {
  if (hasStatus) {
    const { type = "" } = schema;
    if (type !== "object") {
      const why = 'only "object" is allowed as the type at the root of the schema if the status subresource is enabled';
      faults.push(fieldError.invalid(`${path}.type`, type, why));
    }
    for (const keyword of Object.keys(schema)) {
      if (!ROOT_KEYWORDS.has(keyword))
        faults.push(fieldError.forbidden(`${path}.${keyword}`, "not allowed at the root of the schema if the status subresource is enabled"));
    }
  }
  if (schema.nullable === true) faults.push(fieldError.forbidden(`${path}.nullable`, "nullable cannot be true at the root"));
  const { faults: structural, hasStructure, faulty } = checkStructural(schema, path, { isResourceRoot: true });
  // Defaults are tried against the schema, which must be usable for that. One of the root has to be an object with a type.
  const root = { ...schema, "x-kubernetes-embedded-resource": true };
  const ofDefaults = hasStructure ? checkDefaults(root, path) : [];
  faults.push(...structural, ...ofDefaults);
  if (!hasStructure || ofDefaults.length > 0) return undefined;
  const compiled = compileSchemaRules(schema, path, faulty);
  faults.push(...compiled.faults);
  if (compiled.faults.length === 0 && compiled.rules !== undefined) faults.push(...checkDefaultsByRules(schema, compiled.rules, path));
  return compiled.rules;
}

function validateScale({ specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" }: CRDScale, path: string): FieldError[] {
  const below = (name: string, value: string, parents: readonly string[], isOptional: boolean): FieldError[] => {
    const at = `${path}.${name}`;
    if (value === "") return isOptional ? [] : [fieldError.required(at)];
    const fault = simplePathFault(value, at);
    if (fault !== undefined) return [fault];
    if (parents.some((parent) => value.startsWith(`${parent}.`))) return [];
    return [fieldError.invalid(at, value, `should be a json path under ${parents.length > 1 ? "either " : ""}${parents.join(" or ")}`)];
  };
  return [
    ...below("specReplicasPath", specReplicasPath, [".spec"], false),
    ...below("statusReplicasPath", statusReplicasPath, [".status"], false),
    ...below("labelSelectorPath", labelSelectorPath, [".spec", ".status"], true),
  ];
}

function simplePathFault(path: string, at: string): FieldError | undefined {
  return path.startsWith(".") ? undefined : fieldError.invalid(at, path, "must be a simple json path starting with .");
}

const COLUMN_TYPES = ["boolean", "date", "integer", "number", "string"];
const COLUMN_FORMATS = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];

function validateColumn(column: NonNullable<CRDVersion["additionalPrinterColumns"]>[number], path: string): FieldError[] {
  const { name = "", type = "", format = "", jsonPath = "" } = column;
  const faults: FieldError[] = [];
  const oneOf = (values: readonly string[]) => `must be one of ${values.join(",")}`;
  if (name === "") faults.push(fieldError.required(`${path}.name`));
  if (type === "") faults.push(fieldError.required(`${path}.type`, oneOf(COLUMN_TYPES)));
  else if (!COLUMN_TYPES.includes(type)) faults.push(fieldError.invalid(`${path}.type`, type, oneOf(COLUMN_TYPES)));
  if (format !== "" && !COLUMN_FORMATS.includes(format)) faults.push(fieldError.invalid(`${path}.format`, format, oneOf(COLUMN_FORMATS)));
  const fault =
    jsonPath === "" ? fieldError.required(`${path}.jsonPath`) : (simplePathFault(jsonPath, `${path}.jsonPath`) ?? queryFault(jsonPath, path));
  return fault === undefined ? faults : [...faults, fault];
}

/** A path that cannot be read: kube-apiserver takes it, and leaves the column and those behind it out of its tables. */
function queryFault(jsonPath: string, path: string): FieldError | undefined {
  try {
    compileJSONPath(jsonPath);
    return undefined;
  } catch (error) {
    return fieldError.invalid(`${path}.jsonPath`, jsonPath, error instanceof Error ? error.message : String(error));
  }
}

function validateNames({ plural = "", singular = "", kind = "", listKind = "", shortNames = [], categories = [] }: CRDNames): FieldError[] {
  const faults: FieldError[] = [];
  const label = (field: string, name: string, isKind = false) => {
    const rules = isDNS1035Label(isKind ? name.toLowerCase() : name);
    const why = `${isKind ? "may have mixed case, but should otherwise match: " : ""}${rules.join(",")}`;
    if (rules.length > 0) faults.push(fieldError.invalid(`spec.names.${field}`, name, why));
  };
  for (const [field, name] of Object.entries({ plural, singular, kind, listKind })) {
    if (name === "") faults.push(fieldError.required(`spec.names.${field}`));
    else label(field, name, field.endsWith("ind"));
  }
  for (const [index, name] of shortNames.entries()) label(`shortNames[${index}]`, name);
  if (kind !== "" && kind === listKind) faults.push(fieldError.invalid("spec.names.listKind", listKind, "kind and listKind may not be the same"));
  for (const [index, name] of categories.entries()) label(`categories[${index}]`, name);
  return faults;
}

function validateConversion({ strategy = "", webhook }: NonNullable<CRDSpec["conversion"]>): FieldError[] {
  const path = "spec.conversion";
  if (strategy === "") return [fieldError.required(`${path}.strategy`)];
  const faults = strategy === "None" ? [] : [fieldError.notSupported(`${path}.strategy`, strategy, ["None"])];
  if (strategy === "Webhook") return faults;
  for (const [name, value] of Object.entries(webhook ?? {})) {
    if (value !== undefined && value !== null)
      faults.push(fieldError.forbidden(`${path}.webhook.${name}`, "should not be set when strategy is not set to Webhook"));
  }
  return faults;
}

const APPROVED = "api-approved.kubernetes.io";

/** Kubernetes' own groups are for kinds that its reviewers have approved. Source: apiextensions-apiserver pkg/apihelpers, GetAPIApprovalState. */
function validateApproval(group: string, approval = ""): FieldError[] {
  if (!["k8s.io", "kubernetes.io"].some((own) => group === own || group.endsWith(`.${own}`))) return [];
  const path = `metadata.annotations[${APPROVED}]`;
  const see = "see https://github.com/kubernetes/enhancements/pull/1111";
  const rule = `protected groups must have approval annotation "${APPROVED}"`;
  if (approval === "") return [fieldError.required(path, `${rule}, ${see}`)];
  if (approval.startsWith("unapproved") || /^[a-z][a-z0-9+.-]*:\/\/[^/\s]/i.test(approval)) return [];
  return [fieldError.invalid(path, approval, `${rule} with either a URL or a reason starting with "unapproved", ${see}`)];
}
