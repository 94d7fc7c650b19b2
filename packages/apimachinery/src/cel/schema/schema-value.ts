import { isJSONObject, type JSONObject, type JSONValue } from "../../meta/index.ts";
import type { Schema } from "../../schema/index.ts";
import { ownEquals } from "../value/equality.ts";
import { CelError, NO_SUCH_OVERLOAD, noSuchOverload } from "../value/error.ts";
import { CelMap } from "../value/map.ts";
import { CelDouble, isInt } from "../value/number.ts";
import type { CelValue } from "../value/value.ts";
import { escapeFieldName, unescapeFieldName } from "./escape.ts";
import { equalJSON, jsonValue, ownValue, PreservedValue, presentKeys } from "./json-value.ts";
import { withTypeAndObjectMeta } from "./resource-schema.ts";
import { schemaList } from "./schema-list.ts";
import { textValue } from "./text-value.ts";

/** Makes a CEL value of plain JSON, of which nothing is copied: fields and elements are adapted when an expression asks for them. */
export type ValueAdapter = (value: JSONValue | undefined) => CelValue;

/**
 * The adapter for data of a schema. Data that does not fit becomes an error, which an expression comes to when it looks there.
 *
 * @param isResourceRoot whether the schema is that of a resource, whose apiVersion, kind and name are always known.
 *
 * Source: k8s.io/apiserver/pkg/cel/common/valuesunstructured.go UnstructuredToVal.
 */
export function valueAdapter(schema: Schema, { isResourceRoot = false }: { readonly isResourceRoot?: boolean } = {}): ValueAdapter {
  const adapt = presentAdapter(isResourceRoot ? withTypeAndObjectMeta(schema) : schema);
  const ofNull = schema.nullable === true ? null : new CelError("invalid data, got null for schema with nullable=false");
  return (value) => (value === undefined || value === null ? ofNull : adapt(value));
}

type PresentAdapter = (value: JSONValue) => CelValue;

function presentAdapter(schema: Schema): PresentAdapter {
  if (schema["x-kubernetes-int-or-string"] === true) return intOrString;
  switch (schema.type) {
    case "object":
      return objectAdapter(schema);
    case "array":
      return arrayAdapter(schema);
    case "string":
      return (value) =>
        typeof value === "string" ? textValue(value, schema.format) : new CelError(`invalid data, expected string, got ${goTypeOf(value)}`);
    case "number":
      return (value) => (isInt(value) ? new CelDouble(Number(value)) : new CelError(`invalid data, expected float, got ${goTypeOf(value)}`));
    case "integer":
      return (value) => (isWhole(value) ? value : new CelError(`invalid data, expected int, got ${goTypeOf(value)}`));
    case "boolean":
      return (value) => (typeof value === "boolean" ? value : new CelError(`invalid data, expected bool, got ${goTypeOf(value)}`));
    default:
      if (schema["x-kubernetes-preserve-unknown-fields"] === true) return (value) => new PreservedValue(value);
      return () => new CelError(`${UNTYPED}, got ${schema.type ?? ""}`);
  }
}

const UNTYPED =
  "invalid type, expected object, array, number, integer, boolean or string, or no type with x-kubernetes-int-or-string or x-kubernetes-preserve-unknown-fields is true";

const isWhole = (value: JSONValue): value is number | bigint => typeof value === "bigint" || Number.isSafeInteger(value);

function intOrString(value: JSONValue): CelValue {
  if (typeof value === "string" || isWhole(value)) return value;
  return new CelError("invalid data, expected XIntOrString value to be either a string or integer");
}

function goTypeOf(value: JSONValue): string {
  if (Array.isArray(value)) return "[]interface {}";
  switch (typeof value) {
    case "boolean":
      return "bool";
    case "string":
      return "string";
    case "object":
      return "map[string]interface {}";
    default:
      return isWhole(value) ? "int64" : "float64";
  }
}

function arrayAdapter({ items, ...schema }: Schema): PresentAdapter {
  if (items === undefined) return () => new CelError("invalid array type, expected Items with a non-empty Schema");
  const adapt = lazily(items);
  return (value) =>
    Array.isArray(value) ? schemaList(value, adapt, schema) : new CelError("invalid data, expected an array for the provided schema with type=array");
}

/** The adapter of a schema, made when it is first needed. */
function lazily(schema: Schema): ValueAdapter {
  let adapter: ValueAdapter | undefined;
  return (value) => {
    adapter ??= valueAdapter(schema);
    return adapter(value);
  };
}

function objectAdapter(schema: Schema): PresentAdapter {
  const fields = fieldsOf(schema);
  return (value) =>
    isJSONObject(value) ? new SchemaMap(value, fields) : new CelError("invalid data, expected a map for the provided schema with type=object");
}

/** What a schema says of the keys of an object. */
interface Fields {
  /** Whether it has fields of its own: then null is as absent, and names are escaped. */
  readonly isObject: boolean;
  /** A field by the name that an expression gives it. */
  readonly byCelName: (name: string) => Field | undefined;
  /** The name of a key in expressions; undefined for a key that the schema does not know. */
  readonly celNameOf: (key: string) => string | undefined;
}

interface Field {
  readonly key: string;
  readonly adapt: ValueAdapter;
}

function fieldsOf(schema: Schema): Fields {
  const isEmbedded = schema["x-kubernetes-embedded-resource"] === true;
  const { properties, additionalProperties } = isEmbedded ? withTypeAndObjectMeta(schema) : schema;
  if (properties !== undefined) return declaredFields(properties);
  if (!isJSONObject(additionalProperties)) return { isObject: false, byCelName: () => undefined, celNameOf: () => undefined };
  const adapt = lazily(additionalProperties);
  return { isObject: false, byCelName: (key) => ({ key, adapt }), celNameOf: (key) => key };
}

function declaredFields(properties: Readonly<Record<string, Schema>>): Fields {
  const names = new Map<string, string>();
  const fields = new Map<string, Field>();
  for (const [key, schema] of Object.entries(properties)) {
    const field = { key, adapt: lazily(schema) };
    const escaped = escapeFieldName(key);
    names.set(key, escaped ?? key);
    if (escaped !== undefined) fields.set(escaped, field);
    if (unescapeFieldName(key) === key) fields.set(key, field);
  }
  return { isObject: true, byCelName: (name) => fields.get(name), celNameOf: (key) => names.get(key) };
}

/** An object of JSON. */
class SchemaMap extends CelMap {
  readonly #object: JSONObject;
  readonly #fields: Fields;

  constructor(object: JSONObject, fields: Fields) {
    super();
    this.#object = object;
    this.#fields = fields;
  }

  get size(): number {
    return presentKeys(this.#object).length;
  }

  override get goType(): string {
    return "*common.unstructuredMap";
  }

  find(name: CelValue): CelValue | undefined {
    if (typeof name !== "string") return noSuchOverload(name);
    const field = this.#fields.byCelName(name);
    if (field === undefined) return undefined;
    const value = ownValue(this.#object, field.key);
    if (value === undefined || (value === null && this.#fields.isObject)) return undefined;
    return field.adapt(value);
  }

  keys(): readonly CelValue[] {
    return presentKeys(this.#object).flatMap((key) => this.#fields.celNameOf(key) ?? []);
  }

  override native(): CelMap {
    return jsonValue(this.#object) as CelMap; // an object becomes a map
  }

  /** Keys that the schema does not know are compared as JSON. */
  override equals(other: CelValue): CelValue {
    if (!(other instanceof CelMap)) return noSuchOverload(other);
    if (this.size !== other.size) return false;
    for (const key of presentKeys(this.#object)) {
      const name = this.#fields.celNameOf(key);
      const result = name === undefined ? this.#equalUnknown(key, other) : equalFound(this.find(key), other.find(key));
      if (result !== true) return result;
    }
    return true;
  }

  #equalUnknown(key: string, other: CelMap): CelValue {
    if (!(other instanceof SchemaMap)) return NO_SUCH_OVERLOAD;
    const its = ownValue(other.#object, key);
    return its === undefined || equalJSON(ownValue(this.#object, key) ?? null, its);
  }
}

function equalFound(left: CelValue | undefined, right: CelValue | undefined): CelValue {
  if (left === undefined || right === undefined) return left === right;
  return ownEquals(left, right);
}
