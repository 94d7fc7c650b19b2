import { CelError } from "../value/error.ts";
import type { CelList } from "../value/list.ts";
import { CelDouble, CelUint, intFromBigInt, isInt } from "../value/number.ts";
import type { CelValue } from "../value/value.ts";
import type { Step } from "./frame.ts";

/**
 * `element in [constants]` as a look-up, which costs nothing; undefined for a list with elements that are no scalars.
 *
 * Source: cel-go interpreter maybeOptimizeSetMembership.
 */
export function setMembership(list: CelList): ((element: Step) => Step) | undefined {
  const members = new Set<unknown>();
  for (const element of list.elements()) {
    const key = scalarKey(element);
    if (key === undefined) return undefined;
    members.add(key);
  }
  return (element) => (frame) => {
    const value = element(frame);
    if (value instanceof CelError) return value;
    const key = scalarKey(value);
    return key !== undefined && members.has(key);
  };
}

/** One key for all numbers that are equal; undefined for what is no scalar, and for NaN, which equals nothing. */
function scalarKey(value: CelValue): unknown {
  if (typeof value === "string" || typeof value === "boolean" || isInt(value)) return value;
  if (value instanceof CelUint) return intFromBigInt(value.value);
  if (!(value instanceof CelDouble) || Number.isNaN(value.value)) return undefined;
  return Number.isInteger(value.value) ? intFromBigInt(BigInt(value.value)) : value.value;
}
