import {
  applyDefaults,
  checkSchema,
  compareVersionPriority,
  compileColumns,
  compileValidator,
  formatAPIVersion,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  OBJECT_META_SCHEMA,
  pruneUnknown,
  type Schema,
  type TableColumn,
} from "@annex/apimachinery";
import { handlerVerbs } from "../registry/handler-verbs.ts";
import type { ErasedInput, ErasedVersion } from "./define-resource.ts";
import type { Resource, ResourceVersion } from "./resource.ts";
import { asTyped, withoutDecodedFormats } from "./typed-kind.ts";

const DNS_LABEL = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const KIND = /^[A-Z][A-Za-z0-9]{0,62}$/;

/** @throws {TypeError} with every complaint about the definition, one a line. */
export function compileResource(input: ErasedInput): Resource {
  const names = Object.keys(input.versions).sort(compareVersionPriority);
  const storageNames = names.filter((name) => input.versions[name]?.storage === true);
  const complaints = checkInput(input, names, storageNames);
  if (complaints.length > 0) throw new TypeError(`${input.kind}: ${complaints.join("\n")}`);

  const versions = names.map((name) => compileVersion(input, name, input.versions[name] as ErasedVersion));
  const storageVersion = versions.find(({ name }) => names.length === 1 || storageNames.includes(name)) as ResourceVersion;
  const singular = input.singular ?? input.kind.toLowerCase();
  return {
    group: input.group,
    resource: input.resource ?? plural(singular),
    kind: input.kind,
    listKind: `${input.kind}List`,
    singular,
    shortNames: input.shortNames ?? [],
    categories: input.categories ?? [],
    isNamespaced: input.scope === "Namespaced",
    nameRule: input.nameRule ?? "dnsSubdomain",
    isNameOptional: input.handlers !== undefined && input.handlers.get === undefined,
    versions,
    storageVersion,
    hasStatus: input.statusSubresource ?? false,
    updateSubresources: input.updateSubresources ?? [],
    withoutVerbs: input.withoutVerbs ?? [],
    tracksGeneration: input.tracksGeneration ?? true,
    allowsUnconditionalUpdate: input.allowsUnconditionalUpdate ?? false,
    allowsCreateOnUpdate: input.allowsCreateOnUpdate ?? false,
    allowsStrategicMergePatch: input.allowsStrategicMergePatch ?? false,
    isBuiltIn: input.isBuiltIn ?? false,
    selectableFields: new Map((input.selectableFields ?? []).map((path) => [path, fieldReader(path)])),
    hooks: input,
    handlers: input.verbs ?? (input.handlers === undefined ? undefined : handlerVerbs(input.handlers)),
    description: input.versions[storageVersion.name]?.description,
  };
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
  if (input.handlers !== undefined && input.verbs !== undefined) complaints.push("handlers and verbs: only one of them");
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

function compileVersion(input: ErasedInput, name: string, version: ErasedVersion): ResourceVersion {
  const apiVersion = formatAPIVersion(input.group, name);
  const schema = objectSchema(input, version, true);
  const isTyped = input.isBuiltIn ?? false;
  const validate = compileValidator(isTyped ? withoutDecodedFormats(fieldsSchema(schema)) : fieldsSchema(schema));
  const { deprecated } = version;
  return {
    name,
    apiVersion,
    schema,
    isTyped,
    deprecationWarning: deprecated === true ? `${apiVersion} ${input.kind} is deprecated` : deprecated || undefined,
    printer: compileColumns(columnsOf(input, version)),
    // A decoded object is JSON all through.
    validate: (object) => validate(object as unknown as JSONValue, ""),
    normalize: version.normalize,
    toStorage: version.toStorage,
    fromStorage: version.fromStorage,
  };
}

const AGE: TableColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp", description: "How long ago the object was created." };

/** Compiled-in kinds without columns have the default ones of Kubernetes; all others end in an age. */
function columnsOf({ isBuiltIn }: ErasedInput, { columns = [] }: ErasedVersion): readonly TableColumn[] {
  if (columns.length === 0 && isBuiltIn) return [];
  return columns.some(({ name }) => name.toLowerCase() === "age") ? columns : [...columns, AGE];
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
  return {
    type: "object",
    description: version.description ?? `${input.kind} of ${input.group === "" ? "the core group" : input.group}.`,
    properties,
    ...(required.length === 0 ? {} : { required }),
  };
}

/** Without metadata, whose rules are not those of a schema: `validateObjectMeta` has them, in other words. */
function fieldsSchema(schema: Schema): Schema {
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  return { ...schema, properties };
}

/**
 * Fills in the defaults of a version, and says which fields it does not know. Metadata's own unknown fields are among them.
 *
 * @throws {WrongTypeError} for a value that a compiled-in kind cannot hold; of other kinds validation tells.
 */
export function defaultAndPrune(object: JSONObject, version: ResourceVersion): { readonly object: JSONObject; readonly unknown: readonly string[] } {
  const { schema, isTyped, normalize } = version;
  const { value, unknown } = pruneUnknown(normalize?.(object) ?? object, schema, { keepsOrder: isTyped });
  // An object stays one, whatever is pruned or defaulted in it.
  const known = applyDefaults(value, schema) as JSONObject;
  return { object: isTyped ? asTyped(known, schema) : known, unknown };
}

function fieldReader(path: string): (object: KubernetesObject) => string {
  const steps = path.split(".");
  return (object) => {
    let value: unknown = object;
    for (const step of steps) value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
    return value === undefined || value === null || typeof value === "object" ? "" : String(value);
  };
}

/** The English plural of a kind's name in lower case. Source: meta.UnsafeGuessKindToResource. */
export function plural(singular: string): string {
  if (singular.endsWith("endpoints")) return singular;
  if (/(s|x|z|ch|sh)$/.test(singular)) return `${singular}es`;
  if (singular.endsWith("y") && !/[aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}

const API_VERSION_DESCRIPTION = "The versioned schema of this representation of the object: `group/version`, or the version alone in the core group.";
const KIND_DESCRIPTION = "The type of the object, in CamelCase. It cannot be changed.";
