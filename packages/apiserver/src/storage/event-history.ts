import type { Revision, StorageBatch, StorageEvent } from "./storage.ts";

export interface EventHistoryLimits {
  /** How many events are held at most. */
  readonly maxEvents: number;
  /** How many bytes of values and earlier values are held at most; the newest event is held in any case. */
  readonly maxBytes: number;
}

/** How much one batch of a feed carries at most, unless a single event is larger. */
const BATCH_EVENTS = 1_000;
const BATCH_BYTES = 8 * 1024 * 1024;

/**
 * The newest events in the order of their revisions, bounded in number and bytes: the oldest make room for new ones.
 * Every event after `floor` is held, and none up to it.
 */
export class EventHistory {
  readonly #limits: EventHistoryLimits;
  readonly #events: (StorageEvent | undefined)[] = [];
  /** Where the events begin in the array: the places before are empty and wait to be cut off in one go. */
  #head = 0;
  #bytes = 0;
  #floor: Revision;
  #current: Revision;

  /** @param revision the store's revision now: nothing that happened up to it is held. */
  constructor(revision: Revision, limits: EventHistoryLimits) {
    this.#limits = limits;
    this.#floor = revision;
    this.#current = revision;
  }

  /** The revision after which every event is held. */
  get floor(): Revision {
    return this.#floor;
  }

  /** The revision of the newest event, or of the store when this history began. */
  get current(): Revision {
    return this.#current;
  }

  append(event: StorageEvent): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
    this.#current = event.revision;
    while (this.#events.length - this.#head > this.#limits.maxEvents || this.#bytes > this.#limits.maxBytes) {
      if (this.#events.length - this.#head === 1) break;
      this.#dropOldest();
    }
    this.#cut();
  }

  /** Forgets what happened up to and including this revision. */
  dropThrough(revision: Revision): void {
    for (let oldest = this.#events[this.#head]; oldest !== undefined && oldest.revision <= revision; oldest = this.#events[this.#head])
      this.#dropOldest();
    if (revision > this.#floor) this.#floor = revision;
    this.#cut();
  }

  /**
   * The events after a revision whose keys begin with the prefix, as one batch: at most 1,000 events or 8 MiB of values (one event may be larger).
   *
   * @param after at least `floor`.
   * @returns a batch whose revision is `current` when nothing further is left.
   */
  read(after: Revision, prefix: string): StorageBatch {
    const events: StorageEvent[] = [];
    let bytes = 0;
    for (let index = this.#firstAfter(after); index < this.#events.length; index++) {
      const event = this.#events[index];
      if (event === undefined || !event.key.startsWith(prefix)) continue;
      events.push(event);
      bytes += sizeOf(event);
      if (events.length >= BATCH_EVENTS || bytes >= BATCH_BYTES) return { events, revision: event.revision };
    }
    return { events, revision: this.#current };
  }

  #firstAfter(revision: Revision): number {
    let low = this.#head;
    let high = this.#events.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const event = this.#events[middle];
      if (event !== undefined && event.revision <= revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #dropOldest(): void {
    const oldest = this.#events[this.#head];
    if (oldest === undefined) return;
    this.#bytes -= sizeOf(oldest);
    this.#floor = oldest.revision;
    this.#events[this.#head] = undefined;
    this.#head += 1;
  }

  #cut(): void {
    // Half of the array at once, so that dropping costs little for each event.
    if (this.#head < 64 || this.#head * 2 < this.#events.length) return;
    this.#events.splice(0, this.#head);
    this.#head = 0;
  }
}

function sizeOf(event: StorageEvent): number {
  const value = event.type === "put" ? event.value.byteLength : 0;
  return value + (event.previous?.value.byteLength ?? 0);
}
