import { APIError, expired, fieldError, invalid, type KubernetesObject, type ObjectName, requestEntityTooLarge } from "@annex/apimachinery";
import type { Clock } from "../clock.ts";
import type { Resource } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import { MAX_KEY_LENGTH, MAX_VALUE_BYTES, type Revision, type Storage, StorageError } from "../storage/index.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import type { ObjectCodec } from "../watch-cache/object-codec.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import { CachedReads } from "./cached-reads.ts";
import type { ObjectStore } from "./object-store.ts";
import { keyPrefix, nameOf, ResourceKeys } from "./resource-keys.ts";
import { ValueView } from "./value-view.ts";

export interface CachedStoreOptions {
  readonly resource: Resource;
  readonly codec: ObjectCodec;
  readonly storage: Storage;
  readonly cache: WatchCache;
  readonly clock: Clock;
}

/** Objects in storage, read from the watch cache. */
export function cachedStore({ resource, codec, storage, cache, clock }: CachedStoreOptions): ObjectStore {
  const keys = new ResourceKeys(resource);
  const objects = cache.add(codec, keyPrefix(resource));
  const reads = new CachedReads({ resource, objects, reached: (revision, signal) => cache.reached(revision, signal), clock });

  async function put(object: KubernetesObject, target: ObjectName, expected: Revision | 0, signal: AbortSignal): Promise<ObjectView | undefined> {
    const key = keys.keyOf(target);
    const stored = codec.encodeStored(object);
    const revision = await orConflict(storage.put(key, stored, expected));
    if (revision === undefined) return undefined;
    // Until a write of our own is in the cache: whoever is told of it will also find it.
    await cache.reached(revision, signal);
    const present = objects.get(key);
    return present?.revision === revision ? present : CachedObject.fromStored(codec, key, stored, revision);
  }

  return {
    get: (target, consistency, cancellation) => reads.get(target, consistency, cancellation),
    list: (options, visible, cancellation) => reads.list(options, visible, cancellation),
    watch: (options, visible, signal) => reads.watch(options, visible, signal),

    async create(object, { isDryRun }, signal) {
      const target = nameOf(object);
      const key = keys.keyOf(target);
      if (key.length > MAX_KEY_LENGTH) throw nameTooLong(resource, target.name, MAX_KEY_LENGTH - keys.prefixOf(target.namespace).length);
      if (!isDryRun) return put(object, target, 0, signal);
      return objects.get(key) === undefined ? new ValueView(resource, object) : undefined;
    },
    update: (object, expected, signal) => put(object, expected, Number(expected.resourceVersion) as Revision, signal),

    async delete(expected, signal) {
      const key = keys.keyOf(expected);
      const present = objects.get(key);
      const revision = await orConflict(storage.delete(key, Number(expected.resourceVersion) as Revision));
      if (revision === undefined) return undefined;
      await cache.reached(revision, signal);
      return { view: present?.resourceVersion === expected.resourceVersion ? present.at(revision) : expected, isGone: true };
    },
  };
}

/** The 422 of a name whose key storage does not take: longer than any rule for names allows but `pathSegment`. */
function nameTooLong(resource: Resource, name: string, maxBytes: number): APIError {
  return invalid(resource, name, [fieldError.tooLong("metadata.name", maxBytes)]);
}

/** Undefined for a lost race; every other failure of storage becomes what the client is told. */
async function orConflict(write: Promise<Revision>): Promise<Revision | undefined> {
  try {
    return await write;
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    switch (error.code) {
      case "Conflict":
        return undefined;
      case "ValueTooLarge":
        throw requestEntityTooLarge(MAX_VALUE_BYTES);
      case "Compacted":
        throw expired(error.message);
      case "Unavailable":
      case "Closed":
        throw new APIError("ServiceUnavailable", "storage is unavailable: the write may or may not have happened", { cause: error });
      default:
        return error.code satisfies never;
    }
  }
}
