import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import { fieldElement, type PathElement } from "./field-path.ts";
import type { FieldNode, FieldSet } from "./field-set.ts";
import { type ItemKey, isPlainKey, itemKey, noteKeys } from "./keyed-list.ts";
import { setField } from "./merge.ts";
import type { ListType, MapType, StructuralType } from "./structural-type.ts";
import { fieldTypeOf, formOf, keysOfList, kindOf } from "./typed.ts";

/**
 * A value without the fields and elements that are members of a set, and all that is below them.
 *
 * What loses all it holds is null, and so is an atomic list or object of which anything is to go. Parts that do not change are those of `value` itself.
 *
 * @param value of a form that `checkForm` found no fault with.
 * @param keepsKeys whether an element of a list that stays keeps its key fields where it would otherwise lose all that tells it from others. Go fails upon such
 *   an element later. Default false.
 * Source: structured-merge-diff TypedValue.RemoveItems.
 */
export function removeItems(value: JSONValue, items: FieldSet, type: StructuralType, keepsKeys = false): JSONValue {
  switch (formOf(type, kindOf(value))) {
    case "map":
      return isJSONObject(value) && type.map !== undefined ? removeFields(value, items, type.map, keepsKeys) : null;
    case "list":
      return Array.isArray(value) && type.list !== undefined ? removeElements(value, items, type.list, keepsKeys) : null;
    case "scalar":
      return value;
  }
}

function removeFields(value: JSONObject, items: FieldSet, type: MapType, keepsKeys: boolean): JSONValue {
  if (type.isAtomic) return null;
  const kept: Record<string, JSONValue | undefined> = {};
  let isSame = true;
  let isEmpty = true;
  for (const name in value) {
    const field = value[name];
    if (field === undefined) continue;
    const node = items.node(type.fields.get(name)?.element ?? fieldElement(name));
    if (node?.isMember === true) {
      isSame = false;
      continue;
    }
    const left = node === undefined ? field : removeItems(field, node.children, fieldTypeOf(type, name), keepsKeys);
    if (left !== field) isSame = false;
    isEmpty = false;
    setField(kept, name, left);
  }
  if (isEmpty) return null;
  return isSame ? value : kept;
}

function removeElements(value: JSONArray, items: FieldSet, type: ListType, keepsKeys: boolean): JSONValue {
  if (type.isAtomic) return null;
  const kept: JSONValue[] = [];
  let isSame = true;
  const nodes = nodesOfItems(value, items, type);
  for (const [index, item] of value.entries()) {
    const node = nodes.get(index);
    if (node?.isMember === true) {
      isSame = false;
      continue;
    }
    let left = node === undefined ? item : removeItems(item, node.children, type.element, keepsKeys);
    if (keepsKeys && left !== item) left = withKeys(left, item, type);
    if (left !== item) isSame = false;
    kept.push(left);
  }
  if (kept.length === 0) return null;
  if (isSame) return value;
  noteKeysOfKept(value, kept, type);
  return kept;
}

/** What stays as it was keeps its key, which need not be made anew. */
function noteKeysOfKept(value: JSONArray, kept: JSONArray, type: ListType): void {
  const { elements, keys, hasDuplicates } = keysOfList(value, type, []);
  if (hasDuplicates) return;
  const [keptElements, keptKeys]: [PathElement[], ItemKey[]] = [[], []];
  for (let index = 0; index < value.length && keptKeys.length < kept.length; index++) {
    const [element, key] = [elements[index], keys[index]];
    if (value[index] !== kept[keptKeys.length] || element === undefined || key === undefined) continue;
    keptElements.push(element);
    keptKeys.push(key);
  }
  if (keptKeys.length === kept.length) noteKeys(kept, type, keptElements, keptKeys);
}

/** The nodes of a set by the places of the elements that they are of, in an associative list. @throws {SchemaMismatchError} if an element has no key. */
export function nodesOfItems(list: JSONArray, items: FieldSet, type: ListType): ReadonlyMap<number, FieldNode> {
  const keyed = keysOfList(list, type, []);
  const nodes = new Map<number, FieldNode>();
  // A text has its one place. Numbers can be equal and yet two keys: each element is looked for then.
  const keys = keyed.hasDuplicates ? [] : items.nodes.map(({ element }) => itemKey(element, type));
  if (keys.length > 0 && keys.every(isPlainKey)) {
    for (const [at, node] of items.nodes.entries()) {
      const index = keyed.positions.get(keys[at] ?? "");
      if (index !== undefined) nodes.set(index, node);
    }
    return nodes;
  }
  for (const [index, element] of keyed.elements.entries()) {
    const node = items.node(element);
    if (node !== undefined) nodes.set(index, node);
  }
  return nodes;
}

/** An element with its key fields, unless it can be told from others by what it has left. */
function withKeys(left: JSONValue, item: JSONValue, { keys, element }: ListType): JSONValue {
  if (!isJSONObject(item)) return left;
  const fields = isJSONObject(left) ? left : {};
  const isNamed = keys.some((key) => fields[key] !== undefined || element.map?.fields.get(key)?.default !== undefined);
  if (isNamed && isJSONObject(left)) return left;
  return { ...Object.fromEntries(keys.filter((key) => item[key] !== undefined).map((key) => [key, item[key]])), ...fields };
}

/**
 * Of a value only the fields and elements that are members of a set, or on the way to one.
 *
 * An element of a list that is a member and has no members below it comes as a whole. A field that is a member comes as a whole where it is a scalar, atomic or
 * empty; of any other nothing comes but what the set names by its own (as in Go, relative to where the field stands).
 *
 * @param value of a form that `checkForm` found no fault with.
 * Source: structured-merge-diff TypedValue.ExtractItems.
 */
export function extractItems(value: JSONValue, items: FieldSet, type: StructuralType): JSONValue {
  switch (formOf(type, kindOf(value))) {
    case "map":
      return isJSONObject(value) && type.map !== undefined ? extractFields(value, items, type.map) : null;
    case "list":
      return Array.isArray(value) && type.list !== undefined ? extractElements(value, items, type.list) : null;
    case "scalar":
      return value;
  }
}

function extractFields(value: JSONObject, items: FieldSet, type: MapType): JSONValue {
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  if (type.isAtomic || names.length === 0) return value;
  const found: Record<string, JSONValue | undefined> = {};
  let isEmpty = true;
  for (const name of names) {
    const node = items.node(fieldElement(name));
    if (node === undefined) continue;
    isEmpty = false;
    setField(found, name, extractItems(value[name] ?? null, node.isMember ? items : node.children, fieldTypeOf(type, name)));
  }
  return isEmpty ? null : found;
}

function extractElements(value: JSONArray, items: FieldSet, type: ListType): JSONValue {
  if (type.isAtomic || value.length === 0) return value;
  const found: JSONValue[] = [];
  const nodes = nodesOfItems(value, items, type);
  for (const [index, item] of value.entries()) {
    const node = nodes.get(index);
    if (node !== undefined) found.push(node.children.isEmpty ? item : extractItems(item, node.children, type.element));
  }
  return found.length === 0 ? null : found;
}
