import { APIError, type ObjectName, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import type { ObjectView, RequestContext, ResourceVerbs } from "@annex/apiserver";
import type { ControllerServices } from "@annex/apiserver-node";

/** A selection of all objects, of all namespaces. */
export const EVERYTHING = { namespace: "", labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };

/** How long something that failed is left alone. */
export const RETRY_MS = 1_000;

/**
 * Does something for as long as the server runs: again when it ends, and after a while when it fails.
 *
 * @param complaint what the log says of a failure.
 * @returns when the signal aborts; it does not reject.
 */
export async function runAlways(
  task: () => Promise<unknown>,
  complaint: string,
  { clock, log }: Pick<ControllerServices, "clock" | "log">,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await task();
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ error }, complaint);
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

/** The present state of an object; undefined when there is none, or its kind cannot be read one by one. @throws {APIError} what the verbs answer. */
export async function findView({ get }: ResourceVerbs, target: ObjectName, context: RequestContext): Promise<ObjectView | undefined> {
  try {
    return await get?.(target, { type: "MostRecent" }, context);
  } catch (error) {
    if (APIError.is(error, "NotFound")) return undefined;
    throw error;
  }
}
