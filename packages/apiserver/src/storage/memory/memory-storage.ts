import { EventFeeds } from "../event-feeds.ts";
import { EventHistory } from "../event-history.ts";
import {
  conflict,
  INITIAL_REVISION,
  MAX_VALUE_BYTES,
  type Revision,
  type Storage,
  type StorageBatch,
  StorageError,
  type StorageEvent,
  type StorageKey,
  type StorageList,
  type StorageListOptions,
  type StorageWatchOptions,
  type StoredValue,
  valueTooLarge,
} from "../storage.ts";
import { SortedKeys } from "./sorted-keys.ts";

export interface MemoryStorageOptions {
  /** How many events are kept for feeds at most: beyond that the oldest are compacted. 100,000 by default. */
  readonly maxHistoryEvents?: number;
  /** How many bytes of values those events hold at most. 256 MiB by default. */
  readonly maxHistoryBytes?: number;
}

/**
 * A {@link Storage} that is gone with the process: for tests, and for servers whose objects need not outlive them.
 * It keeps the whole contract but durability. What it hands out is what it holds: do not write into the bytes.
 */
export function memoryStorage(options: MemoryStorageOptions = {}): Storage {
  return new MemoryStorage(options);
}

class MemoryStorage implements Storage {
  readonly #values = new Map<StorageKey, StoredValue>();
  readonly #keys = new SortedKeys();
  readonly #history: EventHistory;
  readonly #feeds: EventFeeds;
  #isClosed = false;

  constructor(options: MemoryStorageOptions) {
    this.#history = new EventHistory(INITIAL_REVISION, {
      maxEvents: options.maxHistoryEvents ?? 100_000,
      maxBytes: options.maxHistoryBytes ?? 256 * 1024 * 1024,
    });
    const history = this.#history;
    this.#feeds = new EventFeeds({
      get current() {
        return history.current;
      },
      read: (after, prefix) => this.#read(after, prefix),
    });
  }

  async get(key: StorageKey): Promise<StoredValue | undefined> {
    this.#checkOpen();
    return this.#values.get(key);
  }

  async list(prefix: string, { start, limit = Number.POSITIVE_INFINITY }: StorageListOptions = {}): Promise<StorageList> {
    this.#checkOpen();
    const values: StoredValue[] = [];
    const from = start !== undefined && start > prefix ? start : prefix;
    for (let index = this.#keys.firstFrom(from); ; index++) {
      const key = this.#keys.at(index);
      const value = key?.startsWith(prefix) === true ? this.#values.get(key) : undefined;
      if (value === undefined) return { values, revision: this.#history.current, more: false };
      if (values.length >= limit) return { values, revision: this.#history.current, more: true };
      values.push(value);
    }
  }

  async put(key: StorageKey, value: Uint8Array, expected: Revision | 0): Promise<Revision> {
    this.#checkOpen();
    if (value.byteLength > MAX_VALUE_BYTES) throw valueTooLarge(value.byteLength);
    const previous = this.#values.get(key);
    if ((previous?.revision ?? 0) !== expected) throw conflict(key, previous);
    const stored: StoredValue = { key, value: value.slice(), revision: this.#nextRevision() };
    if (previous === undefined) this.#keys.add(key);
    this.#values.set(key, stored);
    return this.#commit({ type: "put", key, revision: stored.revision, value: stored.value, previous });
  }

  async delete(key: StorageKey, expected: Revision): Promise<Revision> {
    this.#checkOpen();
    const previous = this.#values.get(key);
    if (previous?.revision !== expected) throw conflict(key, previous);
    this.#values.delete(key);
    this.#keys.remove(key);
    return this.#commit({ type: "delete", key, revision: this.#nextRevision(), previous });
  }

  async revisions(): Promise<{ readonly current: Revision; readonly compacted: Revision }> {
    this.#checkOpen();
    return { current: this.#history.current, compacted: this.#history.floor };
  }

  watch(options: StorageWatchOptions): AsyncIterable<StorageBatch> {
    return this.#feeds.watch(options);
  }

  async compact(revision: Revision): Promise<void> {
    this.#checkOpen();
    const { current } = this.#history;
    this.#history.dropThrough(revision < current ? revision : current);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#feeds.end(new StorageError("Closed", "the store is closed"));
  }

  #read(after: Revision, prefix: string): StorageBatch {
    if (after < this.#history.floor) {
      throw new StorageError("Compacted", `the history after revision ${after} is compacted: the oldest left is ${this.#history.floor}`);
    }
    return this.#history.read(after, prefix);
  }

  #nextRevision(): Revision {
    return (this.#history.current + 1) as Revision; // the counter of this store, one further
  }

  #commit(event: StorageEvent): Revision {
    this.#history.append(event);
    this.#feeds.wake();
    return event.revision;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new StorageError("Closed", "the store is closed");
  }
}
