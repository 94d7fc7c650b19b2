import { type Attributes, type Authorizer, type Decision, NO_OPINION, type UserInfo } from "@annex/apiserver";
import { describeGrant, describeMissingRole, type IndexedBinding, type PolicyIndex } from "./policy-index.ts";
import { type Rule, ruleAllows } from "./rule.ts";

/** What somebody may do with resources by one rule. Source: authorization/v1 ResourceRule. */
export interface ResourceRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty for all. */
  readonly resourceNames: readonly string[];
}

/** What somebody may do with paths by one rule. Source: authorization/v1 NonResourceRule. */
export interface NonResourceRule {
  readonly verbs: readonly string[];
  readonly nonResourceURLs: readonly string[];
}

/** What somebody may do in a namespace, rule by rule as the roles have them. Source: authorization/v1 SubjectRulesReviewStatus. */
export interface SubjectRules {
  readonly resourceRules: readonly ResourceRule[];
  readonly nonResourceRules: readonly NonResourceRule[];
  /** Whether there are more rules than one answer holds. */
  readonly incomplete: boolean;
  /** Why rules may be missing: bindings of roles that are not there, or too many rules. Empty when none is. */
  readonly evaluationError: string;
}

/** How many bindings without a role one answer names. */
const MAX_ERRORS = 100;
/** How much of a user's rules one review tells, as {@link rulesOfUser} counts. A rule about one resource is some 85 of it. */
const MAX_REVIEW_TEXT = 1024 * 1024;
/** What a list and what each of its strings is beside its characters, in JSON. */
const [LIST_TEXT, STRING_TEXT] = [16, 3];

/**
 * Allows what a rule of a role allows that a binding gives to the user: of a ClusterRoleBinding everywhere, of a RoleBinding in its namespace. Of anything else it has no opinion.
 *
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac.
 */
export function rbacAuthorizer(index: PolicyIndex): Authorizer {
  return { authorize: async (attributes) => decide(index, attributes) };
}

/** The decision itself; it waits for nothing. A role is looked at once, however many bindings give it. */
export function decide(index: PolicyIndex, attributes: Attributes): Decision {
  const { user } = attributes;
  const namespace = attributes.type === "resource" ? attributes.namespace : "";
  const errors = new Set<string>();
  const seen = new Set<readonly Rule[]>();
  let grant: IndexedBinding | undefined;
  index.visitBindings(user, namespace, (binding) => {
    const rules = index.rulesOf(binding.roleKind, binding.roleName, binding.namespace);
    if (rules === undefined) {
      if (errors.size < MAX_ERRORS) errors.add(describeMissingRole(binding));
    } else if (!seen.has(rules)) {
      seen.add(rules);
      if (rules.some((rule) => ruleAllows(rule, attributes))) grant = binding;
    }
    return grant === undefined;
  });
  if (grant !== undefined) return { decision: "Allow", reason: `RBAC: allowed by ${describeGrant(grant, index.subjectOf(user, grant))}` };
  return errors.size === 0 ? NO_OPINION : { decision: "NoOpinion", reason: `RBAC: ${joinErrors([...errors])}` };
}

/** What {@link rulesOfUser} finds. */
export interface RulesOfUser {
  readonly rules: readonly Rule[];
  /** The bindings that give none since their role is not there: at most {@link MAX_ERRORS} of them. */
  readonly unresolved: readonly IndexedBinding[];
  /** Whether there are more rules than were asked for. */
  readonly isCut: boolean;
}

/**
 * The rules that apply to a user, those of the cluster's bindings first, of each role once.
 *
 * @param maxText how many characters the rules may be together, about as JSON writes them. Every rule is of that size at the least, so it bounds their number, too.
 */
export function rulesOfUser(index: PolicyIndex, user: UserInfo, namespace: string, maxText: number): RulesOfUser {
  const seen = new Set<readonly Rule[]>();
  const unresolved = new Set<IndexedBinding>();
  const rules: Rule[] = [];
  let text = 0;
  index.visitBindings(user, namespace, (binding) => {
    const granted = index.rulesOf(binding.roleKind, binding.roleName, binding.namespace);
    if (granted === undefined) {
      if (unresolved.size < MAX_ERRORS) unresolved.add(binding);
      return true;
    }
    if (seen.has(granted)) return true;
    seen.add(granted);
    for (const rule of granted) {
      text += textOf(rule);
      if (text > maxText) return false;
      rules.push(rule);
    }
    return true;
  });
  return { rules, unresolved: [...unresolved], isCut: text > maxText };
}

function textOf({ verbs, apiGroups, resources, resourceNames, nonResourceURLs }: Rule): number {
  let text = 0;
  for (const list of [verbs, apiGroups, resources, resourceNames, nonResourceURLs]) {
    text += LIST_TEXT;
    for (const { length } of list) text += length + STRING_TEXT;
  }
  return text;
}

/** As a review tells it. Source: RBACAuthorizer.RulesFor, which has no bound. */
export function subjectRules(index: PolicyIndex, user: UserInfo, namespace: string): SubjectRules {
  const { rules, unresolved, isCut } = rulesOfUser(index, user, namespace, MAX_REVIEW_TEXT);
  const errors = unresolved.map(describeMissingRole);
  if (isCut) errors.push(`the rules are longer than ${MAX_REVIEW_TEXT} characters`);
  return {
    resourceRules: rules
      .filter(({ resources }) => resources.length > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, resourceNames })),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => nonResourceURLs.length > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: isCut,
    evaluationError: joinErrors(errors),
  };
}

/** Several errors as one: the same is told once. Source: util/errors Aggregate. */
export function joinErrors(errors: readonly string[]): string {
  const different = [...new Set(errors)];
  return different.length > 1 ? `[${different.join(", ")}]` : different.join();
}
