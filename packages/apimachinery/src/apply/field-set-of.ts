import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import type { PathElement } from "./field-path.ts";
import { type FieldNode, FieldSet } from "./field-set.ts";
import { SEVERAL } from "./keyed-list.ts";
import type { ListType, MapType, StructuralType } from "./structural-type.ts";
import { fieldOf, formOf, isEmptyMap, keysOfList, kindOf } from "./typed.ts";

/**
 * Every field that a value sets: what a manager who applies it comes to own. Named objects and lists are not members themselves, only what is in them;
 * entries of maps, elements of lists, and empty or null objects are.
 *
 * @param value of a form that `checkForm` found no fault with.
 * @throws {SchemaMismatchError} at a field or an element that the type has no place for.
 * Source: structured-merge-diff TypedValue.ToFieldSet.
 */
export function fieldSetOf(value: JSONValue, type: StructuralType): FieldSet {
  return setBelow(value, type, [], FieldSet.empty);
}

/**
 * The fields within a value.
 *
 * @param hint a set that it may well be: that of the element before it in a list. Elements of one form then share one set.
 */
function setBelow(value: JSONValue, type: StructuralType, path: PathElement[], hint: FieldSet): FieldSet {
  const form = formOf(type, kindOf(value));
  if (form === "map" && type.map !== undefined && !type.map.isAtomic && isJSONObject(value)) {
    return hasLeaves(value, type.map, hint) ? hint : setOfFields(value, type.map, path);
  }
  if (form === "list" && type.list !== undefined && !type.list.isAtomic && Array.isArray(value)) return setOfItems(value, type.list, path);
  return FieldSet.empty;
}

/** Whether a value is a field by itself, with nothing below it. */
function isLeaf(value: JSONValue, type: StructuralType): boolean {
  const form = formOf(type, kindOf(value));
  if (form === "map" && type.map !== undefined) return type.map.isAtomic;
  return form !== "list" || type.list === undefined || type.list.isAtomic;
}

/** Whether a set holds the fields of an object, all of them named scalars, and nothing else. */
function hasLeaves(value: JSONObject, type: MapType, { nodes }: FieldSet): boolean {
  if (nodes.length === 0) return false;
  let index = 0;
  for (const name in value) {
    const child = value[name];
    if (child === undefined) continue;
    const node = nodes[index++];
    if (node === undefined || typeof child === "object" || !node.isMember || !node.children.isEmpty) return false;
    if (node.element !== type.fields.get(name)?.element) return false;
  }
  return index === nodes.length;
}

function setOfFields(value: JSONObject, type: MapType, path: PathElement[]): FieldSet {
  const nodes: FieldNode[] = [];
  for (const name in value) {
    const child = value[name];
    if (child === undefined) continue;
    const field = fieldOf(type, name, path);
    path.push(field.element);
    const children = typeof child === "object" ? setBelow(child, field.type, path, FieldSet.empty) : FieldSet.empty;
    path.pop();
    const isMember = !field.isNamed || isLeaf(child, field.type) || isEmptyMap(child);
    if (isMember || !children.isEmpty) nodes.push({ element: field.element, isMember, children });
  }
  return FieldSet.fromNodes(nodes);
}

function setOfItems(items: JSONArray, type: ListType, path: PathElement[]): FieldSet {
  const { elements, keys, positions, hasDuplicates } = keysOfList(items, type, path);
  const nodes: FieldNode[] = [];
  let children = FieldSet.empty;
  for (const [index, element] of elements.entries()) {
    // Elements of one key are owned as a whole: which of them a field below belonged to could not be told.
    const isOne = !hasDuplicates || positions.get(keys[index] ?? "") !== SEVERAL;
    path.push(element);
    children = isOne ? setBelow(items[index] ?? null, type.element, path, children) : FieldSet.empty;
    path.pop();
    nodes.push({ element, isMember: true, children });
  }
  return FieldSet.fromNodes(nodes);
}
