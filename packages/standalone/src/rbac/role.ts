import { CREATED_AT_COLUMN, LABEL_SELECTOR_SCHEMA, labelSelectorOf, t, validateLabelSelector } from "@annex/apimachinery";
import { defineResource, type Invalid, type ObjectOf } from "@annex/apiserver";
import { checkObjectMeta, checkObjectMetaUpdate } from "../core/object-meta.ts";
import { normalizeRules, RBAC_GROUP, rbacName, rulesSchema, validateRules } from "./policy-rule.ts";

/** What all four kinds have in common. */
export const RBAC_KIND = {
  group: RBAC_GROUP,
  isBuiltIn: true,
  nameRule: "pathSegment",
  tracksGeneration: false,
  allowsUnconditionalUpdate: true,
  allowsCreateOnUpdate: true,
  allowsStrategicMergePatch: true,
} as const;

/** rbac/v1 Role: what may be done in its namespace by those whom a RoleBinding there names. */
export const Role = defineResource({
  ...RBAC_KIND,
  kind: "Role",
  scope: "Namespaced",
  versions: {
    v1: {
      description: "Rules that a RoleBinding of the same namespace can grant.",
      normalize: normalizeRules,
      schema: { rules: rulesSchema },
      columns: [CREATED_AT_COLUMN],
    },
  },
  validate: ({ object, previous, invalid }) => {
    checkObjectMeta(object, { isNamespaced: true, nameRule: rbacName }, invalid);
    validateRules(object.rules, true, invalid);
    if (previous !== undefined) checkObjectMetaUpdate(object, previous, invalid);
  },
});

export type Role = ObjectOf<typeof Role>;

// Those of meta/v1 are named in whole.
const labelSelector = { ...LABEL_SELECTOR_SCHEMA, title: "io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector" };

const aggregationRule = t.object(
  {
    clusterRoleSelectors: t.optional(
      t.atomic(labelSelector, { description: "Which cluster roles the rules are gathered from: those that any of the selectors matches." }),
    ),
  },
  { title: "AggregationRule", description: "How the rules are gathered from other cluster roles; what is written into them by hand does not last." },
);

/** rbac/v1 ClusterRole: what may be done everywhere, or in a namespace, by those whom a binding names. */
export const ClusterRole = defineResource({
  ...RBAC_KIND,
  kind: "ClusterRole",
  scope: "Cluster",
  versions: {
    v1: {
      description: "Rules that a ClusterRoleBinding can grant everywhere, and a RoleBinding in its namespace.",
      normalize: normalizeRules,
      schema: { rules: rulesSchema, aggregationRule: t.optional(aggregationRule) },
      columns: [CREATED_AT_COLUMN],
    },
  },
  validate: ({ object, previous, invalid }) => {
    checkObjectMeta(object, { isNamespaced: false, nameRule: rbacName }, invalid);
    validateRules(object.rules, false, invalid);
    if (object.aggregationRule !== undefined) validateAggregation(object.aggregationRule.clusterRoleSelectors ?? [], invalid);
    if (previous !== undefined) checkObjectMetaUpdate(object, previous, invalid);
  },
});

export type ClusterRole = ObjectOf<typeof ClusterRole>;

type Selectors = NonNullable<NonNullable<ClusterRole["aggregationRule"]>["clusterRoleSelectors"]>;

/** Source: rbac/validation ValidateClusterRole. */
function validateAggregation(selectors: Selectors, invalid: Invalid): void {
  const field = "aggregationRule.clusterRoleSelectors";
  if (selectors.length === 0) {
    invalid(field, "at least one clusterRoleSelector required if aggregationRule is non-nil", { reason: "FieldValueRequired" });
  }
  let faulty = 0;
  for (const [index, selector] of selectors.entries()) {
    const path = `${field}[${index}]`;
    for (const { reason, field: at, message } of validateLabelSelector(selector, path)) invalid(at, message, { reason, isWhole: true });
    if (labelSelectorOf(selector) !== undefined) continue;
    invalid(path, "invalid label selector.", { value: null });
    if (++faulty === MAX_FAULTY_SELECTORS) return;
  }
}

/** How many selectors are complained of. */
const MAX_FAULTY_SELECTORS = 10;
