// Who may do what, as a cluster knows it: asked of its kube-apiserver, which decides.
export { type DelegatedAuthorization, type DelegatedAuthorizationOptions, delegatedAuthorization } from "./delegated-authorization.ts";
export { type RemoteAuthorizer, type SubjectAccessReviewOptions, subjectAccessReviewAuthorizer } from "./subject-access-review.ts";
