import { APIError } from "@annex/apimachinery";
import { hasImpersonationHeaders, isImpersonationHeader, readImpersonation } from "../authentication/impersonation-headers.ts";
import type { UserInfo } from "../authentication/user-info.ts";
import type { APIResponse } from "../endpoints/http.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import { respondRefusal } from "../endpoints/respond.ts";
import { attributesOf } from "./authorization-filter.ts";
import type { Filter, Handler } from "./filter.ts";
import { impersonate } from "./impersonation-modes.ts";
import { withoutHeaders } from "./without-headers.ts";

/**
 * Carries a request out as somebody else, for those who may: everything behind it, beginning with flow control, sees the other user and not the headers. Who asked in truth
 * stays known, for the log.
 *
 * Source: k8s.io/apiserver endpoints/filters/impersonation, WithConstrainedImpersonation (KEP-5284).
 */
export function impersonationFilter(): Filter {
  return (state, next) => (hasImpersonationHeaders(state.request) ? serveAsAnother(state, next) : next(state));
}

async function serveAsAnother(state: RequestState, next: Handler): Promise<APIResponse> {
  let user: UserInfo | undefined;
  try {
    user = await impersonated(state);
  } catch (error) {
    if (APIError.is(error)) return respondRefusal(state, error);
    throw error;
  }
  if (user === undefined) return next(state);
  state.impersonator = state.user;
  state.user = user;
  state.request = withoutHeaders(state.request, isImpersonationHeader);
  return next(state);
}

/** @returns undefined when nobody is to be impersonated. */
async function impersonated(state: RequestState): Promise<UserInfo | undefined> {
  const wanted = readImpersonation(state.request);
  return wanted && (await impersonate(wanted, attributesOf(state), state.authorizer, state.cancellation));
}
