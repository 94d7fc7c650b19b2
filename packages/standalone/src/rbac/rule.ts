import { quoteGo } from "@annex/apimachinery";
import type { Attributes } from "@annex/apiserver";

/** A rule as decisions read it: every list is there. */
export interface Rule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

const LISTS = ["verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"] as const;

/**
 * Reads the rules of a stored role.
 *
 * @param rules whatever lies in storage. A rule that is not of the right form is left out as a whole: a list that cannot be read could have been what narrows it down.
 */
export function readRules(rules: unknown): readonly Rule[] {
  return Array.isArray(rules) ? rules.map(readRule).filter((rule) => rule !== undefined) : [];
}

function readRule(rule: unknown): Rule | undefined {
  if (typeof rule !== "object" || rule === null) return undefined;
  const fields: Readonly<Record<string, unknown>> = { ...rule };
  const lists = LISTS.map((name) => [name, fields[name] ?? []] as const);
  if (!lists.every(([, list]) => Array.isArray(list) && list.every((one) => typeof one === "string"))) return undefined;
  return Object.fromEntries(lists) as unknown as Rule; // all of its lists, checked above
}

/**
 * Whether a rule allows what somebody wants to do.
 *
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac, RuleAllows; rbac/v1 evaluation helpers.
 */
export function ruleAllows(rule: Rule, attributes: Attributes): boolean {
  if (!hasOrAll(rule.verbs, attributes.verb)) return false;
  if (attributes.type === "path") return rule.nonResourceURLs.some((url) => urlMatches(url, attributes.path));
  const { group, resource, subresource, name } = attributes;
  return (
    hasOrAll(rule.apiGroups, group) &&
    resourceMatches(rule.resources, resource, subresource) &&
    (rule.resourceNames.length === 0 || rule.resourceNames.includes(name))
  );
}

function hasOrAll(list: readonly string[], value: string): boolean {
  return list.includes(value) || list.includes("*");
}

// A rule says `pods`, `pods/log`, for the subresources of all resources `*/log`, and `*` for every resource with its subresources.
function resourceMatches(resources: readonly string[], resource: string, subresource: string): boolean {
  if (hasOrAll(resources, subresource === "" ? resource : `${resource}/${subresource}`)) return true;
  return subresource !== "" && resources.includes(`*/${subresource}`);
}

/** Whether a path is meant by a rule's: the same, or one that begins as it does up to the stars at its end. */
export function urlMatches(url: string, path: string): boolean {
  if (url === path) return true;
  const prefix = prefixOfURL(url);
  return prefix !== undefined && path.startsWith(prefix);
}

/** What a path of a rule has before the stars at its end; undefined when it ends in none, and means itself alone. */
export function prefixOfURL(url: string): string | undefined {
  let end = url.length;
  while (end > 0 && url[end - 1] === "*") end--;
  return end < url.length ? url.slice(0, end) : undefined;
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. Source: rbac/v1 CompactString. */
export function formatRule({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: Rule): string {
  const parts = [
    ["APIGroups", apiGroups],
    ["Resources", resources],
    ["NonResourceURLs", nonResourceURLs],
    ["ResourceNames", resourceNames],
    ["Verbs", verbs],
  ] as const;
  return `{${parts
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => `${name}:${formatStrings(list)}`)
    .join(", ")}}`;
}

/** A list of strings as Go's `%q` prints it. */
export function formatStrings(list: readonly string[]): string {
  return `[${list.map(quoteGo).join(" ")}]`;
}
