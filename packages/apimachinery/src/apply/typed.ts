import { isJSONObject, type JSONValue } from "../meta/index.ts";
import {
  type FieldPath,
  fieldElement,
  formatPath,
  formatPathElement,
  indexElement,
  type KeyField,
  keyElement,
  type PathElement,
  valueElement,
} from "./field-path.ts";
import { MAX_DEPTH } from "./field-set.ts";
import type { ListType, MapType, ScalarType, StructuralType } from "./structural-type.ts";

/** A value and its schema do not fit: no field set can be told. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
  /** Where, as `.spec.ports[port=80]`; empty for the value itself. */
  readonly path: string;

  constructor(path: FieldPath, message: string) {
    const at = formatPath(path);
    super(at === "" ? message : `${at}: ${message}`);
    this.path = at;
  }
}

export type ValueKind = "scalar" | "list" | "map" | "null";

export function kindOf(value: JSONValue): ValueKind {
  if (typeof value !== "object") return "scalar";
  return value === null ? "null" : Array.isArray(value) ? "list" : "map";
}

/**
 * The form in which a value of this kind is treated: its own where the type has it. Otherwise (null, which fits every type, or a misfit) the first that the
 * type has, of map, scalar and list.
 *
 * Source: structured-merge-diff deduceAtom, handleAtom.
 */
export function formOf(type: StructuralType, kind: ValueKind): "scalar" | "list" | "map" {
  if (kind !== "null" && type[kind] !== undefined) return kind;
  return type.map !== undefined ? "map" : type.scalar !== undefined ? "scalar" : "list";
}

/** Walks into one field of an object. @throws {SchemaMismatchError} for a field that the type has no place for. */
export function fieldOf(
  type: MapType,
  name: string,
  path: FieldPath,
): { readonly element: PathElement; readonly type: StructuralType; readonly isNamed: boolean } {
  const field = type.fields.get(name);
  if (field !== undefined) return { element: field.element, type: field.type, isNamed: true };
  const element = fieldElement(name);
  if (type.element === undefined) throw new SchemaMismatchError([...path, element], "field not declared in schema");
  return { element, type: type.element, isNamed: false };
}

/**
 * The path element of a list's element: its key fields (those it leaves out have their defaults, or are left out of the key too), or its value in a set.
 *
 * @throws {SchemaMismatchError} if it has none: not an object, no key at all, or in a set not a scalar.
 * Source: structured-merge-diff listItemToPathElement.
 */
export function itemElement(type: ListType, item: JSONValue, index: number, path: FieldPath): PathElement {
  const refuse = (why: string): never => {
    throw new SchemaMismatchError(path, `element ${index}: ${why}`);
  };
  if (type.keys.length === 0) {
    if (Array.isArray(item)) return refuse("not supported: associative list with lists as elements");
    if (isJSONObject(item)) return refuse("associative list without keys has an element that's a map type");
    return item === null ? refuse("associative list without keys has an element that's an explicit null") : valueElement(item);
  }
  if (item === null) return refuse("associative list with keys may not have a null element");
  if (!isJSONObject(item)) return refuse("associative list with keys may not have non-map elements");
  const fields: KeyField[] = [];
  for (const name of type.keys) {
    const given = Object.hasOwn(item, name) ? item[name] : undefined;
    const value = given === undefined ? (type.element.map?.fields.get(name)?.default ?? undefined) : given;
    if (value !== undefined) fields.push({ name, value });
  }
  if (fields.length > 0) return keyElement(fields);
  const keys = type.keys.map((key) => JSON.stringify(key)).join(" ");
  return refuse(`associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`);
}

/**
 * Checks that a value has the form of its type: kinds of values, fields, keys of lists. Limits, formats and required fields are not looked at.
 *
 * @param options `allowsDuplicates`: whether two elements of a list may have the same key or value, as live objects may and applied ones may not.
 * @throws {SchemaMismatchError} at the first fault, or deeper than {@link MAX_DEPTH}.
 * Source: structured-merge-diff typed/validate.go.
 */
export function checkForm(value: JSONValue, type: StructuralType, options: { readonly allowsDuplicates: boolean }): void {
  checkValue(value, type, [], options.allowsDuplicates);
}

function checkValue(value: JSONValue, type: StructuralType, path: PathElement[], allowsDuplicates: boolean): void {
  if (path.length > MAX_DEPTH) throw new SchemaMismatchError([], `deeper than ${MAX_DEPTH}`);
  if (value === null) return;
  const form = formOf(type, kindOf(value));
  if (form === "scalar") checkScalar(value, type.scalar, path);
  else if (form === "list") checkList(value, type.list, path, allowsDuplicates);
  else checkMap(value, type.map, path, allowsDuplicates);
}

const SCALARS = {
  numeric: { types: ["number", "bigint"], expected: "numeric (int or float)" },
  string: { types: ["string"], expected: "string" },
  boolean: { types: ["boolean"], expected: "boolean" },
  untyped: { types: ["number", "bigint", "string", "boolean"], expected: "any scalar" },
} as const satisfies Record<ScalarType, { types: readonly string[]; expected: string }>;

function checkScalar(value: JSONValue, type: ScalarType = "untyped", path: FieldPath): void {
  const { types, expected }: { types: readonly string[]; expected: string } = SCALARS[type];
  if (!types.includes(typeof value)) throw new SchemaMismatchError(path, `expected ${expected}, got ${kindOf(value)}`);
}

function checkList(value: JSONValue, type: ListType | undefined, path: PathElement[], allowsDuplicates: boolean): void {
  if (type === undefined || !Array.isArray(value)) throw new SchemaMismatchError(path, `expected list, got ${kindOf(value)}`);
  const seen = allowsDuplicates || type.isAtomic ? undefined : new Set<string>();
  for (const [index, item] of value.entries()) {
    const element = type.isAtomic ? indexElement(index) : itemElement(type, item, index, path);
    if (seen !== undefined) {
      const text = formatPathElement(element);
      if (seen.has(text)) throw new SchemaMismatchError(path, `duplicate entries for key ${formatPath([element])}`);
      seen.add(text);
    }
    path.push(element);
    checkValue(item, type.element, path, allowsDuplicates);
    path.pop();
  }
}

function checkMap(value: JSONValue, type: MapType | undefined, path: PathElement[], allowsDuplicates: boolean): void {
  if (type === undefined || !isJSONObject(value)) throw new SchemaMismatchError(path, `expected map, got ${kindOf(value)}`);
  for (const name in value) {
    const child = value[name];
    if (child === undefined) continue;
    const field = fieldOf(type, name, path);
    path.push(field.element);
    checkValue(child, field.type, path, allowsDuplicates);
    path.pop();
  }
}
