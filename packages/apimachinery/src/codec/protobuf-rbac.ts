import { kept, labelSelector, list, objectMeta, type ProtobufMessage, value } from "./protobuf-message.ts";

const policyRule: ProtobufMessage = {
  1: list("verbs", "string"),
  2: list("apiGroups", "string"),
  3: list("resources", "string"),
  4: list("resourceNames", "string"),
  5: list("nonResourceURLs", "string"),
};

const subject: ProtobufMessage = {
  1: kept("kind", "string"),
  2: value("apiGroup", "string"),
  3: kept("name", "string"),
  4: value("namespace", "string"),
};

const roleRef: ProtobufMessage = { 1: kept("apiGroup", "string"), 2: kept("kind", "string"), 3: kept("name", "string") };

export const role: ProtobufMessage = { 1: kept("metadata", objectMeta), 2: list("rules", policyRule) };

export const clusterRole: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: list("rules", policyRule),
  3: kept("aggregationRule", { 1: list("clusterRoleSelectors", labelSelector) }),
};

export const roleBinding: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: list("subjects", subject),
  3: kept("roleRef", roleRef),
};

export const clusterRoleBinding: ProtobufMessage = roleBinding;
