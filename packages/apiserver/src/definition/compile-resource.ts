import {
  AGE_COLUMN,
  type CompiledRules,
  checkDefaultsByRules,
  checkSchema,
  compileSchemaRules,
  formatAPIVersion,
  OBJECT_META_SCHEMA,
  type Schema,
  type TableColumn,
} from "@annex/apimachinery";
import { buildResource, buildVersion } from "./build-resource.ts";
import type { ErasedInput, ErasedVersion } from "./define-resource.ts";
import { promisedNumbers } from "./promised-numbers.ts";
import { type Resource, type ResourceVersion, versionOrder } from "./resource.ts";
import { withoutDecodedFormats } from "./typed-kind.ts";

const DNS_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;

/** @throws {TypeError} with every complaint about the definition, one a line. */
export function compileResource(input: ErasedInput): Resource {
  const names = Object.keys(input.versions).sort(versionOrder(input.preferredVersion));
  const storageNames = names.filter((name) => input.versions[name]?.storage === true);
  const complaints = checkInput(input, names, storageNames);
  if (complaints.length > 0) throw new TypeError(`${input.kind}: ${complaints.join("\n")}`);

  const versions = names.map((name) => compileVersion(input, name, input.versions[name] as ErasedVersion, complaints));
  if (complaints.length > 0) throw new TypeError(`${input.kind}: ${complaints.join("\n")}`);
  return buildResource(input, versions, storageNames[0] ?? names[0] ?? "");
}

function checkInput(input: ErasedInput, names: readonly string[], storageNames: readonly string[]): string[] {
  const complaints: string[] = [];
  if (input.group !== "" && !DNS_SUBDOMAIN.test(input.group)) complaints.push(`group: ${JSON.stringify(input.group)} is not a DNS subdomain`);
  if (!KIND.test(input.kind)) complaints.push(`kind: ${JSON.stringify(input.kind)} must be CamelCase`);
  for (const name of [input.resource, input.singular, ...(input.shortNames ?? [])]) {
    if (name !== undefined && !DNS_LABEL.test(name)) complaints.push(`name ${JSON.stringify(name)} is not a DNS label`);
  }
  if (names.length === 0) complaints.push("versions: at least one is needed");
  if (names.length > 1 && storageNames.length !== 1) complaints.push(`versions: exactly one of ${names.join(", ")} must have storage: true`);
  const { preferredVersion } = input;
  if (preferredVersion !== undefined && !names.includes(preferredVersion))
    complaints.push(`preferredVersion: ${JSON.stringify(preferredVersion)} is none of ${names.join(", ")}`);
  if (input.handlers !== undefined && input.verbs !== undefined) complaints.push("handlers and verbs: only one of them");
  complaints.push(...checkSubresources(input));
  for (const name of names) {
    const version = input.versions[name] as ErasedVersion;
    if (!DNS_LABEL.test(name)) complaints.push(`versions: ${JSON.stringify(name)} is not a DNS label`);
    if (names.length > 1 && version.storage !== true && (version.toStorage === undefined || version.fromStorage === undefined)) {
      complaints.push(`versions.${name}: toStorage and fromStorage are needed`);
    }
    for (const field of ["apiVersion", "kind", "metadata"]) {
      if (field in version.schema) complaints.push(`versions.${name}.schema.${field}: every kind has it, leave it out`);
    }
    complaints.push(...checkSchema(objectSchema(input, version, false), `versions.${name}.schema`));
  }
  return complaints;
}

function checkSubresources({ subresources = {}, updateSubresources = [] }: ErasedInput): string[] {
  const own = Object.keys(subresources);
  const complaints = [...own, ...updateSubresources]
    .filter((name) => !DNS_LABEL.test(name))
    .map((name) => `subresources: ${JSON.stringify(name)} is not a DNS label`);
  if ([...own, ...updateSubresources].includes("status")) complaints.push("subresources: status is the one of statusSubresource");
  for (const name of own) if (updateSubresources.includes(name)) complaints.push(`subresources: ${name} is among updateSubresources, too`);
  return complaints;
}

/** @param complaints what is wrong with the rules of its schema is added. */
function compileVersion(input: ErasedInput, name: string, version: ErasedVersion, complaints: string[]): ResourceVersion {
  const schema = objectSchema(input, version, true);
  const fields = fieldsSchema(schema);
  const isTyped = input.isBuiltIn ?? false;
  const { deprecated } = version;
  return buildVersion({
    group: input.group,
    name,
    schema,
    validated: isTyped ? withoutDecodedFormats(fields) : fields,
    rules: rulesOf(fields, fieldsSchema(objectSchema(input, version, false)), `versions.${name}.schema`, complaints),
    isTyped,
    isServed: true,
    hasStatus: input.statusSubresource ?? false,
    deprecationWarning: deprecated === true ? `${formatAPIVersion(input.group, name)} ${input.kind} is deprecated` : deprecated || undefined,
    columns: columnsOf(input, version),
    selectableFields: input.selectableFields ?? [],
    subresources: input.subresources ?? {},
    normalize: version.normalize,
    numbers: promisedNumbers(schema),
    toStorage: version.toStorage,
    fromStorage: version.fromStorage,
  });
}

/** @param written the schema with the defaults that the author wrote, and no others. */
function rulesOf(schema: Schema, written: Schema, path: string, complaints: string[]): CompiledRules | undefined {
  const { rules, faults } = compileSchemaRules(schema, path);
  const all = faults.length === 0 && rules !== undefined ? checkDefaultsByRules(written, rules, path) : faults;
  complaints.push(...all.map(({ field, message }) => `${field}: ${message}`));
  return rules;
}

/** Compiled-in kinds have the columns that they name; all others end in an age. */
function columnsOf({ isBuiltIn }: ErasedInput, { columns = [] }: ErasedVersion): readonly TableColumn[] {
  return isBuiltIn || columns.some(({ name }) => name.toLowerCase() === "age") ? columns : [...columns, AGE_COLUMN];
}

/**
 * The schema of whole objects, as OpenAPI shows it and as unknown fields are found by.
 *
 * @param fillsIn whether objects that are left out become empty ones, so that what is required in them is asked for, and readers always find them.
 *   (An empty object need not be valid itself, as the defaults that authors write must be.)
 */
function objectSchema(input: ErasedInput, version: ErasedVersion, fillsIn: boolean): Schema {
  const required: string[] = [];
  const properties: Record<string, Schema> = {
    apiVersion: { type: "string", description: API_VERSION_DESCRIPTION },
    kind: { type: "string", description: KIND_DESCRIPTION },
    metadata: OBJECT_META_SCHEMA,
  };
  for (const [field, property] of Object.entries(version.schema)) {
    if ("optional" in property) properties[field] = property.optional;
    else if (fillsIn && property.type === "object" && property.default === undefined) properties[field] = { ...property, default: {} };
    else {
      properties[field] = property;
      if (property.default === undefined) required.push(field);
    }
  }
  const allRequired = fillsIn ? [...required, ...(version.required ?? [])] : required;
  return {
    type: "object",
    description: version.description ?? `${input.kind} of ${input.group === "" ? "the core group" : input.group}.`,
    properties,
    ...(version.rules === undefined ? {} : { "x-kubernetes-validations": version.rules }),
    ...(allRequired.length === 0 ? {} : { required: allRequired }),
  };
}

/** Without metadata, whose rules are not those of a schema: `validateObjectMeta` has them, in other words. */
function fieldsSchema(schema: Schema): Schema {
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  return { ...schema, properties };
}

const API_VERSION_DESCRIPTION = "The versioned schema of this representation of the object: `group/version`, or the version alone in the core group.";
const KIND_DESCRIPTION = "The type of the object, in CamelCase. It cannot be changed.";
