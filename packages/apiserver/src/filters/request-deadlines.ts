import { timeout } from "@annex/apimachinery";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";

/**
 * The deadlines of requests that all have the same time. They end in the order in which they began, so that one sleep serves them all, and a request costs no
 * timer and no AbortController: those made half of the work of a GET.
 */
export class RequestDeadlines {
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #closing: AbortSignal;
  /** In the order in which they began. */
  readonly #running = new Set<RequestDeadline>();
  #isSleeping = false;

  constructor(timeoutMs: number, clock: Clock, closing: AbortSignal) {
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
    this.#closing = closing;
  }

  /** @param outer whose signal ends the request earlier. */
  begin(outer: Cancellation): RequestDeadline {
    const deadline = new RequestDeadline(outer, this.#clock.now() + this.#timeoutMs, (ended) => this.#running.delete(ended));
    this.#running.add(deadline);
    // Its failure is the end of the server.
    if (!this.#isSleeping) this.#watch().catch(() => undefined);
    return deadline;
  }

  async #watch(): Promise<void> {
    this.#isSleeping = true;
    try {
      for (;;) {
        const oldest: RequestDeadline | undefined = this.#running.values().next().value;
        if (oldest === undefined) return;
        const ms = oldest.at - this.#clock.now();
        if (ms > 0) await this.#clock.sleep(ms, this.#closing);
        else oldest.expire();
      }
    } finally {
      this.#isSleeping = false;
    }
  }
}

/** The time that one request has. */
export class RequestDeadline implements Cancellation {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Rejects when the time is up; otherwise it never settles. */
  readonly expired: Promise<never>;
  readonly #outer: Cancellation;
  readonly #onEnd: (ended: RequestDeadline) => void;
  #reject: (reason: Error) => void = () => undefined;
  #controller: AbortController | undefined;
  #isExpired = false;

  constructor(outer: Cancellation, at: number, onEnd: (ended: RequestDeadline) => void) {
    this.#outer = outer;
    this.at = at;
    this.#onEnd = onEnd;
    this.expired = new Promise((_resolve, reject) => {
      this.#reject = reject;
    });
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

  expire(): void {
    this.#isExpired = true;
    this.end();
    this.#reject(tooLate());
    this.#controller?.abort(tooLate());
  }

  /** The request is over: nothing aborts it any longer, and nothing is left on the outer signal. */
  end(): void {
    this.#onEnd(this);
    if (this.#controller !== undefined) this.#outer.signal.removeEventListener("abort", this.#onAbort);
  }

  readonly #onAbort = (): void => this.#controller?.abort(this.#outer.signal.reason);
}

function tooLate(): Error {
  return timeout("request did not complete within the allotted timeout");
}
