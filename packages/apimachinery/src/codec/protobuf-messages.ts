import { selfSubjectReview, tokenRequest, tokenReview } from "./protobuf-authentication.ts";
import { localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview, subjectAccessReview } from "./protobuf-authorization.ts";
import { kept, list, map, objectMeta, type ProtobufMessage, value } from "./protobuf-message.ts";
import { clusterRole, clusterRoleBinding, role, roleBinding } from "./protobuf-rbac.ts";

const namespaceCondition: ProtobufMessage = {
  1: kept("type", "string"),
  2: kept("status", "string"),
  4: kept("lastTransitionTime", "time"),
  5: value("reason", "string"),
  6: value("message", "string"),
};

const namespace: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", { 1: list("finalizers", "string") }),
  3: kept("status", { 1: value("phase", "string"), 2: list("conditions", namespaceCondition) }),
};

const secret: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: map("data", "bytes"),
  3: value("type", "string"),
  4: map("stringData", "string"),
  5: kept("immutable", "bool"),
};

const scale: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", { 1: value("replicas", "int64") }),
  3: kept("status", { 1: kept("replicas", "int64"), 2: value("selector", "string") }),
};

const objectReference: ProtobufMessage = {
  1: value("kind", "string"),
  2: value("namespace", "string"),
  3: value("name", "string"),
  4: value("uid", "string"),
  5: value("apiVersion", "string"),
  6: value("resourceVersion", "string"),
  7: value("fieldPath", "string"),
};

const serviceAccount: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: list("secrets", objectReference),
  3: list("imagePullSecrets", { 1: value("name", "string") }),
  4: kept("automountServiceAccountToken", "bool"),
};

/**
 * The kinds whose bodies may be protobuf, by `apiVersion` and kind.
 *
 * Source: generated.proto of k8s.io/api (numbers), types.go beside them (pointers, `omitempty`).
 */
export const PROTOBUF_KINDS: Readonly<Record<string, ProtobufMessage | undefined>> = {
  "v1/Namespace": namespace,
  "v1/Secret": secret,
  "autoscaling/v1/Scale": scale,
  "rbac.authorization.k8s.io/v1/ClusterRole": clusterRole,
  "rbac.authorization.k8s.io/v1/ClusterRoleBinding": clusterRoleBinding,
  "rbac.authorization.k8s.io/v1/Role": role,
  "rbac.authorization.k8s.io/v1/RoleBinding": roleBinding,
  "v1/ServiceAccount": serviceAccount,
  "authentication.k8s.io/v1/SelfSubjectReview": selfSubjectReview,
  "authentication.k8s.io/v1/TokenRequest": tokenRequest,
  "authentication.k8s.io/v1/TokenReview": tokenReview,
  "authorization.k8s.io/v1/LocalSubjectAccessReview": localSubjectAccessReview,
  "authorization.k8s.io/v1/SelfSubjectAccessReview": selfSubjectAccessReview,
  "authorization.k8s.io/v1/SelfSubjectRulesReview": selfSubjectRulesReview,
  "authorization.k8s.io/v1/SubjectAccessReview": subjectAccessReview,
};
