import { jsonEquals, type KubernetesObject, type ObjectMeta, type OwnerReference } from "@annex/apimachinery";
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

/** The metadata of a new object: what the server decides is the server's, whatever the client sent. Source: rest.FillObjectMetaSystemFields, rest.BeforeCreate. */
export function metadataForCreate(
  sent: ObjectMeta,
  facts: { readonly namespace: string; readonly tracksGeneration: boolean; readonly now: number; readonly random: Random },
): ObjectMeta {
  const { selfLink: _s, deletionTimestamp: _d, deletionGracePeriodSeconds: _g, resourceVersion: _r, namespace: _n, generation, ...rest } = sent;
  const name = rest.name || (rest.generateName ? generateName(rest.generateName, facts.random) : undefined);
  const counted = facts.tracksGeneration ? 1 : generation;
  return {
    ...rest,
    ...(name === undefined ? {} : { name }),
    ...(facts.namespace === "" ? {} : { namespace: facts.namespace }),
    uid: facts.random.uuid(),
    creationTimestamp: formatTime(facts.now),
    ...(counted ? { generation: counted } : {}),
  };
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
    // A deletion that began is never taken back, and an update never begins one.
    deletionTimestamp: isDeleting ? live.deletionTimestamp : deletionTimestamp,
    deletionGracePeriodSeconds: isDeleting ? live.deletionGracePeriodSeconds : deletionGracePeriodSeconds,
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

/** Drops owner references that stand twice, and says so. Source: k8s.io/apiserver endpoints/handlers, dedupOwnerReferencesAndAddWarning. */
export function withoutDuplicateOwners(object: KubernetesObject, warn: (text: string) => void): KubernetesObject {
  const { ownerReferences = [] } = object.metadata;
  if (ownerReferences.length < 2) return object;
  const owners = new Map<string, OwnerReference[]>();
  const duplicates: string[] = [];
  for (const reference of ownerReferences) {
    const known = owners.get(reference.uid) ?? [];
    if (known.some((one) => jsonEquals(one, reference))) duplicates.push(reference.uid);
    else owners.set(reference.uid, [...known, reference]);
  }
  if (duplicates.length === 0) return object;
  warn(`${DUPLICATE_OWNERS}${duplicates.join(", ")}`);
  const kept = new Set([...owners.values()].flat());
  return withMetadata(object, { ...object.metadata, ownerReferences: ownerReferences.filter((reference) => kept.has(reference)) });
}

const DUPLICATE_OWNERS =
  ".metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ";
