import { unauthorized } from "@annex/apimachinery";
import type { Authenticator } from "../authentication/authenticator.ts";
import { forbiddenError } from "../authorization/forbidden-message.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { Filter } from "./filter.ts";

/** Finds out who asks. Who brings no credential is refused, unless the authenticator lets nobody be somebody (`allowAnonymous`). */
export function authenticationFilter(authenticator: Authenticator): Filter {
  return async (state, next) => {
    const user = await authenticator.authenticate(state.request);
    if (user === undefined) throw unauthorized();
    state.user = user;
    refuseImpersonation(state);
    return next(state);
  };
}

/**
 * Nobody may act as somebody else. Who asks for it must not be taken for themselves instead: an administrator who tries what another may do would do it.
 *
 * @throws {APIError} `Forbidden`, as for a user without the verb `impersonate`. Source: k8s.io/apiserver endpoints/filters, WithImpersonation.
 */
function refuseImpersonation({ request: { headers }, user }: RequestState): void {
  for (const header in headers) {
    if (!header.startsWith("impersonate-") || headers[header] === undefined) continue;
    const resource = header === "impersonate-group" ? "groups" : "users";
    const name = headers[header] ?? "";
    throw forbiddenError({ type: "resource", user, verb: "impersonate", group: "", version: "", resource, subresource: "", namespace: "", name }, "");
  }
}
