import { isJSONObject, type JSONObject, type JSONValue } from "@annex/apimachinery";

/** An object that a token names. */
export interface BoundObject {
  readonly name: string;
  readonly uid: string;
}

/** What a service account token says. Times are in whole seconds since the epoch. Source: RFC 7519; kubernetes pkg/serviceaccount, privateClaims. */
export interface TokenClaims {
  readonly issuer: string;
  readonly audiences: readonly string[];
  readonly issuedAt: number;
  readonly notBefore: number;
  readonly expiry: number;
  /** Tells tokens apart: `jti`. */
  readonly id: string;
  readonly namespace: string;
  readonly serviceAccount: BoundObject;
  /** The Secret without which the token is nothing. */
  readonly secret: BoundObject | undefined;
}

/** The payload of a token. @param subject the user name of the account. */
export function encodeClaims(claims: TokenClaims, subject: string): JSONObject {
  const { namespace, serviceAccount, secret } = claims;
  return {
    aud: claims.audiences,
    exp: claims.expiry,
    iat: claims.issuedAt,
    iss: claims.issuer,
    jti: claims.id,
    "kubernetes.io": { namespace, ...(secret === undefined ? {} : { secret: { ...secret } }), serviceaccount: { ...serviceAccount } },
    nbf: claims.notBefore,
    sub: subject,
  };
}

/**
 * Reads a payload whose signature was checked.
 *
 * @returns undefined when anything is missing, or of another type: such a token was not made by {@link encodeClaims}. So is one that is bound to a Pod or Node.
 */
export function decodeClaims(payload: JSONValue): TokenClaims | undefined {
  if (!isJSONObject(payload)) return undefined;
  const { aud, exp, iat, nbf, iss, jti } = payload;
  const bound = payload["kubernetes.io"];
  if (!isJSONObject(bound) || bound.pod !== undefined || bound.node !== undefined) return undefined;
  const audiences = typeof aud === "string" ? [aud] : stringsOf(aud);
  const serviceAccount = boundObjectOf(bound.serviceaccount);
  const secret = bound.secret === undefined ? undefined : boundObjectOf(bound.secret);
  if (audiences === undefined || audiences.length === 0 || serviceAccount === undefined) return undefined;
  if (bound.secret !== undefined && secret === undefined) return undefined;
  if (typeof exp !== "number" || typeof iat !== "number" || typeof nbf !== "number") return undefined;
  if (typeof iss !== "string" || typeof jti !== "string" || jti === "" || typeof bound.namespace !== "string") return undefined;
  return { issuer: iss, audiences, issuedAt: iat, notBefore: nbf, expiry: exp, id: jti, namespace: bound.namespace, serviceAccount, secret };
}

function stringsOf(value: JSONValue | undefined): readonly string[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const strings = value.filter((one): one is string => typeof one === "string");
  return strings.length === value.length ? strings : undefined;
}

function boundObjectOf(value: JSONValue | undefined): BoundObject | undefined {
  if (!isJSONObject(value) || typeof value.name !== "string" || typeof value.uid !== "string") return undefined;
  return value.name === "" || value.uid === "" ? undefined : { name: value.name, uid: value.uid };
}
