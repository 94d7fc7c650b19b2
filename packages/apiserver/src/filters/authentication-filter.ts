import { unauthorized } from "@annex/apimachinery";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { UserInfo } from "../authentication/user-info.ts";
import { BEARER_PROTOCOL_PREFIX } from "../authentication/websocket-token.ts";
import { whenSettled } from "../awaitable.ts";
import type { RequestMetrics } from "../metrics.ts";
import type { Filter } from "./filter.ts";
import { withoutHeaders } from "./without-headers.ts";

const PROTOCOL = "sec-websocket-protocol";

/** Finds out who asks. Who brings no credential is refused, unless the authenticator lets nobody be somebody (`allowAnonymous`). Behind it nobody sees the token of a WebSocket. */
export function authenticationFilter(authenticator: Authenticator, metrics?: Pick<RequestMetrics, "countAuthentication">): Filter {
  const failed = (error: unknown) => {
    metrics?.countAuthentication("error");
    throw error;
  };
  return (state, next) => {
    const authenticated = (user: UserInfo | undefined) => {
      metrics?.countAuthentication(user === undefined ? "failure" : "success");
      if (user === undefined) throw unauthorized();
      state.user = user;
      if (state.request.headers[PROTOCOL]?.includes(BEARER_PROTOCOL_PREFIX))
        state.request = withoutHeaders(state.request, (name) => name === PROTOCOL);
      return next(state);
    };
    return whenSettled(() => authenticator.authenticate(state.request, state.warn), authenticated, failed);
  };
}
