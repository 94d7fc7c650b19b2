import { isJSONObject } from "../meta/index.ts";
import type { Node } from "./compile.ts";
import type { Faults } from "./faults.ts";
import { canonicalJSON } from "./go-format.ts";

/**
 * Names the elements that occur twice in lists of type `set`, and the keys that do in lists of type `map`: each at its second occurrence, and only there.
 *
 * @param path below the validated value, `""` for it itself. Keys of free maps stand in brackets: `spec.byName[a].list[1]`.
 * Source: apiextensions-apiserver pkg/apiserver/schema/listtype.
 */
export function explainUniqueLists(node: Node, value: unknown, path: string, faults: Faults): void {
  if (!node.hasUniqueLists || faults.isFull) return;
  if (Array.isArray(value)) {
    if (node.listType === "set") explainDuplicates(value, (element) => element, path, faults);
    else if (node.listType === "map") explainListMap(node, value, path, faults);
    const { items } = node;
    if (items?.hasUniqueLists === true) {
      for (const [index, element] of value.entries()) explainUniqueLists(items, element, `${path}[${index}]`, faults);
    }
  } else if (isJSONObject(value)) {
    for (const name in value) {
      const property = node.properties.get(name);
      if (property !== undefined) explainUniqueLists(property, value[name], path === "" ? name : `${path}.${name}`, faults);
      else if (typeof node.additional === "object") explainUniqueLists(node.additional, value[name], `${path}[${name}]`, faults);
    }
  }
}

/** @param identify what of an element must occur once; it is also what the sentence prints. */
function explainDuplicates(list: readonly unknown[], identify: (element: unknown) => unknown, path: string, faults: Faults): void {
  if (list.length <= 1) return;
  const scalars = new Map<unknown, number>();
  const compounds = new Map<string, number>();
  for (let index = 0; index < list.length && !faults.isFull; index++) {
    const identity = identify(list[index]);
    const times = typeof identity === "object" && identity !== null ? count(compounds, canonicalJSON(identity)) : count(scalars, identity);
    if (times === 2) faults.add("FieldValueDuplicate", `${path}[${index}]`, identity, "");
  }
}

function count<K>(seen: Map<K, number>, key: K): number {
  const times = (seen.get(key) ?? 0) + 1;
  seen.set(key, times);
  return times;
}

function explainListMap({ listMapKeys }: Node, list: readonly unknown[], path: string, faults: Faults): void {
  const stranger = list.findIndex((element) => element !== null && !isJSONObject(element));
  if (stranger >= 0) {
    faults.add("FieldValueInvalid", `${path}[${stranger}]`, list[stranger], "must be an object for an array of list-type map");
    return;
  }
  const [key] = listMapKeys;
  if (key !== undefined && listMapKeys.length === 1 && areDistinctStrings(list, key)) return;
  // A key that is missing is told apart from one that is null: it has no entry. `entries` is safe for a key named __proto__.
  const identify = (element: unknown) =>
    isJSONObject(element) ? Object.fromEntries(listMapKeys.filter((name) => Object.hasOwn(element, name)).map((name) => [name, element[name]])) : {};
  explainDuplicates(list, identify, path, faults);
}

/** The usual list, at a fraction of the cost: each element has a text of its own under its one key. */
function areDistinctStrings(list: readonly unknown[], key: string): boolean {
  const seen = new Set<string>();
  for (const element of list) {
    const value = isJSONObject(element) && Object.hasOwn(element, key) ? element[key] : undefined;
    if (typeof value !== "string") return false;
    seen.add(value);
  }
  return seen.size === list.length;
}
