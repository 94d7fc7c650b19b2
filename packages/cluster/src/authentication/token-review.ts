import { createHmac, randomBytes } from "node:crypto";
import { APIError, type JSONValue, unauthorized } from "@annex/apimachinery";
import type { Clock, Logger, TokenAuthenticator, UserInfo } from "@annex/apiserver";
import type { ClusterClient } from "../client/index.ts";
import { claimOf, createReview, isRecord, SharedReviews, textOf, textsOf } from "../reviews/index.ts";

export interface TokenReviewOptions {
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long an answer holds, yes or no, in milliseconds. Default 10,000, as Go's. */
  readonly ttlMs?: number;
  /** For whom tokens have to be meant: one of them is enough. Default: for the kube-apiserver, which then decides. */
  readonly audiences?: readonly string[];
  /** How long a review may take, in milliseconds. Default 10,000. */
  readonly timeoutMs?: number;
}

const PATH = "/apis/authentication.k8s.io/v1/tokenreviews";
const KIND = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };
const TTL_MS = 10_000;

interface Answer {
  readonly user: UserInfo | undefined;
}

/**
 * Asks the kube-apiserver whose a token is. Its answer holds for some seconds, yes or no; the token is kept as an HMAC under a key of this process only.
 *
 * When it cannot be asked, the token is nobody's, and the log says why.
 *
 * Source: k8s.io/apiserver plugin/pkg/authenticator/token/webhook, and authentication/token/cache.
 */
export function tokenReviewAuthenticator(options: TokenReviewOptions): TokenAuthenticator {
  const { clock, log, ttlMs = TTL_MS, timeoutMs } = options;
  const reviews = new SharedReviews<Answer>(({ user }) => user !== undefined, {
    clock,
    ttlMs: () => ttlMs,
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  });
  const key = randomBytes(32);
  return {
    async authenticateToken(token, signal) {
      const digest = createHmac("sha256", key).update(token).digest("base64");
      try {
        return (await reviews.ask(digest, (limit) => review(options, token, limit), { signal })).user;
      } catch (error) {
        if (APIError.is(error, "TooManyRequests")) throw error;
        signal.throwIfAborted();
        log.error({ err: error }, "a token could not be reviewed");
        throw unauthorized();
      }
    },
  };
}

async function review(options: TokenReviewOptions, token: string, signal: AbortSignal): Promise<Answer> {
  const { audiences = [] } = options;
  const spec = audiences.length === 0 ? { token } : { token, audiences };
  const status = await createReview(options, PATH, KIND, spec, signal);
  if (!claimOf(status.authenticated, "a claim about a token")) return { user: undefined };
  // A server that knows of no audiences means its own tokens alone.
  if (audiences.length > 0 && !textsOf(status.audiences, "audiences").some((audience) => audiences.includes(audience))) return { user: undefined };
  return { user: userOf(status.user) };
}

/** @throws {Error} for a user that is none. */
function userOf(value: JSONValue | undefined): UserInfo {
  const user = isRecord(value) ? value : {};
  const name = textOf(user.username, "user name");
  if (name === "") throw new Error("a token's review names nobody");
  const uid = textOf(user.uid, "UID");
  const extra = isRecord(user.extra) ? Object.entries(user.extra).map(([key, values]) => [key, textsOf(values, "extra")] as const) : [];
  return { name, ...(uid === "" ? {} : { uid }), groups: textsOf(user.groups, "groups"), extra: Object.fromEntries(extra) };
}
