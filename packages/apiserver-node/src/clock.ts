import type { Clock } from "@annex/apiserver";

/** `setTimeout` takes at most a signed 32-bit number and fires at once beyond it. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** The machine's clock. A pending sleep keeps the process alive: whoever sleeps long gives a signal. */
export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    for (let rest = ms; ; rest -= MAX_TIMEOUT_MS) {
      await sleepOnce(Math.min(Math.max(rest, 0), MAX_TIMEOUT_MS), signal);
      if (rest <= MAX_TIMEOUT_MS) return;
    }
  },
};

function sleepOnce(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
