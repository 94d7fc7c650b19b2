/** Somebody who waits for changes, one wait at a time. Disposing of it ends the wait that is under way. */
export interface Waiter extends Disposable {
  /**
   * Resolves upon the next change, when due, or when the signal aborts; it never rejects.
   *
   * @param dueAt when to wake though nothing happened, in milliseconds since the epoch.
   */
  wait(dueAt: number): Promise<void>;
}

interface Entry {
  dueAt: number;
  readonly wake: () => void;
}

/** Wakes those who wait for the next change, or for the time at which they want to tell their client how far they are. */
export class Notifier {
  #waiting = new Set<Entry>();

  /** @param signal ends every wait. It is listened to once for all waits: a watcher waits as often as something changes. */
  join(signal: AbortSignal): Waiter {
    let resolve: () => void = () => undefined;
    const entry: Entry = {
      dueAt: 0,
      wake: () => {
        this.#waiting.delete(entry);
        resolve();
      },
    };
    signal.addEventListener("abort", entry.wake, { once: true });
    return {
      wait: (dueAt) => {
        if (signal.aborted) return Promise.resolve();
        entry.dueAt = dueAt;
        this.#waiting.add(entry);
        return new Promise((wake) => {
          resolve = wake;
        });
      },
      [Symbol.dispose]: () => {
        signal.removeEventListener("abort", entry.wake);
        entry.wake();
      },
    };
  }

  wakeAll(): void {
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const entry of waiting) entry.wake();
  }

  wakeDue(now: number): void {
    for (const entry of this.#waiting) if (entry.dueAt <= now) entry.wake();
  }
}
