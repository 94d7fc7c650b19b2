import { isJSONObject, type JSONArray, type JSONValue } from "../../meta/index.ts";
import type { Schema } from "../../schema/index.ts";
import { ownEquals } from "../value/equality.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { CelList } from "../value/list.ts";
import { CelMap, EntryMap } from "../value/map.ts";
import { CelDouble } from "../value/number.ts";
import { showValue } from "../value/show.ts";
import { CelTimestamp } from "../value/time.ts";
import type { CelValue } from "../value/value.ts";
import { ELEMENT_STEPS, NEW_ELEMENT_STEPS, work } from "../value/work.ts";
import { escapeFieldName } from "./escape.ts";
import { jsonValue } from "./json-value.ts";

/** An element of a list: JSON that is not adapted yet, or a value that an expression added. */
type Element = { readonly json: JSONValue } | { readonly value: CelValue };

type Adapt = (value: JSONValue) => CelValue;

/** A list of JSON, of the type that its schema tells. Source: k8s.io/apiserver/pkg/cel/common/valuesunstructured.go. */
export function schemaList(elements: JSONArray, adapt: Adapt, schema: Omit<Schema, "items">): CelValue {
  const type = schema["x-kubernetes-list-type"];
  switch (type) {
    case undefined:
    case "atomic":
      return new SchemaList(elements, [], adapt);
    case "set":
      return new SetList(elements, [], adapt);
    case "map":
      return new MapList(
        elements,
        [],
        adapt,
        (schema["x-kubernetes-list-map-keys"] ?? []).map((key) => escapeFieldName(key) ?? key),
      );
    default:
      return new CelError(`invalid x-kubernetes-list-type, expected 'map', 'set' or 'atomic' but got ${type satisfies never}`);
  }
}

export class SchemaList extends CelList {
  protected readonly json: JSONArray;
  /** What expressions added behind it. */
  protected readonly added: readonly CelValue[];
  protected readonly adapt: Adapt;

  constructor(json: JSONArray, added: readonly CelValue[], adapt: Adapt) {
    super();
    this.json = json;
    this.added = added;
    this.adapt = adapt;
  }

  get size(): number {
    return this.json.length + this.added.length;
  }

  at(index: number): CelValue {
    return index < this.json.length ? this.adapt(this.json[index] ?? null) : (this.added[index - this.json.length] ?? null);
  }

  override get goType(): string {
    return "*common.unstructuredList";
  }

  override get(index: CelValue): CelValue {
    if (typeof index !== "number" && typeof index !== "bigint") return new CelError(`unsupported index: ${showValue(index)}`);
    return this.has(index) ? this.at(Number(index)) : new CelError(`index out of bounds: ${index}`);
  }

  override native(): CelList {
    return this.added.length === 0 ? (jsonValue(this.json) as CelList) : this; // an array becomes a list
  }

  override add(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    work((this.added.length + other.size) * NEW_ELEMENT_STEPS);
    return new SchemaList(this.json, [...this.added, ...other.elements()], this.adapt);
  }

  override contains(element: CelValue): CelValue {
    let fault: CelError | undefined;
    for (let index = 0; index < this.size; index++) {
      work(ELEMENT_STEPS);
      const result = ownEquals(this.at(index), element);
      if (result === true) return true;
      if (result instanceof CelError) fault ??= result;
    }
    return fault ?? false;
  }

  override equals(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    if (this.size !== other.size) return false;
    for (let index = 0; index < this.size; index++) {
      work(ELEMENT_STEPS);
      const result = ownEquals(this.at(index), other.at(index));
      if (result !== true) return result;
    }
    return true;
  }
}

/** A list whose order means nothing. */
class SetList extends SchemaList {
  override equals(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    if (this.size !== other.size) return false;
    work(2 * this.size * NEW_ELEMENT_STEPS);
    const members = new Set(this.elements().map(scalarKey));
    // What does not fit its type is not even equal to itself.
    return other.elements().every((element) => !(element instanceof CelError) && members.has(scalarKey(element)));
  }

  /** The elements that are not in it yet are appended. */
  override add(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    work((this.size + other.size) * NEW_ELEMENT_STEPS);
    const members = new Set(this.elements().map(scalarKey));
    const added = [...this.added];
    for (const element of other.elements()) {
      const key = scalarKey(element);
      if (members.has(key)) continue;
      members.add(key);
      added.push(element);
    }
    return new SetList(this.json, added, this.adapt);
  }
}

/** One key for what Go's maps take to be the same. */
function scalarKey(value: CelValue): unknown {
  if (value instanceof CelDouble) return value.value;
  return value instanceof CelTimestamp ? value.toString() : value;
}

/** The steps of finding the key of an element. */
const KEYED_STEPS = 1000;

/**
 * A list of objects that are told apart by some of their fields, and whose order means nothing. Kubernetes looks for these fields by their escaped
 * names in plain data, and so takes a key such as `proto-col` to be missing everywhere.
 */
class MapList extends SchemaList {
  readonly #keys: readonly string[];

  constructor(json: JSONArray, added: readonly CelValue[], adapt: Adapt, keys: readonly string[]) {
    super(json, added, adapt);
    this.#keys = keys;
  }

  override equals(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    if (this.size !== other.size) return false;
    work(2 * this.size * KEYED_STEPS);
    const byKey = new Map(this.#entries().map(({ key, element }) => [key, element]));
    for (const value of other.elements()) {
      const element = byKey.get(this.#keyOfValue(value));
      if (element === undefined) return false;
      const result = ownEquals(this.#valueOf(element), value);
      if (result !== true) return result;
    }
    return true;
  }

  /** An element with the key of one that is there takes its place; others are appended. */
  override add(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    work((this.size + other.size) * KEYED_STEPS);
    const values = this.elements().slice();
    const places = new Map(this.#entries().map(({ key }, index) => [key, index]));
    for (const value of other.elements()) {
      const place = places.get(this.#keyOfValue(value));
      if (place === undefined) values.push(value);
      else values[place] = value;
    }
    return new MapList([], values, this.adapt, this.#keys);
  }

  #entries(): readonly { readonly key: unknown; readonly element: Element }[] {
    return [
      ...this.json.map((json) => ({ key: this.#keyOfJSON(json), element: { json } })),
      ...this.added.map((value) => ({ key: this.#keyOfValue(value), element: { value } })),
    ];
  }

  #valueOf(element: Element): CelValue {
    return "json" in element ? this.adapt(element.json) : element.value;
  }

  #keyOfJSON(json: JSONValue): string {
    if (!isJSONObject(json)) return "";
    return joined(this.#keys.map((key) => json[key]));
  }

  /** The key of a value, which no element has when an expression made the value. */
  #keyOfValue(value: CelValue): unknown {
    if (!(value instanceof CelMap) || value instanceof EntryMap) return value;
    const native = value.native();
    return joined(this.#keys.map((key) => native.find(key)));
  }
}

const joined = (values: readonly unknown[]): string =>
  JSON.stringify(values.map((value) => (typeof value === "bigint" ? `${value}n` : (value ?? null))));
