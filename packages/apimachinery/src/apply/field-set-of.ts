import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import { formatPathElement, type PathElement } from "./field-path.ts";
import { type FieldSet, FieldSetBuilder } from "./field-set.ts";
import type { ListType, MapType, StructuralType } from "./structural-type.ts";
import { fieldOf, formOf, itemElement, kindOf } from "./typed.ts";

/**
 * Every field that a value sets: what a manager who applies it comes to own. Named objects and lists are not members themselves, only what is in them;
 * entries of maps, elements of lists, and empty or null objects are.
 *
 * @param value of a form that `checkForm` found no fault with.
 * @throws {SchemaMismatchError} at a field or an element that the type has no place for.
 * Source: structured-merge-diff TypedValue.ToFieldSet.
 */
export function fieldSetOf(value: JSONValue, type: StructuralType): FieldSet {
  const builder = new FieldSetBuilder();
  addValue(value, type, [], builder);
  return builder.build();
}

function addValue(value: JSONValue, type: StructuralType, path: PathElement[], builder: FieldSetBuilder): void {
  const form = formOf(type, kindOf(value));
  if (form === "map" && type.map !== undefined) {
    if (type.map.isAtomic) builder.insert(path);
    else if (isJSONObject(value)) addFields(value, type.map, path, builder);
  } else if (form === "list" && type.list !== undefined) {
    if (type.list.isAtomic) builder.insert(path);
    else if (Array.isArray(value)) addItems(value, type.list, path, builder);
  } else builder.insert(path);
}

function addFields(value: JSONObject, type: MapType, path: PathElement[], builder: FieldSetBuilder): void {
  for (const name in value) {
    const child = value[name];
    if (child === undefined) continue;
    const field = fieldOf(type, name, path);
    path.push(field.element);
    addValue(child, field.type, path, builder);
    if (!field.isNamed || isEmptyMap(child)) builder.insert(path);
    path.pop();
  }
}

function isEmptyMap(value: JSONValue): boolean {
  if (value === null) return true;
  if (!isJSONObject(value)) return false;
  for (const name in value) if (value[name] !== undefined) return false;
  return true;
}

function addItems(items: JSONArray, type: ListType, path: PathElement[], builder: FieldSetBuilder): void {
  // Elements of one key are owned as a whole: which of them a field below belonged to could not be told.
  const counts = new Map<string, number>();
  const elements = items.map((item, index) => {
    const element = itemElement(type, item, index, path);
    const text = formatPathElement(element);
    counts.set(text, (counts.get(text) ?? 0) + 1);
    return { item, element, text };
  });
  for (const { item, element, text } of elements) {
    path.push(element);
    if (counts.get(text) === 1) addValue(item, type.element, path, builder);
    builder.insert(path);
    path.pop();
  }
}
