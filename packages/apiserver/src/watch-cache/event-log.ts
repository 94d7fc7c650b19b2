import type { Revision, StorageKey } from "../storage/index.ts";
import type { CachedObject } from "./cached-object.ts";

/** One change of one object, kept for watches that come back and for lists at an older revision. */
export class CacheEvent {
  readonly key: StorageKey;
  readonly revision: Revision;
  /** What the object was after it; undefined after a deletion. */
  readonly object: CachedObject | undefined;
  /** What it was before; undefined for a creation. */
  readonly previous: CachedObject | undefined;
  /** What was encoded for its watchers, shared between them; emptied when the event is no longer new. */
  readonly shared = new Map<string, Uint8Array>();
  #departed: CachedObject | undefined;

  constructor(key: StorageKey, revision: Revision, object: CachedObject | undefined, previous: CachedObject | undefined) {
    this.key = key;
    this.revision = revision;
    this.object = object;
    this.previous = previous;
  }

  /** What it keeps in memory beside what other events and the cache keep, in bytes. */
  get size(): number {
    return EVENT_BYTES + ((this.object ?? this.previous)?.size ?? 0);
  }

  /** For those to whom the object is gone: its last state, at the revision of this change. */
  get departed(): CachedObject | undefined {
    this.#departed ??= this.previous?.at(this.revision);
    return this.#departed;
  }
}

/** What an event takes beside the bytes of its object, roughly. */
const EVENT_BYTES = 256;

/** How much a log holds; beyond either the oldest quarter goes. */
export interface EventLogLimits {
  readonly maxEvents: number;
  /** Of the objects that the events made, as JSON. One event is kept whatever its size. */
  readonly maxBytes: number;
}

/** How many of the newest events keep what was encoded for them. */
const KEEP_ENCODED = 256;

/**
 * The changes of one resource since some revision, in order. It is bounded by number, by bytes and, by the cache's calls of `trim`, by age; a reader keeps a place in it, so a slow reader
 * costs nothing and finds out when it fell behind.
 */
export class EventLog {
  readonly #limits: EventLogLimits;
  #bytes = 0;
  #events: CacheEvent[] = [];
  /** How many events were dropped before the first in `#events`. */
  #dropped = 0;
  #oldest: Revision;

  /** @param oldest changes up to this revision are not in the log. */
  constructor(oldest: Revision, limits: EventLogLimits) {
    this.#oldest = oldest;
    this.#limits = limits;
  }

  /** The newest revision whose changes may be missing: a watch must start at it or later. */
  get oldest(): Revision {
    return this.#oldest;
  }

  /** The place behind the newest event. */
  get end(): number {
    return this.#dropped + this.#events.length;
  }

  append(event: CacheEvent): void {
    this.#events.push(event);
    this.#bytes += event.size;
    this.#events[this.#events.length - 1 - KEEP_ENCODED]?.shared.clear();
    const { maxEvents, maxBytes } = this.#limits;
    while (this.#events.length > 1 && (this.#events.length > maxEvents || this.#bytes > maxBytes)) this.#drop(Math.ceil(this.#events.length / 4));
  }

  /** Forgets the changes up to and including a revision. */
  trim(revision: Revision): void {
    this.#drop(this.placeAfter(revision) - this.#dropped);
    if (this.#oldest < revision) this.#oldest = revision;
  }

  /** The place of the first event after a revision. */
  placeAfter(revision: Revision): number {
    let low = 0;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle] as CacheEvent).revision <= revision) low = middle + 1;
      else high = middle;
    }
    return this.#dropped + low;
  }

  /** @returns undefined when the place has been dropped, or nothing is there yet. */
  at(place: number): CacheEvent | undefined {
    return this.#events[place - this.#dropped];
  }

  /** Whether everything from this place on is still here. */
  holds(place: number): boolean {
    return place >= this.#dropped;
  }

  #drop(count: number): void {
    if (count === 0) return;
    const last = this.#events[count - 1] as CacheEvent;
    for (let index = 0; index < count; index++) this.#bytes -= (this.#events[index] as CacheEvent).size;
    this.#events = this.#events.slice(count);
    this.#dropped += count;
    if (this.#oldest < last.revision) this.#oldest = last.revision;
  }
}
