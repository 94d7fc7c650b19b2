import { type Clock, JoinedSignal } from "@annex/apiserver";

/**
 * Waits for something, for so long at most; the caller looks whether it came.
 *
 * @param promise does not reject.
 * @throws the signal's reason, when it is aborted.
 */
export async function settledWithin(promise: Promise<void>, ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  using waiting = new JoinedSignal(signal);
  await Promise.race([promise, clock.sleep(ms, waiting.signal).catch(() => undefined)]);
  // The sleep may still be under way.
  waiting.abort();
  signal.throwIfAborted();
}
