import { APIError, internalError, timeout } from "@annex/apimachinery";
import { whenSettled } from "../awaitable.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import { respondError } from "../endpoints/respond.ts";
import type { Logger } from "../logger.ts";
import { StorageError } from "../storage/index.ts";
import type { Filter } from "./filter.ts";

/**
 * The only catch that answers: an `APIError` becomes its Status; anything else is logged under the request's audit id, and answered as a 500 without its message. So is what ails storage
 * (a full disk): the client is told that it failed, the log why.
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
  const { auditID, info, request } = state;
  const note = (why: unknown) => log.error({ error: why, auditID, verb: info.verb, path: info.path }, "a request failed");
  if (APIError.is(error)) {
    if (error.cause instanceof StorageError) note(error.cause);
    return respondError(state, error);
  }
  // The client is gone, or its time is up: whatever was under way ended because of that.
  if (request.signal.aborted) return respondError(state, timeout("the client closed the request"));
  note(error);
  return respondError(state, internalError(`the server failed; see its log for audit id ${auditID}`));
}
