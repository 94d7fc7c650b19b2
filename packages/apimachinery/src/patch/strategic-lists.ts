import { APIError, badRequest, isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import { getOwn, isJSONArray } from "./json-value.ts";
import { pruneNulls } from "./merge-patch.ts";

type MergeElements = (original: JSONObject, patch: JSONObject) => JSONObject;

/** What an element is found by: a scalar, or the scalar under the merge key. `1` and `"1"` are two. */
type Identity = string | number | bigint | boolean | null;

interface MergedLists {
  readonly merged: readonly JSONValue[];
  /** The order of the live list that `$setElementOrder` goes by. */
  readonly liveOrder: readonly JSONValue[];
}

/**
 * Merges two lists whose strategy is `merge`. The elements of the patch come in its order, those of the live list alone stay in theirs and
 * before what they stood before.
 *
 * @param mergeKey the member that tells objects apart; empty for lists of scalars.
 * @throws {APIError} `BadRequest` when elements differ in type, lack the merge key, or bear an unknown `$patch`; `Invalid` for lists of lists.
 * Source: mergeSlice of k8s.io/apimachinery strategicpatch.
 */
export function mergeLists(original: readonly JSONValue[], patch: readonly JSONValue[], mergeKey: string, mergeElements: MergeElements): MergedLists {
  if (original.length === 0 && patch.length === 0) return { merged: original, liveOrder: original };
  if (elementType(original, patch) !== "object") {
    const merged = [...new Set([...original, ...patch])];
    return { merged: arrange(merged, patch, original, ""), liveOrder: original };
  }
  if (mergeKey === "") throw badRequest("cannot merge lists without merge key");
  const { kept, changes, deletedCount, isReplaced } = applySpecialElements(original, patch, mergeKey);
  if (isReplaced) {
    for (const element of kept) identity(element, mergeKey);
    return { merged: kept, liveOrder: original };
  }
  const { merged, added } = mergeByKey(kept, changes, mergeKey, mergeElements);
  // In Go the live list is shortened where it lies, so that new elements fill the places of the deleted ones in what `$setElementOrder`
  // takes for the live order: an element that stands after a deleted one goes before the new one.
  const liveOrder = [...kept, ...added.slice(0, deletedCount)];
  return { merged: arrange(merged, changes, kept, mergeKey), liveOrder };
}

/** A list with a `$setElementOrder` beside it. */
export interface OrderedList {
  readonly original: readonly JSONValue[] | undefined;
  readonly patch: readonly JSONValue[] | undefined;
  /** Whether the field's strategy is `merge`; else the patch's list replaces. */
  readonly isMerged: boolean;
  readonly mergeKey: string;
  readonly mergeElements: MergeElements;
  readonly withoutDirectives: (value: JSONValue) => JSONValue | undefined;
}

/**
 * Merges a list and puts it in the order of `$setElementOrder`, then of the live list.
 *
 * @returns undefined where there is no list at all.
 * @throws {APIError} `BadRequest` as {@link mergeLists}, and when the patch has elements that the order lacks, or has them in another order.
 * Source: mergePatchIntoOriginal of k8s.io/apimachinery strategicpatch.
 */
export function orderLists(list: OrderedList, order: readonly JSONValue[]): readonly JSONValue[] | undefined {
  const { original, patch, mergeKey } = list;
  checkOrder(patch ?? [], order, mergeKey);
  if (original === undefined && patch === undefined) return undefined;
  const { merged, liveOrder } = mergeOrdered(list);
  if ((original ?? []).length + (patch ?? []).length === 0) return [];
  if (elementType(original ?? [], patch ?? []) === "object" && mergeKey === "") throw badRequest("cannot merge lists without merge key");
  return arrange(merged, order, liveOrder, mergeKey);
}

/** Source: deleteFromSlice of k8s.io/apimachinery strategicpatch. */
export function deleteScalars(list: readonly JSONValue[], scalars: readonly JSONValue[]): readonly JSONValue[] {
  if (list.length + scalars.length === 0) return list;
  if (elementType(list, scalars) === "object") throw badRequest("invalid patch format of primitive list");
  const deleted = new Set(scalars);
  return list.filter((element) => !deleted.has(element));
}

function mergeOrdered({ original, patch, isMerged, mergeKey, mergeElements, withoutDirectives }: OrderedList): MergedLists {
  if (patch === undefined) return { merged: original ?? [], liveOrder: original ?? [] };
  if (original === undefined) {
    const added = withoutDirectives(pruneNulls(patch));
    return { merged: isJSONArray(added) ? added : [], liveOrder: [] };
  }
  if (isMerged) return mergeLists(original, patch, mergeKey, mergeElements);
  const replaced = pruneNulls(patch);
  return { merged: isJSONArray(replaced) ? replaced : [], liveOrder: original };
}

function applySpecialElements(original: readonly JSONValue[], patch: readonly JSONValue[], mergeKey: string) {
  const changes: JSONValue[] = [];
  const deleted = new Set<Identity>();
  let isReplaced = false;
  for (const element of patch) {
    const directive = isJSONObject(element) ? getOwn(element, "$patch") : undefined;
    if (directive === undefined) changes.push(element);
    else if (directive === "delete") deleted.add(identity(element, mergeKey));
    else if (directive === "replace") isReplaced = true;
    else if (directive === "merge") throw badRequest("merging lists cannot yet be specified in the patch");
    else throw badRequest(`unknown patch type: ${typeof directive === "string" ? directive.slice(0, 64) : typeof directive}`);
  }
  if (isReplaced) return { kept: changes.map(pruneNulls), changes: [], deletedCount: 0, isReplaced };
  const kept = deleted.size === 0 ? original : original.filter((element) => !deleted.has(identityOrUndefined(element, mergeKey) ?? null));
  return { kept, changes, deletedCount: original.length - kept.length, isReplaced };
}

function mergeByKey(original: readonly JSONValue[], patch: readonly JSONValue[], mergeKey: string, mergeElements: MergeElements) {
  const merged = [...original];
  const positions = new Map<Identity, number>();
  for (const [index, element] of original.entries()) {
    const key = identityOrUndefined(element, mergeKey);
    if (key !== undefined && !positions.has(key)) positions.set(key, index);
  }
  for (const element of patch) {
    const key = identity(element, mergeKey);
    const position = positions.get(key);
    const current = position === undefined ? undefined : merged[position];
    if (position !== undefined && isJSONObject(current) && isJSONObject(element)) merged[position] = mergeElements(current, element);
    else positions.set(key, merged.push(pruneNulls(element)) - 1);
  }
  return { merged, added: merged.slice(original.length) };
}

/** Every element of the patch must be in the order, in this order; elements that are to be deleted are no matter. */
function checkOrder(patch: readonly JSONValue[], order: readonly JSONValue[], mergeKey: string): void {
  if (order.length === 0 || patch.length === 0) return;
  let next = 0;
  for (const element of patch) {
    if (mergeKey !== "" && isJSONObject(element) && getOwn(element, "$patch") !== undefined) continue;
    const wanted = identity(element, mergeKey);
    while (next < order.length && identity(order[next] ?? null, mergeKey) !== wanted) next++;
    if (next === order.length) throw badRequest("The order in patch list doesn't match $setElementOrder list");
    next++;
  }
}

/**
 * Sorts the elements that are in `first` by it, and the others by the live order; then weaves the others in, each before the first element that
 * the live list has behind it.
 *
 * Source: normalizeElementOrder, mergeSortedSlice.
 */
function arrange(merged: readonly JSONValue[], first: readonly JSONValue[], live: readonly JSONValue[], mergeKey: string): readonly JSONValue[] {
  const firstRanks = ranks(first, mergeKey);
  const liveRanks = ranks(live, mergeKey);
  const inFirst: (Ranked & { readonly rank: number })[] = [];
  const others: Ranked[] = [];
  for (const element of merged) {
    const key = identity(element, mergeKey);
    const rank = firstRanks.get(key);
    const liveRank = liveRanks.get(key);
    if (rank === undefined) others.push({ element, liveRank });
    else inFirst.push({ element, rank, liveRank });
  }
  inFirst.sort((left, right) => left.rank - right.rank);
  sortByLiveRank(others);
  const result: JSONValue[] = [];
  let index = 0;
  for (const { element, liveRank } of inFirst) {
    for (let other = others[index]; other !== undefined; other = others[index]) {
      if (other.liveRank === undefined || liveRank === undefined || other.liveRank >= liveRank) break;
      result.push(other.element);
      index++;
    }
    result.push(element);
  }
  for (const { element } of others.slice(index)) result.push(element);
  return result;
}

/**
 * Sorts by the live order. An element that it lacks (the order was empty, the element is new) counts as less than every other, and every other
 * as less than it: that is no order, so the result is that of Go's algorithm, an insertion sort, for as many elements as Go uses it for.
 */
function sortByLiveRank(elements: Ranked[]): void {
  if (elements.length > 20 || elements.every(({ liveRank }) => liveRank !== undefined)) {
    elements.sort((left, right) => (left.liveRank ?? Number.MAX_SAFE_INTEGER) - (right.liveRank ?? Number.MAX_SAFE_INTEGER));
    return;
  }
  const sorted: Ranked[] = [];
  for (const element of elements) {
    let index = sorted.length;
    for (; index > 0; index--) {
      const before = sorted[index - 1]?.liveRank;
      if (element.liveRank !== undefined && before !== undefined && element.liveRank >= before) break;
    }
    sorted.splice(index, 0, element);
  }
  elements.splice(0, elements.length, ...sorted);
}

interface Ranked {
  readonly element: JSONValue;
  /** Undefined for what the live list does not have. */
  readonly liveRank: number | undefined;
}

function ranks(list: readonly JSONValue[], mergeKey: string): ReadonlyMap<Identity, number> {
  const result = new Map<Identity, number>();
  for (const [index, element] of list.entries()) {
    const key = identity(element, mergeKey);
    if (!result.has(key)) result.set(key, index);
  }
  return result;
}

/** @throws {APIError} `BadRequest` without a scalar merge key, as Go's `map … does not contain declared merge key`, less the map. */
function identity(element: JSONValue, mergeKey: string): Identity {
  const key = identityOrUndefined(element, mergeKey);
  if (key !== undefined) return key;
  if (mergeKey === "") throw badRequest("lists of lists and objects cannot be compared by value");
  throw badRequest(`an element of a list does not contain declared merge key: ${mergeKey}`);
}

function identityOrUndefined(element: JSONValue, mergeKey: string): Identity | undefined {
  const key = mergeKey === "" ? element : isJSONObject(element) ? getOwn(element, mergeKey) : undefined;
  return key === undefined || isJSONObject(key) || isJSONArray(key) ? undefined : key;
}

/** The one type that all elements of both lists have. Source: sliceElementType. */
function elementType(...lists: readonly (readonly JSONValue[])[]): string {
  let type: string | undefined;
  for (const list of lists) {
    for (const element of list) {
      if (isJSONArray(element)) {
        const cause = new Error("lists of lists are not supported");
        throw new APIError("Invalid", "the server rejected our request due to an error in our request", { details: {}, cause });
      }
      const current = element === null ? "null" : typeof element === "bigint" ? "number" : typeof element;
      if (current === "null" || (type !== undefined && type !== current)) throw badRequest("list element types are not identical");
      type = current;
    }
  }
  return type ?? "null";
}
