// The kinds that the two programs serve, with an object of each.
import { encodeObject, message, text } from "./protobuf-writer.ts";

/** A kind, and a valid object of it. */
export interface HostileKind {
  /** `/api/v1` or `/apis/GROUP/VERSION`. */
  readonly root: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  /** Whether one request may delete all of the collection. Not where that would take what others need: sentinels are such objects. */
  readonly hasDeleteCollection: boolean;
  /** Only `create`, and nothing is stored. */
  readonly isReview?: boolean;
  readonly subresources: readonly string[];
  readonly object: (name: string, namespace: string) => object;
  /** The object in protobuf, where the kind takes it. */
  readonly protobuf?: (name: string, namespace: string) => Uint8Array;
}

const meta = (name: string, namespace?: string) => ({
  name,
  ...(namespace === undefined ? {} : { namespace }),
  labels: { app: "hostile", name },
  annotations: { note: "a text" },
});
const protobufMeta = (name: string, namespace = "") => message(1, text(1, name), text(3, namespace), message(11, text(1, "app"), text(2, "hostile")));
const AUTHORIZATION = { root: "/apis/authorization.k8s.io/v1", isReview: true, hasDeleteCollection: false, subresources: [] } as const;
const AUTHENTICATION = { ...AUTHORIZATION, root: "/apis/authentication.k8s.io/v1" } as const;
const RBAC = { root: "/apis/rbac.authorization.k8s.io/v1", subresources: [] } as const;
const rbacVersion = "rbac.authorization.k8s.io/v1";
const attributes = (namespace: string) => ({ namespace, verb: "get", group: "", resource: "secrets", name: "a" });
const rule = { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list"] };
const roleRef = (kind: string) => ({ apiGroup: "rbac.authorization.k8s.io", kind, name: "view" });
const subjects = [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "nobody-of-that-name" }];

const CORE: readonly HostileKind[] = [
  {
    root: "/api/v1",
    plural: "namespaces",
    isNamespaced: false,
    hasDeleteCollection: false,
    subresources: ["status", "finalize"],
    object: (name) => ({ apiVersion: "v1", kind: "Namespace", metadata: meta(name) }),
    protobuf: (name) => encodeObject("v1", "Namespace", protobufMeta(name)),
  },
  {
    root: "/api/v1",
    plural: "secrets",
    isNamespaced: true,
    hasDeleteCollection: true,
    subresources: [],
    object: (name, namespace) => ({
      apiVersion: "v1",
      kind: "Secret",
      metadata: meta(name, namespace),
      data: { key: "dmFsdWU=" },
      stringData: { other: "text" },
      type: "Opaque",
    }),
    protobuf: (name, namespace) =>
      encodeObject("v1", "Secret", protobufMeta(name, namespace), message(2, text(1, "key"), text(2, "value")), text(3, "Opaque")),
  },
  {
    root: "/api/v1",
    plural: "serviceaccounts",
    isNamespaced: true,
    hasDeleteCollection: true,
    subresources: ["token"],
    object: (name, namespace) => ({
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: meta(name, namespace),
      secrets: [{ name: "s-a" }],
      automountServiceAccountToken: true,
    }),
    protobuf: (name, namespace) => encodeObject("v1", "ServiceAccount", protobufMeta(name, namespace), message(2, text(3, "a"))),
  },
  {
    ...RBAC,
    plural: "roles",
    isNamespaced: true,
    hasDeleteCollection: true,
    object: (name, namespace) => ({ apiVersion: rbacVersion, kind: "Role", metadata: meta(name, namespace), rules: [rule] }),
    protobuf: (name, namespace) =>
      encodeObject(rbacVersion, "Role", protobufMeta(name, namespace), message(2, text(1, "get"), text(2, ""), text(3, "secrets"))),
  },
  {
    ...RBAC,
    plural: "rolebindings",
    isNamespaced: true,
    hasDeleteCollection: true,
    object: (name, namespace) => ({
      apiVersion: rbacVersion,
      kind: "RoleBinding",
      metadata: meta(name, namespace),
      roleRef: roleRef("ClusterRole"),
      subjects,
    }),
  },
  {
    ...RBAC,
    plural: "clusterroles",
    isNamespaced: false,
    hasDeleteCollection: false,
    object: (name) => ({
      apiVersion: rbacVersion,
      kind: "ClusterRole",
      metadata: meta(name),
      rules: [rule, { nonResourceURLs: ["/healthz"], verbs: ["get"] }],
    }),
  },
  {
    ...RBAC,
    plural: "clusterrolebindings",
    isNamespaced: false,
    hasDeleteCollection: false,
    object: (name) => ({ apiVersion: rbacVersion, kind: "ClusterRoleBinding", metadata: meta(name), roleRef: roleRef("ClusterRole"), subjects }),
  },
  {
    ...AUTHENTICATION,
    plural: "selfsubjectreviews",
    isNamespaced: false,
    object: () => ({ apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" }),
    protobuf: () => encodeObject("authentication.k8s.io/v1", "SelfSubjectReview", protobufMeta("")),
  },
  {
    ...AUTHENTICATION,
    plural: "tokenreviews",
    isNamespaced: false,
    object: () => ({
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenReview",
      spec: { token: "eyJhbGciOiJSUzI1NiJ9.e30.AAAA", audiences: ["api"] },
    }),
  },
  {
    ...AUTHORIZATION,
    plural: "selfsubjectaccessreviews",
    isNamespaced: false,
    object: (_name, namespace) => ({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SelfSubjectAccessReview",
      spec: { resourceAttributes: attributes(namespace) },
    }),
    protobuf: (_name, namespace) =>
      encodeObject(
        "authorization.k8s.io/v1",
        "SelfSubjectAccessReview",
        protobufMeta(""),
        message(2, message(1, text(1, namespace), text(2, "get"), text(5, "secrets"))),
      ),
  },
  {
    ...AUTHORIZATION,
    plural: "subjectaccessreviews",
    isNamespaced: false,
    object: () => ({
      apiVersion: "authorization.k8s.io/v1",
      kind: "SubjectAccessReview",
      spec: { nonResourceAttributes: { path: "/version", verb: "get" }, user: "alice", groups: ["devs"], extra: { scope: ["a"] } },
    }),
  },
  {
    ...AUTHORIZATION,
    plural: "localsubjectaccessreviews",
    isNamespaced: true,
    object: (_name, namespace) => ({
      apiVersion: "authorization.k8s.io/v1",
      kind: "LocalSubjectAccessReview",
      metadata: { namespace },
      spec: { resourceAttributes: attributes(namespace), user: "alice" },
    }),
  },
  {
    ...AUTHORIZATION,
    plural: "selfsubjectrulesreviews",
    isNamespaced: false,
    object: (_name, namespace) => ({ apiVersion: "authorization.k8s.io/v1", kind: "SelfSubjectRulesReview", spec: { namespace } }),
  },
];

const FLUNDER = { plural: "flunders", isNamespaced: true, hasDeleteCollection: true, subresources: ["status"] } as const;
const WARDLE = "wardle.example.com";
const TOKENS = "tomlebreux.com/v1alpha1";
const TOKENS_V1 = "tomlebreux.com/v1";
const tokenV1Spec = { userID: "operator", clusterName: "local", ttlSeconds: 90_000, enabled: true, description: "For nobody." };
const tokenSpec = { userID: "operator", clusterName: "local", ttl: "90000", enabled: "true" };

/** What each program serves. */
export const KINDS: Readonly<Record<"wardle" | "ranchertokens", readonly HostileKind[]>> = {
  wardle: [
    ...CORE,
    {
      ...FLUNDER,
      root: `/apis/${WARDLE}/v1alpha1`,
      object: (name, namespace) => ({
        apiVersion: `${WARDLE}/v1alpha1`,
        kind: "Flunder",
        metadata: meta(name, namespace),
        spec: { reference: "another", referenceType: "Flunder" },
      }),
    },
    {
      ...FLUNDER,
      root: `/apis/${WARDLE}/v1beta1`,
      object: (name, namespace) => ({
        apiVersion: `${WARDLE}/v1beta1`,
        kind: "Flunder",
        metadata: meta(name, namespace),
        spec: { fischerReference: "another", referenceType: "Fischer" },
        status: {},
      }),
    },
    {
      root: `/apis/${WARDLE}/v1alpha1`,
      plural: "fischers",
      isNamespaced: false,
      hasDeleteCollection: true,
      subresources: [],
      object: (name) => ({ apiVersion: `${WARDLE}/v1alpha1`, kind: "Fischer", metadata: meta(name), disallowedFlunders: ["banned"] }),
    },
  ],
  ranchertokens: [
    ...CORE,
    {
      root: `/apis/${TOKENS}`,
      plural: "ranchertokens",
      isNamespaced: true,
      hasDeleteCollection: true,
      subresources: ["status"],
      object: (name, namespace) => ({ apiVersion: TOKENS, kind: "RancherToken", metadata: meta(name, namespace), spec: tokenSpec }),
    },
    {
      root: `/apis/${TOKENS_V1}`,
      plural: "ranchertokens",
      isNamespaced: true,
      hasDeleteCollection: true,
      subresources: ["status"],
      object: (name, namespace) => ({ apiVersion: TOKENS_V1, kind: "RancherToken", metadata: meta(name, namespace), spec: tokenV1Spec }),
    },
    {
      root: `/apis/${TOKENS}`,
      plural: "clusterranchertokens",
      isNamespaced: false,
      hasDeleteCollection: false,
      subresources: ["status"],
      object: (name) => ({ apiVersion: TOKENS, kind: "ClusterRancherToken", metadata: meta(name), spec: tokenSpec }),
    },
  ],
};
