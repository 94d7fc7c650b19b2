import { timeout } from "@annex/apimachinery";
import type { Clock } from "./clock.ts";

/** The time that a request has. Disposing of it frees the timer and lets go of the outer signal. */
export interface Deadline extends Disposable {
  /** Aborts with the outer signal's reason, or with the `Timeout` (504) of a request that took too long; after disposal with neither. */
  readonly signal: AbortSignal;
  /** Whether the time was up before the outer signal aborted and before disposal. */
  readonly isExpired: boolean;
}

/**
 * Joins a signal with a deadline.
 *
 * It does what `AbortSignal.any` and a timer would do, but leaves nothing behind: there a signal that lives as long as the server (Node 20) keeps a
 * reference to all that was ever joined to it.
 *
 * @param ms milliseconds from now; zero or less expires on a later turn of the event loop.
 * Source: k8s.io/apiserver server/filters WithTimeoutForNonLongRunningRequests, whose sentence the reason has.
 */
export function withDeadline(signal: AbortSignal, ms: number, clock: Clock): Deadline {
  const joined = new AbortController();
  const timer = new AbortController();
  let isExpired = false;
  const letGo = () => {
    signal.removeEventListener("abort", onAbort);
    timer.abort();
  };
  const onAbort = () => {
    letGo();
    joined.abort(signal.reason);
  };
  const expire = () => {
    // The sleep may have ended in the same turn as something else did.
    if (timer.signal.aborted) return;
    isExpired = true;
    letGo();
    joined.abort(timeout("request did not complete within the allotted timeout"));
  };
  if (signal.aborted) {
    onAbort();
  } else {
    signal.addEventListener("abort", onAbort, { once: true });
    // The other outcome of this sleep is our own abort of it.
    clock.sleep(ms, timer.signal).then(expire, () => undefined);
  }
  return {
    signal: joined.signal,
    get isExpired() {
      return isExpired;
    },
    [Symbol.dispose]: letGo,
  };
}
