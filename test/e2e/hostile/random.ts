/** Numbers that look random and follow from a seed. Source: mulberry32. */
export class Random {
  #state: number;

  /** @param seeds whole numbers; each combination begins a sequence of its own. */
  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e3779b9;
    for (const seed of seeds) this.#state = (Math.imul(this.#state ^ seed, 0x85ebca6b) + 0xc2b2ae35) | 0;
    this.next();
  }

  /** Between 0 and 2^32 - 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** @param limit at least 1. */
  below(limit: number): number {
    return this.next() % limit;
  }

  /** @param probability between 0 and 1. */
  chance(probability: number): boolean {
    return this.next() < probability * 2 ** 32;
  }

  /** @throws {RangeError} for an empty list. */
  pick<T>(list: readonly T[]): T {
    const index = this.below(Math.max(1, list.length));
    if (index >= list.length) throw new RangeError("nothing to pick from");
    return list[index] as T; // the index lies inside
  }
}
