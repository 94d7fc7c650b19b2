import { badRequest, type Static, type TSchema, t } from "@annex/apimachinery";
import {
  defineResource,
  parseBearerToken,
  type ResourceDefinition,
  type ReviewedToken,
  type TokenAuthenticator,
  withAuthenticatedGroup,
} from "@annex/apiserver";
import { asSent } from "./sent-metadata.ts";
import { USER_INFO_SCHEMA, userInfoOf } from "./user-info.ts";

const specFields = t.object(
  {
    token: t.string({ default: "", description: "The bearer token." }),
    audiences: t.optional(t.atomic(t.string(), { description: "For whom it must be meant: one of them. Default: this server." })),
  },
  { title: "TokenReviewSpec", description: "Which token it is about." },
);

const spec: TSchema<Static<typeof specFields>> = { ...specFields, required: ["token"] };

const status = t.object(
  {
    authenticated: t.optional(t.boolean({ description: "Whether the token is somebody's." })),
    user: t.optional(USER_INFO_SCHEMA),
    audiences: t.optional(t.atomic(t.string(), { description: "Those of the audiences asked for that the token is meant for." })),
    error: t.optional(t.string({ description: "Why the token is nobody's." })),
  },
  { title: "TokenReviewStatus", description: "What the server answers." },
);

export interface TokenReviewOptions {
  /** Asked in turn: those that authenticate requests. */
  readonly tokenAuthenticators: readonly TokenAuthenticator[];
  /** For whom tokens are meant that are for this server. */
  readonly apiAudiences: readonly string[];
}

/** authentication/v1 TokenReview: whose token is this? For those who let this server say who somebody is. */
export function tokenReview(options: TokenReviewOptions): ResourceDefinition {
  return defineResource({
    group: "authentication.k8s.io",
    kind: "TokenReview",
    scope: "Cluster",
    isBuiltIn: true,
    tracksGeneration: false,
    nameRule: "pathSegment",
    versions: { v1: { description: "Asks whose a bearer token is.", schema: { spec, status }, required: ["spec"] } },
    handlers: {
      supportsDryRun: true,
      create: async ({ object: { metadata, spec }, signal }) => {
        if (!spec.token) throw badRequest("token is required for TokenReview in authentication");
        const { audiences = [] } = spec;
        const found = await review(spec.token, audiences.length === 0 ? options.apiAudiences : audiences, options, signal);
        const status =
          "error" in found ? { user: {}, error: found.error } : { authenticated: true, user: userInfoOf(found.user), audiences: found.audiences };
        return { metadata: asSent(metadata), spec, status };
      },
    },
  });
}

/**
 * Asks each authenticator. One that knows nothing of audiences knows tokens for this server alone.
 *
 * @throws what one of them threw, when none knows the token.
 * Source: kubernetes pkg/registry/authentication/tokenreview; k8s.io/apiserver authenticator.WrapAudienceAgnosticToken.
 */
async function review(
  sent: string,
  audiences: readonly string[],
  { tokenAuthenticators, apiAudiences }: TokenReviewOptions,
  signal: AbortSignal,
): Promise<ReviewedToken | { readonly error: string }> {
  // As in a request: what cannot stand in a header is no token.
  const token = parseBearerToken(`Bearer ${sent}`);
  if (token === undefined) return { error: INVALID };
  const errors = [INVALID];
  let failure: unknown;
  for (const authenticator of tokenAuthenticators) {
    try {
      const found = await reviewBy(authenticator, token, audiences, apiAudiences, signal);
      if (found !== undefined && "user" in found) return { ...found, user: withAuthenticatedGroup(found.user) };
      if (found !== undefined) errors.push(found.error);
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return { error: errors.length === 1 ? INVALID : `[${errors.join(", ")}]` };
}

const INVALID = "invalid bearer token";

async function reviewBy(
  authenticator: TokenAuthenticator,
  token: string,
  audiences: readonly string[],
  apiAudiences: readonly string[],
  signal: AbortSignal,
): Promise<ReviewedToken | { readonly error: string } | undefined> {
  if (authenticator.reviewToken !== undefined) return authenticator.reviewToken(token, audiences, signal);
  const own = audiences.filter((audience) => apiAudiences.includes(audience));
  if (own.length === 0) return undefined;
  const user = await authenticator.authenticateToken(token, signal);
  return user === undefined ? undefined : { user, audiences: own };
}
