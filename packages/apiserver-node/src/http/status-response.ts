import { randomUUID } from "node:crypto";
import type { Status, StatusReason } from "@annex/apimachinery";
import type { APIResponse } from "@annex/apiserver";

const encoder = new TextEncoder();

/**
 * A failure that the adapter answers itself, before or instead of the handler: as a `Status` in JSON, whatever was asked for.
 *
 * @param headers in addition to the content type and the `Audit-ID`, which every answer has.
 */
export function statusResponse(code: number, reason: StatusReason, message: string, headers: Readonly<Record<string, string>> = {}): APIResponse {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code } satisfies Status;
  return {
    status: code,
    headers: { "audit-id": randomUUID(), "content-type": "application/json", ...headers },
    body: encoder.encode(`${JSON.stringify(status)}\n`),
  };
}

/** The answer to a bug: it says nothing of what went wrong, the log does. */
export const internalErrorResponse = (): APIResponse => statusResponse(500, "InternalError", "Internal error occurred");

/** Too much is waiting to be sent. Only for requests that change nothing, so that sending them again is harmless. */
export const overloadedResponse = (): APIResponse =>
  statusResponse(429, "TooManyRequests", "too many bytes are waiting to be sent, please try again later", { "retry-after": "1" });
