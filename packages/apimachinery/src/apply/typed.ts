import { isJSONObject, type JSONArray, type JSONValue } from "../meta/index.ts";
import { type FieldPath, fieldElement, formatPath, indexElement, type PathElement } from "./field-path.ts";
import { MAX_DEPTH } from "./field-set.ts";
import { type ItemKey, type KeyedList, keyedList } from "./keyed-list.ts";
import type { ListType, MapType, ScalarType, StructuralType } from "./structural-type.ts";

/** A value and its schema do not fit: no field set can be told. */
export class SchemaMismatchError extends Error {
  override readonly name = "SchemaMismatchError";
  /** Where, as `.spec.ports[port=80]`; empty for the value itself. Of several places the first. */
  readonly path: string;

  /** @param more other faults of the same value. */
  constructor(path: FieldPath, message: string, more: readonly SchemaMismatchError[] = []) {
    const at = formatPath(path);
    const first = at === "" ? message : `${at}: ${message}`;
    super(more.length === 0 ? first : ["errors:", first, ...more.map((fault) => fault.message)].join("\n  "));
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

/** The type of one field of an object. @throws {SchemaMismatchError} for a field that the type has no place for. */
export function fieldTypeOf(type: MapType, name: string): StructuralType {
  const known = type.fields.get(name)?.type ?? type.element;
  if (known === undefined) throw new SchemaMismatchError([fieldElement(name)], "field not declared in schema");
  return known;
}

/** Whether a value is null or an object without fields. */
export function isEmptyMap(value: JSONValue): boolean {
  if (value === null) return true;
  if (!isJSONObject(value)) return false;
  for (const name in value) if (value[name] !== undefined) return false;
  return true;
}

/** The keys of an associative list. @throws {SchemaMismatchError} if an element has none. */
export function keysOfList(list: JSONArray, type: ListType, path: FieldPath): KeyedList {
  const keyed = keyedList(list, type);
  if (keyed.fault !== undefined) throw new SchemaMismatchError(path, `element ${keyed.elements.length}: ${keyed.fault}`);
  return keyed;
}

/**
 * Checks that a value has the form of its type: kinds of values, fields, keys of lists. Limits, formats and required fields are not looked at.
 *
 * @param options `allowsDuplicates`: whether two elements of a list may have the same key or value, as live objects may and applied ones may not.
 * @throws {SchemaMismatchError} with every fault, at most {@link MAX_FAULTS}: of a list up to an element without a key, of an object up to a field that it cannot have.
 *   Also deeper than {@link MAX_DEPTH}.
 * Source: structured-merge-diff typed/validate.go.
 */
export function checkForm(value: JSONValue, type: StructuralType, options: { readonly allowsDuplicates: boolean }): void {
  const check = new FormCheck(options.allowsDuplicates);
  check.value(value, type);
  check.throwFaults();
}

const MAX_FAULTS = 100;
/** Of all the sentences together; the first is told whole. */
const MAX_CHARACTERS = 100_000;

const SCALARS = {
  numeric: { types: ["number", "bigint"], expected: "numeric (int or float)" },
  string: { types: ["string"], expected: "string" },
  boolean: { types: ["boolean"], expected: "boolean" },
  untyped: { types: ["number", "bigint", "string", "boolean"], expected: "any scalar" },
} as const satisfies Record<ScalarType, { types: readonly string[]; expected: string }>;

const GO_TYPES: Readonly<Partial<Record<string, string>>> = { string: "string", boolean: "bool" };

class FormCheck {
  private readonly allowsDuplicates: boolean;
  private readonly path: PathElement[] = [];
  private readonly faults: { readonly path: FieldPath; readonly message: string }[] = [];
  private characters = 0;

  constructor(allowsDuplicates: boolean) {
    this.allowsDuplicates = allowsDuplicates;
  }

  throwFaults(): void {
    const [first, ...others] = this.faults;
    if (first === undefined) return;
    const more = others.map(({ path, message }) => new SchemaMismatchError(path, message));
    throw new SchemaMismatchError(first.path, first.message, more);
  }

  value(value: JSONValue, type: StructuralType): void {
    if (this.path.length > MAX_DEPTH) throw new SchemaMismatchError([], `deeper than ${MAX_DEPTH}`);
    if (value === null || this.isFull) return;
    const form = formOf(type, kindOf(value));
    if (form === "scalar") this.scalar(value, type.scalar);
    else if (form === "list") this.list(value, type.list);
    else this.map(value, type.map);
  }

  private get isFull(): boolean {
    return this.faults.length >= MAX_FAULTS || this.characters >= MAX_CHARACTERS;
  }

  private fault(message: string, path: FieldPath = [...this.path]): void {
    if (this.isFull) return;
    this.faults.push({ path, message });
    this.characters += formatPath(path).length + message.length;
  }

  private scalar(value: JSONValue, type: ScalarType = "untyped"): void {
    const { types, expected }: { types: readonly string[]; expected: string } = SCALARS[type];
    if (types.includes(typeof value)) return;
    // Go's sentence about a number has the type of the scalar; elsewhere its own types stand in it.
    const got = type === "numeric" && typeof value !== "object" ? GO_TYPES[typeof value] : undefined;
    this.fault(`expected ${expected}, got ${got ?? kindOf(value)}`);
  }

  private list(value: JSONValue, type: ListType | undefined): void {
    if (type === undefined || !Array.isArray(value)) this.fault(`expected list, got ${kindOf(value)}`);
    else if (type.isAtomic) this.atomicItems(value, type);
    else this.items(value, type);
  }

  private atomicItems(items: JSONArray, type: ListType): void {
    for (const [index, item] of items.entries()) {
      if (this.isFull) return;
      this.below(indexElement(index), item, type.element);
    }
  }

  private items(items: JSONArray, type: ListType): void {
    const { elements, keys, hasDuplicates, fault } = keyedList(items, type);
    const seen = this.allowsDuplicates || !hasDuplicates ? undefined : new Set<ItemKey>();
    for (const [index, element] of elements.entries()) {
      if (this.isFull) return;
      const key = keys[index] ?? "";
      if (seen?.has(key) === true) this.fault(`duplicate entries for key ${formatPath([element])}`);
      seen?.add(key);
      this.below(element, items[index] ?? null, type.element);
    }
    // Without a key there is no saying what is wrong within the element, and Go looks no further in the list.
    if (fault !== undefined) this.fault(`element ${elements.length}: ${fault}`);
  }

  private below(element: PathElement, value: JSONValue, type: StructuralType): void {
    this.path.push(element);
    this.value(value, type);
    this.path.pop();
  }

  private map(value: JSONValue, type: MapType | undefined): void {
    if (type === undefined || !isJSONObject(value)) {
      this.fault(`expected map, got ${kindOf(value)}`);
      return;
    }
    for (const name in value) {
      const child = value[name];
      if (child === undefined) continue;
      const field = type.fields.get(name);
      const element = field?.element ?? fieldElement(name);
      const fieldType = field?.type ?? type.element;
      if (fieldType === undefined) {
        this.fault("field not declared in schema", [...this.path, element]);
        return;
      }
      this.below(element, child, fieldType);
    }
  }
}
