import { jsonEquals, type Schema } from "@annex/apimachinery";
import type { Resource, ResourceVersion } from "../../definition/resource.ts";
import { metaRef, TYPE_META_PROPERTIES } from "./meta-definitions.ts";
import type { Definitions, DocumentSchema } from "./model.ts";
import { definitionName, isMetaName } from "./names.ts";

/**
 * The definitions of one version of a kind: of its objects and of its lists.
 *
 * Source: apiextensions-apiserver/pkg/controller/openapi/builder, buildKubeNative and buildListSchema.
 */
export function kindDefinitions(resource: Resource, version: ResourceVersion): Definitions {
  const { group, kind, listKind } = resource;
  const parts: Record<string, DocumentSchema> = {};
  const whole = objectSchema(version.schema);
  const objectName = definitionName(resource, version.name, kind);
  const paths = resource.isBuiltIn ? [] : version.selectableFields;
  const selectable = paths.length === 0 ? {} : { "x-kubernetes-selectable-fields": paths.map((fieldPath) => ({ fieldPath })) };
  return {
    [objectName]: {
      ...(resource.isBuiltIn ? withParts(whole, (title) => partName(resource, version.name, title), parts) : whole),
      "x-kubernetes-group-version-kind": [{ group, version: version.name, kind }],
      ...selectable,
    },
    [definitionName(resource, version.name, listKind)]: {
      type: "object",
      description: `${listKind} is a list of ${kind}.`,
      required: ["items"],
      properties: {
        ...TYPE_META_PROPERTIES,
        metadata: metaRef("ListMeta", "The metadata of the list."),
        items: { type: "array", description: `The objects of kind ${kind}.`, items: { $ref: objectName } },
      },
      "x-kubernetes-group-version-kind": [{ group, version: version.name, kind: listKind }],
      ...selectable,
    },
    ...parts,
  };
}

/** The name of a part's definition: the type's, in the kind's group and version, or that of meta/v1 which the title names in whole. */
function partName(resource: Resource, version: string, title: string): string {
  return isMetaName(title) ? title : definitionName(resource, version, title);
}

/**
 * Puts references in the place of what has a title: in built-in kinds it is the name of the Go type, which is a definition of its own in Kubernetes.
 *
 * @param parts gets the definitions; those of meta/v1 are there already.
 */
function withParts(schema: DocumentSchema, nameOf: (title: string) => string, parts: Record<string, DocumentSchema>): DocumentSchema {
  const nested = (one: DocumentSchema): DocumentSchema => {
    const taken = withParts(one, nameOf, parts);
    const { title, default: value, ...part } = taken;
    if (title === undefined) return taken;
    const name = nameOf(title);
    if (!isMetaName(name)) parts[name] = part;
    return { $ref: name, ...(value === undefined ? {} : { default: value }) };
  };
  const { properties, items } = schema;
  const described = (one: DocumentSchema): DocumentSchema => {
    const { description } = one;
    return one.title === undefined || description === undefined ? nested(one) : { ...nested(one), description };
  };
  return {
    ...schema,
    ...(properties === undefined ? {} : { properties: mapValues(properties, described) }),
    ...(items === undefined ? {} : { items: nested(items) }),
  };
}

/** A whole object: its metadata is a definition of its own, and so is that of objects embedded in it. */
function objectSchema(schema: Schema): DocumentSchema {
  const { properties = {} } = withEmbeddedObjects(schema);
  const metadata = metaRef("ObjectMeta", "The metadata of the object: its name, namespace, labels and more.");
  // Whatever an author says of the type: it is every object's.
  return { ...schema, properties: { ...TYPE_META_PROPERTIES, ...properties, ...TYPE_META_PROPERTIES, metadata } };
}

const INT_OR_STRING: readonly Schema[] = [{ type: "integer" }, { type: "string" }];

/** What an int-or-string is, in keywords that everybody knows. Source: apiextensions-apiserver pkg/apiserver/schema, Unfold. */
function unfolded(schema: Schema): Pick<Schema, "anyOf" | "allOf"> {
  const { anyOf, allOf = [] } = schema;
  const says = (alternatives: readonly Schema[] | undefined) => jsonEquals(alternatives, INT_OR_STRING);
  if (schema["x-kubernetes-int-or-string"] !== true || says(anyOf) || says(allOf[0]?.anyOf)) return {};
  return anyOf === undefined ? { anyOf: INT_OR_STRING } : { allOf: [{ anyOf: INT_OR_STRING }, ...allOf] };
}

/** Says of embedded objects what every object has, and of an int-or-string what it is. */
function withEmbeddedObjects(schema: Schema): DocumentSchema {
  const { properties, items, additionalProperties, ...rest } = schema;
  const nested: DocumentSchema = {
    ...rest,
    ...unfolded(schema),
    ...(properties === undefined ? {} : { properties: mapValues(properties, withEmbeddedObjects) }),
    ...(items === undefined ? {} : { items: withEmbeddedObjects(items) }),
    ...(additionalProperties === undefined
      ? {}
      : { additionalProperties: typeof additionalProperties === "object" ? withEmbeddedObjects(additionalProperties) : additionalProperties }),
  };
  if (schema["x-kubernetes-embedded-resource"] !== true) return nested;
  return {
    ...nested,
    required: [...new Set([...(schema.required ?? []), "kind", "apiVersion"])],
    properties: { ...nested.properties, ...TYPE_META_PROPERTIES, metadata: metaRef("ObjectMeta", "The metadata of the embedded object.") },
  };
}

function mapValues<From, To>(record: Readonly<Record<string, From>>, map: (value: From) => To): Record<string, To> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value)]));
}
