import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { ObjectObserver } from "../object-view.ts";
import { type Revision, type Storage, type StorageBatch, StorageError, type StorageEvent, type StoredValue } from "../storage/index.ts";
import type { EventLogLimits } from "./event-log.ts";
import type { ObjectCodec } from "./object-codec.ts";
import { ResourceCache } from "./resource-cache.ts";
import { RevisionWaiters } from "./revision-waiters.ts";
import type { StoredVersion } from "./stored-versions.ts";

export interface WatchCacheOptions {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly log: Logger;
  /** For how long a watch may come back. Default 5 minutes, as etcd's compaction interval in Kubernetes. */
  readonly windowMs?: number;
  /** How many changes of one resource are remembered at most. Default 100,000. */
  readonly maxEvents?: number;
  /** How many bytes of objects those may hold. Default 256 MiB. */
  readonly maxEventBytes?: number;
}

/** How exact the time is at which a watch tells where it is. Source: k8s.io/apiserver cacher, dispatchEvents. */
const TICK_MS = 1_000;
const COMPACTION_MS = 5_000;
const LIST_PAGE = 10_000;
const RETRY_MS = 1_000;

interface Checkpoint {
  readonly time: number;
  readonly revision: Revision;
}

/**
 * The present state of the whole store and its recent changes, one {@link ResourceCache} a resource, fed by one watch of storage. Nothing else writes
 * to it, so every reader sees the changes of all resources in the one order in which they were stored.
 */
export class WatchCache implements AsyncDisposable {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #windowMs: number;
  readonly #limits: EventLogLimits;
  readonly #resources = new Map<string, ResourceCache>();
  readonly #stop = new AbortController();
  readonly #progress = new RevisionWaiters();
  #checkpoints: Checkpoint[] = [];
  #isFresh = false;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: WatchCacheOptions) {
    this.#storage = options.storage;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#windowMs = options.windowMs ?? 5 * 60_000;
    this.#limits = { maxEvents: options.maxEvents ?? 100_000, maxBytes: options.maxEventBytes ?? 256 * 1024 * 1024 };
  }

  /** Adds a resource. Call before {@link start}. @param prefix of all its keys; ends with a slash. */
  add(codec: ObjectCodec, prefix: string): ResourceCache {
    const cache = new ResourceCache(codec, prefix, { now: () => this.#clock.now(), ...this.#limits });
    this.#resources.set(prefix, cache);
    return cache;
  }

  /** @throws when nothing was added with this prefix. */
  observe(prefix: string, observer: ObjectObserver): void {
    const cache = this.#resources.get(prefix);
    if (cache === undefined) throw new Error(`${prefix} is not kept in storage`);
    cache.observe(observer);
  }

  /** In which versions the objects with a prefix lie in storage; undefined when nothing was added with it. */
  storedVersions(prefix: string): readonly StoredVersion[] | undefined {
    return this.#resources.get(prefix)?.storedVersions;
  }

  /** Everything up to here is in the cache. */
  get revision(): Revision {
    return this.#progress.reached;
  }

  /** Whether the feed of storage is alive; when not, reads may be stale and the server is not ready. */
  get isFresh(): boolean {
    return this.#isFresh;
  }

  /** Reads the store, then follows it. Resolves when every change up to now is in. */
  async start(): Promise<void> {
    const after = await this.#load();
    const { current } = await this.#storage.revisions();
    this.#work = Promise.all([
      this.#follow(after),
      this.#every(TICK_MS, () => {
        for (const cache of this.#resources.values()) cache.tick();
      }),
      this.#every(COMPACTION_MS, () => this.#compact().catch((error: unknown) => this.#log.error({ error }, "compaction failed"))),
    ]);
    await this.reached(current, this.#stop.signal);
  }

  /** Resolves when every change up to a revision is in; rejects with the signal's reason. */
  reached(revision: Revision, signal: AbortSignal): Promise<void> {
    return this.#progress.wait(revision, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort(new StorageError("Closed", "the watch cache is closed"));
    await this.#work;
  }

  /** Lists every resource. @returns the revision after which the feed is to begin. */
  async #load(): Promise<Revision> {
    const { current, compacted } = await this.#storage.revisions();
    for (const cache of this.#resources.values()) {
      const values: StoredValue[] = [];
      for (let start = cache.prefix, more = true; more; ) {
        const page = await this.#storage.list(cache.prefix, { start: start as StoredValue["key"], limit: LIST_PAGE });
        for (const value of page.values) values.push(value);
        more = page.more;
        start = `${page.values[page.values.length - 1]?.key ?? start}\0`;
      }
      cache.load(values, compacted);
    }
    this.#listedAt = current;
    this.#checkpoints = [{ time: this.#clock.now(), revision: current }];
    return compacted;
  }

  /** What was listed held every change up to here: those are only remembered when the feed delivers them. */
  #listedAt = 0 as Revision;

  async #follow(start: Revision): Promise<void> {
    let after = start;
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        // A feed is silent while there is nothing new.
        const { current } = await this.#storage.revisions();
        if (current <= after) this.#take({ events: [], revision: current });
        for await (const batch of this.#storage.watch({ prefix: "/", after, signal })) {
          this.#take(batch);
          after = batch.revision;
        }
        if (!signal.aborted) throw new StorageError("Unavailable", "the feed of storage ended");
      } catch (error) {
        this.#isFresh = false;
        if (signal.aborted) return;
        this.#log.error({ error, after }, "the watch cache lost the feed of storage, and begins it again");
        await this.#clock.sleep(RETRY_MS, signal).catch(() => undefined);
        if (error instanceof StorageError && error.code === "Compacted") after = await this.#load().catch(() => after);
      }
    }
  }

  #take(batch: StorageBatch): void {
    this.#isFresh = true;
    const changed = new Set<ResourceCache>();
    for (const event of batch.events) {
      const cache = this.#cacheOf(event);
      if (cache === undefined) continue;
      if (event.revision <= this.#listedAt) cache.recall(event);
      else cache.apply(event);
      changed.add(cache);
    }
    const revision = Math.max(batch.revision, this.revision) as Revision;
    for (const cache of this.#resources.values()) cache.advance(revision, changed.has(cache));
    this.#progress.advance(revision);
  }

  #cacheOf({ key }: StorageEvent): ResourceCache | undefined {
    // "/group/resource/…"
    return this.#resources.get(key.slice(0, key.indexOf("/", key.indexOf("/", 1) + 1) + 1));
  }

  async #every(ms: number, task: () => Promise<void> | void): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await this.#clock.sleep(ms, signal).catch(() => undefined);
      if (signal.aborted) return;
      await task();
    }
  }

  /** Forgets what is older than the window, here and in storage. */
  async #compact(): Promise<void> {
    const now = this.#clock.now();
    let cutoff: Revision | undefined;
    while (this.#checkpoints.length > 1 && (this.#checkpoints[0] as Checkpoint).time <= now - this.#windowMs) {
      cutoff = (this.#checkpoints.shift() as Checkpoint).revision;
    }
    this.#checkpoints.push({ time: now, revision: this.revision });
    if (cutoff === undefined) return;
    for (const cache of this.#resources.values()) cache.trim(cutoff);
    await this.#storage.compact(cutoff);
  }
}
