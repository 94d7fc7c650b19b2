import { CelOpaque } from "./opaque.ts";
import type { CelValue } from "./value.ts";

/** Ends an evaluation that costs too much, or works too long. */
export class CostLimitExceeded extends Error {
  override readonly name = "CostLimitExceeded";

  constructor() {
    super("operation cancelled: actual cost limit exceeded");
  }
}

/** The steps of work that one unit of cost pays for. A step takes about a nanosecond. */
const STEPS_PER_UNIT = 256;
/** The units that an evaluation may work for without paying. */
const FREE_UNITS = 1000;

/** The steps of looking at an element of a list, or an entry of a map. */
export const ELEMENT_STEPS = 16;
/** The steps of putting one into a new list or map. */
export const NEW_ELEMENT_STEPS = 64;

let allowed = Number.POSITIVE_INFINITY;
let left = Number.POSITIVE_INFINITY;

/**
 * Counts work that cel-go's costs leave out: comparing lists within lists, looking for something in a long text for one unit. Go leaves that to the
 * timeouts of requests; here an evaluation holds up all others, so that it must end by itself. The counter is the module's, for nothing comes between
 * the beginning and the end of an evaluation but one that it makes itself, of a variable: {@link beginWork}.
 *
 * @throws {CostLimitExceeded}
 */
export function work(steps: number): void {
  left -= steps;
  if (left < 0) throw new CostLimitExceeded();
}

/** Counts a text that a function makes, by its length. @throws {CostLimitExceeded} */
export const workOnText = (length: number): void => work(length * 4);

/** Texts up to this length are worked on for nothing. */
const SHORT_TEXT = 1024;

/** Counts what a function may do with an argument whose size it does not pay for. @throws {CostLimitExceeded} */
export function workOn(value: CelValue): void {
  if (typeof value === "number") return;
  if (typeof value === "string") {
    if (value.length > SHORT_TEXT) work(value.length >> 2);
  } else if (value instanceof CelOpaque && value.weight > SHORT_TEXT) work(value.weight);
}

/** The count of an evaluation that waits for the end of another. */
export interface OuterWork {
  readonly allowed: number;
  readonly left: number;
}

/** Begins to count, up to what is free and what a limit of cost pays for. @returns what {@link endWork} goes on with. */
export function beginWork(costLimit: number): OuterWork {
  const outer = { allowed, left };
  allowed = (costLimit + FREE_UNITS) * STEPS_PER_UNIT;
  left = allowed;
  return outer;
}

/** Ends counting. @returns the units of cost that the work is worth beyond what is free. */
export function endWork(outer: OuterWork): number {
  const units = Math.floor((allowed - left) / STEPS_PER_UNIT) - FREE_UNITS;
  ({ allowed, left } = outer);
  return Math.max(units, 0);
}
