import {
  AGE_COLUMN,
  type CompiledRules,
  compareVersionPriority,
  formatAPIVersion,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  OBJECT_META_SCHEMA,
  pruneUnknown,
  type Schema,
  type TableColumn,
} from "@annex/apimachinery";
import { buildResource, buildVersion, hasEmbeddedResources } from "../build-resource.ts";
import { coerceEmbedded } from "../decode-embedded.ts";
import type { Resource, ResourceVersion, Subresource } from "../resource.ts";
import { scaleSubresource } from "../scale-subresource.ts";
import type { CRDSpec, CRDVersion } from "./custom-resource-definition.ts";
import { type ParsedCRD, parseCRD } from "./parse-crd.ts";

/**
 * Makes a kind of an existing CustomResourceDefinition (apiextensions.k8s.io/v1). It behaves as the custom resource does in a kube-apiserver, but for conversion by
 * webhook, which is refused.
 *
 * ```ts
 * const widgets = resourceFromCRD(JSON.parse(text));
 * await createAPIServer({ resources: [widgets], … });
 * ```
 *
 * @param crd the object, decoded from JSON or YAML.
 * @throws {CRDError} naming every fault with its path in the object.
 */
export function resourceFromCRD(crd: JSONValue): Resource {
  return resourceOf(parseCRD(crd));
}

/** @see resourceFromCRD */
export function resourceOf({ definition: { spec }, schemas, rules }: ParsedCRD): Resource {
  const { versions = [], names = {}, group = "", scope } = spec;
  const storage = versions.findIndex((version) => version.storage);
  const storageName = versions[storage]?.name ?? "";
  const storageSchema = schemas[storage] ?? {};
  const subresources = subresourcesOf(versions);
  const built = versions.map((version, index) =>
    versionOf(spec, version, schemas[index] ?? {}, rules[index], { name: storageName, schema: storageSchema }, subresources),
  );
  const { plural, kind = "", listKind, singular, shortNames, categories } = names;
  return buildResource(
    {
      group,
      kind,
      isCustomResource: true,
      scope: scope === "Cluster" ? "Cluster" : "Namespaced",
      ...(plural && { resource: plural }),
      ...(listKind && { listKind }),
      ...(singular && { singular }),
      ...(shortNames && { shortNames }),
      ...(categories && { categories }),
      subresources,
    },
    built.sort((a, b) => compareVersionPriority(a.name, b.name)),
    storageName,
  );
}

/** `scale`, in those versions that have one. */
function subresourcesOf(versions: readonly CRDVersion[]): Readonly<Record<string, Subresource>> {
  const paths = new Map(versions.map(({ name = "", subresources }) => [name, subresources?.scale]));
  if ([...paths.values()].every((scale) => scale === undefined)) return {};
  const scale = scaleSubresource((version) => {
    const { specReplicasPath = "", statusReplicasPath = "", labelSelectorPath = "" } = paths.get(version) ?? {};
    return paths.get(version) && { specReplicasPath, statusReplicasPath, labelSelectorPath };
  });
  return { scale };
}

interface StorageVersion {
  readonly name: string;
  readonly schema: Schema;
}

function versionOf(
  spec: CRDSpec,
  version: CRDVersion,
  root: Schema,
  rules: CompiledRules | undefined,
  storage: StorageVersion,
  subresources: Readonly<Record<string, Subresource>>,
): ResourceVersion {
  const { name = "", served, deprecated = false, deprecationWarning, selectableFields = [] } = version;
  const group = spec.group ?? "";
  const isStorage = name === storage.name;
  return buildVersion({
    group,
    name,
    schema: objectSchema(root),
    validated: root,
    rules,
    isTyped: false,
    isServed: served,
    hasStatus: version.subresources?.status !== undefined,
    deprecationWarning: deprecated ? (deprecationWarning ?? standardWarning(spec, name)) : undefined,
    columns: columnsOf(version),
    selectableFields: selectableFields.map(({ jsonPath = "" }) => jsonPath.slice(1)),
    subresources,
    normalize: undefined,
    numbers: undefined,
    toStorage: isStorage ? undefined : coercion(storage.schema, withoutNulls),
    fromStorage: isStorage ? undefined : coercion(root, withoutNulls),
  });
}

/** Names the best version to use instead. Source: apiextensions-apiserver pkg/apiserver, defaultDeprecationWarning. */
function standardWarning({ group = "", names = {}, versions = [] }: CRDSpec, deprecated: string): string {
  const better = versions.filter((one) => one.served && one.deprecated !== true).map(({ name = "" }) => name);
  const [best] = [...better, deprecated].sort(compareVersionPriority);
  const warning = `${formatAPIVersion(group, deprecated)} ${names.kind} is deprecated`;
  return best === undefined || best === deprecated ? warning : `${warning}; use ${formatAPIVersion(group, best)} ${names.kind}`;
}

/** The schema of whole objects: metadata is that of every object, whatever the definition says of names. */
function objectSchema(root: Schema): Schema {
  const text: Schema = { type: "string" };
  return { ...root, properties: { apiVersion: text, kind: text, ...root.properties, metadata: OBJECT_META_SCHEMA } };
}

/**
 * Makes objects of one version those of another: what the other one does not know is dropped, nulls that it does not allow are, too, and of embedded resources what
 * cannot be read.
 *
 * @param schema of the other version.
 * @param settleNulls drops them; on the way to storage defaults are filled in as well.
 * Source: apiextensions-apiserver pkg/apiserver, unstructuredSchemaCoercer.
 */
function coercion(schema: Schema, settleNulls: (value: JSONValue, schema: Schema) => JSONValue): (object: KubernetesObject) => KubernetesObject {
  const coerce = hasEmbeddedResources(schema) ? coerceEmbedded : (value: JSONValue) => value;
  return (object) => {
    // A decoded object is JSON all through, and stays an object.
    const { value } = pruneUnknown(object as unknown as JSONValue, schema, { isResourceRoot: true });
    return coerce(settleNulls(value, schema), schema) as unknown as KubernetesObject;
  };
}

/** Without the nulls that a schema neither allows nor replaces by a default. Source: defaulting.PruneNonNullableNullsWithoutDefaults. */
function withoutNulls(value: JSONValue, schema: Schema): JSONValue {
  if (Array.isArray(value)) {
    const { items } = schema;
    return items === undefined ? value : value.map((element) => withoutNulls(element, items));
  }
  if (!isJSONObject(value)) return value;
  const entries: [string, JSONValue][] = [];
  for (const [name, field] of Object.entries(value)) {
    const property = Object.hasOwn(schema.properties ?? {}, name) ? schema.properties?.[name] : schema.additionalProperties;
    if (field === undefined) continue;
    if (typeof property !== "object") entries.push([name, field]);
    else if (field !== null) entries.push([name, withoutNulls(field, property)]);
    else if (property.nullable === true || (property.default !== undefined && property.default !== null)) entries.push([name, field]);
  }
  const result: JSONObject = Object.fromEntries(entries);
  return result;
}

/** The columns of a version; where it says nothing of them, the age. */
function columnsOf({ additionalPrinterColumns = [] }: CRDVersion): readonly TableColumn[] {
  if (additionalPrinterColumns.length === 0) return [AGE_COLUMN];
  return additionalPrinterColumns.map(({ name = "", type = "", format, description, priority, jsonPath = "" }) => ({
    name,
    type: type as TableColumn["type"], // checked
    jsonPath,
    ...(format && { format }),
    ...(description && { description }),
    ...(priority && { priority }),
  }));
}
