import { type APIError, tooManyRequests } from "@annex/apimachinery";
import type { Awaitable } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";
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

/** How much of all places one user may take: slow uploads and reads of the future hold theirs for long, and others are to get through beside them. */
const USER_SHARE = 0.9;

/**
 * Places for a number of requests, and a line for those who come when all are taken. A place that gets free goes to each waiting user in turn, and to the
 * requests of one user in the order in which they came: who sends a thousand waits for their own. The last tenth of the places is not for who has all the others.
 */
export class FairQueue {
  readonly #options: FairQueueOptions;
  /** Waiting requests by user; the user whose turn is next comes first. Never an empty list. While anybody is here, all places are taken, or theirs are. */
  readonly #waiting = new Map<string, Waiter[]>();
  /** Places taken, by user. Never 0. */
  readonly #taken = new Map<string, number>();
  readonly #limitPerUser: number;
  #queued = 0;
  #running = 0;

  constructor(options: FairQueueOptions) {
    this.#options = options;
    this.#limitPerUser = Math.max(1, Math.ceil(options.limit * USER_SHARE));
  }

  /**
   * Takes a place, which the caller gives back with {@link release}: at once where there is one.
   *
   * When the line is full, a user with the most waiting requests loses the newest of them to one who would still have fewer.
   *
   * @throws {APIError} `TooManyRequests` when there is no place in the line, or none to run within the longest wait.
   * @throws the signal's reason.
   */
  acquire(user: string, cancellation: Cancellation): Awaitable<void> {
    if (this.#running < this.#options.limit && this.#mayTake(user)) {
      this.#take(user);
      return;
    }
    const own = this.#waiting.get(user)?.length ?? 0;
    if (own >= this.#options.maxQueuedPerUser) throw tooBusy();
    if (this.#queued >= this.#options.maxQueued && !this.#displaceFor(own)) throw tooBusy();
    return this.#wait(user, cancellation.signal);
  }

  /** Gives a user's place back: to who waits, if anybody does. */
  release(user: string): void {
    this.#running--;
    const left = (this.#taken.get(user) ?? 1) - 1;
    if (left === 0) this.#taken.delete(user);
    else this.#taken.set(user, left);
    this.#next()?.admit();
  }

  #mayTake(user: string): boolean {
    return (this.#taken.get(user) ?? 0) < this.#limitPerUser;
  }

  #take(user: string): void {
    this.#running++;
    this.#taken.set(user, (this.#taken.get(user) ?? 0) + 1);
  }

  #wait(user: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
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
      if (!this.#mayTake(user)) continue;
      const next = own.shift();
      this.#take(user);
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
