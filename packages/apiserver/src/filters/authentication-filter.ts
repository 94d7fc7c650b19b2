import { unauthorized } from "@annex/apimachinery";
import type { Authenticator } from "../authentication/authenticator.ts";
import type { Filter } from "./filter.ts";

/** Finds out who asks. Who brings no credential is refused, unless the authenticator lets nobody be somebody (`allowAnonymous`). */
export function authenticationFilter(authenticator: Authenticator): Filter {
  return async (state, next) => {
    const user = await authenticator.authenticate(state.request);
    if (user === undefined) throw unauthorized();
    state.user = user;
    return next(state);
  };
}
