import { isJSONObject, type JSONArray, type JSONValue } from "../meta/index.ts";
import { formatPathElement, type KeyField, keyElement, type PathElement, valueElement } from "./field-path.ts";
import type { ListType } from "./structural-type.ts";

/** What tells the elements of one list apart: a scalar that alone is the key is its own, of any other key a text that no such scalar is. */
export type ItemKey = string | number | bigint | boolean;

/** The elements of an associative list, each with what names it. */
export interface KeyedList {
  /** One for each element of the list, up to one that has none. */
  readonly elements: readonly PathElement[];
  /** One for each of `elements`. */
  readonly keys: readonly ItemKey[];
  /** Where each key stands; {@link SEVERAL} where it stands more than once. */
  readonly positions: ReadonlyMap<ItemKey, number>;
  readonly hasDuplicates: boolean;
  /** Why the element behind the last of `elements` has none. */
  readonly fault: string | undefined;
}

/** The position of a key that several elements have: which of them is meant cannot be told. */
export const SEVERAL = -1;

/**
 * A list is looked at by several walks of one apply, and its keys cost more than all else of them. They are kept as long as the list is, which nobody changes in
 * place. A list has one type, so that asking for another merely costs a second look.
 */
const keyedLists = new WeakMap<JSONArray, { readonly type: ListType; readonly keyed: KeyedList }>();

/** @param type of an associative list. */
export function keyedList(list: JSONArray, type: ListType): KeyedList {
  const known = keyedLists.get(list);
  if (known?.type === type) return known.keyed;
  const keyed = keysOf(list, type);
  keyedLists.set(list, { type, keyed });
  return keyed;
}

/**
 * Notes down the keys of a list that was made of elements of others.
 *
 * @param elements one for each element of the list, and so `keys`: no key stands twice.
 */
export function noteKeys(list: JSONArray, type: ListType, elements: readonly PathElement[], keys: readonly ItemKey[]): void {
  keyedLists.set(list, { type, keyed: new DistinctKeys(elements, keys) });
}

/** Where each key stands is mostly not asked for. */
class DistinctKeys implements KeyedList {
  readonly elements: readonly PathElement[];
  readonly keys: readonly ItemKey[];
  readonly hasDuplicates = false;
  readonly fault = undefined;
  private known: ReadonlyMap<ItemKey, number> | undefined;

  constructor(elements: readonly PathElement[], keys: readonly ItemKey[]) {
    this.elements = elements;
    this.keys = keys;
  }

  get positions(): ReadonlyMap<ItemKey, number> {
    this.known ??= new Map(this.keys.map((key, index) => [key, index]));
    return this.known;
  }
}

function keysOf(list: JSONArray, type: ListType): KeyedList {
  const elements: PathElement[] = [];
  const keys: ItemKey[] = [];
  const positions = new Map<ItemKey, number>();
  let fault: string | undefined;
  for (const item of list) {
    const element = elementOrFault(type, item);
    if (typeof element === "string") {
      fault = element;
      break;
    }
    const key = itemKey(element, type);
    positions.set(key, positions.has(key) ? SEVERAL : keys.length);
    elements.push(element);
    keys.push(key);
  }
  return { elements, keys, positions, hasDuplicates: positions.size < keys.length, fault };
}

/** No key that is its own begins with it. */
const COMPOUND = "\0";

/** The {@link ItemKey} of a path element of a list; also of one that no element of the list can have, as of a list that had other keys once. */
export function itemKey(element: PathElement, type: ListType): ItemKey {
  const alone = scalarAlone(element, type);
  if (typeof alone === "string") return alone.startsWith(COMPOUND) ? COMPOUND + formatPathElement(element) : alone;
  if (typeof alone === "number" || typeof alone === "bigint" || typeof alone === "boolean") return alone;
  return COMPOUND + formatPathElement(element);
}

/** The value that is all of an element's key, in a list of this type. */
function scalarAlone(element: PathElement, { keys }: ListType): JSONValue | undefined {
  if (element.kind === "value") return keys.length === 0 ? element.value : undefined;
  if (element.kind !== "key" || keys.length !== 1 || element.fields.length !== 1) return undefined;
  const field = element.fields[0];
  return field?.name === keys[0] ? field?.value : undefined;
}

/** Whether a key is a text that alone is the key: nothing but the same text equals it. */
export function isPlainKey(key: ItemKey): boolean {
  return typeof key === "string" && !key.startsWith(COMPOUND);
}

/**
 * The path element of a list's element: its key fields (those it leaves out have their defaults, or are left out of the key too), or its value in a set; or why it
 * has none: not an object, no key at all, or in a set not a scalar.
 *
 * Source: structured-merge-diff listItemToPathElement.
 */
function elementOrFault(type: ListType, item: JSONValue): PathElement | string {
  if (type.keys.length === 0) {
    if (Array.isArray(item)) return "not supported: associative list with lists as elements";
    if (isJSONObject(item)) return "associative list without keys has an element that's a map type";
    return item === null ? "associative list without keys has an element that's an explicit null" : valueElement(item);
  }
  if (item === null) return "associative list with keys may not have a null element";
  if (!isJSONObject(item)) return "associative list with keys may not have non-map elements";
  const fields: KeyField[] = [];
  for (const name of type.keys) {
    const given = Object.hasOwn(item, name) ? item[name] : undefined;
    const value = given === undefined ? (type.element.map?.fields.get(name)?.default ?? undefined) : given;
    if (value !== undefined) fields.push({ name, value });
  }
  if (fields.length > 0) return keyElement(fields);
  const keys = type.keys.map((key) => JSON.stringify(key)).join(" ");
  return `associative list with keys has an element that omits all key fields [${keys}] (and doesn't have default values for any key fields)`;
}
