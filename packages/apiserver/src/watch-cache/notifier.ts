interface Waiter {
  readonly wake: () => void;
  /** When it wants to be woken though nothing happened, in milliseconds. */
  readonly dueAt: number;
}

/** Wakes those who wait for the next change, or for the time at which they want to tell their client how far they are. */
export class Notifier {
  #waiters = new Set<Waiter>();

  get size(): number {
    return this.#waiters.size;
  }

  /** Resolves upon the next change, when due, or when the signal aborts; it never rejects. */
  wait(dueAt: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const waiter: Waiter = {
        dueAt,
        wake: () => {
          signal.removeEventListener("abort", waiter.wake);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      signal.addEventListener("abort", waiter.wake, { once: true });
      this.#waiters.add(waiter);
    });
  }

  wakeAll(): void {
    const waiters = this.#waiters;
    this.#waiters = new Set();
    for (const waiter of waiters) waiter.wake();
  }

  wakeDue(now: number): void {
    for (const waiter of [...this.#waiters]) if (waiter.dueAt <= now) waiter.wake();
  }
}
