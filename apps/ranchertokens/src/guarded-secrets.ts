import { fieldError, forbidden, invalid, type KubernetesObject } from "@annex/apimachinery";
import { type AdmissionAttributes, type AdmissionPlugin, LOOPBACK } from "@annex/apiserver";
import type { SecretObject } from "@annex/storage-secrets";
import { CLUSTER_TOKEN_SECRET_TYPE, mayMakeTokensFor, TOKEN_SECRET_TYPE } from "./ranchertoken.ts";

const TYPES: ReadonlySet<unknown> = new Set([TOKEN_SECRET_TYPE, CLUSTER_TOKEN_SECRET_TYPE]);

/** The Secret of a token that is about to be written; undefined for any other write. */
function tokenSecret({ resource, object }: AdmissionAttributes): SecretObject | undefined {
  if (resource.group !== "" || resource.resource !== "secrets" || object === undefined) return undefined;
  return TYPES.has((object as SecretObject).type) ? (object as SecretObject) : undefined;
}

/** Keeps the Secrets of tokens writable: whoever may write Secrets could otherwise make a token that nobody can disable any more. */
export const mutableTokenSecrets: AdmissionPlugin = {
  name: "MutableTokenSecrets",
  async validate(attributes) {
    const secret = tokenSecret(attributes);
    if (secret?.immutable !== true) return;
    throw invalid(attributes.resource, secret.metadata.name ?? "", [
      fieldError.forbidden("immutable", `a Secret of type ${String(secret.type)} holds a token, which must stay changeable`),
    ]);
  },
};

/**
 * Keeps MACs out of the hands of those who may only write Secrets. A MAC tells no old state of a token from its present one: with a copy of its Secret a token that was disabled, shortened
 * or deleted would be good again. So a MAC comes into a Secret with a write through the token API, or by the hand of somebody who may make tokens for everybody and therefore gains
 * nothing (who restores a backup). Taking one away, and changing all else, is anybody's who may write Secrets: it makes a token unhealthy.
 */
export const restoredTokenSecrets: AdmissionPlugin = {
  name: "RestoredTokenSecrets",
  async validate(attributes, context) {
    const secret = tokenSecret(attributes);
    const mac = macIn(secret);
    if (secret === undefined || mac === undefined || context.user === LOOPBACK || mac === macIn(attributes.previous)) return;
    if (await mayMakeTokensFor("", context)) return;
    const reason = `User ${JSON.stringify(context.user.name)} cannot restore a token: that needs the verb impersonate on all users.tomlebreux.com`;
    throw forbidden(attributes.resource, secret.metadata.name ?? "", reason);
  },
};

function macIn(secret: KubernetesObject | undefined): string | undefined {
  return (secret as SecretObject | undefined)?.data?.mac;
}
