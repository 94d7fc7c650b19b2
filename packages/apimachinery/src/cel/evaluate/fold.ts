import { CelError } from "../value/error.ts";
import { CelList, GrowingList } from "../value/list.ts";
import { CelMap, GrowingMap } from "../value/map.ts";
import type { CelValue } from "../value/value.ts";
import type { Frame, Step } from "./frame.ts";
import { goTypeName } from "./go-type.ts";

/** A comprehension, ready to be evaluated. */
export interface FoldPlan {
  readonly range: Step;
  readonly accuSlot: number;
  readonly iterSlot: number;
  readonly iterSlot2: number | undefined;
  readonly condition: Step;
  readonly step: Step;
  readonly result: Step;
}

/** Evaluates a comprehension. Source: cel-go interpreter evalFold. */
export function foldStep(plan: FoldPlan): Step {
  const iterate = plan.iterSlot2 === undefined ? foldOne : foldTwo;
  return (frame) => {
    const range = plan.range(frame);
    if (range instanceof CelError) return range;
    frame.slots[plan.accuSlot] = undefined;
    const fault = iterate(plan, frame, range);
    return fault ?? finished(plan.result(frame));
  };
}

/**
 * Reads an accumulator, whose first value is evaluated when it is first asked for. A list or map that begins empty grows in place.
 *
 * Source: cel-go interpreter folder.ResolveName.
 */
export function accumulatorStep(slot: number, init: Step): Step {
  return (frame) => {
    const value = frame.slots[slot];
    if (value !== undefined) return value;
    const first = growing(init(frame));
    frame.slots[slot] = first;
    return first;
  };
}

function growing(value: CelValue): CelValue {
  if (value instanceof CelList && value.size === 0) return new GrowingList();
  return value instanceof CelMap && value.size === 0 ? new GrowingMap() : value;
}

function finished(value: CelValue): CelValue {
  return value instanceof GrowingList || value instanceof GrowingMap ? value.finish() : value;
}

/** @returns an error when the range has no elements of its own. */
function foldOne(plan: FoldPlan, frame: Frame, range: CelValue): CelError | undefined {
  if (range instanceof CelList) {
    for (let index = 0, size = range.size; index < size; index++) {
      frame.slots[plan.iterSlot] = range.at(index);
      if (!advance(plan, frame)) return undefined;
    }
    return undefined;
  }
  if (!(range instanceof CelMap)) return new CelError(`got '${goTypeName(range)}', expected iterable type`);
  for (const key of range.keys()) {
    frame.slots[plan.iterSlot] = key;
    if (!advance(plan, frame)) return undefined;
  }
  return undefined;
}

function foldTwo(plan: FoldPlan, frame: Frame, range: CelValue): CelError | undefined {
  const second = plan.iterSlot2 ?? 0;
  if (range instanceof CelMap) {
    for (const key of range.keys()) {
      frame.slots[plan.iterSlot] = key;
      frame.slots[second] = range.get(key);
      if (!advance(plan, frame)) return undefined;
    }
    return undefined;
  }
  if (!(range instanceof CelList)) return new CelError(`unsupported comprehension range type: ${goTypeName(range)}`);
  for (let index = 0, size = range.size; index < size; index++) {
    frame.slots[plan.iterSlot] = index;
    frame.slots[second] = range.at(index);
    if (!advance(plan, frame)) return undefined;
  }
  return undefined;
}

/** Makes the step unless the condition is false. @returns whether it was made. */
function advance({ condition, step, accuSlot }: FoldPlan, frame: Frame): boolean {
  if (condition(frame) === false) return false;
  frame.slots[accuSlot] = step(frame);
  return true;
}
