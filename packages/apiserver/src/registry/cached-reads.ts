import { expired } from "@annex/apimachinery";
import { type Awaitable, whenReady } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import { withDeadline } from "../deadline.ts";
import type { Resource } from "../definition/resource.ts";
import type { ObjectView, WatchBatch, WatchEvent } from "../object-view.ts";
import type { Revision } from "../storage/index.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import type { FollowOptions, Matcher, ResourceCache } from "../watch-cache/resource-cache.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import type { ObjectStore, Visibility } from "./object-store.ts";
import { ResourceKeys } from "./resource-keys.ts";
import { requireRevision, tooLargeResourceVersion } from "./resource-version.ts";
import { isCounted, knowableOf, matcherOf, singleOf } from "./selection.ts";
import { SharedLists } from "./shared-lists.ts";
import type { ListOptions, ListResult, ReadConsistency, WatchOptions } from "./verbs.ts";

/** How long a read waits for a state that the cache has not seen. Source: k8s.io/apiserver cacher, blockTimeout. */
const FRESHNESS_TIMEOUT_MS = 3_000;
/** How often a watch on which nothing happens tells where it is. Source: k8s.io/apiserver cacher, bookmarkFrequency. */
const PROGRESS_MS = 60_000;
/** How long before its end a watch tells so once more, whatever happened before: its client goes on from there. Source: k8s.io/apiserver cacher, nextBookmarkTime. */
const LAST_PROGRESS_MS = 2_000;

export interface CachedReadsOptions {
  readonly resource: Resource;
  readonly objects: ResourceCache;
  /** Resolves when everything up to a revision is in the cache; rejects with the signal's reason. */
  readonly reached: (revision: Revision, signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
}

/** The reads of an {@link ObjectStore}, out of a cache. */
export class CachedReads implements Pick<ObjectStore, "get" | "list" | "watch"> {
  readonly #resource: Resource;
  readonly #keys: ResourceKeys;
  readonly #objects: ResourceCache;
  readonly #reached: CachedReadsOptions["reached"];
  readonly #clock: Clock;
  readonly #shared = new SharedLists();

  constructor({ resource, objects, reached, clock }: CachedReadsOptions) {
    this.#resource = resource;
    this.#keys = new ResourceKeys(resource);
    this.#objects = objects;
    this.#reached = reached;
    this.#clock = clock;
  }

  get(target: { readonly namespace: string; readonly name: string }, consistency: ReadConsistency, cancellation: Cancellation) {
    return whenReady(this.#settle(consistency, cancellation), () => this.#objects.get(this.#keys.keyOf(target)));
  }

  async list(options: ListOptions, visible: Visibility, cancellation: Cancellation): Promise<ListResult> {
    const wanted: Wanted = {
      matches: matcherOf(this.#resource, options, visible),
      exists: knowableOf(options, visible),
      counts: isCounted(options, visible),
    };
    const place = this.#placeOf(options);
    const objects = this.#objects;
    if (options.continue === "") {
      const at = await this.#settle(options.consistency, cancellation);
      const read = () => this.#page(options, wanted, at, place.prefix, place);
      return isWhole(options, visible) && at === objects.revision ? this.#shared.get(options.filter, place.prefix, at, read) : read();
    }
    const prefix = this.#keys.prefixOf(options.namespace);
    const { revision, start } = decodeContinue(options.continue, prefix);
    const at = revision ?? objects.revision;
    if (at < objects.oldest) throw expired(EXPIRED_CONTINUE, encodeContinue({ revision: undefined, start }, prefix));
    if (at > objects.revision) throw tooLargeResourceVersion(at, objects.revision, 1);
    return this.#page(options, wanted, at, start, place);
  }

  async watch(options: WatchOptions, visible: Visibility, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>> {
    const selected = this.#placeOf(options);
    const { prefix } = selected;
    const matches = singleOr(selected, matcherOf(this.#resource, options, visible));
    const objects = this.#objects;
    const { resourceVersion, endsAt } = options;
    const place = { prefix, matches, progressMs: PROGRESS_MS, progressAt: endsAt && endsAt - LAST_PROGRESS_MS, signal };
    const after = resourceVersion === undefined ? undefined : requireRevision(resourceVersion);
    const startsWithState = options.sendInitialEvents ?? (after === undefined || after === 0);
    if (!startsWithState) return objects.follow({ ...place, after: after || objects.revision });
    if (resourceVersion !== undefined && after !== undefined && after > objects.revision) {
      try {
        await this.#waitFor(resourceVersion, signal);
      } catch (error) {
        signal.throwIfAborted();
        // As in Kubernetes the watch begins, and its first event says that the state is from the future.
        return failedWatch(error);
      }
    }
    return this.#initialState(place);
  }

  /** How many of the objects in a namespace, or in all, lie behind one. */
  countBehind(namespace: string, last: ObjectView): number {
    return this.#objects.count(this.#keys.prefixOf(namespace), `${this.#keys.keyOf(last)}\0`);
  }

  /** Waits until the cache is as fresh as asked. @returns the revision to read at. */
  #settle(consistency: ReadConsistency, cancellation: Cancellation): Awaitable<Revision> {
    const objects = this.#objects;
    if (consistency.type === "MostRecent" || consistency.type === "Any") return objects.revision;
    const wanted = requireRevision(consistency.resourceVersion);
    const present = () => (consistency.type === "Exact" ? wanted : objects.revision);
    return wanted > objects.revision ? this.#waitFor(consistency.resourceVersion, cancellation.signal).then(present) : present();
  }

  async #waitFor(asked: string, signal: AbortSignal): Promise<void> {
    using deadline = withDeadline(signal, FRESHNESS_TIMEOUT_MS, this.#clock);
    try {
      await this.#reached(requireRevision(asked), deadline.signal);
    } catch (error) {
      if (deadline.isExpired) throw tooLargeResourceVersion(asked, this.#objects.revision, 1);
      throw error;
    }
  }

  /** The objects that a selection can only mean, when it names one. */
  #placeOf(options: ListOptions | WatchOptions): Place {
    const single = singleOf(this.#resource, options);
    return { prefix: single === undefined ? this.#keys.prefixOf(options.namespace) : this.#keys.keyOf(single), isSingle: single !== undefined };
  }

  #page(options: ListOptions, { matches, exists, counts }: Wanted, at: Revision, start: string, { prefix, isSingle }: Place): ListResult {
    const items: CachedObject[] = [];
    let next: CachedObject | undefined;
    this.#objects.scan(prefix, start, at, (object) => {
      if (isSingle && object.key !== prefix) return object.key < prefix;
      if (options.limit > 0 && items.length === options.limit) {
        if (exists !== undefined && !exists(object)) return true;
        next = object;
        return false;
      }
      if (matches === undefined || matches(object)) items.push(object);
      return true;
    });
    const remaining = next !== undefined && counts ? this.#countFrom(prefix, next.key, at, matches) : undefined;
    return {
      items,
      resourceVersion: String(at),
      continue: next === undefined ? "" : encodeContinue({ revision: at, start: next.key }, this.#keys.prefixOf(options.namespace)),
      remainingItemCount: remaining,
    };
  }

  #countFrom(prefix: string, start: string, at: Revision, matches: Matcher): number {
    if (matches === undefined && at >= this.#objects.revision) return this.#objects.count(prefix, start);
    let count = 0;
    this.#objects.scan(prefix, start, at, (object) => {
      if (matches === undefined || matches(object)) count++;
      return true;
    });
    return count;
  }

  async *#initialState(place: Omit<FollowOptions, "after">): AsyncGenerator<WatchBatch> {
    const { prefix, matches } = place;
    const at = this.#objects.revision;
    const events: WatchEvent[] = [];
    this.#objects.scan(prefix, prefix, at, (view) => {
      if (matches === undefined || matches(view)) events.push({ type: "ADDED", view, shared: undefined });
      return true;
    });
    yield { events, resourceVersion: String(at), isInitialEnd: true };
    yield* this.#objects.follow({ ...place, after: at });
  }
}

const EXPIRED_CONTINUE =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. " +
  "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

/** A watch that fails with its first event. */
export function failedWatch(error: unknown): AsyncIterable<WatchBatch> {
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
