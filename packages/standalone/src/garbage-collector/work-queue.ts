import type { Clock } from "@annex/apiserver";

/** How long a failed piece of work is left alone: at first, and at most. Source: client-go workqueue, in whole tenths of a second. */
const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 60_000;

export interface WorkQueueOptions {
  readonly clock: Clock;
  /** How many pieces are worked on at a time. */
  readonly concurrency: number;
  /** Works on one. A rejection has it tried again, later each time. */
  readonly work: (key: string) => Promise<void>;
  /** Told of each rejection. */
  readonly onFailure: (key: string, error: unknown) => void;
  /** Nothing begins once it aborted. */
  readonly signal: AbortSignal;
}

/** Pieces of work, each named by a key. One that is added again while it waits is done once; while it is worked on, once more afterwards. */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #waiting = new Set<string>();
  readonly #running = new Map<string, Promise<void>>();
  readonly #failures = new Map<string, number>();

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  add(key: string): void {
    this.#waiting.add(key);
    this.#next();
  }

  /** Resolves when nothing is worked on; what waits for another try does not count. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.race(this.#running.values());
  }

  #next(): void {
    const { concurrency, signal } = this.#options;
    for (const key of this.#waiting) {
      if (signal.aborted || this.#running.size >= concurrency) return;
      if (this.#running.has(key)) continue;
      this.#waiting.delete(key);
      this.#running.set(key, this.#run(key));
    }
  }

  async #run(key: string): Promise<void> {
    const { work, onFailure, signal } = this.#options;
    try {
      await work(key);
      this.#failures.delete(key);
    } catch (error) {
      if (!signal.aborted) {
        onFailure(key, error);
        this.#addLater(key);
      }
    } finally {
      this.#running.delete(key);
      this.#next();
    }
  }

  #addLater(key: string): void {
    const failures = this.#failures.get(key) ?? 0;
    this.#failures.set(key, failures + 1);
    const ms = Math.min(FIRST_RETRY_MS * 2 ** failures, LAST_RETRY_MS);
    // A sleep that ends early is the end of the server.
    this.#options.clock.sleep(ms, this.#options.signal).then(
      () => this.add(key),
      () => undefined,
    );
  }
}
