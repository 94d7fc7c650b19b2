import type { ObjectMeta } from "@annex/apimachinery";
import { formatTime } from "@annex/apiserver";
import type { PresentSecret, SecretCodec } from "@annex/storage-secrets";
import { MAX_HASH_LENGTH, MAX_NAME_LENGTH, MAX_TTL_LENGTH, type Token } from "./schema.ts";
import { equalsInConstantTime, expiryOf, hashPlaintext, macOf, makePlaintext, type TokenFacts } from "./token.ts";

/** What a Secret has as a finalizer of ours while its token has any. */
const FINALIZER = "tomlebreux.com/token";

/**
 * How tokens lie in Secrets: the values of the proof of concept, beside them when the end was recorded, and the MAC over all that matters.
 *
 * The MAC vouches for what was written through the token API, so it is made anew only where the Secret still was what the MAC in it vouches for. A Secret that somebody
 * edited keeps its MAC through every write to the token: a label must not make a forged hash good. Such a token becomes healthy again when its values are again those
 * that the MAC was made for; it may be deleted and made anew at any time.
 *
 * What a MAC cannot tell is an old state of the same token from its present one: whoever may write Secrets and kept a copy can put it back.
 */
export function tokenCodec(macKey: Uint8Array, place: Pick<SecretCodec, "type" | "namespace" | "apiVersion" | "kind">): SecretCodec {
  const isHealthy = ({ read, metadata }: PresentSecret) =>
    equalsInConstantTime(
      read("mac") ?? "",
      macOf(
        factsOf(metadata, (key) => read(key) ?? ""),
        macKey,
      ),
    );
  return {
    ...place,
    finalizer: FINALIZER,
    encode(object, present) {
      // The registry has checked it against the schema.
      const token = object as unknown as Token;
      const { metadata, spec } = token;
      const name = { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
      const plaintext = present === undefined ? makePlaintext(name) : undefined;
      const hashedToken = plaintext === undefined ? (token.status.hashedToken ?? "") : hashPlaintext(plaintext);
      const values = { ...spec, hashedToken };
      const mac =
        present === undefined || isHealthy(present)
          ? macOf(
              factsOf(metadata, (key) => values[key]),
              macKey,
            )
          : present.read("mac");
      const data = { ...values, mac, expired: token.status.expired === true ? "true" : undefined };
      if (plaintext === undefined) return { data };
      const told = { ...statusOf(metadata, { ttl: spec.ttl, hashedToken, expired: false, healthy: true }), plaintextToken: plaintext };
      return { data, answer: { ...object, status: told } };
    },
    decode(read, metadata) {
      const value = (key: string, maxLength: number) => (read(key) ?? "").slice(0, maxLength);
      const ttl = value("ttl", MAX_TTL_LENGTH);
      const hashedToken = value("hashedToken", MAX_HASH_LENGTH);
      return {
        spec: {
          userID: value("userID", MAX_NAME_LENGTH),
          clusterName: value("clusterName", MAX_NAME_LENGTH),
          ttl,
          // Whatever else somebody wrote there does not enable it.
          enabled: String(read("enabled") === "true"),
        },
        status: statusOf(metadata, { ttl, hashedToken, expired: read("expired") === "true", healthy: isHealthy({ read, metadata }) }),
      };
    },
  };
}

/** What the MAC vouches for. */
function factsOf({ namespace = "", name = "", uid = "", creationTimestamp = "" }: ObjectMeta, read: (key: ValueKey) => string): TokenFacts {
  return {
    namespace,
    name,
    uid,
    creationTimestamp,
    userID: read("userID"),
    clusterName: read("clusterName"),
    hashedToken: read("hashedToken"),
    ttl: read("ttl"),
    enabled: read("enabled"),
  };
}

type ValueKey = "userID" | "clusterName" | "hashedToken" | "ttl" | "enabled";

function statusOf(
  metadata: ObjectMeta,
  facts: { readonly ttl: string; readonly hashedToken: string; readonly expired: boolean; readonly healthy: boolean },
): Token["status"] {
  const expiry = expiryOf(metadata.creationTimestamp ?? "", facts.ttl);
  return {
    hashedToken: facts.hashedToken,
    ...(expiry === undefined ? {} : { expiresAt: formatTime(expiry) }),
    expired: facts.expired,
    healthy: facts.healthy,
  };
}
