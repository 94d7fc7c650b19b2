import { type CelError, DIVISION_BY_ZERO, INT_OVERFLOW, MODULUS_BY_ZERO, NAN_NOT_ORDERED, noSuchOverload, UINT_OVERFLOW } from "./error.ts";
import { formatGeneral } from "./go-number.ts";
import { CelObject } from "./object.ts";
import { type CelType, DOUBLE, UINT } from "./type.ts";
import type { CelValue } from "./value.ts";

/**
 * An int: 64 bits with a sign. A `number` where that is exact, a `bigint` beyond: never a bigint for what a number can hold, so that `===` compares.
 * Integers of JSON are ints as they stand.
 */
export type CelInt = number | bigint;

export class CelDouble extends CelObject {
  readonly value: number;

  constructor(value: number) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return DOUBLE;
  }

  equals(other: CelValue): boolean {
    return compareNumbers(this, other) === 0;
  }

  override compare(other: CelValue): number | CelError {
    return orderNumbers(this, other);
  }

  toString(): string {
    return formatGeneral(this.value);
  }
}

/** An unsigned integer of 64 bits. */
export class CelUint extends CelObject {
  readonly value: bigint;

  constructor(value: bigint) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return UINT;
  }

  equals(other: CelValue): boolean {
    return compareNumbers(this, other) === 0;
  }

  override compare(other: CelValue): number | CelError {
    return orderNumbers(this, other);
  }

  toString(): string {
    return this.value.toString();
  }
}

/** -1, 0 or 1 for two numbers of any type; undefined when one of them is no number, or NaN. */
export function compareNumbers(left: CelInt | CelDouble | CelUint, right: CelValue): number | undefined {
  if (left instanceof CelDouble) return compareDouble(left.value, right);
  if (right instanceof CelDouble) {
    const reversed = compareDouble(right.value, left);
    return reversed === undefined ? undefined : 0 - reversed;
  }
  const integer = left instanceof CelUint ? left.value : left;
  const other = right instanceof CelUint ? right.value : right;
  if (!isInt(other)) return undefined;
  return integer < other ? -1 : integer > other ? 1 : 0;
}

/** {@link compareNumbers}, with an error for what has no order. */
export function orderNumbers(left: CelInt | CelDouble | CelUint, right: CelValue): number | CelError {
  const order = compareNumbers(left, right);
  if (order !== undefined) return order;
  return isNaNValue(left) || isNaNValue(right) ? NAN_NOT_ORDERED : noSuchOverload(right);
}

const isNaNValue = (value: CelValue): boolean => value instanceof CelDouble && Number.isNaN(value.value);

function compareDouble(left: number, right: CelValue): number | undefined {
  if (Number.isNaN(left)) return undefined;
  if (isInt(right)) return compareToInteger(left, right, -(2 ** 63), 2 ** 63);
  if (right instanceof CelUint) return compareToInteger(left, right.value, 0, 2 ** 64);
  if (!(right instanceof CelDouble) || Number.isNaN(right.value)) return undefined;
  return left < right.value ? -1 : left > right.value ? 1 : 0;
}

/** An integer is compared as the double next to it, as in Go. */
function compareToInteger(double: number, integer: CelInt, low: number, high: number): number {
  if (double < low) return -1;
  if (double > high) return 1;
  const other = Number(integer);
  return double < other ? -1 : double > other ? 1 : 0;
}

export const isInt = (value: unknown): value is CelInt => typeof value === "number" || typeof value === "bigint";

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;

/** An int of a bigint that is known to be in range. */
export function intFromBigInt(value: bigint): CelInt {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** An int, or overflow. */
export function checkedInt(value: bigint): CelInt | CelError {
  return value < MIN_INT || value > MAX_INT ? INT_OVERFLOW : intFromBigInt(value);
}

export function checkedUint(value: bigint): CelUint | CelError {
  return value < 0n || value > MAX_UINT ? UINT_OVERFLOW : new CelUint(value);
}

export function addInts(left: CelInt, right: CelInt): CelInt | CelError {
  if (typeof left === "number" && typeof right === "number") {
    const sum = left + right;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return checkedInt(BigInt(left) + BigInt(right));
}

export function subtractInts(left: CelInt, right: CelInt): CelInt | CelError {
  if (typeof left === "number" && typeof right === "number") {
    const difference = left - right;
    if (Number.isSafeInteger(difference)) return difference;
  }
  return checkedInt(BigInt(left) - BigInt(right));
}

export function multiplyInts(left: CelInt, right: CelInt): CelInt | CelError {
  if (typeof left === "number" && typeof right === "number") {
    const product = left * right;
    if (Number.isSafeInteger(product)) return product + 0; // no negative zero
  }
  return checkedInt(BigInt(left) * BigInt(right));
}

/** Towards zero. */
export function divideInts(left: CelInt, right: CelInt): CelInt | CelError {
  if (right === 0) return DIVISION_BY_ZERO;
  if (typeof left === "number" && typeof right === "number") return Math.trunc(left / right) + 0;
  return checkedInt(BigInt(left) / BigInt(right));
}

/** With the sign of the left one. */
export function moduloInts(left: CelInt, right: CelInt): CelInt | CelError {
  if (right === 0) return MODULUS_BY_ZERO;
  if (typeof left === "number" && typeof right === "number") return (left % right) + 0;
  // Go's check of MinInt64 % -1, which has no answer in its arithmetic.
  if (BigInt(left) === MIN_INT && right === -1) return INT_OVERFLOW;
  return intFromBigInt(BigInt(left) % BigInt(right));
}

export function negateInt(value: CelInt): CelInt | CelError {
  return typeof value === "number" ? 0 - value : checkedInt(-value);
}

/** A double's whole part as int. Source: cel-go doubleToInt64Checked. */
export function intFromDouble(value: number): CelInt | CelError {
  if (!Number.isFinite(value) || value <= -(2 ** 63) || value >= 2 ** 63) return INT_OVERFLOW;
  return intFromBigInt(BigInt(Math.trunc(value)));
}

export function uintFromDouble(value: number): CelUint | CelError {
  if (!Number.isFinite(value) || value < 0 || value >= 2 ** 64) return UINT_OVERFLOW;
  return new CelUint(BigInt(Math.trunc(value)));
}
