import { type Authorizer, alwaysAllowedPathsAuthorizer, type Clock, type HealthCheck, type Logger, parseDuration } from "@annex/apiserver";
import type { DelegatedOptions } from "../authentication/index.ts";
import type { ClusterClient } from "../client/index.ts";
import { subjectAccessReviewAuthorizer } from "./subject-access-review.ts";

export interface DelegatedAuthorizationOptions {
  /** With the rights of the ClusterRole `system:auth-delegator`. */
  readonly client: ClusterClient;
  readonly options: DelegatedOptions;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What somebody may, as the cluster knows it. */
export interface DelegatedAuthorization {
  /** The paths that everybody may ask for, then reviews of access. To be asked behind the one that lets system:masters do everything. */
  readonly authorizers: readonly Authorizer[];
  /** Fails while access cannot be reviewed. */
  readonly ready: HealthCheck;
}

/** Has the cluster say who may do what. Source: k8s.io/apiserver server/options, DelegatingAuthorizationOptions. */
export function delegatedAuthorization({ client, options, clock, log }: DelegatedAuthorizationOptions): DelegatedAuthorization {
  const reviews = subjectAccessReviewAuthorizer({
    client,
    clock,
    log,
    allowedTTLMs: parseDuration(options["authorization-webhook-cache-authorized-ttl"]) ?? 0,
    deniedTTLMs: parseDuration(options["authorization-webhook-cache-unauthorized-ttl"]) ?? 0,
  });
  return { authorizers: [alwaysAllowedPathsAuthorizer(options["authorization-always-allow-paths"]), reviews], ready: reviews.ready };
}
