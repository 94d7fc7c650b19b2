import { type FieldSelector, parseFieldSelector, parseLabelSelector, validatePathSegmentName } from "@annex/apimachinery";
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
  const { verb, isWatchPath, group, version, resource, subresource, namespace, name } = info;
  const attributes = { type: "resource", user, verb, group, version, resource, subresource, namespace, name } as const;
  // The old path of watches is asked about as a whole, and so is whoever spells the parameter with percents.
  return SELECTING.has(verb) && !isWatchPath && request.query.includes("elector=") ? selecting(attributes, parseQuery(request.query)) : attributes;
}

const SELECTING: ReadonlySet<string> = new Set(["list", "watch", "deletecollection"]);

type ResourceAttributes = Extract<Attributes, { readonly type: "resource" }>;

/**
 * The same, limited to what the query selects. Who may list or watch `a` alone may do so with `fieldSelector=metadata.name=a`.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/request, RequestInfoFactory; endpoints/filters, GetAuthorizerAttributes.
 */
function selecting(attributes: ResourceAttributes, query: URLSearchParams): Attributes {
  const fields = read(query.get("fieldSelector"), (text) => parseFieldSelector(text, ANY_FIELD));
  const labels = read(query.get("labelSelector"), parseLabelSelector);
  return {
    ...attributes,
    name: attributes.verb === "deletecollection" ? "" : selectedName(fields),
    ...(fields === undefined || fields.isEmpty ? {} : { fieldSelector: fields.requirements }),
    ...(labels === undefined || labels.isEmpty ? {} : { labelSelector: labels.requirements }),
  };
}

function selectedName(selector: FieldSelector | undefined): string {
  const name = selector?.requiredValue("metadata.name") ?? "";
  return validatePathSegmentName(name).length === 0 ? name : "";
}

/** What does not parse is refused later, and limits nothing now. */
function read<Selector>(text: string | null, parse: (text: string) => Selector): Selector | undefined {
  try {
    return text === null ? undefined : parse(text);
  } catch {
    return undefined;
  }
}

const ANY_FIELD = () => true;
