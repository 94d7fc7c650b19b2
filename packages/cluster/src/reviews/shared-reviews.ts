import { tooManyRequests } from "@annex/apimachinery";
import type { Awaitable, Cancellation, Clock } from "@annex/apiserver";
import { TimeLimit } from "../client/time-limit.ts";
import { ExpiringCache } from "./expiring-cache.ts";

export interface SharedReviewsOptions<V> {
  readonly clock: Clock;
  /** How long an answer holds, in milliseconds. */
  readonly ttlMs: (answer: V) => number;
  /** How long a review may take with all its attempts, in milliseconds. Default 10,000, as Go's. */
  readonly timeoutMs?: number;
  /** Reviews that run at a time. Default 512. */
  readonly maxRunning?: number;
}

const TIMEOUT_MS = 10_000;
/** More than a server lets requests run at a time; those who are not known yet do not count there. */
const MAX_RUNNING = 512;
/** Source: apiserver plugin/pkg/authorizer/webhook, whose cache holds as many, and nothing of more than 10,000 characters that a client chose. */
const BOUNDS = { maxEntries: 8192, maxKeyLength: 16_384, maxKeysLength: 8 * 1024 * 1024 };

/**
 * Answers of the kube-apiserver that several requests ask for: one is asked for once at a time, and holds for a while. Failures are not kept.
 *
 * Those who say no are kept apart from those who say yes, so that nobody pushes good answers out by asking much that is refused.
 */
export class SharedReviews<V> {
  readonly #running = new Map<string, Promise<V>>();
  readonly #good: ExpiringCache<V>;
  readonly #bad: ExpiringCache<V>;
  readonly #isGood: (answer: V) => boolean;
  readonly #options: SharedReviewsOptions<V>;

  constructor(isGood: (answer: V) => boolean, options: SharedReviewsOptions<V>) {
    this.#isGood = isGood;
    this.#options = options;
    this.#good = new ExpiringCache(options.clock, BOUNDS);
    this.#bad = new ExpiringCache(options.clock, BOUNDS);
  }

  /**
   * @param key all that the answer depends on. It is kept: nothing secret.
   * @param review asks; its signal is the review's own, for whoever waits for it may leave.
   * @returns at once what is known.
   * @throws {APIError} `TooManyRequests` when too many reviews run; what the review threw; the reason of the cancellation.
   */
  ask(key: string, review: (signal: AbortSignal) => Promise<V>, cancellation: Cancellation): Awaitable<V> {
    const known = this.#good.get(key) ?? this.#bad.get(key);
    if (known !== undefined) return known;
    return untilAborted(this.#running.get(key) ?? this.#start(key, review), cancellation.signal);
  }

  #start(key: string, review: (signal: AbortSignal) => Promise<V>): Promise<V> {
    if (this.#running.size >= (this.#options.maxRunning ?? MAX_RUNNING))
      throw tooManyRequests("too many reviews are under way, please try again later", 1);
    const running = this.#review(key, review).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    // Whoever asked may be gone when it fails.
    running.catch(() => undefined);
    return running;
  }

  async #review(key: string, review: (signal: AbortSignal) => Promise<V>): Promise<V> {
    using limit = new TimeLimit(new AbortController().signal, this.#options.timeoutMs ?? TIMEOUT_MS);
    const answer = await untilAborted(review(limit.signal), limit.signal);
    const cache = this.#isGood(answer) ? this.#good : this.#bad;
    cache.set(key, answer, this.#options.ttlMs(answer));
    return answer;
  }
}

/** @throws the signal's reason, if it is aborted first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
