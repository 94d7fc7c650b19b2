import type { Revision } from "../storage/index.ts";

/** Those who wait until something has come as far as a revision. */
export class RevisionWaiters {
  readonly #waiting = new Set<{ readonly revision: Revision; readonly wake: () => void }>();
  #reached = 0 as Revision; // before every revision

  /** Everything up to here. */
  get reached(): Revision {
    return this.#reached;
  }

  /** It has come this far; it never goes back. */
  advance(revision: Revision): void {
    if (revision > this.#reached) this.#reached = revision;
    for (const waiter of this.#waiting) if (waiter.revision <= this.#reached) waiter.wake();
  }

  /** Resolves when it has come as far as a revision; rejects with the signal's reason. */
  wait(revision: Revision, signal: AbortSignal): Promise<void> {
    if (this.#reached >= revision) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = () => {
        this.#waiting.delete(waiter);
        signal.removeEventListener("abort", abort);
      };
      const abort = () => {
        end();
        reject(signal.reason instanceof Error ? signal.reason : new Error("aborted"));
      };
      const waiter = {
        revision,
        wake: () => {
          end();
          resolve();
        },
      };
      if (signal.aborted) return abort();
      this.#waiting.add(waiter);
      signal.addEventListener("abort", abort, { once: true });
    });
  }
}
