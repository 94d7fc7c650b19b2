import { badRequest, type KubernetesObject, type ObjectMeta, type OwnerReference } from "@annex/apimachinery";
import type { Random } from "../random.ts";

const SUFFIX_LENGTH = 5;
const MAX_GENERATED_PREFIX = 63 - SUFFIX_LENGTH;
/** Without vowels, so that no word comes out. Source: k8s.io/apimachinery/pkg/util/rand. */
const ALPHABET = "bcdfghjklmnpqrstvwxz2456789";

/** A name that begins with at most 58 characters of `prefix` and ends in five of chance. Source: k8s.io/apiserver/pkg/storage/names. */
export function generateName(prefix: string, random: Random): string {
  const suffix = Array.from(random.bytes(SUFFIX_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return prefix.slice(0, MAX_GENERATED_PREFIX) + suffix;
}

/** A time as metadata has it: RFC 3339, UTC, whole seconds. @param now milliseconds since the epoch. */
export function formatTime(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}

/**
 * What of a client's metadata counts in a new object, for admission to see.
 *
 * @param isPosted whether it was sent to be created. What an update or an apply creates may be in deletion from the beginning.
 * Source: rest.WipeObjectMetaSystemFields, which only the handler of POST calls.
 */
export function metadataToCreate(sent: ObjectMeta, namespace: string, isPosted: boolean): ObjectMeta {
  const { selfLink: _s, uid: _u, creationTimestamp: _c, namespace: _n, ...kept } = sent;
  const { deletionTimestamp: _d, deletionGracePeriodSeconds: _g, ...posted } = kept;
  const rest = isPosted ? posted : kept;
  return namespace === "" ? rest : { ...rest, namespace };
}

/**
 * The object in the namespace of the request.
 *
 * @throws {APIError} `BadRequest` when it names another one. Source: rest.EnsureObjectNamespaceMatchesRequestNamespace.
 */
export function inRequestNamespace(
  object: KubernetesObject,
  { isNamespaced }: { readonly isNamespaced: boolean },
  namespace: string,
): KubernetesObject {
  const { namespace: named, ...rest } = object.metadata;
  // A cluster-scoped object has none; one that was sent is forgotten.
  if (!isNamespaced) return named === undefined ? object : { ...object, metadata: rest };
  if (named && named !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  return { ...object, metadata: { ...object.metadata, namespace } };
}

/** The metadata of a new object: what the server decides is the server's, whatever admission made of it. Source: rest.FillObjectMetaSystemFields, rest.BeforeCreate. */
export function metadataForCreate(
  admitted: ObjectMeta,
  facts: { readonly tracksGeneration: boolean; readonly now: number; readonly random: Random; readonly generatesName?: boolean },
): ObjectMeta {
  const { selfLink: _s, resourceVersion: _r, namespace, generation, ...rest } = admitted;
  const { generatesName = true } = facts;
  const name = rest.name || (rest.generateName && generatesName ? generateName(rest.generateName, facts.random) : undefined);
  const counted = facts.tracksGeneration ? 1 : generation;
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
    uid: facts.random.uuid(),
    creationTimestamp: formatTime(facts.now),
    ...(counted ? { generation: counted } : {}),
  };
}

/** One more. Of a compiled-in kind clients begin the count, with any int64: its type knows no bigint, and JSON does. */
export function nextGeneration(generation: number = 0): number {
  const next = BigInt.asIntN(64, BigInt(generation) + 1n);
  return Number.isSafeInteger(Number(next)) ? Number(next) : (next as unknown as number);
}

/** The metadata of a change: what is left out of the server's own fields stays as it was. Source: rest.BeforeUpdate. */
export function metadataForUpdate(wanted: ObjectMeta, live: ObjectMeta): ObjectMeta {
  const { selfLink: _s, generation: _g, deletionTimestamp, deletionGracePeriodSeconds, ...rest } = wanted;
  const isDeleting = live.deletionTimestamp !== undefined;
  return withoutUndefined({
    ...rest,
    uid: rest.uid || live.uid,
    creationTimestamp: live.creationTimestamp,
    generation: live.generation,
    // A deletion that began is never taken back, and an update never begins one; another grace period is refused later.
    deletionTimestamp: isDeleting ? live.deletionTimestamp : deletionTimestamp,
    deletionGracePeriodSeconds: isDeleting ? (deletionGracePeriodSeconds ?? live.deletionGracePeriodSeconds) : deletionGracePeriodSeconds,
  });
}

/** The metadata of a write to `status`: only the bookkeeping of managers is the client's. Source: customresource statusStrategy. */
export function metadataForStatus(wanted: ObjectMeta, live: ObjectMeta): ObjectMeta {
  const { managedFields: _managedFields, ...rest } = live;
  return wanted.managedFields === undefined ? rest : { ...rest, managedFields: wanted.managedFields };
}

export function withMetadata(object: KubernetesObject, metadata: ObjectMeta): KubernetesObject {
  return { ...object, metadata };
}

type Undefinable<T> = { readonly [K in keyof T]: T[K] | undefined };

function withoutUndefined(metadata: Undefinable<ObjectMeta>): ObjectMeta {
  return Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== undefined)) as ObjectMeta;
}

/**
 * Drops owner references that stand twice, and says so. What a client sent is looked through before anything is done with it, what admission (or a patch)
 * made of it afterwards. Source: k8s.io/apiserver endpoints/handlers, dedupOwnerReferencesAndAddWarning.
 */
export function withoutDuplicateOwners(object: KubernetesObject, warn: (text: string) => void, when: "sent" | "mutated"): KubernetesObject {
  const { ownerReferences = [] } = object.metadata;
  if (ownerReferences.length < 2) return object;
  const seen = new Set<string>();
  const kept: OwnerReference[] = [];
  const duplicates: string[] = [];
  for (const reference of ownerReferences) {
    const { apiVersion, kind, name, uid, controller, blockOwnerDeletion } = reference;
    const identity = JSON.stringify([apiVersion, kind, name, uid, `${controller}`, `${blockOwnerDeletion}`]);
    if (seen.has(identity)) duplicates.push(uid);
    else kept.push(reference);
    seen.add(identity);
  }
  if (duplicates.length === 0) return object;
  const after = when === "mutated" ? " after mutating admission happens" : "";
  warn(`.metadata.ownerReferences contains duplicate entries${after}; ${DUPLICATE_OWNERS}${duplicates.join(", ")}`);
  return withMetadata(object, { ...object.metadata, ownerReferences: kept });
}

const DUPLICATE_OWNERS =
  "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ";
