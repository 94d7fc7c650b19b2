import { APIError, internalError, timeout } from "@annex/apimachinery";
import { whenSettled } from "../awaitable.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import { respondError } from "../endpoints/respond.ts";
import type { Logger } from "../logger.ts";
import type { Filter } from "./filter.ts";

/**
 * The only catch that answers: an `APIError` becomes its Status; anything else is logged under the request's audit id, and answered as a 500 without its message.
 */
export function errorFilter(log: Logger): Filter {
  return (state, next) =>
    whenSettled(
      () => next(state),
      (response) => response,
      (error) => respondFailure(state, error, log),
    );
}

function respondFailure(state: RequestState, error: unknown, log: Logger): APIResponse {
  if (APIError.is(error)) return respondError(state, error);
  const { auditID, info, request } = state;
  // The client is gone, or its time is up: whatever was under way ended because of that.
  if (request.signal.aborted) return respondError(state, timeout("the client closed the request"));
  log.error({ error, auditID, verb: info.verb, path: info.path }, "a request failed");
  return respondError(state, internalError(`the server failed; see its log for audit id ${auditID}`));
}
