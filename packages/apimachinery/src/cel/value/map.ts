import { equals } from "./equality.ts";
import { CelError } from "./error.ts";
import { CelDouble, CelUint, intFromBigInt, isInt } from "./number.ts";
import { CelObject } from "./object.ts";
import { showValue } from "./show.ts";
import { CelDuration, CelTimestamp } from "./time.ts";
import { CelType, MAP } from "./type.ts";
import type { CelValue } from "./value.ts";
import { ELEMENT_STEPS, NEW_ELEMENT_STEPS, work } from "./work.ts";

/** A map, or an object with fields. Those of JSON adapt their values when they are asked for. */
export abstract class CelMap extends CelObject {
  abstract readonly size: number;

  get type(): CelType {
    return MAP;
  }

  /** The name of its type in Go, which a few sentences show. */
  get goType(): string {
    return "*types.baseMap";
  }

  toString(): string {
    return `{${this.keys()
      .map((key) => `${showValue(key)}: ${showValue(this.get(key))}`)
      .join(", ")}}`;
  }

  /** The value of a key; undefined when there is none; an error when a key of its type cannot be asked for. */
  abstract find(key: CelValue): CelValue | undefined;

  abstract keys(): readonly CelValue[];

  /** The map without what its schema knows of it. */
  native(): CelMap {
    return this;
  }

  get(key: CelValue): CelValue {
    const found = this.find(key);
    return found === undefined ? new CelError(`no such key: ${showValue(key)}`) : found;
  }

  /** `key in this`. */
  contains(key: CelValue): CelValue {
    const found = this.find(key);
    return found instanceof CelError ? found : found !== undefined;
  }

  /** Key by key; values that cannot be compared count as equal. */
  equals(other: CelValue): CelValue {
    if (!(other instanceof CelMap) || this.size !== other.size) return false;
    for (const key of this.keys()) {
      work(ELEMENT_STEPS);
      const its = other.find(key);
      if (its === undefined || equals(this.find(key) ?? null, its) === false) return false;
    }
    return true;
  }
}

/**
 * A map that an expression makes, in the order in which it was made. Keys of numbers are found by any number that is equal; lists, maps and bytes as
 * keys only by themselves.
 */
export class EntryMap extends CelMap {
  readonly #entries = new Map<unknown, readonly [key: CelValue, value: CelValue]>();
  /** The keys that are objects and yet the same as others, by what makes them the same. */
  readonly #objectKeys = new Map<string, CelObject>();

  get size(): number {
    return this.#entries.size;
  }

  set(key: CelValue, value: CelValue): void {
    const id = objectKeyId(key);
    if (id !== undefined && key instanceof CelObject && !this.#objectKeys.has(id)) this.#objectKeys.set(id, key);
    this.#entries.set(this.#slot(key), [key, value]);
  }

  delete(key: CelValue): void {
    this.#entries.delete(this.#slot(key));
  }

  find(key: CelValue): CelValue | undefined {
    const found = this.#entries.get(this.#slot(key));
    return found === undefined ? this.#findOtherNumber(key) : found[1];
  }

  keys(): readonly CelValue[] {
    work(this.size * NEW_ELEMENT_STEPS);
    return Array.from(this.#entries.values(), ([key]) => key);
  }

  #findOtherNumber(key: CelValue): CelValue | undefined {
    if (isInt(key)) return key >= 0 ? this.#findUint(BigInt(key)) : undefined;
    if (key instanceof CelUint) return key.value < 2n ** 63n ? this.#entries.get(intFromBigInt(key.value))?.[1] : undefined;
    if (!(key instanceof CelDouble) || !Number.isInteger(key.value)) return undefined;
    const whole = BigInt(key.value);
    const asInt = BigInt.asIntN(64, whole) === whole ? this.#entries.get(intFromBigInt(whole)) : undefined;
    return asInt === undefined ? this.#findUint(whole) : asInt[1];
  }

  #findUint(value: bigint): CelValue | undefined {
    const key = this.#objectKeys.get(`uint ${value}`);
    return key === undefined ? undefined : this.#entries.get(key)?.[1];
  }

  /** Under what a key is kept. */
  #slot(key: CelValue): unknown {
    const id = objectKeyId(key);
    return id === undefined ? key : (this.#objectKeys.get(id) ?? key);
  }
}

function objectKeyId(key: CelValue): string | undefined {
  if (key instanceof CelUint) return `uint ${key.value}`;
  if (key instanceof CelDouble) return `double ${key.value}`;
  return key instanceof CelDuration || key instanceof CelTimestamp || key instanceof CelType ? `${key.type.name} ${key}` : undefined;
}

/** A map that a comprehension makes: entries are put in place. Nobody else may hold it before it is done. */
export class GrowingMap extends EntryMap {
  /** The map as it is now; it must not grow any more. */
  finish(): CelMap {
    const copy = new EntryMap();
    for (const key of this.keys()) copy.set(key, this.get(key));
    return copy;
  }
}

/** The map with one more entry. Source: cel-go types.InsertMapKeyValue. */
export function insertEntry(map: CelMap, key: CelValue, value: CelValue): CelValue {
  if (map.find(key) !== undefined) return new CelError(`insert failed: key ${showValue(key)} already exists`);
  if (map instanceof GrowingMap) {
    map.set(key, value);
    return map;
  }
  work(map.size * NEW_ELEMENT_STEPS);
  const copy = new EntryMap();
  copy.set(key, value);
  for (const each of map.keys()) copy.set(each, map.get(each));
  return copy;
}
