import type { TokenAuthenticator } from "./bearer-token.ts";
import type { UserInfo } from "./user-info.ts";

/** One line of kube-apiserver's `--token-auth-file`. */
export interface TokenRecord {
  readonly token: string;
  readonly user: string;
  readonly uid: string;
  readonly groups: readonly string[];
}

/**
 * A cryptographic hash of a token, one text for each: HMAC-SHA-256 under a key made at start, or SHA-256. Synchronous: it is on the way of every request.
 */
export type TokenDigest = (token: string) => string;

/**
 * Knows a fixed list of tokens.
 *
 * The time that a look-up takes tells nothing of the tokens: they are found by their digest, and whoever guesses cannot steer the digest of a guess
 * towards that of a token. One look-up costs one digest, however many tokens there are, and the tokens themselves are not kept.
 *
 * @param records an empty token is passed over; of several with the same token the last one counts.
 * @param digest must not be a plain checksum or the identity: both give away what they are compared with.
 * Source: k8s.io/apiserver authentication/token/tokenfile.
 */
export function tokenFileAuthenticator(records: Iterable<TokenRecord>, digest: TokenDigest): TokenAuthenticator {
  const users = new Map<string, UserInfo>();
  for (const { token, user, uid, groups } of records) {
    if (token !== "") users.set(digest(token), { name: user, uid, groups: [...groups], extra: {} });
  }
  return {
    async authenticateToken(token) {
      return users.get(digest(token));
    },
  };
}
