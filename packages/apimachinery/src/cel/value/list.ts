import { equals } from "./equality.ts";
import { CelError, noSuchOverload } from "./error.ts";
import { formatGeneral } from "./go-number.ts";
import { CelDouble, type CelInt, CelUint, isInt } from "./number.ts";
import { CelObject } from "./object.ts";
import { showValue } from "./show.ts";
import { type CelType, LIST } from "./type.ts";
import { typeOf } from "./type-of.ts";
import type { CelValue } from "./value.ts";
import { CostLimitExceeded, ELEMENT_STEPS, NEW_ELEMENT_STEPS, work } from "./work.ts";

/** A list. Those of JSON adapt their elements when they are asked for. */
export abstract class CelList extends CelObject {
  abstract readonly size: number;

  get type(): CelType {
    return LIST;
  }

  /** The name of its type in Go, which a few sentences show. */
  get goType(): string {
    return "*types.baseList";
  }

  toString(): string {
    return `[${this.elements().map(showValue).join(", ")}]`;
  }

  /** @param index from 0, within the list. */
  abstract at(index: number): CelValue;

  /** The element at an int, uint or whole double. */
  get(index: CelValue): CelValue {
    const at = listIndex(index);
    if (at instanceof CelError) return at;
    return this.has(at) ? this.at(Number(at)) : new CelError(`index '${at}' out of range in list size '${this.size}'`);
  }

  /** The list without what its schema knows of it. */
  native(): CelList {
    return this;
  }

  has(index: CelInt): boolean {
    return index >= 0 && index < this.size;
  }

  /** `this + other`. */
  add(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    if (this.size === 0) return other;
    if (other.size === 0) return this;
    // A list that is doubled again and again has more elements than an int can tell.
    if (this.size + other.size > Number.MAX_SAFE_INTEGER) throw new CostLimitExceeded();
    return new ConcatList(this, other);
  }

  /** `element in this`. */
  contains(element: CelValue): CelValue {
    for (let index = 0; index < this.size; index++) {
      work(ELEMENT_STEPS);
      if (equals(element, this.at(index)) === true) return true;
    }
    return false;
  }

  /** Element by element; what cannot be compared counts as equal. */
  equals(other: CelValue): CelValue {
    if (!(other instanceof CelList) || this.size !== other.size) return false;
    for (let index = 0; index < this.size; index++) {
      work(ELEMENT_STEPS);
      if (equals(this.at(index), other.at(index)) === false) return false;
    }
    return true;
  }

  /** All elements. */
  elements(): readonly CelValue[] {
    work(this.size * NEW_ELEMENT_STEPS);
    return Array.from({ length: this.size }, (_, index) => this.at(index));
  }
}

/** A list of values that are there. */
export class ArrayList extends CelList {
  readonly #elements: readonly CelValue[];

  constructor(elements: readonly CelValue[]) {
    super();
    this.#elements = elements;
  }

  get size(): number {
    return this.#elements.length;
  }

  at(index: number): CelValue {
    return this.#elements[index] ?? null;
  }

  override elements(): readonly CelValue[] {
    return this.#elements;
  }
}

export const EMPTY_LIST = new ArrayList([]);

/** Two lists as one. Nothing is copied: a concatenation costs one unit, however long the lists are. */
class ConcatList extends CelList {
  readonly #left: CelList;
  readonly #right: CelList;
  readonly size: number;

  constructor(left: CelList, right: CelList) {
    super();
    this.#left = left;
    this.#right = right;
    this.size = left.size + right.size;
  }

  override get goType(): string {
    return "*types.concatList";
  }

  at(index: number): CelValue {
    work(8); // concatenations of concatenations are looked through again and again
    return index < this.#left.size ? this.#left.at(index) : this.#right.at(index - this.#left.size);
  }
}

/** A list that a comprehension makes: it is added to in place. Nobody else may hold it before it is done. */
export class GrowingList extends CelList {
  readonly #elements: CelValue[] = [];

  get size(): number {
    return this.#elements.length;
  }

  at(index: number): CelValue {
    return this.#elements[index] ?? null;
  }

  override add(other: CelValue): CelValue {
    if (!(other instanceof CelList)) return noSuchOverload(other);
    work((other.size - 1) * NEW_ELEMENT_STEPS);
    for (let index = 0, size = other.size; index < size; index++) this.#elements.push(other.at(index));
    return this;
  }

  /** The list as it is now; it must not grow any more. */
  finish(): CelList {
    return new ArrayList(this.#elements);
  }
}

/** An index as an int. Source: cel-go types.IndexOrError. */
export function listIndex(index: CelValue): CelInt | CelError {
  if (isInt(index)) return index;
  if (index instanceof CelError) return index;
  if (index instanceof CelUint) {
    if (index.value < 2n ** 63n) return Number(index.value);
    return new CelError(`unsupported index value ${index.value} in list`);
  }
  if (index instanceof CelDouble) {
    if (Number.isInteger(index.value) && Math.abs(index.value) < 2 ** 63) return index.value;
    return new CelError(`unsupported index value ${formatGeneral(index.value)} in list`);
  }
  return new CelError(`unsupported index type '${typeOf(index)}' in list`);
}
