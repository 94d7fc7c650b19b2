import { isJSONObject } from "../../meta/index.ts";
import type { Schema } from "../../schema/index.ts";
import type { StructType } from "../environment.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, listType, mapType, STRING, structType, TIMESTAMP } from "../value/type.ts";
import { escapeFieldName } from "./escape.ts";
import { withTypeAndObjectMeta } from "./resource-schema.ts";

/** The largest request that Kubernetes takes: no list or text can be longer. Source: apis/cel MaxRequestSizeBytes. */
export const MAX_REQUEST_BYTES = 3 * 1024 * 1024;

/** Source: k8s.io/apiserver/pkg/cel/limits.go. */
const MIN_STRING_BYTES = 2;
const MIN_BOOL_BYTES = 4;
const MIN_NUMBER_BYTES = 1;
const MIN_DURATION_BYTES = 3;
const MIN_DATE_TIME_BYTES = 21;
const DATE_BYTES = 12;
const MAX_DURATION_BYTES = 32;
const MAX_DATE_TIME_BYTES = 32;

/**
 * What expressions know of a schema: its type, and how large its values may be.
 *
 * Source: k8s.io/apiserver/pkg/cel/types.go DeclType.
 */
export interface DeclType {
  /** Of an object, undefined: its type gets its name where it is used. */
  readonly celType: CelType | undefined;
  /** Of an object, by the names under which expressions find them. */
  readonly fields: ReadonlyMap<string, DeclType> | undefined;
  readonly keyType: DeclType | undefined;
  /** Of a list its elements, of a map its values. */
  readonly elemType: DeclType | undefined;
  /** The most elements, entries, characters or bytes; 0 where it means nothing. */
  readonly maxElements: number;
  /** The fewest bytes that a value takes in JSON. */
  readonly minSerializedSize: number;
}

const scalar = (celType: CelType, minSerializedSize: number, maxElements = 0): DeclType => ({
  celType,
  fields: undefined,
  keyType: undefined,
  elemType: undefined,
  maxElements,
  minSerializedSize,
});

const KEY = scalar(STRING, MIN_STRING_BYTES);

/**
 * What expressions know of a schema; undefined where they know nothing: they cannot name such a field, nor anything that holds such elements.
 *
 * @param isResourceRoot whether the schema is that of a resource, whose apiVersion, kind and name are always known.
 *
 * Source: k8s.io/apiserver/pkg/cel/common SchemaDeclType.
 */
export function declTypeOf(schema: Schema, { isResourceRoot = false }: { readonly isResourceRoot?: boolean } = {}): DeclType | undefined {
  if (schema["x-kubernetes-int-or-string"] === true) return scalar(DYN, MIN_NUMBER_BYTES, maxTextLength(schema, MAX_REQUEST_BYTES - 2));
  const complete = isResourceRoot ? withTypeAndObjectMeta(schema) : schema;
  switch (complete.type) {
    case "array":
      return arrayType(complete);
    case "object":
      return isJSONObject(complete.additionalProperties) ? dictionaryType(complete, complete.additionalProperties) : objectType(complete);
    case "string":
      return textType(complete);
    case "boolean":
      return scalar(BOOL, MIN_BOOL_BYTES);
    case "number":
      return scalar(DOUBLE, MIN_NUMBER_BYTES);
    case "integer":
      return scalar(INT, MIN_NUMBER_BYTES);
    default:
      return undefined;
  }
}

const nested = (schema: Schema) => declTypeOf(schema, { isResourceRoot: schema["x-kubernetes-embedded-resource"] === true });

function arrayType({ items, maxItems }: Schema): DeclType | undefined {
  const elemType = items === undefined ? undefined : nested(items);
  if (elemType === undefined) return undefined;
  const maxElements = maxItems === undefined ? Math.trunc((MAX_REQUEST_BYTES - 2) / (elemType.minSerializedSize + 1)) : Math.max(maxItems, 0);
  const celType = elemType.celType === undefined ? undefined : listType(elemType.celType);
  return { celType, fields: undefined, keyType: undefined, elemType, maxElements, minSerializedSize: 2 };
}

function dictionaryType({ maxProperties }: Schema, values: Schema): DeclType | undefined {
  const elemType = nested(values);
  if (elemType === undefined) return undefined;
  const maxElements =
    maxProperties === undefined ? Math.trunc((MAX_REQUEST_BYTES - 2) / (elemType.minSerializedSize + 6)) : Math.max(maxProperties, 0);
  const celType = elemType.celType === undefined ? undefined : mapType(STRING, elemType.celType);
  return { celType, fields: undefined, keyType: KEY, elemType, maxElements, minSerializedSize: 2 };
}

function objectType({ properties = {}, required = [] }: Schema): DeclType {
  const fields = new Map<string, DeclType>();
  let minSerializedSize = 2;
  for (const [name, schema] of Object.entries(properties)) {
    const type = nested(schema);
    if (type === undefined) continue;
    const escaped = escapeFieldName(name);
    if (escaped !== undefined) fields.set(escaped, type);
    if (required.includes(name) && schema.default === undefined) minSerializedSize += utf8Bytes(name) + type.minSerializedSize + 4;
  }
  return { celType: undefined, fields, keyType: undefined, elemType: undefined, maxElements: 0, minSerializedSize };
}

function textType(schema: Schema): DeclType {
  switch (schema.format) {
    case "byte":
      return scalar(BYTES, MIN_STRING_BYTES, schema.maxLength === undefined ? MAX_REQUEST_BYTES - 2 : Math.max(schema.maxLength, 0));
    case "duration":
      return scalar(DURATION, MIN_DURATION_BYTES, MAX_DURATION_BYTES);
    case "date":
      return scalar(TIMESTAMP, DATE_BYTES, DATE_BYTES);
    case "date-time":
      return scalar(TIMESTAMP, MIN_DATE_TIME_BYTES, MAX_DATE_TIME_BYTES);
    default:
      return scalar(STRING, MIN_STRING_BYTES, maxTextLength(schema, longestOfEnum(schema) ?? MAX_REQUEST_BYTES - 2));
  }
}

/** maxLength counts code points, which have up to four bytes. */
function maxTextLength({ maxLength }: Schema, otherwise: number): number {
  return maxLength === undefined ? otherwise : Math.max(maxLength, 0) * 4;
}

function longestOfEnum({ enum: values = [] }: Schema): number | undefined {
  if (values.length === 0) return undefined;
  return Math.max(0, ...values.map((value) => (typeof value === "string" ? utf8Bytes(value) : 0)));
}

const encoder = new TextEncoder();
const utf8Bytes = (text: string): number => encoder.encode(text).length;

/** The CEL type of a declaration under a name, and the types of all objects within it. Source: DeclType.MaybeAssignTypeName. */
export function namedType(declType: DeclType, name: string): { readonly type: CelType; readonly structs: readonly StructType[] } {
  const structs: StructType[] = [];
  const assign = (decl: DeclType, path: string): CelType => {
    if (decl.celType !== undefined) return decl.celType;
    if (decl.fields !== undefined) {
      const fields = new Map<string, CelType>();
      for (const [field, type] of decl.fields) fields.set(field, assign(type, `${path}.${field}`));
      const type = structType(path);
      structs.push({ type, fields });
      return type;
    }
    if (decl.elemType === undefined) return DYN;
    return decl.keyType === undefined ? listType(assign(decl.elemType, `${path}.@idx`)) : mapType(STRING, assign(decl.elemType, `${path}.@elem`));
  };
  return { type: assign(declType, name), structs };
}
