import { APIError, jsonEquals, type KubernetesObject } from "@annex/apimachinery";
import type { Logger, RequestContext, ResourceVerbs } from "@annex/apiserver";
import { findView } from "../controller.ts";
import { AUTOUPDATE } from "./bootstrap-policy.ts";
import { uncovered } from "./covers.ts";
import type { PolicyRule } from "./policy-rule.ts";
import type { ClusterRole } from "./role.ts";
import type { ClusterRoleBinding } from "./role-binding.ts";
import { type Rule, readRules } from "./rule.ts";

/** How often an object that comes and goes meanwhile is tried. */
const MAX_ATTEMPTS = 4;
const FIELD_MANAGER = { manager: "annex", subresource: "" };

/**
 * Makes a cluster role or cluster role binding hold what it is to hold at least: it is created, or rules, subjects, selectors, labels and annotations that it lacks are added. What users
 * added stays. An object whose annotation `rbac.authorization.kubernetes.io/autoupdate` is "false" is left alone; a binding to another role is made anew.
 *
 * @throws {APIError} what the verbs answer.
 * Source: k8s.io/component-helpers auth/rbac/reconciliation.
 */
export async function reconcile(expected: KubernetesObject, verbs: ResourceVerbs, context: RequestContext, log: Logger): Promise<void> {
  const name = expected.metadata.name ?? "";
  for (let attempt = 1; ; attempt++) {
    try {
      const existing = (await findView(verbs, { namespace: "", name }, context))?.object;
      if (existing === undefined) return await create(expected, verbs, context);
      if (existing.metadata.annotations?.[AUTOUPDATE] === "false") {
        if (reconciled(existing, expected) !== existing)
          log.warn({ kind: expected.kind, name }, "reconcile-protected, and it lacks what it is to hold");
        return;
      }
      if (isOfAnotherRole(existing, expected)) {
        await remove(existing, verbs, context);
        return await create(expected, verbs, context);
      }
      if (reconciled(existing, expected) !== existing) await update(expected, verbs, context);
      return;
    } catch (error) {
      const isRace = APIError.is(error, "NotFound", "AlreadyExists", "Conflict");
      if (!isRace || attempt === MAX_ATTEMPTS) throw error;
    }
  }
}

async function create(object: KubernetesObject, verbs: ResourceVerbs, context: RequestContext): Promise<void> {
  await verbs.create?.({ version: "v1", namespace: "", name: "", object, isDryRun: false, fieldManager: FIELD_MANAGER }, context);
}

async function update(expected: KubernetesObject, verbs: ResourceVerbs, context: RequestContext): Promise<void> {
  const target = { namespace: "", name: expected.metadata.name ?? "" };
  const transform = (live: KubernetesObject | undefined) => (live === undefined ? expected : reconciled(live, expected));
  await verbs.update?.({ version: "v1", target, isDryRun: false, fieldManager: FIELD_MANAGER, isPatch: true, transform }, context);
}

async function remove({ metadata }: KubernetesObject, verbs: ResourceVerbs, context: RequestContext): Promise<void> {
  const preconditions = metadata.uid === undefined ? {} : { uid: metadata.uid };
  const options = { isDryRun: false, preconditions, propagationPolicy: undefined, gracePeriodSeconds: undefined };
  await verbs.delete?.({ namespace: "", name: metadata.name ?? "" }, options, context);
}

function isOfAnotherRole(existing: KubernetesObject, expected: KubernetesObject): boolean {
  return expected.roleRef !== undefined && !jsonEquals(existing.roleRef, expected.roleRef);
}

/** The object with what it lacks. @returns the same reference when it lacks nothing. */
export function reconciled(existing: KubernetesObject, expected: KubernetesObject): KubernetesObject {
  const metadata = {
    ...existing.metadata,
    labels: { ...expected.metadata.labels, ...existing.metadata.labels },
    annotations: { ...expected.metadata.annotations, ...existing.metadata.annotations },
  };
  // Both satisfy the schema of their kind: one is the server's own, the other was written through it.
  const object =
    expected.kind === "ClusterRole"
      ? reconciledRole(existing as unknown as ClusterRole, expected as unknown as ClusterRole)
      : reconciledBinding(existing as unknown as ClusterRoleBinding, expected as unknown as ClusterRoleBinding);
  const result = { ...object, metadata } as unknown as KubernetesObject;
  return jsonEquals(result, existing) ? existing : result;
}

function reconciledRole(existing: ClusterRole, expected: ClusterRole): ClusterRole {
  // Of the server's own rules nothing is ever too much to be told.
  const uncoveredRules = uncovered(readRules(existing.rules), readRules(expected.rules));
  const missing = typeof uncoveredRules === "string" ? [] : uncoveredRules;
  const { aggregationRule: _rule, ...rest } = existing;
  const role = missing.length === 0 ? rest : { ...rest, rules: [...(existing.rules ?? []), ...missing.map(asPolicyRule)] };
  // One that is not to gather its rules ceases to.
  if (expected.aggregationRule === undefined) return role;
  const present = existing.aggregationRule?.clusterRoleSelectors ?? [];
  const wanted = expected.aggregationRule.clusterRoleSelectors ?? [];
  const lacking = wanted.filter((selector) => !present.some((one) => jsonEquals(one, selector)));
  return { ...role, aggregationRule: { clusterRoleSelectors: [...present, ...lacking] } };
}

function reconciledBinding(existing: ClusterRoleBinding, expected: ClusterRoleBinding): ClusterRoleBinding {
  const { subjects: present = [] } = existing;
  const lacking = (expected.subjects ?? []).filter((subject) => !present.some((one) => jsonEquals(one, subject)));
  return lacking.length === 0 ? existing : { ...existing, subjects: [...present, ...lacking] };
}

/** A rule without its empty lists. */
function asPolicyRule({ verbs, ...lists }: Rule): PolicyRule {
  return { verbs, ...Object.fromEntries(Object.entries(lists).filter(([, list]) => list.length > 0)) };
}
