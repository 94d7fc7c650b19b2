import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { Clock, RequestContext, ResourceVerbs } from "@annex/apiserver";
import { TOKEN_GROUP } from "./ranchertoken.ts";
import { equalsInConstantTime, expiryOf, hashPlaintext, parsePlaintext, type TokenName } from "./token.ts";

/** Whether a plaintext is a token that is good now. */
export type Verification =
  | { readonly isValid: true; readonly token: TokenName; readonly userID: string; readonly clusterName: string }
  /** Why not, for the server's own log: who brought the token is told nothing but no. */
  | { readonly isValid: false; readonly reason: "Malformed" | "NotFound" | "WrongSecret" | "Unhealthy" | "Disabled" | "Expired" | "Deleting" };

export interface VerifierOptions {
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
  readonly context: (signal: AbortSignal) => RequestContext;
  readonly clock: Clock;
}

/** Checks a plaintext token. @throws what the store throws when it cannot be asked; that is not a no. */
export type Verify = (plaintext: string, signal: AbortSignal) => Promise<Verification>;

const NO_HASH = hashPlaintext("");

/**
 * Makes the check that a login is to rely on: the hash in constant time, enabled, the clock against the end, and the MAC. What is looked up is named in the token, so that
 * a check costs one look-up however many tokens there are.
 */
export function createVerifier({ verbsOf, context, clock }: VerifierOptions): Verify {
  return async (plaintext, signal) => {
    const token = parsePlaintext(plaintext);
    if (token === undefined) return { isValid: false, reason: "Malformed" };
    const found = await find(verbsOf(TOKEN_GROUP, token.namespace === "" ? "clusterranchertokens" : "ranchertokens"), token, context(signal));
    // Compared also when there is none, so that time does not tell which names there are.
    const isSecret = equalsInConstantTime(hashPlaintext(plaintext), found?.status.hashedToken ?? NO_HASH);
    if (found === undefined) return { isValid: false, reason: "NotFound" };
    if (!isSecret) return { isValid: false, reason: "WrongSecret" };
    if (found.status.healthy !== true) return { isValid: false, reason: "Unhealthy" };
    if (found.spec.enabled !== "true") return { isValid: false, reason: "Disabled" };
    if (found.metadata.deletionTimestamp !== undefined) return { isValid: false, reason: "Deleting" };
    const expiry = expiryOf(found.metadata.creationTimestamp ?? "", found.spec.ttl);
    if (expiry !== undefined && expiry <= clock.now()) return { isValid: false, reason: "Expired" };
    return { isValid: true, token, userID: found.spec.userID, clusterName: found.spec.clusterName };
  };
}

interface FoundToken {
  readonly metadata: KubernetesObject["metadata"];
  readonly spec: { readonly userID: string; readonly clusterName: string; readonly ttl: string; readonly enabled: string };
  readonly status: { readonly hashedToken?: string; readonly healthy?: boolean };
}

async function find(verbs: ResourceVerbs, name: TokenName, context: RequestContext): Promise<FoundToken | undefined> {
  try {
    const view = await verbs.get?.(name, { type: "MostRecent" }, context);
    return view?.object as unknown as FoundToken | undefined; // of the definition, whose schema it satisfies
  } catch (error) {
    if (APIError.is(error, "NotFound")) return undefined;
    throw error;
  }
}
