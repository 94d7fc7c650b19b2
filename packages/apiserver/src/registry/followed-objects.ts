import type { KubernetesObject, ObjectName } from "@annex/apimachinery";
import type { Awaitable } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";
import type { Clock } from "../clock.ts";
import type { Resource } from "../definition/resource.ts";
import type { ObjectView, WatchBatch } from "../object-view.ts";
import type { Revision } from "../storage/index.ts";
import { objectCodec } from "../watch-cache/object-codec.ts";
import { ResourceCache } from "../watch-cache/resource-cache.ts";
import { RevisionWaiters } from "../watch-cache/revision-waiters.ts";
import { CachedReads } from "./cached-reads.ts";
import type { ObjectStore, Visibility } from "./object-store.ts";
import { keyPrefix, nameOf, ResourceKeys } from "./resource-keys.ts";
import { requireRevision } from "./resource-version.ts";
import type { ListOptions, ListResult, ReadConsistency, WatchOptions } from "./verbs.ts";

export interface FollowedObjectsOptions {
  /** The kind, in its one version, as the other server serves it. */
  readonly resource: Resource;
  readonly clock: Clock;
  /** How many changes are remembered at most, for watches that come back. */
  readonly maxEvents: number;
  /** How many bytes of objects those may hold. */
  readonly maxEventBytes: number;
}

/**
 * Objects that another server keeps, in memory, as its list and its watch tell them: read and watched here as those of this server's own storage. The resourceVersions are the other server's, which are
 * decimal numbers that grow (as those of every kube-apiserver).
 *
 * The feed's calls come in order: {@link reset} first, whenever what lies between was lost; a change that is told twice is taken in once.
 */
export class FollowedObjects implements Pick<ObjectStore, "get" | "list" | "watch"> {
  readonly #resource: Resource;
  readonly #keys: ResourceKeys;
  readonly #objects: ResourceCache;
  readonly #progress = new RevisionWaiters();
  readonly #reads: CachedReads;
  #isSynced = false;

  constructor({ resource, clock, maxEvents, maxEventBytes }: FollowedObjectsOptions) {
    this.#resource = resource;
    this.#keys = new ResourceKeys(resource);
    // What the other server says is of its own present schema: there is nothing to bring up to date.
    const codec = objectCodec(resource, "", (object) => object);
    this.#objects = new ResourceCache(codec, keyPrefix(resource), { now: () => clock.now(), maxEvents, maxBytes: maxEventBytes });
    const reached = (revision: Revision, signal: AbortSignal) => this.#progress.wait(revision, signal);
    this.#reads = new CachedReads({ resource, objects: this.#objects, reached, clock });
  }

  /** Whether the objects were told at all. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Everything up to this resourceVersion is here; `"0"` before the first {@link reset}. */
  get resourceVersion(): string {
    return String(this.#objects.revision);
  }

  get size(): number {
    return this.#objects.size;
  }

  /** All present objects, as they were at a resourceVersion. What was known before is void: watches that are under way end as expired. */
  reset(objects: readonly KubernetesObject[], resourceVersion: string): void {
    const revision = requireRevision(resourceVersion);
    const values = objects.map((object) => ({ key: this.#keys.keyOf(nameOf(object)), value: this.#encoded(object), revision: revisionOf(object) }));
    this.#objects.load(
      values.sort((left, right) => (left.key < right.key ? -1 : 1)),
      revision,
    );
    this.#isSynced = true;
    this.#advance(revision, true);
  }

  /** An object is there, at its own resourceVersion. */
  put(object: KubernetesObject): void {
    this.#change(object, this.#encoded(object));
  }

  /** An object is gone, since the resourceVersion that it has now. */
  deleted(object: KubernetesObject): void {
    this.#change(object, undefined);
  }

  /** Everything up to a resourceVersion was told. */
  progress(resourceVersion: string): void {
    this.#advance(requireRevision(resourceVersion), false);
  }

  /** Lets watchers tell their progress, where it is time. To be called every second. */
  tick(): void {
    this.#objects.tick();
  }

  /** Whether the changes after a resourceVersion are all remembered. */
  remembers(resourceVersion: string): boolean {
    return requireRevision(resourceVersion) >= this.#objects.oldest;
  }

  /** Resolves when everything up to a resourceVersion is here; rejects with the signal's reason. */
  reached(resourceVersion: string, signal: AbortSignal): Promise<void> {
    return this.#progress.wait(requireRevision(resourceVersion), signal);
  }

  /** How many of the objects in a namespace, or in all (`""`), lie behind one. */
  countBehind(namespace: string, last: ObjectView): number {
    return this.#reads.countBehind(namespace, last);
  }

  get(target: ObjectName, consistency: ReadConsistency, cancellation: Cancellation): Awaitable<ObjectView | undefined> {
    return this.#reads.get(target, consistency, cancellation);
  }

  list(options: ListOptions, visible: Visibility, cancellation: Cancellation): Promise<ListResult> {
    return this.#reads.list(options, visible, cancellation);
  }

  watch(options: WatchOptions, visible: Visibility, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>> {
    return this.#reads.watch(options, visible, signal);
  }

  #change(object: KubernetesObject, value: Uint8Array | undefined): void {
    const revision = revisionOf(object);
    if (revision <= this.#objects.revision) return;
    this.#objects.replace(this.#keys.keyOf(nameOf(object)), revision, value);
    this.#advance(revision, true);
  }

  #advance(revision: Revision, hasChanges: boolean): void {
    if (revision > this.#objects.revision) this.#objects.advance(revision, hasChanges);
    this.#progress.advance(revision);
  }

  #encoded(object: KubernetesObject): Uint8Array {
    const { storageVersion, kind } = this.#resource;
    return this.#objects.codec.encodeStored({ ...object, apiVersion: storageVersion.apiVersion, kind });
  }
}

function revisionOf({ metadata }: KubernetesObject): Revision {
  return requireRevision(metadata.resourceVersion ?? "");
}
