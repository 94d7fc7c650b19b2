import type { CelValue } from "../value/value.ts";
import { CostLimitExceeded } from "../value/work.ts";

/** One evaluation: its variables, and what it has cost so far. */
export class Frame {
  readonly bindings: Readonly<Record<string, CelValue>>;
  /** The variables of comprehensions. */
  readonly slots: (CelValue | undefined)[];
  readonly #limit: number;
  cost = 0;

  constructor(bindings: Readonly<Record<string, CelValue>>, slotCount: number, limit: number) {
    this.bindings = bindings;
    this.slots = slotCount === 0 ? NO_SLOTS : new Array<CelValue | undefined>(slotCount);
    this.#limit = limit;
  }

  /** Makes the cost what the work was worth, if that is more. */
  atLeast(units: number): void {
    if (this.cost < units) this.cost = units;
  }

  /** @throws {CostLimitExceeded} */
  charge(units: number): void {
    this.cost += units;
    if (this.cost > this.#limit) throw new CostLimitExceeded();
  }
}

const NO_SLOTS: (CelValue | undefined)[] = [];

/** A part of an expression, ready to be evaluated. */
export type Step = (frame: Frame) => CelValue;
