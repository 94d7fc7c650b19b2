import { unauthorized } from "@annex/apimachinery";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { Filter } from "./filter.ts";

/** Finds out who asks. Who brings no credential that anybody knows of is refused: `anonymous` is an authenticator like any other. */
export function authenticationFilter(authenticator: Authenticator): Filter {
  return async (state, next) => {
    const user = await authenticator.authenticate(state.request);
    if (user === undefined) throw unauthorized();
    state.user = user;
    return next(state);
  };
}
