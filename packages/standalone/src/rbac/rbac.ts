import type { AdmissionPlugin, APIServer, Authorizer, Clock, Logger, Resource, UserInfo } from "@annex/apiserver";
import { type AggregationOptions, aggregateAll, runAggregation } from "./aggregation.ts";
import { rbacAuthorizer, type SubjectRules, subjectRules } from "./authorizer.ts";
import { BOOTSTRAP_CLUSTER_ROLE_BINDINGS, BOOTSTRAP_CLUSTER_ROLES } from "./bootstrap-policy.ts";
import { escalationCheck } from "./escalation.ts";
import { PolicyIndex } from "./policy-index.ts";
import { RBAC_GROUP } from "./policy-rule.ts";
import { reconcile } from "./reconcile.ts";
import { ClusterRole, Role } from "./role.ts";
import { ClusterRoleBinding, RoleBinding } from "./role-binding.ts";

/** Role based access control over the roles and bindings that the server itself serves. */
export interface RBAC {
  /** Role, ClusterRole, RoleBinding and ClusterRoleBinding of rbac.authorization.k8s.io/v1. */
  readonly resources: readonly Resource[];
  /** Allows what a rule allows, and has no opinion of anything else. Until {@link RBAC.start} it allows nothing. */
  readonly authorizer: Authorizer;
  /** Keeps everybody from granting what they do not have. To be asked last, when no other plugin changes the object any more. */
  readonly admission: AdmissionPlugin;
  /**
   * The rules that apply to a user, those of ClusterRoleBindings first, then those of the RoleBindings of the namespace; for SelfSubjectRulesReview.
   *
   * @param namespace `""` for those of ClusterRoleBindings alone.
   */
  rulesFor(user: UserInfo, namespace: string): SubjectRules;
  /** Begins to follow what is stored, and makes the roles and bindings that have to be there. Before the first request is taken. */
  start(services: RBACServices, signal: AbortSignal): Promise<void>;
  /** Keeps aggregated cluster roles up to date. Returns when the signal aborts, and does not reject. */
  run(services: RBACServices, signal: AbortSignal): Promise<void>;
}

export interface RBACServices {
  readonly api: Pick<APIServer, "observe" | "verbsOf" | "loopback">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** RBAC for one server: its kinds go into `resources`, the authorizer and the admission plugin into theirs, then `start`, and `run` beside requests. */
export function createRBAC(): RBAC {
  const index = new PolicyIndex();
  return {
    resources: [Role, ClusterRole, RoleBinding, ClusterRoleBinding],
    authorizer: rbacAuthorizer(index),
    admission: escalationCheck(index),
    rulesFor: (user, namespace) => subjectRules(index, user, namespace),
    async start(services, signal) {
      const { api, log } = services;
      api.observe(RBAC_GROUP, "roles", index.roleObserver(true));
      api.observe(RBAC_GROUP, "clusterroles", index.roleObserver(false));
      api.observe(RBAC_GROUP, "rolebindings", index.bindingObserver(true));
      api.observe(RBAC_GROUP, "clusterrolebindings", index.bindingObserver(false));
      const ensure = (objects: typeof BOOTSTRAP_CLUSTER_ROLES, resource: string) =>
        Promise.all(objects.map((object) => reconcile(object, api.verbsOf(RBAC_GROUP, resource), api.loopback(signal), log)));
      // Storage writes together what comes together.
      await Promise.all([ensure(BOOTSTRAP_CLUSTER_ROLES, "clusterroles"), ensure(BOOTSTRAP_CLUSTER_ROLE_BINDINGS, "clusterrolebindings")]);
      await aggregateAll(aggregationOptions(services), signal);
    },
    run: (services, signal) => runAggregation(aggregationOptions(services), signal),
  };
}

function aggregationOptions({ api, clock, log }: RBACServices): AggregationOptions {
  return { clusterRoles: () => api.verbsOf(RBAC_GROUP, "clusterroles"), context: (signal) => api.loopback(signal), clock, log };
}
