import type { Logger } from "../logger.ts";
import type { Filter } from "./filter.ts";

/**
 * Writes a line for each request once its answer is known: who, what, with which result. Of the headers the User-Agent alone, and neither query nor body: they may
 * hold what nobody is to read in a log. Source: k8s.io/apiserver server/httplog, which does so from `-v=3` on.
 */
export function logFilter(log: Logger, now: () => number): Filter {
  return async (state, next) => {
    const response = await next(state);
    const { info, user, auditID, request } = state;
    log.info(
      {
        verb: info.verb,
        path: info.path,
        user: user.name,
        userAgent: request.headers["user-agent"],
        auditID,
        code: response.status,
        ms: now() - state.now,
      },
      "request",
    );
    return response;
  };
}
