import {
  type APIError,
  encodeJSON,
  encodePrettyJSON,
  encodeYAML,
  type NegotiatedResponse,
  negotiateStatus,
  prefersPretty,
} from "@annex/apimachinery";
import type { APIResponse, ResponseHeaders } from "./http.ts";
import type { RequestState } from "./request-state.ts";

/** Of everything but documents that may be kept. */
export const NO_CACHE = "no-cache, private";

/** A whole answer. */
export function respond(status: number, contentType: string, body: Uint8Array, headers: ResponseHeaders = {}): APIResponse {
  return { status, headers: { "cache-control": NO_CACHE, "content-type": contentType, ...headers }, body };
}

/** A value in the form that was negotiated. */
export function respondValue(state: RequestState, status: number, negotiated: NegotiatedResponse, value: unknown): APIResponse {
  return respond(status, negotiated.mediaType, encodeValue(state, negotiated, value));
}

/** What of an answer stays to be decided by the query and the User-Agent: whether it is printed for people. */
export function isPretty({ request }: RequestState, negotiated: NegotiatedResponse): boolean {
  return negotiated.pretty || prefersPretty(request.query, request.headers["user-agent"]);
}

export function encodeValue(state: RequestState, negotiated: NegotiatedResponse, value: unknown): Uint8Array {
  if (negotiated.mediaType === "application/yaml") return encodeYAML(value as never);
  return isPretty(state, negotiated) ? encodePrettyJSON(value) : encodeJSON(value);
}

/** The Status of a failure. */
export function respondError(state: RequestState, error: APIError): APIResponse {
  const retryAfter = error.details?.retryAfterSeconds;
  const response = respondValue(state, error.code, negotiateStatus(state.request.headers.accept), error.toStatus());
  return retryAfter === undefined ? response : { ...response, headers: { ...response.headers, "retry-after": String(retryAfter) } };
}

/** As {@link respondError}, of a request that was refused before it came to its endpoint: its sentence has what was sent, and no browser is to guess what it is. */
export function respondRefusal(state: RequestState, error: APIError): APIResponse {
  const response = respondError(state, error);
  return { ...response, headers: { ...response.headers, "x-content-type-options": "nosniff" } };
}
