import { isJSONObject, jsonEquals } from "../meta/index.ts";
import type { Node } from "./compile.ts";

/**
 * A value of an update together with the value that stood at its place before: in objects under the same name, in lists of type map under the same keys. Elements of
 * other lists have no former value. Answers are remembered, so that all the questions about one object cost time linear in its size. Internal to schema/.
 *
 * Source: k8s.io/apiserver pkg/cel/common, CorrelatedObject and MakeMapList.
 */
export class Correlation {
  readonly #node: Node;
  readonly #value: unknown;
  readonly #old: unknown;
  readonly #children = new Map<string | number, Correlation>();
  #oldElements: ReadonlyMap<unknown, unknown> | undefined;
  #isUnchanged: boolean | undefined;

  /** @param node the schema of both. */
  constructor(node: Node, value: unknown, old: unknown) {
    this.#node = node;
    this.#value = value;
    this.#old = old;
  }

  /** The property of a name; undefined where one side has none, or the schema does not say what it is. */
  key(name: string): Correlation | undefined {
    const known = this.#children.get(name);
    if (known !== undefined) return known;
    const [value, old] = [this.#value, this.#old];
    if (!isJSONObject(value) || !isJSONObject(old)) return undefined;
    const [field, oldField] = [ownField(value, name), ownField(old, name)];
    const { properties, additional } = this.#node;
    const node = properties.get(name) ?? (typeof additional === "object" ? additional : undefined);
    if (field === undefined || oldField === undefined || node === undefined) return undefined;
    return this.#child(name, new Correlation(node, field, oldField));
  }

  /** The element at an index; undefined where none had its keys before, or nothing tells elements apart. */
  index(index: number): Correlation | undefined {
    const known = this.#children.get(index);
    if (known !== undefined) return known;
    const { items } = this.#node;
    if (items === undefined || !Array.isArray(this.#value)) return undefined;
    const old = this.#oldElement(this.#value[index]);
    return old === undefined || old === null ? undefined : this.#child(index, new Correlation(items, this.#value[index], old));
  }

  /**
   * Whether the value is as it was. Objects with fields that the schema does not know never are; lists of type map are, in whatever order their elements stand.
   */
  get isUnchanged(): boolean {
    this.#isUnchanged ??= this.#compare();
    return this.#isUnchanged;
  }

  #compare(): boolean {
    const [value, old] = [this.#value, this.#old];
    if (Array.isArray(value)) {
      if (!Array.isArray(old) || value.length !== old.length) return false;
      if (this.#node.listType !== "map") return jsonEquals(value, old);
      return value.every((_, index) => this.index(index)?.isUnchanged === true);
    }
    if (!isJSONObject(value)) return jsonEquals(value, old);
    if (!isJSONObject(old) || countFields(value) !== countFields(old)) return false;
    for (const name in value) if (value[name] !== undefined && this.key(name)?.isUnchanged !== true) return false;
    return true;
  }

  #child(place: string | number, child: Correlation): Correlation {
    this.#children.set(place, child);
    return child;
  }

  #oldElement(element: unknown): unknown {
    if (this.#node.listType !== "map" || !Array.isArray(this.#old)) return undefined;
    const key = keyOf(element, this.#node.listMapKeys);
    if (key === undefined) return undefined;
    this.#oldElements ??= byKey(this.#old, this.#node.listMapKeys);
    return this.#oldElements.get(key);
  }
}

function ownField(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

function countFields(object: Readonly<Record<string, unknown>>): number {
  let count = 0;
  for (const name in object) if (object[name] !== undefined) count++;
  return count;
}

/**
 * The elements of a list of type map by their keys: of several with the same keys the first.
 *
 * @param keys `x-kubernetes-list-map-keys`.
 */
export function byKey(list: readonly unknown[], keys: readonly string[]): ReadonlyMap<unknown, unknown> {
  const elements = new Map<unknown, unknown>();
  for (const element of list) {
    const key = keyOf(element, keys);
    if (key !== undefined && !elements.has(key)) elements.set(key, element);
  }
  return elements;
}

/** What tells an element from others; undefined where a key is missing or no scalar. */
export function keyOf(element: unknown, keys: readonly string[]): unknown {
  if (!isJSONObject(element) || keys.length === 0) return undefined;
  const values = keys.map((key) => ownField(element, key));
  if (values.some((value) => value === undefined || value === null || typeof value === "object")) return undefined;
  if (values.length === 1) return values[0];
  return values.map((value) => (typeof value === "string" ? JSON.stringify(value) : String(value))).join();
}
