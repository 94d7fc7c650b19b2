import type { AdmissionAttributes } from "@annex/apiserver";

/** What a webhook or policy is about; each list holds words or `*`. Source: admissionregistration/v1 RuleWithOperations. */
export interface Rule {
  readonly operations?: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly apiVersions?: readonly string[];
  /** `widgets`, `widgets/status`, `*`, `widgets/*`. */
  readonly resources?: readonly string[];
  /** `Cluster`, `Namespaced` or `*`, which is the default. */
  readonly scope?: string;
}

/**
 * Whether a rule is about a write.
 *
 * @param version that of the request, or another one of the same objects.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/rules.
 */
export function ruleMatches(
  { operations, apiGroups, apiVersions, resources, scope }: Rule,
  attributes: AdmissionAttributes,
  version: string,
): boolean {
  const { operation, resource, namespace, subresource } = attributes;
  return (
    isInScope(scope, namespace) &&
    hasWord(operations, operation) &&
    hasWord(apiGroups, resource.group) &&
    hasWord(apiVersions, version) &&
    (resources ?? []).some((pattern) => resourceMatches(pattern, resource.resource, subresource))
  );
}

function isInScope(scope: string | undefined, namespace: string): boolean {
  if (scope === undefined || scope === "*") return true;
  return scope === (namespace === "" ? "Cluster" : "Namespaced");
}

function hasWord(words: readonly string[] | undefined, wanted: string): boolean {
  return words !== undefined && (words.includes("*") || words.includes(wanted));
}

function resourceMatches(pattern: string, resource: string, subresource: string): boolean {
  const slash = pattern.indexOf("/");
  const [first, second] = slash < 0 ? [pattern, ""] : [pattern.slice(0, slash), pattern.slice(slash + 1)];
  return (first === "*" || first === resource) && (second === "*" || second === subresource);
}
