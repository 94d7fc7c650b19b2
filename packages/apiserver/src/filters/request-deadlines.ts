import { timeout } from "@annex/apimachinery";
import { type Awaitable, isPromise } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";

/**
 * The deadlines of requests that all have the same time. They end in the order in which they began, so that one sleep serves them all, and a request costs no
 * timer and no AbortController: those made half of the work of a GET. One that is answered at once has none.
 */
export class RequestDeadlines {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  /** The first of those that run, in the order in which they began, and the last. Links and no Set: see `RunningExchanges` in apiserver-node. */
  #oldest: RequestDeadline | undefined;
  #newest: RequestDeadline | undefined;
  #isSleeping = false;

  constructor(timeoutMs: number, clock: Clock, closing: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#closing = closing;
  }

  /** @param outer whose signal ends the request earlier. */
  begin(outer: Cancellation): RequestDeadline {
    return new RequestDeadline(outer, this);
  }

  /** From now on its time runs. One whose time runs already goes on. */
  add(deadline: RequestDeadline): void {
    if (this.#has(deadline)) return;
    deadline.at = this.#clock.now() + this.#timeoutMs;
    deadline.previous = this.#newest;
    if (this.#newest === undefined) this.#oldest = deadline;
    else this.#newest.next = deadline;
    this.#newest = deadline;
    // Its failure is the end of the server.
    if (!this.#isSleeping) this.#watch().catch(() => undefined);
  }

  remove(deadline: RequestDeadline): void {
    if (!this.#has(deadline)) return;
    const { previous, next } = deadline;
    if (previous === undefined) this.#oldest = next;
    else previous.next = next;
    if (next === undefined) this.#newest = previous;
    else next.previous = previous;
    // What is over holds nobody.
    deadline.previous = undefined;
    deadline.next = undefined;
  }

  #has(deadline: RequestDeadline): boolean {
    return deadline.previous !== undefined || this.#oldest === deadline;
  }

  async #watch(): Promise<void> {
    this.#isSleeping = true;
    try {
      for (;;) {
        const ms = this.#msOfOldest();
        if (ms === undefined) return;
        if (ms > 0) await this.#clock.sleep(ms, this.#closing);
      }
    } finally {
      this.#isSleeping = false;
    }
  }

  /** How long the oldest still has; 0 when it was over and has expired now. */
  #msOfOldest(): number | undefined {
    const oldest = this.#oldest;
    if (oldest === undefined) return undefined;
    const ms = oldest.at - this.#clock.now();
    if (ms <= 0) oldest.expire();
    return Math.max(0, ms);
  }
}

/** The time that one request has. */
export class RequestDeadline implements Cancellation {
  /** Milliseconds since the epoch; set when its time begins to run. */
  at = 0;
  /** Its neighbours among those that run. */
  previous: RequestDeadline | undefined;
  next: RequestDeadline | undefined;
  readonly #outer: Cancellation;
  readonly #all: RequestDeadlines;
  #refuse: ((reason: Error) => void) | undefined;
  #controller: AbortController | undefined;
  #isExpired = false;

  constructor(outer: Cancellation, all: RequestDeadlines) {
    this.#outer = outer;
    this.#all = all;
  }

  get isExpired(): boolean {
    return this.#isExpired;
  }

  get signal(): AbortSignal {
    if (this.#controller !== undefined) return this.#controller.signal;
    this.#controller = new AbortController();
    const { signal } = this.#outer;
    if (this.#isExpired) this.#controller.abort(tooLate());
    else if (signal.aborted) this.#controller.abort(signal.reason);
    else signal.addEventListener("abort", this.#onAbort, { once: true });
    return this.#controller.signal;
  }

  /** What the work comes to; rejects with `Timeout` when the time is up before, whatever the work then does. */
  limit<T>(work: Awaitable<T>): Awaitable<T> {
    if (!isPromise(work)) return work;
    this.#all.add(this);
    return new Promise((resolve, reject) => {
      this.#refuse = reject;
      work.then(resolve, reject);
    });
  }

  expire(): void {
    this.#isExpired = true;
    this.end();
    this.#refuse?.(tooLate());
    this.#controller?.abort(tooLate());
  }

  /** The request is over: nothing aborts it any longer, and nothing is left on the outer signal. */
  end(): void {
    this.#all.remove(this);
    if (this.#controller !== undefined) this.#outer.signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#controller?.abort(this.#outer.signal.reason);
}

function tooLate(): Error {
  return timeout("request did not complete within the allotted timeout");
}
