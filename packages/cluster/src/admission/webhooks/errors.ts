import { APIError, badRequest, internalError, quoteGo, type StatusDetails } from "@annex/apimachinery";

/** A webhook could not be asked, or what it answered is no answer: whether that matters, its failure policy says. */
export class WebhookCallError extends Error {
  override readonly name = "WebhookCallError";

  /** @param why is told to the client. */
  constructor(webhook: string, why: string, cause?: unknown) {
    super(`failed calling webhook ${quoteGo(webhook)}: ${why}`, { cause });
  }

  /** What the client is told where the failure counts. */
  toAPIError(): APIError {
    return internalError(this.message, this.cause);
  }
}

/** What of the Status in an answer is told to the client. */
export interface RefusalStatus {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: StatusDetails;
}

/**
 * What a client is told of a webhook's refusal: in the webhook's own words.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/errors/statuserror.go.
 */
export function webhookRefusal(webhook: string, { message = "", reason = "", code = 0, details }: RefusalStatus): APIError {
  const because = message || reason;
  // However odd its code is, a refusal is one. What is none of an error's in HTTP, a client cannot be answered with.
  const isErrorCode = code >= 400 && code < 600;
  const denied = `admission webhook ${quoteGo(webhook)} denied the request`;
  return new APIError("Forbidden", because === "" ? `${denied} without explanation` : `${denied}: ${because}`, {
    code: isErrorCode ? code : 400,
    statedReason: reason,
    ...(details === undefined ? {} : { details }),
  });
}

export const dryRunUnsupported = (webhook: string): APIError => badRequest(`admission webhook ${quoteGo(webhook)} does not support dry run`);
