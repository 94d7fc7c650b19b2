import { whenReady } from "../awaitable.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { Logger } from "../logger.ts";
import type { Filter } from "./filter.ts";

/**
 * Writes a line for each request once its answer is known: who, what, with which result. Of the headers the User-Agent alone, and neither query nor body: they may
 * hold what nobody is to read in a log. Source: k8s.io/apiserver server/httplog, which does so from `-v=3` on.
 */
export function logFilter(log: Logger, now: () => number): Filter {
  return (state, next) =>
    whenReady(next(state), (response) => {
      log.info(lineOf(state, response.status, now()), "request");
      return response;
    });
}

function lineOf({ info, user, impersonator, auditID, request, now }: RequestState, code: number, endedAt: number): Readonly<Record<string, unknown>> {
  return {
    verb: info.verb,
    path: info.path,
    user: user.name,
    ...(impersonator === undefined ? {} : { impersonator: impersonator.name }),
    userAgent: request.headers["user-agent"],
    auditID,
    code,
    ms: endedAt - now,
  };
}
