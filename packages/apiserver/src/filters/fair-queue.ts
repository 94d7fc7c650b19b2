import { type APIError, tooManyRequests } from "@annex/apimachinery";
import type { Clock } from "../clock.ts";

/** The 429 of flow control. Source: k8s.io/apiserver server/filters, tooManyRequests. */
export const tooBusy = (): APIError => tooManyRequests("Too many requests, please try again later.", 1);

export interface FairQueueOptions {
  /** How many run at once; Infinity for no limit. */
  readonly limit: number;
  /** How many wait, of all users together. */
  readonly maxQueued: number;
  /** How many wait, of each user. */
  readonly maxQueuedPerUser: number;
  readonly maxWaitMs: number;
  readonly clock: Clock;
}

interface Waiter {
  readonly admit: () => void;
  readonly refuse: (why: unknown) => void;
}

/**
 * Places for a number of requests, and a line for those who come when all are taken. A place that gets free goes to each waiting user in turn, and to the
 * requests of one user in the order in which they came: who sends a thousand waits for their own.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Waiting requests by user; the user whose turn is next comes first. Never an empty list. While anybody is here, all places are taken. */
  readonly #waiting = new Map<string, Waiter[]>();
  #queued = 0;
  #running = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
  }

  /**
   * Takes a place, which the caller gives back with {@link release}.
   *
   * When the line is full, a user with the most waiting requests loses the newest of them to one who would still have fewer.
   *
   * @throws {APIError} `TooManyRequests` when there is no place in the line, or none to run within the longest wait.
   * @throws the signal's reason.
   */
  async acquire(user: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#running < this.#options.limit) {
      this.#running++;
      return;
    }
    const own = this.#waiting.get(user)?.length ?? 0;
    if (own >= this.#options.maxQueuedPerUser) throw tooBusy();
    if (this.#queued >= this.#options.maxQueued && !this.#displaceFor(own)) throw tooBusy();
    await this.#wait(user, signal);
  }

  /** Gives a place back: to who waits, if anybody does. */
  release(): void {
    const next = this.#next();
    if (next === undefined) this.#running--;
    else next.admit();
  }

  #wait(user: string, signal: AbortSignal): Promise<void> {
    const { clock, maxWaitMs } = this.#options;
    return new Promise<void>((resolve, reject) => {
      const timer = new AbortController();
      const leaveLine = (why: () => unknown) => {
        if (this.#remove(user, waiter)) waiter.refuse(why());
      };
      const onAbort = () => leaveLine(() => signal.reason);
      const done = () => {
        signal.removeEventListener("abort", onAbort);
        timer.abort();
      };
      const waiter: Waiter = {
        admit: () => {
          done();
          resolve();
        },
        refuse: (why) => {
          done();
          reject(why);
        },
      };
      this.#add(user, waiter);
      signal.addEventListener("abort", onAbort, { once: true });
      // The other outcome of this sleep is our own abort of it.
      clock.sleep(maxWaitMs, timer.signal).then(
        () => leaveLine(tooBusy),
        () => undefined,
      );
    });
  }

  #add(user: string, waiter: Waiter): void {
    const own = this.#waiting.get(user);
    if (own === undefined) this.#waiting.set(user, [waiter]);
    else own.push(waiter);
    this.#queued++;
  }

  /** @returns whether it still waited. */
  #remove(user: string, waiter: Waiter): boolean {
    const own = this.#waiting.get(user) ?? [];
    const index = own.indexOf(waiter);
    if (index < 0) return false;
    own.splice(index, 1);
    if (own.length === 0) this.#waiting.delete(user);
    this.#queued--;
    return true;
  }

  #next(): Waiter | undefined {
    for (const [user, own] of this.#waiting) {
      const next = own.shift();
      // Set anew, the user stands at the end of the line.
      this.#waiting.delete(user);
      if (own.length > 0) this.#waiting.set(user, own);
      this.#queued--;
      return next;
    }
    return undefined;
  }

  /** Looks through the users that wait, of whom there are at most `maxQueued`, and only when the line is full. */
  #displaceFor(own: number): boolean {
    let longest: [user: string, waiters: Waiter[]] | undefined;
    for (const entry of this.#waiting) if (entry[1].length > (longest?.[1].length ?? own + 1)) longest = entry;
    const newest = longest?.[1].at(-1);
    if (longest === undefined || newest === undefined) return false;
    this.#remove(longest[0], newest);
    newest.refuse(tooBusy());
    return true;
  }
}
