import { expired } from "@annex/apimachinery";
import type { ObjectObserver, WatchBatch, WatchEvent } from "../object-view.ts";
import type { Revision, StorageEvent, StorageKey, StoredValue } from "../storage/index.ts";
import { CachedObject } from "./cached-object.ts";
import { CacheEvent, EventLog, type EventLogLimits } from "./event-log.ts";
import { Notifier } from "./notifier.ts";
import type { ObjectCodec } from "./object-codec.ts";
import { endOfPrefix, SortedIndex } from "./sorted-index.ts";
import { type StoredVersion, StoredVersions } from "./stored-versions.ts";

/** Which objects somebody wants to see; undefined for all. */
export type Matcher = ((object: CachedObject) => boolean) | undefined;

/** How many events one batch holds at most, so that one watcher that catches up does not hold the others up. */
const MAX_BATCH_EVENTS = 500;

export interface FollowOptions {
  readonly prefix: string;
  readonly matches: Matcher;
  /** Only changes after it. */
  readonly after: Revision;
  /** How often a batch comes though nothing happened, in milliseconds. */
  readonly progressMs: number;
  /** When one comes besides, whatever happened before, in milliseconds since the epoch. Undefined, or past at the beginning: never. */
  readonly progressAt: number | undefined;
  readonly signal: AbortSignal;
}

/** The present objects of one resource and its recent changes. Only its feed changes it: that of storage, or of another server. */
export class ResourceCache {
  readonly codec: ObjectCodec;
  /** The keys of all objects of the resource begin with it. */
  readonly prefix: string;
  readonly #now: () => number;
  readonly #limits: EventLogLimits;
  readonly #notifier = new Notifier();
  readonly #observers: ObjectObserver[] = [];
  #index = new SortedIndex<CachedObject>();
  /** How many of the present objects lie in storage in each version. */
  #stored = new StoredVersions();
  #log: EventLog;
  /** Everything up to here is in the index: the revision of the whole store, not of the last change of this resource. */
  #revision: Revision;

  constructor(codec: ObjectCodec, prefix: string, options: { readonly now: () => number; readonly maxEvents: number; readonly maxBytes: number }) {
    this.codec = codec;
    this.prefix = prefix;
    this.#now = options.now;
    this.#limits = options;
    this.#revision = 0 as Revision; // before every revision
    this.#log = new EventLog(this.#revision, options);
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** The newest revision of which changes may be forgotten. */
  get oldest(): Revision {
    return this.#log.oldest;
  }

  get size(): number {
    return this.#index.size;
  }

  /** In which versions the present objects lie in storage. */
  get storedVersions(): readonly StoredVersion[] {
    return this.#stored.counts();
  }

  get(key: StorageKey): CachedObject | undefined {
    return this.#index.get(key);
  }

  /** Tells an observer of what there is, and from now on of every change. */
  observe(observer: ObjectObserver): void {
    observer.reset(this.#index.values());
    this.#observers.push(observer);
  }

  /** Takes over a listing of storage; what was there before is forgotten, and watches that are under way end as expired. */
  load(values: readonly StoredValue[], oldest: Revision): void {
    this.#index = new SortedIndex();
    this.#log = new EventLog(oldest, this.#limits);
    this.#stored = new StoredVersions();
    for (const value of values) {
      this.#requireScope(value.key);
      const object = this.#cached(value.key, value);
      this.#index.set(value.key, object);
      this.#stored.add(object);
    }
    for (const observer of this.#observers) observer.reset(this.#index.values());
    this.#notifier.wakeAll();
  }

  /** @throws {Error} for an object that was stored while the kind had another scope: it could be found nowhere. */
  #requireScope(key: StorageKey): void {
    const { group, resource, isNamespaced } = this.codec.resource;
    const below = key.slice(this.prefix.length);
    if (below.includes("/") === isNamespaced) return;
    const [is, was] = isNamespaced ? ["Namespaced", "Cluster"] : ["Cluster", "Namespaced"];
    const kind = group === "" ? resource : `${resource}.${group}`;
    throw new Error(`${kind} has the scope ${is}, and "${below}" was stored when it was ${was}: go back to that scope until every object is deleted`);
  }

  /**
   * Takes in a change that lies before the listing it was loaded with: it is only remembered. A state that can no longer be read, because it is of a version that is not defined
   * any more, is history that nobody needs: the log then begins behind it, and who wants to watch from before lists anew.
   */
  recall(event: StorageEvent): void {
    try {
      const present = this.#index.get(event.key);
      const object = event.type === "delete" ? undefined : present?.revision === event.revision ? present : this.#cached(event.key, event);
      this.#log.append(new CacheEvent(event.key, event.revision, object, event.previous && this.#cached(event.key, event.previous)));
    } catch {
      this.trim(event.revision);
    }
  }

  apply(event: StorageEvent): void {
    const present = this.#index.get(event.key);
    // A listing in pages may have seen this change already, or a later one.
    if (present !== undefined && present.revision >= event.revision) {
      this.recall(event);
      return;
    }
    const previous = present?.revision === event.previous?.revision ? present : event.previous && this.#cached(event.key, event.previous);
    const object = event.type === "put" ? this.#cached(event.key, event) : undefined;
    this.#change(new CacheEvent(event.key, event.revision, object, previous), present);
  }

  /**
   * Takes in a change of a feed that does not say what was before: that is the present state.
   *
   * @param revision larger than that of every change before.
   * @param value undefined when the object is gone.
   */
  replace(key: StorageKey, revision: Revision, value: Uint8Array | undefined): void {
    const present = this.#index.get(key);
    if (present === undefined && value === undefined) return;
    const object = value && this.#cached(key, { value, revision });
    this.#change(new CacheEvent(key, revision, object, present), present);
  }

  #change(event: CacheEvent, present: CachedObject | undefined): void {
    const { key, object, previous } = event;
    if (object === undefined) this.#index.delete(key);
    else this.#index.set(key, object);
    if (present !== undefined) this.#stored.remove(present);
    if (object !== undefined) this.#stored.add(object);
    this.#log.append(event);
    for (const observer of this.#observers) {
      if (object !== undefined) observer.put(object);
      else if (previous !== undefined) observer.deleted(previous);
    }
  }

  /** The whole store has come this far. @param hasChanges whether any of it concerned this resource. */
  advance(revision: Revision, hasChanges: boolean): void {
    this.#revision = revision;
    if (hasChanges) this.#notifier.wakeAll();
  }

  trim(revision: Revision): void {
    this.#log.trim(revision);
  }

  /** Lets watchers tell their progress, where it is time. */
  tick(): void {
    this.#notifier.wakeDue(this.#now());
  }

  /** How many objects have keys with a prefix, and are behind `start`. */
  count(prefix: string, start: string): number {
    const [first, end] = this.#index.range(prefix);
    return end - Math.max(first, this.#index.lowerBound(start));
  }

  /**
   * Visits objects in the order of their keys, as they were at a revision.
   *
   * @param start the first key; at least the prefix.
   * @param visit answers false to stop.
   * @throws {APIError} `Expired` when the changes since `at` are not all remembered.
   */
  scan(prefix: string, start: string, at: Revision, visit: (object: CachedObject) => boolean): void {
    if (at < this.#log.oldest) throw expired("The resourceVersion for the provided list is too old.");
    const [first, end] = this.#index.range(prefix);
    let index = Math.max(first, this.#index.lowerBound(start));
    const older = this.#statesBefore(prefix, start, at);
    if (older === undefined) {
      for (; index < end; index++) if (!visit(this.#index.valueAt(index) as CachedObject)) return;
      return;
    }
    // The keys of the present and those that changed since, merged.
    const changed = [...older.keys()].sort();
    let next = 0;
    while (index < end || next < changed.length) {
      const presentKey = index < end ? this.#index.keyAt(index) : undefined;
      const changedKey = changed[next];
      const takesChanged = changedKey !== undefined && (presentKey === undefined || changedKey <= presentKey);
      const object = takesChanged ? older.get(changedKey) : this.#index.valueAt(index);
      if (presentKey !== undefined && (!takesChanged || changedKey === presentKey)) index++;
      if (takesChanged) next++;
      if (object !== undefined && !visit(object)) return;
    }
  }

  /**
   * Changes after a revision, as somebody sees them who sees what `matches`: an object that starts to match is ADDED, one that ceases to is DELETED.
   * Ends with the signal.
   *
   * @throws {APIError} `Expired` when the changes after `after` are no longer all remembered, at the beginning or because the reader fell behind.
   */
  async *follow({ prefix, matches, after, progressMs, progressAt = 0, signal }: FollowOptions): AsyncGenerator<WatchBatch, void, undefined> {
    const log = this.#log;
    const endKey = endOfPrefix(prefix);
    if (after < log.oldest) throw expired(`too old resource version: ${after} (${log.oldest})`);
    let place = log.placeAfter(after);
    let reported = after;
    let dueAt = this.#now() + progressMs;
    let lastDueAt = progressAt > this.#now() ? progressAt : Number.POSITIVE_INFINITY;
    using waiter = this.#notifier.join(signal);
    while (!signal.aborted) {
      if (log !== this.#log || !log.holds(place)) throw expired(`too old resource version: ${reported} (${this.#log.oldest})`);
      const events: WatchEvent[] = [];
      let revision = this.#revision;
      for (const end = log.end; place < end; ) {
        const event = log.at(place++) as CacheEvent;
        // A client may know a revision that this store has yet to reach.
        if (event.revision <= after || event.key < prefix || event.key >= endKey) continue;
        const seen = asSeen(event, matches);
        if (seen === undefined) continue;
        events.push(seen);
        if (events.length === MAX_BATCH_EVENTS) {
          revision = event.revision;
          break;
        }
      }
      const now = this.#now();
      if (events.length > 0 || now >= dueAt || now >= lastDueAt) {
        if (revision > reported) reported = revision;
        dueAt = now + progressMs;
        if (events.length === 0 && now >= lastDueAt) lastDueAt = Number.POSITIVE_INFINITY;
        yield { events, resourceVersion: String(reported), isInitialEnd: false };
      }
      if (place >= log.end && log === this.#log) await waiter.wait(Math.min(dueAt, lastDueAt));
    }
  }

  #cached(key: StorageKey, stored: { readonly value: Uint8Array; readonly revision: Revision }): CachedObject {
    return CachedObject.fromStored(this.codec, key, stored.value, stored.revision);
  }

  /** What the objects that changed after a revision were before: undefined for those that did not exist. Undefined when nothing changed. */
  #statesBefore(prefix: string, start: string, at: Revision): Map<StorageKey, CachedObject | undefined> | undefined {
    if (at >= this.#revision) return undefined;
    const endKey = endOfPrefix(prefix);
    let states: Map<StorageKey, CachedObject | undefined> | undefined;
    for (let place = this.#log.placeAfter(at); place < this.#log.end; place++) {
      const event = this.#log.at(place) as CacheEvent;
      const { key } = event;
      if (key < start || key < prefix || key >= endKey || states?.has(key)) continue;
      states ??= new Map();
      states.set(key, event.previous);
    }
    return states;
  }
}

/** A change as it is for somebody who sees only some objects; undefined when it is nothing to them. */
function asSeen(event: CacheEvent, matches: Matcher): WatchEvent | undefined {
  const { object, previous, shared } = event;
  const sawIt = previous !== undefined && (matches === undefined || matches(previous));
  const seesIt = object !== undefined && (matches === undefined || matches(object));
  if (seesIt) return { type: sawIt ? "MODIFIED" : "ADDED", view: object, shared };
  if (!sawIt || event.departed === undefined) return undefined;
  return { type: "DELETED", view: event.departed, shared };
}
