import type { Condition, ObjectMeta } from "@annex/apimachinery";
import { type Clock, formatTime } from "@annex/apiserver";
import type { PresentSecret, SecretCodec } from "@annex/storage-secrets";
import { conditionsOf, readTransitions, recordTransitions } from "./conditions.ts";
import { equalsInConstantTime, expiryOf, hashPlaintext, macOf, makePlaintext, type TokenFacts, uidMACOf } from "./token.ts";
import { MAX_HASH_LENGTH, MAX_NAME_LENGTH, MAX_TTL_LENGTH, type Token } from "./v1alpha1.ts";

/** What a Secret has as a finalizer of ours while its token has any. */
const FINALIZER = "tomlebreux.com/token";

/**
 * How tokens lie in Secrets: the values of the proof of concept, beside them when the end was recorded, and the MAC over all that matters.
 *
 * The MAC vouches for what was written through the token API, so it is made anew only where the Secret still was what the MAC in it vouches for. A Secret that somebody
 * edited keeps its MAC through writes about other things: a label must not make a forged hash good. Such a token becomes healthy again when its values are again those
 * that the MAC was made for. A write that is to disable it, to change its end or to delete it takes the MAC away for good: else putting back what was edited would undo it.
 *
 * What a MAC cannot tell is an old state of the same token from its present one: who may put one into a Secret is for admission to say (`restoredTokenSecrets`).
 */
export function tokenCodec(
  { macKey, clock }: { readonly macKey: Uint8Array; readonly clock: Clock },
  place: Pick<SecretCodec, "type" | "namespace" | "apiVersion" | "kind">,
): SecretCodec {
  const isDeletion = ({ deletionTimestamp }: ObjectMeta) => deletionTimestamp !== undefined;
  const macFor = (metadata: ObjectMeta, read: (key: ValueKey) => string, isDeleting = isDeletion(metadata)) =>
    macOf({ ...factsOf(metadata, read), isDeleting }, macKey);
  const isHealthy = ({ read, metadata }: PresentSecret) => {
    const isMAC = (isDeleting: boolean) =>
      equalsInConstantTime(
        read("mac") ?? "",
        macFor(metadata, (key) => read(key) ?? "", isDeleting),
      );
    // Of a token whose Secret was deleted nobody has renewed the MAC; that a deletion was taken back shows.
    return isMAC(false) || (isDeletion(metadata) && isMAC(true));
  };

  const uidMACFor = ({ namespace = "", name = "", uid = "" }: ObjectMeta) => uidMACOf({ namespace, name, uid }, macKey);

  function decode(present: PresentSecret): Pick<Token, "spec" | "status"> {
    const { read, metadata } = present;
    const value = (key: string, maxLength: number) => (read(key) ?? "").slice(0, maxLength);
    const spec = {
      userID: value("userID", MAX_NAME_LENGTH),
      clusterName: value("clusterName", MAX_NAME_LENGTH),
      ttl: value("ttl", MAX_TTL_LENGTH),
      // Whatever else somebody wrote there does not enable it.
      enabled: String(read("enabled") === "true"),
    };
    const facts = { spec, hashedToken: value("hashedToken", MAX_HASH_LENGTH), expired: read("expired") === "true", healthy: isHealthy(present) };
    return { spec, status: statusOf(metadata, facts, readTransitions(read("transitions")), present.writtenAt) };
  }

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
      const rightMAC = macFor(metadata, (key) => values[key]);
      const mac = present === undefined || isHealthy(present) ? rightMAC : unhealthyMAC(token, present, rightMAC);
      const facts = { spec, hashedToken, expired: token.status.expired === true, healthy: equalsInConstantTime(mac ?? "", rightMAC) };
      const former = present === undefined ? [] : (decode(present).status.conditions ?? []);
      const status = statusOf(metadata, facts, former, formatTime(clock.now()));
      const transitions = recordTransitions(status.conditions ?? []);
      const data = { ...values, mac, uidMAC: uidMACFor(metadata), expired: facts.expired ? "true" : undefined, transitions };
      return plaintext === undefined ? { data } : { data, answer: { ...object, status: { ...status, plaintextToken: plaintext } } };
    },
    decode,
    // Secrets of former versions have the one MAC only.
    isOwnUID: (present) => equalsInConstantTime(present.read("uidMAC") ?? "", uidMACFor(present.metadata)) || isHealthy(present),
  };
}

/** The MAC that stays with a token that it does not vouch for; undefined for none. */
function unhealthyMAC({ metadata, spec }: Token, { read, metadata: present }: PresentSecret, rightMAC: string): string | undefined {
  const mac = read("mac");
  const isAsBefore =
    (read("enabled") === "true") === (spec.enabled === "true") &&
    (read("ttl") ?? "").slice(0, MAX_TTL_LENGTH) === spec.ttl &&
    metadata.deletionTimestamp === present.deletionTimestamp;
  return isAsBefore || equalsInConstantTime(mac ?? "", rightMAC) ? mac : undefined;
}

/** What the MAC vouches for, but for the deletion. */
function factsOf(
  { namespace = "", name = "", uid = "", creationTimestamp = "" }: ObjectMeta,
  read: (key: ValueKey) => string,
): Omit<TokenFacts, "isDeleting"> {
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

interface StatusFacts {
  readonly spec: Token["spec"];
  readonly hashedToken: string;
  readonly expired: boolean;
  readonly healthy: boolean;
}

/** @param since when conditions that are not as `former` became so. */
function statusOf(
  { creationTimestamp = "", generation, deletionTimestamp }: ObjectMeta,
  { spec, hashedToken, expired, healthy }: StatusFacts,
  former: readonly Condition[],
  since: string,
): Token["status"] {
  const expiry = expiryOf(creationTimestamp, spec.ttl);
  const expiresAt = expiry === undefined ? undefined : formatTime(expiry);
  const facts = { generation, deletionTimestamp, expiresAt, isHealthy: healthy, isEnabled: spec.enabled === "true", isExpired: expired };
  return { hashedToken, ...(expiresAt === undefined ? {} : { expiresAt }), expired, healthy, conditions: conditionsOf(facts, former, since) };
}
