import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import type { PathElement } from "./field-path.ts";
import { type ItemKey, type KeyedList, noteKeys, SEVERAL } from "./keyed-list.ts";
import type { ListType, MapType, StructuralType } from "./structural-type.ts";
import { fieldTypeOf, formOf, isEmptyMap, keysOfList, kindOf } from "./typed.ts";
import { equalValues } from "./value.ts";

/**
 * What an applied configuration makes of the present value: everything that it says, and of the rest what was there. Nothing goes away by it.
 *
 * A list or map that is applied as null or empty leaves what is in the present one; atomic ones are replaced as a whole. The elements of an associative list stand
 * in the order of the configuration, those that it does not name where they stood between their neighbours. Parts that do not change are those of `live` itself.
 *
 * @param live the present value, and `applied` the configuration: both of a form that `checkForm` found no fault with, and `applied` without duplicates.
 * @throws {SchemaMismatchError} at a field or an element that the type has no place for.
 * Source: structured-merge-diff TypedValue.Merge.
 */
export function merge(live: JSONValue, applied: JSONValue, type: StructuralType): JSONValue {
  if (live === applied) return live;
  const form = formOf(type, kindOf(applied));
  if (form === "map" && type.map !== undefined && !type.map.isAtomic) {
    const hasLive = isJSONObject(live) && !isEmptyMap(live);
    if (!isJSONObject(applied) || isEmptyMap(applied)) return hasLive ? live : applied;
    return hasLive ? mergeFields(live, applied, type.map) : applied;
  }
  if (form === "list" && type.list !== undefined && !type.list.isAtomic) {
    const hasLive = Array.isArray(live) && live.length > 0;
    if (!Array.isArray(applied) || applied.length === 0) return hasLive ? live : applied;
    return hasLive ? new ListMerge(live, applied, type.list).run() : applied;
  }
  return equalValues(live, applied) ? live : applied;
}

function mergeFields(live: JSONObject, applied: JSONObject, type: MapType): JSONObject {
  let merged: Record<string, JSONValue | undefined> | undefined;
  for (const name in applied) {
    const wanted = applied[name];
    // No value of JSON is what an object inherits: the same is its own.
    if (wanted === undefined || live[name] === wanted) continue;
    const present = Object.hasOwn(live, name) ? live[name] : undefined;
    const value = present === undefined ? wanted : merge(present, wanted, fieldTypeOf(type, name));
    if (value === present) continue;
    merged ??= { ...live };
    setField(merged, name, value);
  }
  return merged ?? live;
}

/** Also `__proto__` is a name like any other. */
export function setField(object: Record<string, JSONValue | undefined>, name: string, value: JSONValue): void {
  if (name === "__proto__") Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true });
  else object[name] = value;
}

const NO_PATH: PathElement[] = [];

/** Joins two associative lists, neither of them empty, walking both in their order. */
class ListMerge {
  private readonly live: JSONArray;
  private readonly applied: JSONArray;
  private readonly type: ListType;
  private readonly left: KeyedList;
  private readonly right: KeyedList;
  /** The place in the configuration of the next key that both have; see {@link awaitedAfter}. */
  private awaited = 0;
  private readonly out: JSONValue[] = [];
  private readonly outKeys: ItemKey[] = [];
  private readonly outElements: PathElement[] = [];

  constructor(live: JSONArray, applied: JSONArray, type: ListType) {
    this.live = live;
    this.applied = applied;
    this.type = type;
    this.left = keysOfList(live, type, NO_PATH);
    this.right = keysOfList(applied, type, NO_PATH);
  }

  run(): JSONArray {
    let l = 0;
    let r = 0;
    while (l < this.live.length || r < this.applied.length) {
      const leftKey = this.left.keys[l];
      const rightKey = this.right.keys[r];
      const place = leftKey === undefined || leftKey === rightKey ? r : this.right.positions.get(leftKey);
      if (leftKey !== undefined && leftKey === rightKey) this.take(leftKey, r++, l++);
      else if (leftKey !== undefined && place === undefined) this.put(leftKey, this.left.elements[l], this.live[l++] ?? null);
      // It is among the applied ones, and has its place there.
      else if (leftKey !== undefined && rightKey !== undefined && this.isAwaitedInsteadOf(leftKey, r)) l++;
      else {
        if (leftKey !== undefined && place !== undefined && place < r) l++; // It was taken.
        if (rightKey !== undefined) this.take(rightKey, r++, this.left.positions.get(rightKey));
      }
    }
    return this.result();
  }

  /** Whether a key that both have is still to come of the configuration, and is another one. */
  private isAwaitedInsteadOf(leftKey: ItemKey, r: number): boolean {
    const { keys } = this.right;
    this.awaited = Math.max(this.awaited, r);
    for (; this.awaited < keys.length; this.awaited++) {
      const key = keys[this.awaited];
      if (key !== undefined && this.left.positions.has(key)) return key !== leftKey;
    }
    return false;
  }

  /** @param l where the present element stands, if there is one. */
  private take(key: ItemKey, r: number, l: number | undefined): void {
    const wanted = this.applied[r] ?? null;
    const element = this.right.elements[r];
    if (l === undefined) this.put(key, element, wanted);
    else {
      // Of a key that stands twice there is no telling which is meant.
      const isOne = !this.left.hasDuplicates || this.left.positions.get(key) !== SEVERAL;
      this.put(key, element, merge(isOne ? (this.live[l] ?? null) : null, wanted, this.type.element));
    }
  }

  private put(key: ItemKey, element: PathElement | undefined, item: JSONValue): void {
    this.out.push(item);
    this.outKeys.push(key);
    if (element !== undefined) this.outElements.push(element);
  }

  private result(): JSONArray {
    const { live, out, left } = this;
    if (out.length === live.length && out.every((item, at) => item === live[at])) return live;
    if (!left.hasDuplicates) noteKeys(out, this.type, this.outElements, this.outKeys);
    return out;
  }
}
