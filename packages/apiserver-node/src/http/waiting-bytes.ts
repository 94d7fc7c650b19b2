/**
 * Counts the bytes that wait in all responses of a server, and holds writers back while there are too many.
 *
 * It is an account, not a buffer: whoever hands bytes to a socket says so by `add`, and again with a negative count when they are out.
 */
export class WaitingBytes {
  readonly #max: number;
  readonly #waiters = new Set<() => void>();
  #total = 0;

  /** @param max bytes; a single response larger than this passes when nothing else waits, else nobody could ever get it. */
  constructor(max: number) {
    this.#max = max;
  }

  get total(): number {
    return this.#total;
  }

  /** Whether streams should wait before they write on. */
  get isFull(): boolean {
    return this.#total >= this.#max;
  }

  /** Whether a whole response of this length may be handed to its socket now. */
  admits(bytes: number): boolean {
    return this.#total === 0 || this.#total + bytes <= this.#max;
  }

  add(bytes: number): void {
    this.#total += bytes;
    if (bytes < 0 && this.#waiters.size > 0 && !this.isFull) this.#wake();
  }

  /** Calls once, as soon as streams may write on. @returns a function that takes the call back. */
  whenFree(wake: () => void): () => void {
    this.#waiters.add(wake);
    return () => this.#waiters.delete(wake);
  }

  #wake(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}
