import type { KubernetesObject } from "@annex/apimachinery";
import {
  type RequestContext,
  type ResourceVerbs,
  type ReviewedToken,
  serviceAccountGroups,
  serviceAccountUsername,
  type TokenAuthenticator,
  withAuthenticatedGroup,
} from "@annex/apiserver";
import { findView } from "../controller.ts";
import { type BoundObject, decodeClaims, type TokenClaims } from "./claims.ts";
import { type TokenSigner, unverifiedIssuer } from "./token-signer.ts";

/** How far clocks may be apart, in seconds. Source: go-jose jwt.DefaultLeeway. */
const LEEWAY_SECONDS = 60;
const CREDENTIAL_ID = "authentication.kubernetes.io/credential-id";

export interface ServiceAccountAuthenticatorOptions {
  readonly signer: TokenSigner;
  /** Whose tokens are accepted. */
  readonly issuers: readonly string[];
  /** Whom a token must be meant for to be good here: one of them. */
  readonly apiAudiences: readonly string[];
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
  /** For reads of the server's own. */
  readonly context: (signal: AbortSignal) => RequestContext;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/**
 * Knows the tokens of service accounts: by signature, issuer, audience and time, and by the account (and the Secret that a token may be bound to), which must be there with the uid
 * that the token names.
 *
 * Source: kubernetes pkg/serviceaccount, jwtTokenAuthenticator and validator.
 */
export function serviceAccountAuthenticator(options: ServiceAccountAuthenticatorOptions): TokenAuthenticator {
  const checker = new TokenChecker(options);
  return {
    authenticateToken: async (token, signal) => {
      const reviewed = await checker.review(token, options.apiAudiences, signal);
      return reviewed !== undefined && "user" in reviewed ? reviewed.user : undefined;
    },
    reviewToken: (token, audiences, signal) => checker.review(token, audiences, signal),
  };
}

class TokenChecker {
  readonly #options: ServiceAccountAuthenticatorOptions;

  constructor(options: ServiceAccountAuthenticatorOptions) {
    this.#options = options;
  }

  async review(token: string, wanted: readonly string[], signal: AbortSignal): Promise<ReviewedToken | { readonly error: string } | undefined> {
    const { issuers, signer } = this.#options;
    if (!issuers.includes(unverifiedIssuer(token) ?? "")) return undefined;
    const payload = await signer.verify(token);
    if (payload === undefined) return { error: "invalid signature" };
    const claims = decodeClaims(payload);
    if (claims === undefined || !issuers.includes(claims.issuer)) return { error: "service account token claims could not be validated" };
    const audiences = wanted.filter((audience) => claims.audiences.includes(audience));
    if (audiences.length === 0) {
      return { error: `token audiences ${quoted(claims.audiences)} is invalid for the target audiences ${quoted(wanted)}` };
    }
    const error = this.#timeFault(claims) ?? (await this.#accountFault(claims, signal)) ?? (await this.#secretFault(claims, signal));
    return error === undefined ? { user: userOf(claims), audiences } : { error };
  }

  #timeFault({ expiry, notBefore, issuedAt }: TokenClaims): string | undefined {
    const now = this.#options.now() / 1000;
    if (now - LEEWAY_SECONDS > expiry) return "service account token has expired";
    if (now + LEEWAY_SECONDS < notBefore) return "service account token is not valid yet";
    if (now + LEEWAY_SECONDS < issuedAt) return "service account token is issued in the future";
    return undefined;
  }

  async #accountFault({ namespace, serviceAccount }: TokenClaims, signal: AbortSignal): Promise<string | undefined> {
    const account = await this.#find("serviceaccounts", namespace, serviceAccount, signal);
    if (account === undefined) return `serviceaccounts ${JSON.stringify(serviceAccount.name)} not found`;
    const { uid } = account.metadata;
    if (uid !== serviceAccount.uid) return `service account UID (${uid}) does not match claim (${serviceAccount.uid})`;
    return this.#isDeleted(account) ? `service account ${namespace}/${serviceAccount.name} has been deleted` : undefined;
  }

  async #secretFault({ namespace, secret }: TokenClaims, signal: AbortSignal): Promise<string | undefined> {
    if (secret === undefined) return undefined;
    const bound = await this.#find("secrets", namespace, secret, signal);
    if (bound === undefined || this.#isDeleted(bound)) return "service account token has been invalidated";
    const { uid } = bound.metadata;
    return uid === secret.uid ? undefined : `secret UID (${uid}) does not match service account secret ref claim (${secret.uid})`;
  }

  async #find(resource: string, namespace: string, { name }: BoundObject, signal: AbortSignal): Promise<KubernetesObject | undefined> {
    const { verbsOf, context } = this.#options;
    return (await findView(verbsOf("", resource), { namespace, name }, context(signal)))?.object;
  }

  /** Whether the deletion of an object began, and the clocks cannot be the reason. */
  #isDeleted({ metadata: { deletionTimestamp } }: KubernetesObject): boolean {
    return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) < this.#options.now() - LEEWAY_SECONDS * 1000;
  }
}

function userOf({ namespace, serviceAccount: { name, uid }, id }: TokenClaims): ReviewedToken["user"] {
  const user = {
    name: serviceAccountUsername(namespace, name),
    uid,
    groups: serviceAccountGroups(namespace),
    extra: { [CREDENTIAL_ID]: [`JTI=${id}`] },
  };
  return withAuthenticatedGroup(user);
}

function quoted(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(" ")}]`;
}
