// The kinds by which clients ask who somebody is and what they may do: they answer, and keep nothing. Imported by the program around a server.
import type { Resource, UserInfo } from "@annex/apiserver";
import type { SubjectRules } from "../rbac/index.ts";
import { LocalSubjectAccessReview, SelfSubjectAccessReview, SubjectAccessReview } from "./access-reviews.ts";
import { SelfSubjectReview } from "./self-subject-review.ts";
import { selfSubjectRulesReview } from "./self-subject-rules-review.ts";
import { type TokenReviewOptions, tokenReview } from "./token-review.ts";

export type { TokenReviewOptions } from "./token-review.ts";

export interface ReviewOptions extends TokenReviewOptions {
  /** The rules that apply to a user in a namespace. */
  readonly rulesFor: (user: UserInfo, namespace: string) => SubjectRules;
}

/** The reviews of authentication.k8s.io/v1 and authorization.k8s.io/v1. Access reviews ask the server's authorizer. */
export function reviews(options: ReviewOptions): readonly Resource[] {
  return [
    SelfSubjectReview,
    tokenReview(options),
    SelfSubjectAccessReview,
    SubjectAccessReview,
    LocalSubjectAccessReview,
    selfSubjectRulesReview(options.rulesFor),
  ];
}
