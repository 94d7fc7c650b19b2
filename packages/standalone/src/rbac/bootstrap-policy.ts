import type { KubernetesObject } from "@annex/apimachinery";
import { RBAC_GROUP } from "./policy-rule.ts";

/** With the value `"false"` the server leaves a role or binding of its own alone, whatever has become of it. */
export const AUTOUPDATE = "rbac.authorization.kubernetes.io/autoupdate";

const API_VERSION = `${RBAC_GROUP}/v1`;
const READ = ["get", "list", "watch"];
const WRITE = ["create", "delete", "deletecollection", "patch", "update"];
const READ_WRITE = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const PUBLIC_PATHS = ["/healthz", "/livez", "/readyz", "/version", "/version/"];

interface RuleFields {
  readonly verbs: readonly string[];
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly nonResourceURLs?: readonly string[];
}

const resourceRule = (apiGroup: string, resources: readonly string[], verbs: readonly string[]): RuleFields => ({
  verbs,
  apiGroups: [apiGroup],
  resources,
});
const pathRule = (nonResourceURLs: readonly string[], verbs: readonly string[] = ["get"]): RuleFields => ({ verbs, nonResourceURLs });

const metadataOf = (name: string, labels: Readonly<Record<string, string>> = {}) => ({
  name,
  labels: { "kubernetes.io/bootstrapping": "rbac-defaults", ...labels },
  annotations: { [AUTOUPDATE]: "true" },
});

const aggregateTo = (role: string) => ({ [`${RBAC_GROUP}/aggregate-to-${role}`]: "true" });

const clusterRole = (name: string, rules: readonly RuleFields[], labels?: Readonly<Record<string, string>>): KubernetesObject => ({
  apiVersion: API_VERSION,
  kind: "ClusterRole",
  metadata: metadataOf(name, labels),
  rules,
});

const aggregatedRole = (name: string, labels?: Readonly<Record<string, string>>): KubernetesObject => ({
  apiVersion: API_VERSION,
  kind: "ClusterRole",
  metadata: metadataOf(name, labels),
  rules: null,
  aggregationRule: { clusterRoleSelectors: [{ matchLabels: aggregateTo(name) }] },
});

const clusterRoleBinding = (name: string, groups: readonly string[]): KubernetesObject => ({
  apiVersion: API_VERSION,
  kind: "ClusterRoleBinding",
  metadata: metadataOf(name),
  subjects: groups.map((group) => ({ kind: "Group", apiGroup: RBAC_GROUP, name: group })),
  roleRef: { apiGroup: RBAC_GROUP, kind: "ClusterRole", name },
});

/**
 * The cluster roles that are there from the beginning: those of kube-apiserver 1.36 that are for people and for programs, not for the parts of a cluster. Their rules are Kubernetes' own
 * without the kinds of a cluster (pods, deployments, nodes …), which no server of ours has; of authors' kinds they say nothing, as in Kubernetes: an operator adds cluster roles with the
 * labels `rbac.authorization.k8s.io/aggregate-to-view`, `-edit` and `-admin`.
 *
 * Source: kubernetes plugin/pkg/auth/authorizer/rbac/bootstrappolicy, asked of a running server.
 */
export const BOOTSTRAP_CLUSTER_ROLES: readonly KubernetesObject[] = [
  clusterRole("cluster-admin", [resourceRule("*", ["*"], ["*"]), pathRule(["*"], ["*"])]),
  clusterRole("system:discovery", [
    pathRule(["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*", "/readyz", "/version", "/version/"]),
  ]),
  clusterRole("system:monitoring", [
    pathRule(["/flagz", "/healthz", "/healthz/*", "/livez", "/livez/*", "/metrics", "/metrics/slis", "/readyz", "/readyz/*", "/statusz"]),
  ]),
  clusterRole("system:basic-user", [
    resourceRule("authorization.k8s.io", ["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"]),
    resourceRule("authentication.k8s.io", ["selfsubjectreviews"], ["create"]),
  ]),
  clusterRole("system:public-info-viewer", [pathRule(PUBLIC_PATHS)]),
  clusterRole("system:auth-delegator", [
    resourceRule("authentication.k8s.io", ["tokenreviews"], ["create"]),
    resourceRule("authorization.k8s.io", ["subjectaccessreviews"], ["create"]),
  ]),
  clusterRole("system:service-account-issuer-discovery", [
    pathRule(["/.well-known/openid-configuration", "/.well-known/openid-configuration/", "/openid/v1/jwks", "/openid/v1/jwks/"]),
  ]),
  aggregatedRole("admin"),
  aggregatedRole("edit", aggregateTo("admin")),
  aggregatedRole("view", aggregateTo("edit")),
  clusterRole(
    "system:aggregate-to-admin",
    [
      resourceRule("authorization.k8s.io", ["localsubjectaccessreviews"], ["create"]),
      resourceRule(RBAC_GROUP, ["rolebindings", "roles"], READ_WRITE),
    ],
    aggregateTo("admin"),
  ),
  clusterRole(
    "system:aggregate-to-edit",
    [
      resourceRule("", ["secrets"], READ),
      resourceRule("", ["serviceaccounts"], ["impersonate"]),
      resourceRule("", ["secrets", "serviceaccounts"], WRITE),
      resourceRule("", ["serviceaccounts/token"], ["create"]),
    ],
    aggregateTo("edit"),
  ),
  clusterRole(
    "system:aggregate-to-view",
    [resourceRule("", ["serviceaccounts"], READ), resourceRule("", ["namespaces/status"], READ), resourceRule("", ["namespaces"], READ)],
    aggregateTo("view"),
  ),
];

/** Who has them from the beginning. Source: as of the roles. */
export const BOOTSTRAP_CLUSTER_ROLE_BINDINGS: readonly KubernetesObject[] = [
  clusterRoleBinding("cluster-admin", ["system:masters"]),
  clusterRoleBinding("system:monitoring", ["system:monitoring"]),
  clusterRoleBinding("system:discovery", ["system:authenticated"]),
  clusterRoleBinding("system:basic-user", ["system:authenticated"]),
  clusterRoleBinding("system:public-info-viewer", ["system:authenticated", "system:unauthenticated"]),
  clusterRoleBinding("system:service-account-issuer-discovery", ["system:serviceaccounts"]),
];
