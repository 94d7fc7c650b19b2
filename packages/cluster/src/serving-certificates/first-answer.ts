import { APIError } from "@annex/apimachinery";
import type { Clock, Logger } from "@annex/apiserver";
import { ClusterUnavailableError } from "../client/index.ts";
import { CertificateSecretError } from "./tls-secrets.ts";

const MIN_BACKOFF_MS = 800;
const MAX_BACKOFF_MS = 30_000;

/**
 * Makes an attempt again, ever more seldom, while the cluster cannot be asked or is not well itself: a server may start before its kube-apiserver.
 *
 * @throws {CertificateSecretError} when the cluster refuses: no rights, no such namespace. NotFound is the attempt's own to judge.
 * @throws what the attempt throws otherwise, and the signal's reason.
 */
export async function retryUntilAnswered<T>(
  attempt: () => Promise<T>,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Logger; readonly signal: AbortSignal },
): Promise<T> {
  for (let backoffMs = MIN_BACKOFF_MS; ; backoffMs = Math.min(backoffMs * 2, MAX_BACKOFF_MS)) {
    try {
      return await attempt();
    } catch (error) {
      const isUnwell = error instanceof ClusterUnavailableError || (APIError.is(error) && error.code >= 500);
      if (signal.aborted || (!isUnwell && (!APIError.is(error) || error.code === 404))) throw error;
      if (!isUnwell) throw new CertificateSecretError(`the Secret of the serving certificate cannot be had: ${messageOf(error)}`, { cause: error });
      log.warn({ err: error }, "the cluster cannot be asked; trying again");
      await clock.sleep(backoffMs, signal);
    }
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
