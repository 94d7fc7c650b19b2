import type { StorageKey } from "../storage/index.ts";

/**
 * Values by key, and the keys in order.
 *
 * The order is an array that is searched by halves; a key put into the middle moves the ones behind it, which for 100,000 keys takes some
 * microseconds. (A tree would cost more on every list, and lists are what the order is for.)
 */
export class SortedIndex<V> {
  readonly #values = new Map<StorageKey, V>();
  readonly #keys: StorageKey[] = [];
  /** The values in the order of the keys: a list reads them without looking each key up. */
  readonly #ordered: V[] = [];

  get size(): number {
    return this.#keys.length;
  }

  get(key: StorageKey): V | undefined {
    return this.#values.get(key);
  }

  set(key: StorageKey, value: V): void {
    const last = this.#keys[this.#keys.length - 1];
    if (last === undefined || last < key) {
      this.#keys.push(key);
      this.#ordered.push(value);
    } else {
      const place = this.lowerBound(key);
      const isNew = !this.#values.has(key);
      if (isNew) this.#keys.splice(place, 0, key);
      if (isNew) this.#ordered.splice(place, 0, value);
      else this.#ordered[place] = value;
    }
    this.#values.set(key, value);
  }

  delete(key: StorageKey): void {
    if (!this.#values.delete(key)) return;
    const place = this.lowerBound(key);
    this.#keys.splice(place, 1);
    this.#ordered.splice(place, 1);
  }

  /** All values in the order of the keys; to be read through at once. */
  values(): Iterable<V> {
    return this.#ordered;
  }

  /** The place of the first key that is not less than `key`. */
  lowerBound(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#keys[middle] as string) < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The places of all keys with a prefix: from the first, up to and without the second. */
  range(prefix: string): readonly [number, number] {
    return [this.lowerBound(prefix), this.lowerBound(endOfPrefix(prefix))];
  }

  keyAt(index: number): StorageKey | undefined {
    return this.#keys[index];
  }

  valueAt(index: number): V | undefined {
    return this.#ordered[index];
  }
}

/** The least key that is greater than every key with this prefix. Keys are ASCII. */
export function endOfPrefix(prefix: string): string {
  return `${prefix}\u{7f}`;
}
