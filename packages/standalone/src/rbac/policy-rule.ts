import { type JSONObject, type Static, type TSchema, t, validatePathSegmentName } from "@annex/apimachinery";
import type { Invalid } from "@annex/apiserver";

/** The API group of roles and bindings, and of the users and groups that bindings name. */
export const RBAC_GROUP = "rbac.authorization.k8s.io";

/** Names may be anything that fits into a path: `system:controller:x`. Source: rbac/validation ValidateRBACName. */
export const rbacName = (name: string) => validatePathSegmentName(name);

const strings = (description: string) => t.atomic(t.string(), { description });

const fields = t.object(
  {
    verbs: t.atomic(t.string(), { default: [], description: "What may be done; '*' is everything." }),
    apiGroups: t.optional(strings("The API groups of the resources: \"\" is the core group, '*' all groups.")),
    resources: t.optional(strings("The resources, as pods, pods/log or */scale; '*' is all of them.")),
    resourceNames: t.optional(strings("The names of the objects; without any all objects.")),
    nonResourceURLs: t.optional(
      strings("Paths that are no resources; a '*' at the end stands for what follows. Only of cluster roles, and not beside resources."),
    ),
  },
  { title: "PolicyRule", description: "What may be done with which resources, or paths." },
);

/** What is allowed: every verb of the list on every resource (or path) of the lists. Source: rbac/v1 PolicyRule. */
export type PolicyRule = Static<typeof fields>;

// Whoever reads finds a list of verbs, and whoever writes has to give one.
const policyRule: TSchema<PolicyRule> = { ...fields, required: ["verbs"] };

/** The field `rules` of a role. Readers always find it. */
export const rulesSchema = t.optional(t.nullable(t.atomic(policyRule, { description: "What the role allows." })));

/** No rules are null, however they were sent: a Go list without `omitempty`. */
export function normalizeRules(object: JSONObject): JSONObject {
  const { rules = null } = object;
  return rules === null || (Array.isArray(rules) && rules.length === 0) ? { ...object, rules: null } : object;
}

/** How many rules or subjects of one object are complained of: each may have several faults. */
const MAX_FAULTY = 300;

/**
 * Complains of what is wrong with rules.
 *
 * @param isNamespaced whether they are those of a Role, which has no say about paths.
 * Source: rbac/validation ValidatePolicyRule.
 */
export function validateRules(rules: readonly PolicyRule[] | null | undefined, isNamespaced: boolean, invalid: Invalid): void {
  let faulty = 0;
  const complain: Invalid = (field, detail, options) => {
    faulty++;
    invalid(field, detail, options);
  };
  for (const [index, rule] of (rules ?? []).entries()) {
    if (faulty >= MAX_FAULTY) return;
    validateRule(rule, `rules[${index}]`, isNamespaced, complain);
  }
}

function validateRule(rule: PolicyRule, path: string, isNamespaced: boolean, invalid: Invalid): void {
  const { verbs, apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [] } = rule;
  const required = { reason: "FieldValueRequired" } as const;
  if (verbs.length === 0) invalid(`${path}.verbs`, "verbs must contain at least one value", required);
  if (nonResourceURLs.length > 0) {
    const field = `${path}.nonResourceURLs`;
    if (isNamespaced) invalid(field, "namespaced rules cannot apply to non-resource URLs");
    if (apiGroups.length + resources.length + resourceNames.length > 0) {
      invalid(field, "rules cannot apply to both regular resources and non-resource URLs");
    }
    return;
  }
  if (apiGroups.length === 0) invalid(`${path}.apiGroups`, "resource rules must supply at least one api group", required);
  if (resources.length === 0) invalid(`${path}.resources`, "resource rules must supply at least one resource", required);
}
