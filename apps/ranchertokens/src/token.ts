import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { isDNS1123Label, isDNS1123Subdomain } from "@annex/apimachinery";

/** Where a token's object is. */
export interface TokenName {
  /** `""` for a ClusterRancherToken. */
  readonly namespace: string;
  readonly name: string;
}

const NAMESPACED_PREFIX = "ranchertoken";
const CLUSTER_PREFIX = "clusterranchertoken";
/** 256 bits. */
const SECRET_BYTES = 32;
const HASH_PREFIX = "sha256:";
/** More than the longest names make. */
const MAX_PLAINTEXT_LENGTH = 512;

/**
 * Makes a plaintext token: a prefix that scanners recognise, the name of its object so that a look-up needs no search, and 256 random bits in base64url:
 * `ranchertoken.NAMESPACE.NAME.SECRET`, `clusterranchertoken.NAME.SECRET`. All of it may stand in an `Authorization` header (RFC 6750, b64token).
 */
export function makePlaintext({ namespace, name }: TokenName): string {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  return namespace === "" ? `${CLUSTER_PREFIX}.${name}.${secret}` : `${NAMESPACED_PREFIX}.${namespace}.${name}.${secret}`;
}

/** Whose token a plaintext says it is. @returns undefined for what cannot be a token. Names may have dots, namespaces and secrets have none. */
export function parsePlaintext(plaintext: string): TokenName | undefined {
  if (plaintext.length > MAX_PLAINTEXT_LENGTH) return undefined;
  const [prefix, ...parts] = plaintext.split(".");
  const secret = parts.pop();
  const namespace = prefix === NAMESPACED_PREFIX ? parts.shift() : "";
  if (prefix !== NAMESPACED_PREFIX && prefix !== CLUSTER_PREFIX) return undefined;
  if (secret === undefined || secret === "" || namespace === undefined) return undefined;
  const name = parts.join(".");
  // Names go into paths and keys: what cannot be one is not looked up.
  if (isDNS1123Subdomain(name).length > 0 || (prefix === NAMESPACED_PREFIX && isDNS1123Label(namespace).length > 0)) return undefined;
  return { namespace, name };
}

/** What looks like a plaintext within a text, its random part in the last group. */
const PLAINTEXT_WITHIN = /\b((?:cluster)?ranchertoken\.[a-z0-9][a-z0-9.-]*\.)[\w-]{43}(?![\w-])/g;

/** A text in which no plaintext stands any more; the same one if none did. */
export function withoutPlaintexts(text: string): string {
  return text.replace(PLAINTEXT_WITHIN, "$1REDACTED");
}

/** What is kept of a plaintext: its hash, the algorithm in front. A fast hash is enough for 256 random bits. */
export function hashPlaintext(plaintext: string): string {
  return HASH_PREFIX + createHash("sha256").update(plaintext).digest("base64url");
}

/** Compares in a time that does not depend on where the two differ. */
export function equalsInConstantTime(left: string, right: string): boolean {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/** The values of a token that its MAC vouches for, as they lie in its Secret. */
export interface TokenFacts extends TokenName {
  readonly uid: string;
  /** What `ttl` counts from. */
  readonly creationTimestamp: string;
  readonly userID: string;
  readonly clusterName: string;
  readonly hashedToken: string;
  readonly ttl: string;
  readonly enabled: string;
  /** Whether it is being deleted: a finalizer may hold it for long. */
  readonly isDeleting: boolean;
}

/**
 * Vouches for a token: that it was written through the token API and not by somebody who may only write Secrets.
 *
 * @param key the server's own, at least 32 bytes.
 */
export function macOf(facts: TokenFacts, key: Uint8Array): string {
  const { uid, creationTimestamp, namespace, name, userID, clusterName, hashedToken, ttl, enabled, isDeleting } = facts;
  // JSON keeps the values apart, whatever stands in them.
  const text = JSON.stringify([
    uid,
    creationTimestamp,
    namespace,
    name,
    userID,
    clusterName,
    hashedToken,
    ttl,
    enabled,
    ...(isDeleting ? ["deleting"] : []),
  ]);
  return `hmac-sha256:${createHmac("sha256", key).update(text).digest("base64url")}`;
}

/** Vouches for a uid alone: an object keeps it whatever is edited in its Secret, and nobody gives it that of another one. Arguments as of {@link macOf}. */
export function uidMACOf({ namespace, name, uid }: Pick<TokenFacts, "namespace" | "name" | "uid">, key: Uint8Array): string {
  return `hmac-sha256:${createHmac("sha256", key)
    .update(JSON.stringify(["uid", uid, namespace, name]))
    .digest("base64url")}`;
}

/** A token's lifetime in seconds. @returns undefined for one without end: 0, empty, or no number. */
export function ttlSeconds(ttl: string): number | undefined {
  const seconds = /^\d{1,15}$/.test(ttl) ? Number(ttl) : 0;
  return seconds === 0 ? undefined : seconds;
}

/** When a token ends, in milliseconds since the epoch. @returns undefined when it never does, or when it was made is not known. */
export function expiryOf(creationTimestamp: string, ttl: string): number | undefined {
  const seconds = ttlSeconds(ttl);
  const created = Date.parse(creationTimestamp);
  if (seconds === undefined || Number.isNaN(created)) return undefined;
  return Math.min(created + seconds * 1000, MAX_TIME);
}

/** The last moment of the year 9999: what RFC 3339 can write. */
const MAX_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);
