import { parseFieldSelector, validatePathSegmentName } from "@annex/apimachinery";
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
  const { verb, group, version, resource, subresource, namespace } = info;
  const name = info.name === "" && (verb === "list" || verb === "watch") ? selectedName(request.query) : info.name;
  return { type: "resource", user, verb: verb === "" ? request.method.toLowerCase() : verb, group, version, resource, subresource, namespace, name };
}

/**
 * The name of the one object that a list or watch is about, if it names one: who may list `a` alone may do so with `fieldSelector=metadata.name=a`.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/request, RequestInfoFactory.
 */
function selectedName(query: string): string {
  if (!query.includes("fieldSelector")) return "";
  try {
    const selector = parseFieldSelector(new URLSearchParams(query).get("fieldSelector") ?? "", ANY_FIELD);
    const name = selector.requiredValue("metadata.name") ?? "";
    return validatePathSegmentName(name).length === 0 ? name : "";
  } catch {
    // What does not parse is refused later, and names nothing now.
    return "";
  }
}

const ANY_FIELD = () => true;
