// Questions to the kube-apiserver that many requests have in common (whose token, who may): asked once, kept for a while, within bounds.
export { claimOf, createReview, isRecord, textOf, textsOf } from "./create-review.ts";
export { ExpiringCache } from "./expiring-cache.ts";
export { SharedReviews } from "./shared-reviews.ts";
