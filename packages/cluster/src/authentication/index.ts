// Who asks, as a cluster knows it: its front proxy, its client certificates, its tokens. Reads whom to believe from the cluster, live.
export {
  type DelegatedAuthentication,
  DelegatedAuthenticationError,
  type DelegatedAuthenticationOptions,
  delegatedAuthentication,
} from "./delegated-authentication.ts";
export { checkDelegatedOptions, DELEGATED_OPTIONS, type DelegatedOptions } from "./delegated-options.ts";
export { type TokenReviewOptions, tokenReviewAuthenticator } from "./token-review.ts";
