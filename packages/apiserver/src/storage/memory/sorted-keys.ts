import type { StorageKey } from "../storage.ts";

/** Keys in byte order (they are ASCII, so that the order of strings is the order of bytes). */
export class SortedKeys {
  readonly #keys: StorageKey[] = [];

  /** Adds a key that is not there yet. */
  add(key: StorageKey): void {
    this.#keys.splice(this.firstFrom(key), 0, key);
  }

  remove(key: StorageKey): void {
    const index = this.firstFrom(key);
    if (this.#keys[index] === key) this.#keys.splice(index, 1);
  }

  at(index: number): StorageKey | undefined {
    return this.#keys[index];
  }

  /** The place of the first key that is not smaller. */
  firstFrom(key: string): number {
    let low = 0;
    let high = this.#keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#keys[middle];
      if (found !== undefined && found < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
