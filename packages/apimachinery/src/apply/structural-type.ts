import type { JSONValue } from "../meta/index.ts";
import { OBJECT_META_SCHEMA } from "../schema/object-meta.ts";
import type { Schema } from "../schema/schema.ts";
import { fieldElement, type PathElement } from "./field-path.ts";

/** What a scalar may be. `untyped` is any of them. */
export type ScalarType = "numeric" | "string" | "boolean" | "untyped";

/** A field that a schema names. */
export interface FieldType {
  readonly type: StructuralType;
  readonly default: JSONValue | undefined;
  /** The one element object for this field, so that a walk makes none. */
  readonly element: PathElement;
}

export interface ListType {
  /** Owned as a whole. Otherwise each element is owned: by its keys, or by its value where there are none. */
  readonly isAtomic: boolean;
  readonly keys: readonly string[];
  readonly element: StructuralType;
}

export interface MapType {
  /** Owned as a whole. */
  readonly isAtomic: boolean;
  readonly fields: ReadonlyMap<string, FieldType>;
  /** The type of every other field; undefined where there may be none. */
  readonly element: StructuralType | undefined;
}

/**
 * What structured merge needs to know of a schema: which of scalar, list and map a value may be, and how lists and maps are owned. A value that may be
 * several of them has the type of its kind.
 *
 * Source: structured-merge-diff schema.Atom.
 */
export interface StructuralType {
  readonly scalar: ScalarType | undefined;
  readonly list: ListType | undefined;
  readonly map: MapType | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

const NO_NAMED_FIELDS: ReadonlyMap<string, FieldType> = new Map();

/** Anything, owned as a whole. */
export const ATOMIC_TYPE: StructuralType = (() => {
  const type: Mutable<StructuralType> = { scalar: "untyped", list: undefined, map: undefined };
  type.list = { isAtomic: true, keys: [], element: type };
  type.map = { isAtomic: true, fields: NO_NAMED_FIELDS, element: type };
  return type;
})();

/**
 * The type of what no schema describes: objects are owned field by field, lists as a whole.
 *
 * Source: structured-merge-diff DeducedParseableType.
 */
export const DEDUCED_TYPE: StructuralType = (() => {
  const type: Mutable<StructuralType> = { scalar: "untyped", list: { isAtomic: true, keys: [], element: ATOMIC_TYPE }, map: undefined };
  type.map = { isAtomic: false, fields: NO_NAMED_FIELDS, element: type };
  return type;
})();

/**
 * The metadata of every object. As the documents of Kubernetes have it, an owner reference without a uid has an empty one, which here is what tells it from others.
 */
const METADATA: Schema = (() => {
  const { ownerReferences } = OBJECT_META_SCHEMA.properties;
  const { uid } = ownerReferences.items.properties;
  const items = { ...ownerReferences.items, properties: { ...ownerReferences.items.properties, uid: { ...uid, default: "" } } };
  return { ...OBJECT_META_SCHEMA, properties: { ...OBJECT_META_SCHEMA.properties, ownerReferences: { ...ownerReferences, items } } };
})();

const structuralTypes = new WeakMap<Schema, StructuralType>();
const objectTypes = new WeakMap<Schema, StructuralType>();

/**
 * The structural type of a schema; made once for each schema value.
 *
 * @throws {TypeError} where a `map` list has no keys: the schema is not structural.
 * Source: kube-openapi schemaconv (ToSchemaFromOpenAPI).
 */
export function structuralType(schema: Schema): StructuralType {
  return memoized(structuralTypes, schema, () => convert(schema, false, false));
}

/**
 * The structural type of a kind: that of its schema, with `apiVersion`, `kind` and `metadata` as every object has them, whatever the schema says of them.
 *
 * @throws {TypeError} as {@link structuralType}.
 * Source: apiextensions-apiserver openapi builder (buildKubeNative).
 */
export function objectType(schema: Schema): StructuralType {
  return memoized(objectTypes, schema, () => convert(schema, false, true));
}

function memoized(types: WeakMap<Schema, StructuralType>, schema: Schema, make: () => StructuralType): StructuralType {
  let type = types.get(schema);
  if (type === undefined) {
    type = make();
    types.set(schema, type);
  }
  return type;
}

/**
 * @param preserves whether a schema above preserves unknown fields: all below it do too.
 * @param isObject whether the value is an API object: the root, or one that is embedded.
 */
function convert(schema: Schema, preserves: boolean, isObject = schema["x-kubernetes-embedded-resource"] === true): StructuralType {
  const preservesHere = preserves || schema["x-kubernetes-preserve-unknown-fields"] === true;
  switch (schema.type) {
    case "object":
      return { scalar: undefined, list: undefined, map: convertMap(schema, preservesHere, isObject) };
    case "array":
      return { scalar: undefined, list: convertList(schema, preservesHere), map: undefined };
    case undefined:
      return isObject
        ? { scalar: undefined, list: undefined, map: convertMap(schema, preservesHere, true) }
        : { scalar: "untyped", list: convertList(schema, preservesHere), map: convertMap(schema, preservesHere, false) };
    case "string":
      // Another format may be sent as something else than text (int-or-string), so Kubernetes checks none of them here.
      return scalarOf(schema.format === undefined || schema.format === "" || schema.format === "byte" ? "string" : "untyped");
    case "integer":
    case "number":
      return scalarOf("numeric");
    case "boolean":
      return scalarOf("boolean");
    default:
      return schema.type satisfies never;
  }
}

function scalarOf(scalar: ScalarType): StructuralType {
  return { scalar, list: undefined, map: undefined };
}

function convertMap(schema: Schema, preserves: boolean, isObject: boolean): MapType {
  const fields = new Map<string, FieldType>();
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    fields.set(name, { type: convert(property, preserves), default: property.default, element: fieldElement(name) });
  }
  if (isObject) {
    for (const name of ["apiVersion", "kind"]) fields.set(name, { type: scalarOf("string"), default: undefined, element: fieldElement(name) });
    fields.set("metadata", { type: structuralType(METADATA), default: undefined, element: fieldElement("metadata") });
  }
  return { isAtomic: schema["x-kubernetes-map-type"] === "atomic", fields, element: convertElement(schema, preserves, fields.size === 0) };
}

function convertElement({ additionalProperties }: Schema, preserves: boolean, isFreeForm: boolean): StructuralType | undefined {
  if (typeof additionalProperties === "object") return convert(additionalProperties, preserves);
  if (additionalProperties === undefined) return preserves || isFreeForm ? DEDUCED_TYPE : undefined;
  return additionalProperties ? DEDUCED_TYPE : undefined;
}

function convertList(schema: Schema, preserves: boolean): ListType {
  const element = schema.items === undefined ? ATOMIC_TYPE : convert(schema.items, preserves);
  return { ...relationship(schema), element };
}

function relationship(schema: Schema): { readonly isAtomic: boolean; readonly keys: readonly string[] } {
  const keys = schema["x-kubernetes-list-map-keys"];
  switch (schema["x-kubernetes-list-type"]) {
    case "atomic":
      return { isAtomic: true, keys: [] };
    case "set":
      return { isAtomic: false, keys: [] };
    case "map":
      if (keys === undefined || keys.length === 0) throw new TypeError("x-kubernetes-list-type map needs x-kubernetes-list-map-keys");
      return { isAtomic: false, keys };
    case undefined: {
      const strategy = schema["x-kubernetes-patch-strategy"];
      if (strategy !== "merge" && strategy !== "merge,retainKeys") return { isAtomic: true, keys: [] };
      const mergeKey = schema["x-kubernetes-patch-merge-key"];
      return { isAtomic: false, keys: mergeKey === undefined ? [] : [mergeKey] };
    }
    default:
      return schema["x-kubernetes-list-type"] satisfies never;
  }
}
