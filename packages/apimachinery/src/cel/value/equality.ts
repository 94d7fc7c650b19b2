import { type CelError, noSuchOverload } from "./error.ts";
import { compareNumbers, isInt, orderNumbers } from "./number.ts";
import { CelObject } from "./object.ts";
import type { CelValue } from "./value.ts";

/**
 * Whether two values are equal: numbers of any type by their value, values of other types never. An error when that cannot be told.
 *
 * Source: cel-go types.Equal.
 */
export function equals(left: CelValue, right: CelValue): CelValue {
  if (left === null || right === null) return left === right;
  switch (typeof left) {
    case "string":
    case "boolean":
      return left === right;
    case "number":
    case "bigint":
      return isInt(right) ? left === right : compareNumbers(left, right) === 0;
    default:
      if (left instanceof CelObject) return left.equals(right);
      return left instanceof Uint8Array ? right instanceof Uint8Array && compareBytes(left, right) === 0 : left;
  }
}

/**
 * What the left value says of the right one, which is another's business with null: lists and objects of a schema cannot be compared with it.
 *
 * Source: cel-go ref.Val.Equal.
 */
export function ownEquals(left: CelValue, right: CelValue): CelValue {
  return left instanceof CelObject ? left.equals(right) : equals(left, right);
}

/**
 * -1, 0 or 1 for values that have an order with each other, else an error.
 *
 * Source: the Compare methods of cel-go common/types.
 */
export function compare(left: CelValue, right: CelValue): number | CelError {
  if (isInt(left)) return orderNumbers(left, right);
  if (typeof left === "string") return typeof right === "string" ? compareStrings(left, right) : noSuchOverload(right);
  if (typeof left === "boolean") return typeof right === "boolean" ? Number(left) - Number(right) : noSuchOverload(right);
  if (left instanceof CelObject) return left.compare(right);
  if (left instanceof Uint8Array) return right instanceof Uint8Array ? compareBytes(left, right) : noSuchOverload(right);
  return noSuchOverload(left);
}

/** By code points, which is the order of UTF-8; JavaScript's own is that of UTF-16. */
export function compareStrings(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const first = left.charCodeAt(at);
    const second = right.charCodeAt(at);
    if (first === second) continue;
    // A surrogate stands for a code point beyond all others.
    const isFirstLarge = first >= 0xd800 && first <= 0xdfff;
    const isSecondLarge = second >= 0xd800 && second <= 0xdfff;
    if (isFirstLarge !== isSecondLarge) return isFirstLarge ? 1 : -1;
    return first < second ? -1 : 1;
  }
  return Math.sign(left.length - right.length);
}

function compareBytes(left: Uint8Array, right: Uint8Array): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  return Math.sign(left.length - right.length);
}
