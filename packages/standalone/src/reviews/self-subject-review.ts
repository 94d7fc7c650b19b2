import { t } from "@annex/apimachinery";
import { defineResource, formatTime } from "@annex/apiserver";
import { USER_INFO_SCHEMA, userInfoOf } from "./user-info.ts";

const status = t.object({ userInfo: t.optional(USER_INFO_SCHEMA) }, { title: "SelfSubjectReviewStatus", description: "What the server answers." });

/** authentication/v1 SelfSubjectReview: who am I? Source: kubernetes pkg/registry/authentication/selfsubjectreview. */
export const SelfSubjectReview = defineResource({
  group: "authentication.k8s.io",
  kind: "SelfSubjectReview",
  scope: "Cluster",
  isBuiltIn: true,
  tracksGeneration: false,
  nameRule: "pathSegment",
  versions: { v1: { description: "Tells the user who asks as whom the server knows them.", schema: { status } } },
  handlers: {
    supportsDryRun: true,
    create: ({ user, now }) => ({ metadata: { creationTimestamp: formatTime(now) }, status: { userInfo: userInfoOf(user) } }),
  },
});
