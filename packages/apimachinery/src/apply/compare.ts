import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import type { PathElement } from "./field-path.ts";
import type { FieldSet } from "./field-set.ts";
import { FieldSetBuilder } from "./field-set-builder.ts";
import type { ItemKey, KeyedList } from "./keyed-list.ts";
import type { ListType, MapType, StructuralType } from "./structural-type.ts";
import { fieldOf, formOf, isEmptyMap, keysOfList, kindOf } from "./typed.ts";
import { equalValues } from "./value.ts";

/** What a write changed. The three sets have no member in common, but for a field that became something else (an object where a text was). */
export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

/**
 * The fields in which two values of one type differ. A field that is added or removed takes with it all that is below it; atomic lists and objects count as
 * one field; the order of the elements of a `set` or `map` list does not count.
 *
 * @param left the value before, and `right` the one after: of a form that `checkForm` found no fault with.
 * @throws {SchemaMismatchError} at a field or an element that the type has no place for.
 * Source: structured-merge-diff TypedValue.Compare.
 */
export function compare(left: JSONValue, right: JSONValue, type: StructuralType): Comparison {
  const walk = new CompareWalk();
  walk.value(left, right, type);
  return { added: walk.added.build(), modified: walk.modified.build(), removed: walk.removed.build() };
}

/** A comparison without what is in `fields`, or below it. */
export function excludeFields(comparison: Comparison, fields: FieldSet): Comparison {
  return {
    added: comparison.added.recursiveDifference(fields),
    modified: comparison.modified.recursiveDifference(fields),
    removed: comparison.removed.recursiveDifference(fields),
  };
}

/** A side that is missing is `undefined`; null is a value. */
type Side = JSONValue | undefined;

class CompareWalk {
  readonly added = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();
  private readonly path: PathElement[] = [];

  /** At most one side is missing. */
  value(left: Side, right: Side, type: StructuralType): void {
    if (left === right) return;
    // Where the sides are of different kinds, each is looked at in its own form: what was below the one is gone, what is below the other is new.
    if (left === undefined || right === undefined) this.inForm(formOf(type, kindOf(left ?? right ?? null)), left, right, type);
    else {
      const leftForm = formOf(type, kindOf(left));
      const rightForm = formOf(type, kindOf(right));
      if (leftForm !== rightForm) this.inForm(leftForm, left, right, type);
      this.inForm(rightForm, left, right, type);
    }
    if (left === undefined) this.added.insert(this.path);
    else if (right === undefined) this.removed.insert(this.path);
  }

  private inForm(form: "scalar" | "list" | "map", left: Side, right: Side, type: StructuralType): void {
    if (form === "map" && type.map !== undefined) {
      const before = isJSONObject(left) ? left : undefined;
      const after = isJSONObject(right) ? right : undefined;
      if (type.map.isAtomic || (isEmptyMap(before ?? null) && isEmptyMap(after ?? null))) this.leaf(left, right);
      else this.fields(before, after, type.map);
    } else if (form === "list" && type.list !== undefined) {
      const before: JSONArray = Array.isArray(left) ? left : [];
      const after: JSONArray = Array.isArray(right) ? right : [];
      if (type.list.isAtomic || (before.length === 0 && after.length === 0)) this.leaf(left, right);
      else this.items(before, after, type.list);
    } else this.leaf(left, right);
  }

  /** What is added or removed as a whole, {@link value} records. */
  private leaf(left: Side, right: Side): void {
    if (left !== undefined && right !== undefined && !equalValues(left, right)) this.modified.insert(this.path);
  }

  private fields(before: JSONObject | undefined, after: JSONObject | undefined, type: MapType): void {
    let common = 0;
    for (const name in before) {
      const left = before[name];
      if (left === undefined) continue;
      // No value of JSON is what an object inherits: the same is its own.
      const isSame = after !== undefined && after[name] === left;
      const right = isSame || (after !== undefined && Object.hasOwn(after, name)) ? after[name] : undefined;
      if (right !== undefined) common++;
      if (!isSame) this.field(name, left, right, type);
    }
    if (countFields(after) > common) this.addedFields(before, after, type);
  }

  private addedFields(before: JSONObject | undefined, after: JSONObject | undefined, type: MapType): void {
    for (const name in after) {
      const right = after[name];
      const isKnown = before !== undefined && Object.hasOwn(before, name) && before[name] !== undefined;
      if (right !== undefined && !isKnown) this.field(name, undefined, right, type);
    }
  }

  private field(name: string, left: Side, right: Side, type: MapType): void {
    const field = fieldOf(type, name, this.path);
    this.path.push(field.element);
    this.value(left, right, field.type);
    this.path.pop();
  }

  private items(before: JSONArray, after: JSONArray, type: ListType): void {
    const left = keysOfList(before, type, this.path);
    const right = keysOfList(after, type, this.path);
    if (left.hasDuplicates || right.hasDuplicates) this.groups(before, left, after, right, type);
    else this.uniqueItems(before, left, after, right, type);
  }

  private uniqueItems(before: JSONArray, left: KeyedList, after: JSONArray, right: KeyedList, type: ListType): void {
    const rightAt = new Finder(right);
    for (let index = 0; index < before.length; index++) {
      const at = rightAt.find(left.keys[index] ?? "");
      this.item(left.elements[index], before[index], at === undefined ? undefined : after[at], type);
    }
    const leftAt = new Finder(left);
    for (let index = 0; index < after.length; index++) {
      if (leftAt.find(right.keys[index] ?? "") === undefined) this.item(right.elements[index], undefined, after[index], type);
    }
  }

  private item(element: PathElement | undefined, left: Side, right: Side, type: ListType): void {
    if (element === undefined || left === right) return;
    this.path.push(element);
    this.value(left, right, type.element);
    this.path.pop();
  }

  private groups(before: JSONArray, left: KeyedList, after: JSONArray, right: KeyedList, type: ListType): void {
    const groups = new Map<ItemKey, ItemGroup>();
    for (const [index, item] of before.entries()) groupOf(groups, left, index)?.before.push(item);
    for (const [index, item] of after.entries()) groupOf(groups, right, index)?.after.push(item);
    for (const group of groups.values()) {
      this.path.push(group.element);
      this.group(group, type.element);
      this.path.pop();
    }
  }

  /** Several elements of one key or value are one field, owned as a whole. */
  private group({ before, after }: ItemGroup, type: StructuralType): void {
    if (before.length <= 1 && after.length <= 1) this.value(before[0], after[0], type);
    else if (before.length >= 2 && after.length >= 2) {
      if (!equalValues(before, after)) this.modified.insert(this.path);
    } else if (before.length >= 2) {
      if (after.length !== 0) this.value(undefined, after[0], type);
      this.removed.insert(this.path);
    } else {
      if (before.length !== 0) this.value(before[0], undefined, type);
      this.added.insert(this.path);
    }
  }
}

/** Looks one key after the other up in a list: mostly the next one stands behind the one before. */
class Finder {
  private readonly list: KeyedList;
  private next = 0;

  constructor(list: KeyedList) {
    this.list = list;
  }

  find(key: ItemKey): number | undefined {
    const at = this.list.keys[this.next] === key ? this.next : this.list.positions.get(key);
    if (at !== undefined) this.next = at + 1;
    return at;
  }
}

function countFields(object: JSONObject | undefined): number {
  let count = 0;
  for (const name in object) if (object[name] !== undefined) count++;
  return count;
}

/** The elements of one key, or one value of a set. */
interface ItemGroup {
  readonly element: PathElement;
  readonly before: JSONValue[];
  readonly after: JSONValue[];
}

function groupOf(groups: Map<ItemKey, ItemGroup>, { keys, elements }: KeyedList, index: number): ItemGroup | undefined {
  const [key, element] = [keys[index], elements[index]];
  if (key === undefined || element === undefined) return undefined;
  let group = groups.get(key);
  if (group === undefined) {
    group = { element, before: [], after: [] };
    groups.set(key, group);
  }
  return group;
}
