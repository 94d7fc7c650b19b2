import { kept, list, map, objectMeta, type ProtobufMessage, value } from "./protobuf-message.ts";

const userInfo: ProtobufMessage = {
  1: value("username", "string"),
  2: value("uid", "string"),
  3: list("groups", "string"),
  4: map("extra", "strings"),
};

export const selfSubjectReview: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("status", { 1: kept("userInfo", userInfo) }),
};

const boundObjectReference: ProtobufMessage = {
  1: value("kind", "string"),
  2: value("apiVersion", "string"),
  3: value("name", "string"),
  4: value("uid", "string"),
};

export const tokenRequest: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", { 1: list("audiences", "string"), 3: kept("boundObjectRef", boundObjectReference), 4: kept("expirationSeconds", "int64") }),
  3: kept("status", { 1: value("token", "string"), 2: value("expirationTimestamp", "time") }),
};

export const tokenReview: ProtobufMessage = {
  1: kept("metadata", objectMeta),
  2: kept("spec", { 1: value("token", "string"), 2: list("audiences", "string") }),
  3: kept("status", { 1: value("authenticated", "bool"), 2: kept("user", userInfo), 3: value("error", "string"), 4: list("audiences", "string") }),
};
