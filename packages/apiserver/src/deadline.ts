import { timeout } from "@annex/apimachinery";
import type { Clock } from "./clock.ts";
import { JoinedSignal } from "./joined-signal.ts";

/** The time that a request has. Disposing of it frees the timer and lets go of the outer signal. */
export interface Deadline extends Disposable {
  /** Aborts with the outer signal's reason, or with the `Timeout` (504) of a request that took too long; after disposal with neither. */
  readonly signal: AbortSignal;
  /** Whether the time was up before the outer signal aborted and before disposal. */
  readonly isExpired: boolean;
}

/**
 * Joins a signal with a deadline, and leaves nothing behind there ({@link JoinedSignal}).
 *
 * @param ms milliseconds from now; zero or less expires on a later turn of the event loop.
 * Source: k8s.io/apiserver server/filters WithTimeoutForNonLongRunningRequests, whose sentence the reason has.
 */
export function withDeadline(outer: AbortSignal, ms: number, clock: Clock): Deadline {
  const joined = new JoinedSignal(outer);
  const timer = new AbortController();
  let isExpired = false;
  const expire = () => {
    // The sleep may have ended in the same turn as something else did.
    if (timer.signal.aborted) return;
    isExpired = true;
    joined.abort(timeout("request did not complete within the allotted timeout"));
  };
  if (!joined.signal.aborted) {
    joined.signal.addEventListener("abort", () => timer.abort(), { once: true });
    // The other outcome of this sleep is our own abort of it.
    clock.sleep(ms, timer.signal).then(expire, () => undefined);
  }
  return {
    signal: joined.signal,
    get isExpired() {
      return isExpired;
    },
    [Symbol.dispose]: () => {
      joined[Symbol.dispose]();
      timer.abort();
    },
  };
}
