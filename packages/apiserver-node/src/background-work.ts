import type { Logger } from "@annex/apiserver";

/** What goes on beside a server's requests until a signal ends it. */
export interface BackgroundWork {
  /** Settled when the first part fails; pending for ever where none does. The server then has to stop: without that part it would only look like a whole one. */
  readonly failed: Promise<void>;
  /** Settled when all parts have ended: whether none failed. */
  readonly ended: Promise<boolean>;
}

/**
 * Watches over work in several parts. What a part rejects with is a line in the log, and nobody else's.
 *
 * @param signal ends the parts. One that rejects for it, with its reason or an `AbortError`, has not failed.
 */
export function backgroundWork(
  parts: readonly Promise<unknown>[],
  { signal, log }: { readonly signal: AbortSignal; readonly log: Logger },
): BackgroundWork {
  let tellFailed: () => void = () => undefined;
  const failed = new Promise<void>((resolve) => {
    tellFailed = resolve;
  });
  const succeeded = async (part: Promise<unknown>): Promise<boolean> => {
    try {
      await part;
      return true;
    } catch (error) {
      if (isEnd(error, signal)) return true;
      log.error({ err: error }, "work beside requests has failed: the server stops");
      tellFailed();
      return false;
    }
  };
  const ended = Promise.all(parts.map(succeeded)).then((results) => results.every((isGood) => isGood));
  return { failed, ended };
}

function isEnd(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && (error === signal.reason || (error instanceof Error && error.name === "AbortError"));
}

/** Waits until a server is to stop: at a signal, or when part of its work has failed. */
export async function untilStop(signal: AbortSignal, work: BackgroundWork): Promise<void> {
  const told = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([told, work.failed]);
}
