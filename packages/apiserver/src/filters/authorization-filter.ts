import { parseFieldSelector, validatePathSegmentName } from "@annex/apimachinery";
import type { Attributes, Decision } from "../authorization/authorizer.ts";
import { forbiddenError } from "../authorization/forbidden-message.ts";
import { whenSettled } from "../awaitable.ts";
import { parseQuery } from "../endpoints/query.ts";
import type { RequestState } from "../endpoints/request-state.ts";
import { respondRefusal } from "../endpoints/respond.ts";
import type { AuthorizationResult, RequestMetrics } from "../metrics.ts";
import type { Filter } from "./filter.ts";

const RESULTS: Readonly<Record<Decision["decision"], AuthorizationResult>> = { Allow: "allowed", Deny: "denied", NoOpinion: "no-opinion" };

/** Lets pass what somebody allows. Without an opinion the answer is no. */
export function authorizationFilter(metrics?: Pick<RequestMetrics, "countAuthorization">): Filter {
  const failed = (error: unknown) => {
    metrics?.countAuthorization("error");
    throw error;
  };
  return (state, next) => {
    const attributes = attributesOf(state);
    const decided = ({ decision, reason }: Decision) => {
      metrics?.countAuthorization(RESULTS[decision]);
      return decision === "Allow" ? next(state) : respondRefusal(state, forbiddenError(attributes, reason));
    };
    return whenSettled(() => state.authorizer.authorize(attributes, state.cancellation), decided, failed);
  };
}

/** What a request wants to do, in the words of authorization. */
export function attributesOf({ info, user, request }: RequestState): Attributes {
  if (info.type === "path") return { type: "path", user, verb: request.method.toLowerCase(), path: info.path };
  const { verb, isWatchPath, group, version, resource, subresource, namespace } = info;
  const isSelection = info.name === "" && !isWatchPath && (verb === "list" || verb === "watch");
  const name = isSelection ? selectedName(request.query) : info.name;
  return { type: "resource", user, verb, group, version, resource, subresource, namespace, name };
}

/**
 * The name of the one object that a list or watch is about, if it names one: who may list `a` alone may do so with `fieldSelector=metadata.name=a`. Not so by the old path of watches.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/request, RequestInfoFactory.
 */
function selectedName(query: string): string {
  if (!query.includes("fieldSelector")) return "";
  try {
    const selector = parseFieldSelector(parseQuery(query).get("fieldSelector") ?? "", ANY_FIELD);
    const name = selector.requiredValue("metadata.name") ?? "";
    return validatePathSegmentName(name).length === 0 ? name : "";
  } catch {
    // What does not parse is refused later, and names nothing now.
    return "";
  }
}

const ANY_FIELD = () => true;
