import { unauthorized } from "@annex/apimachinery";
import { withAuthenticatedGroup } from "./authenticated-group.ts";
import type { Authenticator } from "./authenticator.ts";
import type { UserInfo } from "./user-info.ts";

/** Knows tokens. Source: k8s.io/apiserver authenticator.Token. */
export interface TokenAuthenticator {
  /**
   * @param token never empty, as the client sent it. It must not show in errors or logs.
   * @param signal aborted when the client is gone.
   * @returns whose token it is; undefined when it is nobody's.
   */
  authenticateToken(token: string, signal: AbortSignal): Promise<UserInfo | undefined>;
  /**
   * As {@link authenticateToken}, for tokens that are meant for somebody. Absent where they are for this server alone.
   *
   * @param audiences for whom a token is to be meant: one of them is enough.
   * @returns undefined for a token of another kind; else whose it is and which of the audiences it is for, or why it is nobody's, without the token.
   */
  reviewToken?(token: string, audiences: readonly string[], signal: AbortSignal): Promise<ReviewedToken | { readonly error: string } | undefined>;
}

/** A token that is somebody's. */
export interface ReviewedToken {
  readonly user: UserInfo;
  /** Those of the audiences asked for that the token is meant for; at least one. */
  readonly audiences: readonly string[];
}

/**
 * Reads the token of an `Authorization: Bearer TOKEN` header. The scheme is in any case, what follows the token after a space is ignored.
 *
 * @returns undefined when there is no token, or another scheme, or more than one space before the token: that request has no credential.
 * Source: RFC 6750 section 2.1; k8s.io/apiserver authentication/request/bearertoken.
 */
export function parseBearerToken(authorization: string | undefined): string | undefined {
  const [scheme = "", token = ""] = (authorization ?? "").trim().split(" ", 2);
  return scheme.toLowerCase() === "bearer" && token !== "" ? token : undefined;
}

const SPACE_BEFORE_TOKEN = /^\s*bearer {2,}\S/i;
const SPACE_WARNING = "the provided Authorization header contains extra space before the bearer token, and is ignored";

/**
 * Accepts bearer tokens that one of `tokens` knows; they are asked in turn. Only the Authorization header is looked at: a token in the query would
 * end up in logs.
 *
 * A token that nobody knows is refused, not ignored: the user would wonder why they are anonymous. When one of `tokens` fails the others are still
 * asked, and the failure is thrown if none of them knows the token.
 */
export function bearerTokenAuthenticator(tokens: readonly TokenAuthenticator[]): Authenticator {
  return {
    authenticate(request, warn) {
      const { authorization } = request.headers;
      const token = parseBearerToken(authorization);
      if (token === undefined && SPACE_BEFORE_TOKEN.test(authorization ?? "")) warn?.(SPACE_WARNING);
      return token === undefined ? undefined : authenticateToken(tokens, token, request.signal);
    },
  };
}

/** Asks in turn whose token it is. @throws {APIError} `Unauthorized` when it is nobody's, or what one of them threw. */
export async function authenticateToken(tokens: readonly TokenAuthenticator[], token: string, signal: AbortSignal): Promise<UserInfo> {
  let failure: unknown;
  for (const known of tokens) {
    try {
      const user = await known.authenticateToken(token, signal);
      if (user !== undefined) return withAuthenticatedGroup(user);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure ?? unauthorized();
}
