import { badRequest, decodeStrictJSON, encodeJSON, methodNotAllowed, parseContentType } from "@annex/apimachinery";
import { decodeReview, review } from "../webhooks/admission-review.ts";
import type { AdmissionWebhook } from "../webhooks/index.ts";
import { MAX_BODY_BYTES, readBody } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import type { RequestState } from "./request-state.ts";
import { respond } from "./respond.ts";

/** The largest review, in bytes: the object of now, the one before, and what is said beside them. */
export const MAX_REVIEW_BYTES = 2 * MAX_BODY_BYTES + 1024 * 1024;

/**
 * Answers an AdmissionReview. As of every answer that does not come from the webhook itself, a Status is for `failurePolicy`.
 *
 * @throws {APIError} `MethodNotAllowed`, `UnsupportedMediaType`, `RequestEntityTooLarge`, `BadRequest` for a body that is no AdmissionReview of v1.
 */
export async function serveWebhook(state: RequestState, webhook: AdmissionWebhook): Promise<APIResponse> {
  if (state.request.method !== "POST") throw methodNotAllowed();
  parseContentType(state.request.headers["content-type"], ["json"]);
  const sent = decodeReview(decodeJSONBody(await readBody(state, MAX_REVIEW_BYTES)));
  return respond(200, "application/json", encodeJSON(await review(webhook, sent, state.signal)));
}

function decodeJSONBody(bytes: Uint8Array) {
  try {
    return decodeStrictJSON(bytes).value;
  } catch (error) {
    throw error instanceof Error && error.name === "JSONSyntaxError" ? badRequest(`the body is no JSON: ${error.message}`) : error;
  }
}
