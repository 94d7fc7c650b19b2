// What generated cases are made of. There is little of everything, so that names, keys and values meet again.
import type { JSONValue } from "@annex/apimachinery";
import type { Random } from "../../e2e/hostile/random.ts";

/** Fields that schemas name. */
export const FIELDS = ["a", "b", "c", "d"] as const;

/** Keys of maps, and fields that no schema names; the rare ones are those that text, order or JavaScript's objects may get wrong. */
export function mapKey(random: Random): string {
  return random.chance(0.85)
    ? random.pick(["x", "y", "z"])
    : random.pick(["a", "x.y/z", 'q"', "é", "\u{1f600}", "\ufffd", "constructor", "__proto__", "<", "", "0"]);
}

export function text(random: Random): string {
  return random.chance(0.85)
    ? random.pick(["s", "t", "u"])
    : random.pick(["", "<&>", "é", "\u{1f600}", "\uffee", '"\\\n', "\u2028", "\u0001", "\b\f\t", "1"]);
}

export function wholeNumber(random: Random): number | bigint {
  return random.chance(0.9) ? random.below(4) : random.pick([-1, 100, 2 ** 31, 9007199254740993n, -9007199254740995n]);
}

export function anyNumber(random: Random): number | bigint {
  return random.chance(0.7) ? wholeNumber(random) : random.pick([0.5, 1.5, -0.25, 1e21, 1e-7, 123456789.125]);
}

export function scalar(random: Random): JSONValue {
  return random.pick([text, wholeNumber, anyNumber, () => random.chance(0.5)])(random);
}

/** A value that no schema describes, with lists and objects up to a depth. */
export function anything(random: Random, depth: number): JSONValue {
  const dice = random.below(depth > 0 ? 10 : 5);
  if (dice < 4) return scalar(random);
  if (dice === 4) return random.pick([null, {}, []]);
  if (dice < 7) return some(random, 3, () => anything(random, depth - 1));
  return Object.fromEntries(some(random, 3, () => [mapKey(random), anything(random, depth - 1)] as const));
}

/** Up to `most` of what `make` makes. */
export function some<T>(random: Random, most: number, make: () => T): T[] {
  return Array.from({ length: random.below(most + 1) }, make);
}

export function shuffled<T>(random: Random, list: readonly T[]): T[] {
  const out = [...list];
  for (let index = out.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [out[index], out[other]] = [out[other] as T, out[index] as T]; // both lie inside
  }
  return out;
}
