import {
  compileChecks,
  compileColumns,
  type FieldError,
  formatAPIVersion,
  type KubernetesObject,
  type Schema,
  type TableColumn,
} from "@annex/apimachinery";
import { handlerVerbs } from "../registry/handler-verbs.ts";
import type { ErasedInput } from "./define-resource.ts";
import type { Resource, ResourceVersion, Subresource } from "./resource.ts";

/** What a version is made of, wherever it was described. */
export interface VersionFacts
  extends Pick<
    ResourceVersion,
    | "name"
    | "schema"
    | "rules"
    | "isTyped"
    | "isServed"
    | "hasStatus"
    | "deprecationWarning"
    | "selectableFields"
    | "normalize"
    | "numbers"
    | "toStorage"
    | "fromStorage"
  > {
  readonly group: string;
  /** The schema by which objects are validated. */
  readonly validated: Schema;
  readonly columns: readonly TableColumn[];
  /** Those of the kind: they may forbid something of its objects. */
  readonly subresources: Readonly<Record<string, Subresource>>;
}

/** @throws {TypeError} for a column whose path is not supported. */
export function buildVersion({ group, validated, columns, subresources, ...facts }: VersionFacts): ResourceVersion {
  return {
    ...facts,
    apiVersion: formatAPIVersion(group, facts.name),
    hasEmbeddedResources: hasEmbeddedResources(validated),
    printer: compileColumns(columns),
    ...compileValidate(validated, facts.name, Object.values(subresources)),
  };
}

/** The checks in Go's order. Of an object whose status is written the rest is what it was: it is looked at where one look is over all of it. */
function compileValidate(schema: Schema, version: string, subresources: readonly Subresource[]): Pick<ResourceVersion, "validate" | "validateInner"> {
  const { values, embeddedResources, uniqueLists } = compileChecks(schema);
  const { values: statusValues } = compileChecks(schema.properties?.status ?? {});
  const parentRules = subresources.flatMap(({ validateParent }) => validateParent ?? []);
  const inner: ResourceVersion["validateInner"] = (object, live, subresource) => {
    const lists = uniqueLists(object, live);
    return subresource === "status" ? lists : joined([embeddedResources(object), lists]);
  };
  return {
    validateInner: inner,
    validate(object, live, subresource) {
      const { status } = object;
      const ofStatus = () => (status === undefined ? [] : statusValues(status, live?.status, "status"));
      const faults = subresource === "status" ? ofStatus() : values(object, live);
      const ofParent = parentRules.map((rule) => rule(object, version, subresource));
      return joined([faults, ...ofParent, inner(object, live, subresource)]);
    },
  };
}

/** Lists of faults as one, which is seldom more than the first. */
function joined([first = [], ...others]: readonly (readonly FieldError[])[]): readonly FieldError[] {
  return others.every((list) => list.length === 0) ? first : [first, ...others].flat();
}

/** Whether objects within the objects are somewhere in a schema. */
export function hasEmbeddedResources({ properties = {}, additionalProperties, items, ...schema }: Schema): boolean {
  if (schema["x-kubernetes-embedded-resource"] === true) return true;
  const inner = [
    ...Object.values(properties),
    ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
    ...(items ? [items] : []),
  ];
  return inner.some(hasEmbeddedResources);
}

/** What a kind is made of beside its versions. */
export interface ResourceFacts extends Omit<ErasedInput, "versions" | "selectableFields" | "statusSubresource"> {
  /** Default: the kind with `List` behind it. */
  readonly listKind?: string;
  readonly isCustomResource?: boolean;
}

/**
 * Puts a kind together; everything was checked before.
 *
 * @param definedVersions in the order of discovery.
 * @param storageName the name of one of them.
 */
export function buildResource(input: ResourceFacts, definedVersions: readonly ResourceVersion[], storageName: string): Resource {
  const storageVersion = definedVersions.find(({ name }) => name === storageName);
  if (storageVersion === undefined) throw new Error(`${input.kind} has no version ${storageName}`);
  const singular = input.singular ?? input.kind.toLowerCase();
  const selectable = new Set(definedVersions.flatMap((version) => version.selectableFields));
  return {
    group: input.group,
    resource: input.resource ?? plural(singular),
    kind: input.kind,
    listKind: input.listKind ?? `${input.kind}List`,
    singular,
    shortNames: input.shortNames ?? [],
    categories: input.categories ?? [],
    isNamespaced: input.scope === "Namespaced",
    nameRule: input.nameRule ?? "dnsSubdomain",
    isNameOptional: input.handlers !== undefined && input.handlers.get === undefined,
    versions: definedVersions.filter(({ isServed }) => isServed),
    definedVersions,
    preferredVersion: input.preferredVersion,
    storageVersion,
    updateSubresources: input.updateSubresources ?? [],
    subresources: new Map(Object.entries(input.subresources ?? {})),
    withoutVerbs: input.withoutVerbs ?? [],
    tracksGeneration: input.tracksGeneration ?? true,
    allowsUnconditionalUpdate: input.allowsUnconditionalUpdate ?? false,
    allowsCreateOnUpdate: input.allowsCreateOnUpdate ?? false,
    allowsStrategicMergePatch: input.allowsStrategicMergePatch ?? false,
    returnsDeletedObject: input.returnsDeletedObject ?? false,
    isBuiltIn: input.isBuiltIn ?? false,
    isCustomResource: input.isCustomResource ?? false,
    selectableFields: new Map([...selectable].map((path) => [path, fieldReader(path)])),
    hooks: input,
    handlers: input.verbs ?? (input.handlers === undefined ? undefined : handlerVerbs(input.handlers)),
    description: storageVersion.schema.description,
  };
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
