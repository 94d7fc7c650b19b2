/** The least and the greatest that a size or a cost may be: 64 bits without a sign, the greatest standing for all beyond. */
export interface Range {
  readonly min: bigint;
  readonly max: bigint;
}

export const MAX_UINT64 = 2n ** 64n - 1n;

export const UNKNOWN_SIZE: Range = { min: 0n, max: MAX_UINT64 };
export const ZERO: Range = { min: 0n, max: 0n };
export const ONE: Range = { min: 1n, max: 1n };

export const fixed = (value: bigint): Range => ({ min: value, max: value });

export const saturated = (value: bigint): bigint => (value > MAX_UINT64 ? MAX_UINT64 : value);

export const add = (left: Range, right: Range): Range => ({ min: saturated(left.min + right.min), max: saturated(left.max + right.max) });

export const multiply = (left: Range, right: Range): Range => ({ min: saturated(left.min * right.min), max: saturated(left.max * right.max) });

/** Times a factor, rounded up. */
export const scale = ({ min, max }: Range, factor: number): Range => ({ min: scaleOne(min, factor), max: scaleOne(max, factor) });

function scaleOne(value: bigint, factor: number): bigint {
  const product = Math.ceil(Number(value) * factor);
  return product >= 2 ** 64 ? MAX_UINT64 : BigInt(product);
}

export const union = (left: Range, right: Range): Range => ({
  min: left.min < right.min ? left.min : right.min,
  max: left.max > right.max ? left.max : right.max,
});
