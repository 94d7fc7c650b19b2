import type { Clock } from "@annex/apiserver";

/** What a cache may hold. */
export interface CacheBounds {
  readonly maxEntries: number;
  /** Of one key: what has a longer one is not kept. */
  readonly maxKeyLength: number;
  /** Of all keys together. */
  readonly maxKeysLength: number;
}

interface Entry<V> {
  readonly value: V;
  readonly sinceMs: number;
  readonly untilMs: number;
}

/**
 * Values for a while, within bounds: what was used longest ago makes room. A clock that is set back ends what was kept before, so that nothing lives longer than it was given.
 */
export class ExpiringCache<V> {
  readonly #entries = new Map<string, Entry<V>>();
  readonly #clock: Clock;
  readonly #bounds: CacheBounds;
  #keysLength = 0;

  constructor(clock: Clock, bounds: CacheBounds) {
    this.#clock = clock;
    this.#bounds = bounds;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    const now = this.#clock.now();
    this.#delete(key);
    if (now < entry.sinceMs || now >= entry.untilMs) return undefined;
    this.#insert(key, entry);
    return entry.value;
  }

  /** @param ttlMs zero or less keeps nothing. */
  set(key: string, value: V, ttlMs: number): void {
    this.#delete(key);
    if (ttlMs <= 0 || key.length > this.#bounds.maxKeyLength) return;
    const sinceMs = this.#clock.now();
    this.#insert(key, { value, sinceMs, untilMs: sinceMs + ttlMs });
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.maxEntries && this.#keysLength <= this.#bounds.maxKeysLength) return;
      this.#delete(oldest);
    }
  }

  #insert(key: string, entry: Entry<V>): void {
    this.#entries.set(key, entry);
    this.#keysLength += key.length;
  }

  #delete(key: string): void {
    if (this.#entries.delete(key)) this.#keysLength -= key.length;
  }
}
