import { isJSONObject, type JSONObject, type JSONValue } from "../../meta/index.ts";
import { canonicalJSON } from "../../schema/go-format.ts";
import { equals } from "../value/equality.ts";
import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelDouble } from "../value/number.ts";
import { CelOpaque } from "../value/opaque.ts";
import { type CelType, opaqueType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { NEW_ELEMENT_STEPS, work } from "../value/work.ts";

/** JSON as CEL takes it without a schema: whole numbers of 64 bits are ints, others doubles. */
export function jsonValue(value: JSONValue): CelValue {
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : new CelDouble(value);
  if (Array.isArray(value)) return new JSONList(value);
  return isJSONObject(value) ? new JSONMap(value) : (value as CelValue); // what is left are scalars
}

class JSONList extends CelList {
  readonly #elements: readonly JSONValue[];

  constructor(elements: readonly JSONValue[]) {
    super();
    this.#elements = elements;
  }

  get size(): number {
    return this.#elements.length;
  }

  at(index: number): CelValue {
    return jsonValue(this.#elements[index] ?? null);
  }
}

class JSONMap extends CelMap {
  readonly #object: JSONObject;

  constructor(object: JSONObject) {
    super();
    this.#object = object;
  }

  get size(): number {
    return presentKeys(this.#object).length;
  }

  find(key: CelValue): CelValue | undefined {
    const value = typeof key === "string" ? ownValue(this.#object, key) : undefined;
    return value === undefined ? undefined : jsonValue(value);
  }

  keys(): readonly CelValue[] {
    return presentKeys(this.#object);
  }
}

/** The value of a key of the object itself. */
export function ownValue(object: JSONObject, key: string): JSONValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

export function presentKeys(object: JSONObject): readonly string[] {
  const keys = Object.keys(object).filter((key) => object[key] !== undefined);
  work(keys.length * NEW_ELEMENT_STEPS);
  return keys;
}

/** Whether two pieces of JSON that no schema knows are the same. */
export const equalJSON = (left: JSONValue, right: JSONValue): boolean => equals(jsonValue(left), jsonValue(right)) === true;

const UNKNOWN = opaqueType("unknown");

/** Data that a schema says nothing of, and keeps: it can be compared, and no more. */
export class PreservedValue extends CelOpaque {
  readonly #value: JSONValue;

  constructor(value: JSONValue) {
    super();
    this.#value = value;
  }

  get type(): CelType {
    return UNKNOWN;
  }

  equals(other: CelValue): boolean {
    return equals(jsonValue(this.#value), other instanceof PreservedValue ? jsonValue(other.#value) : other) === true;
  }

  toString(): string {
    return canonicalJSON(this.#value);
  }
}
