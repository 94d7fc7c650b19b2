import { APIError, expired, fieldError, invalid, type KubernetesObject, type ObjectName, requestEntityTooLarge } from "@annex/apimachinery";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import type { Resource } from "../definition/resource.ts";
import type { ObjectView, WatchBatch, WatchEvent } from "../object-view.ts";
import { MAX_KEY_LENGTH, MAX_VALUE_BYTES, type Revision, type Storage, StorageError, type StorageKey } from "../storage/index.ts";
import { CachedObject } from "../watch-cache/cached-object.ts";
import { keySegment } from "../watch-cache/key-segment.ts";
import type { ObjectCodec } from "../watch-cache/object-codec.ts";
import type { Matcher, ResourceCache } from "../watch-cache/resource-cache.ts";
import type { WatchCache } from "../watch-cache/watch-cache.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import type { ObjectStore, Visibility } from "./object-store.ts";
import { requireRevision, tooLargeResourceVersion } from "./resource-version.ts";
import { isCounted, knowableOf, matcherOf } from "./selection.ts";
import { SharedLists } from "./shared-lists.ts";
import { ValueView } from "./value-view.ts";
import type { ListOptions, ListResult, ReadConsistency, WatchOptions } from "./verbs.ts";

/** How long a read waits for a state that the cache has not seen. Source: k8s.io/apiserver cacher, blockTimeout. */
const FRESHNESS_TIMEOUT_MS = 3_000;
/** How often a watch on which nothing happens tells where it is. Source: k8s.io/apiserver cacher, bookmarkFrequency. */
const PROGRESS_MS = 60_000;

export interface CachedStoreOptions {
  readonly resource: Resource;
  readonly codec: ObjectCodec;
  readonly storage: Storage;
  readonly cache: WatchCache;
  readonly clock: Clock;
}

/** The prefix of a resource's keys. */
export function keyPrefix({ group, resource }: Resource): string {
  return `/${group === "" ? "core" : group}/${resource}/`;
}

/** Objects in storage, read from the watch cache. */
export function cachedStore({ resource, codec, storage, cache, clock }: CachedStoreOptions): ObjectStore {
  const prefix = keyPrefix(resource);
  const objects: ResourceCache = cache.add(codec, prefix);
  const shared = new SharedLists();
  const prefixOf = (namespace: string) => (namespace === "" ? prefix : `${prefix}${keySegment(namespace)}/`);
  // The one place where a text becomes a key.
  const keyOf = ({ namespace, name }: ObjectName) => ((resource.isNamespaced ? prefixOf(namespace) : prefix) + keySegment(name)) as StorageKey;

  /** Waits until the cache is as fresh as asked. @returns the revision to read at. */
  async function settle(consistency: ReadConsistency, cancellation: Cancellation): Promise<Revision> {
    if (consistency.type === "MostRecent" || consistency.type === "Any") return objects.revision;
    const wanted = requireRevision(consistency.resourceVersion);
    if (wanted > objects.revision) await waitFor(wanted, cancellation.signal);
    return consistency.type === "Exact" ? wanted : objects.revision;
  }

  async function waitFor(wanted: Revision, signal: AbortSignal): Promise<void> {
    using deadline = withDeadline(signal, FRESHNESS_TIMEOUT_MS, clock);
    try {
      await cache.reached(wanted, deadline.signal);
    } catch (error) {
      if (deadline.isExpired) throw tooLargeResourceVersion(wanted, objects.revision, 1);
      throw error;
    }
  }

  /** The objects that a selection can only mean, when it names one. */
  function placeOf(options: ListOptions | WatchOptions): Place {
    const name = options.fieldSelector.requiredValue("metadata.name");
    const namespace = options.namespace === "" ? (options.fieldSelector.requiredValue("metadata.namespace") ?? "") : options.namespace;
    if (name !== undefined && name !== "" && (namespace !== "" || !resource.isNamespaced))
      return { prefix: keyOf({ namespace, name }), isSingle: true };
    return { prefix: prefixOf(options.namespace), isSingle: false };
  }

  function page(
    options: ListOptions,
    { matches, exists, counts }: Wanted,
    at: Revision,
    start: string,
    { prefix: listPrefix, isSingle }: Place,
  ): ListResult {
    const items: CachedObject[] = [];
    let next: CachedObject | undefined;
    objects.scan(listPrefix, start, at, (object) => {
      if (isSingle && object.key !== listPrefix) return object.key < listPrefix;
      if (options.limit > 0 && items.length === options.limit) {
        if (exists !== undefined && !exists(object)) return true;
        next = object;
        return false;
      }
      if (matches === undefined || matches(object)) items.push(object);
      return true;
    });
    const remaining = next !== undefined && counts ? countFrom(listPrefix, next.key, at, matches) : undefined;
    return {
      items,
      resourceVersion: String(at),
      continue: next === undefined ? "" : encodeContinue({ revision: at, start: next.key }, prefixOf(options.namespace)),
      remainingItemCount: remaining,
    };
  }

  function countFrom(listPrefix: string, start: string, at: Revision, matches: Matcher): number {
    if (matches === undefined && at >= objects.revision) return objects.count(listPrefix, start);
    let count = 0;
    objects.scan(listPrefix, start, at, (object) => {
      if (matches === undefined || matches(object)) count++;
      return true;
    });
    return count;
  }

  /** Waits until a write of our own is in the cache: whoever is told of it will also find it. */
  async function settled(revision: Revision, signal: AbortSignal): Promise<void> {
    await cache.reached(revision, signal);
  }

  async function put(object: KubernetesObject, target: ObjectName, expected: Revision | 0, signal: AbortSignal): Promise<ObjectView | undefined> {
    const key = keyOf(target);
    const stored = codec.encodeStored(object);
    const revision = await orConflict(storage.put(key, stored, expected));
    if (revision === undefined) return undefined;
    await settled(revision, signal);
    const present = objects.get(key);
    return present?.revision === revision ? present : CachedObject.fromStored(codec, key, stored, revision);
  }

  return {
    async get(target, consistency, cancellation) {
      if (consistency.type !== "MostRecent") await settle(consistency, cancellation);
      return objects.get(keyOf(target));
    },

    async list(options, visible, cancellation) {
      const wanted: Wanted = {
        matches: matcherOf(resource, options, visible),
        exists: knowableOf(options, visible),
        counts: isCounted(options, visible),
      };
      const place = placeOf(options);
      if (options.continue === "") {
        const at = await settle(options.consistency, cancellation);
        const read = () => page(options, wanted, at, place.prefix, place);
        return isWhole(options, visible) && at === objects.revision ? shared.get(options.filter, place.prefix, at, read) : read();
      }
      const { revision, start } = decodeContinue(options.continue, prefixOf(options.namespace));
      const at = revision ?? objects.revision;
      if (at < objects.oldest) {
        throw expired(EXPIRED_CONTINUE, encodeContinue({ revision: undefined, start }, prefixOf(options.namespace)));
      }
      if (at > objects.revision) throw tooLargeResourceVersion(at, objects.revision, 1);
      return page(options, wanted, at, start, place);
    },

    async watch(options, visible, signal) {
      const place = placeOf(options);
      const matches = singleOr(place, matcherOf(resource, options, visible));
      const after = options.resourceVersion === undefined ? undefined : requireRevision(options.resourceVersion);
      const startsWithState = options.sendInitialEvents ?? (after === undefined || after === 0);
      if (!startsWithState) {
        return objects.follow({ prefix: place.prefix, matches, after: after || objects.revision, progressMs: PROGRESS_MS, signal });
      }
      if (after !== undefined && after > objects.revision) {
        try {
          await waitFor(after, signal);
        } catch (error) {
          signal.throwIfAborted();
          // As in Kubernetes the watch begins, and its first event says that the state is from the future.
          return failed(error);
        }
      }
      return initialState(place.prefix, matches, options.sendInitialEvents === true, signal);
    },

    async create(object, { isDryRun }, signal) {
      const { length } = keyOf(nameOf(object));
      if (length > MAX_KEY_LENGTH)
        throw nameTooLong(resource, nameOf(object).name, MAX_KEY_LENGTH - prefixOf(object.metadata.namespace ?? "").length);
      if (!isDryRun) return put(object, nameOf(object), 0, signal);
      return objects.get(keyOf(nameOf(object))) === undefined ? new ValueView(resource, object) : undefined;
    },
    update: (object, expected, signal) => put(object, expected, Number(expected.resourceVersion) as Revision, signal),

    async delete(expected, signal) {
      const key = keyOf(expected);
      const present = objects.get(key);
      const revision = await orConflict(storage.delete(key, Number(expected.resourceVersion) as Revision));
      if (revision === undefined) return undefined;
      await settled(revision, signal);
      return { view: present?.resourceVersion === expected.resourceVersion ? present.at(revision) : expected, isGone: true };
    },
  };

  async function* initialState(watchPrefix: string, matches: Matcher, marksEnd: boolean, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    const at = objects.revision;
    const events: WatchEvent[] = [];
    objects.scan(watchPrefix, watchPrefix, at, (view) => {
      if (matches === undefined || matches(view)) events.push({ type: "ADDED", view, shared: undefined });
      return true;
    });
    yield { events, resourceVersion: String(at), isInitialEnd: marksEnd };
    yield* objects.follow({ prefix: watchPrefix, matches, after: at, progressMs: PROGRESS_MS, signal });
  }
}

const EXPIRED_CONTINUE =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
  "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** A watch that fails with its first event. */
function failed(error: unknown): AsyncIterable<WatchBatch> {
  return { [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(error) }) };
}

/** Whether a list is the same for everybody who asks for it at this revision. */
function isWhole({ limit, labelSelector, fieldSelector }: ListOptions, visible: Visibility): boolean {
  return limit === 0 && visible === undefined && labelSelector.isEmpty && fieldSelector.isEmpty;
}

/** The keys that a selection can mean: all with a prefix, or the one that is named. */
interface Place {
  readonly prefix: string;
  readonly isSingle: boolean;
}

interface Wanted {
  readonly matches: Matcher;
  /** What there is for the client, selected or not. */
  readonly exists: Matcher;
  /** Whether the client is told how many remain. */
  readonly counts: boolean;
}

function singleOr({ prefix, isSingle }: Place, matches: Matcher): Matcher {
  if (!isSingle) return matches;
  return (object) => object.key === prefix && (matches === undefined || matches(object));
}

/** The 422 of a name whose key storage does not take: longer than any rule for names allows but `pathSegment`. */
function nameTooLong(resource: Resource, name: string, maxBytes: number): APIError {
  return invalid(resource, name, [fieldError.tooLong("metadata.name", maxBytes)]);
}

function nameOf({ metadata }: KubernetesObject): ObjectName {
  return { namespace: metadata.namespace ?? "", name: metadata.name ?? "" };
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
