import { kept, labelSelectorRequirement, list, map, objectMeta, type ProtobufMessage, value } from "./protobuf-message.ts";

/** Field selectors and label selectors have the same shape. */
const selectorAttributes: ProtobufMessage = { 1: value("rawSelector", "string"), 2: list("requirements", labelSelectorRequirement) };

const resourceAttributes: ProtobufMessage = {
  1: value("namespace", "string"),
  2: value("verb", "string"),
  3: value("group", "string"),
  4: value("version", "string"),
  5: value("resource", "string"),
  6: value("subresource", "string"),
  7: value("name", "string"),
  8: kept("fieldSelector", selectorAttributes),
  9: kept("labelSelector", selectorAttributes),
};

const nonResourceAttributes: ProtobufMessage = { 1: value("path", "string"), 2: value("verb", "string") };

const status: ProtobufMessage = {
  1: kept("allowed", "bool"),
  2: value("reason", "string"),
  3: value("evaluationError", "string"),
  4: value("denied", "bool"),
};

export const selfSubjectAccessReview: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", { 1: kept("resourceAttributes", resourceAttributes), 2: kept("nonResourceAttributes", nonResourceAttributes) }),
  3: kept("status", status),
};

export const subjectAccessReview: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", {
    1: kept("resourceAttributes", resourceAttributes),
    2: kept("nonResourceAttributes", nonResourceAttributes),
    3: value("user", "string"),
    4: list("groups", "string"),
    5: map("extra", "strings"),
    6: value("uid", "string"),
  }),
  3: kept("status", status),
};

export const localSubjectAccessReview: ProtobufMessage = subjectAccessReview;

const resourceRule: ProtobufMessage = {
  1: list("verbs", "string"),
  2: list("apiGroups", "string"),
  3: list("resources", "string"),
  4: list("resourceNames", "string"),
};

export const selfSubjectRulesReview: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", { 1: value("namespace", "string") }),
  3: kept("status", {
    1: list("resourceRules", resourceRule),
    2: list("nonResourceRules", { 1: list("verbs", "string"), 2: list("nonResourceURLs", "string") }),
    3: kept("incomplete", "bool"),
    4: value("evaluationError", "string"),
  }),
};
