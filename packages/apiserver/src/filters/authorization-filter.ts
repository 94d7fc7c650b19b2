import type { Attributes } from "../authorization/authorizer.ts";
import { forbiddenError } from "../authorization/forbidden-message.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import type { Filter } from "./filter.ts";

/** Lets pass what somebody allows. Without an opinion the answer is no. */
export function authorizationFilter(): Filter {
  return async (state, next) => {
    const attributes = attributesOf(state);
    const decision = await state.authorizer.authorize(attributes, state.signal);
    if (decision.decision !== "Allow") throw forbiddenError(attributes, decision.reason);
    return next(state);
  };
}

/** What a request wants to do, in the words of authorization. */
export function attributesOf({ info, user, request }: RequestState): Attributes {
  if (info.type === "path") return { type: "path", user, verb: request.method.toLowerCase(), path: info.path };
  const { verb, group, version, resource, subresource, namespace, name } = info;
  return { type: "resource", user, verb: verb === "" ? request.method.toLowerCase() : verb, group, version, resource, subresource, namespace, name };
}
