import { resolve } from "node:path";
import {
  EventFeeds,
  EventHistory,
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
} from "@annex/apiserver";
import type { LogEvent, Write } from "./worker/protocol.ts";
import { RequestFailed, WorkerClient } from "./worker-client.ts";
import { storedValue, WriteQueue } from "./write-queue.ts";

export interface SQLiteStorageOptions {
  /** How many of the newest events are held in memory for feeds; older ones are read from the disk. 10,000 by default. */
  readonly recentEvents?: number;
  /** How many bytes of values those events hold at most. 32 MiB by default. */
  readonly recentBytes?: number;
}

/** A store that is not open yet: what `serve({ storage })` takes. */
export interface SQLiteStore {
  /**
   * Opens it, making it if the folder holds none. Everything in it is checked first, which takes about as long as reading it.
   *
   * @throws {OpenStoreError} `InUse`, `Damaged`, `Foreign` or `Inaccessible`; whatever is there is as it was.
   */
  open(): Promise<Storage>;
}

/**
 * The embedded durable store: SQLite in a thread of its own, so that no flush holds up the event loop.
 *
 * - A write is flushed to the disk before its promise resolves; writes that come together share a flush.
 * - One process at a time: a second one is refused while the first lives, however that one ends.
 * - Each row carries a checksum: a damaged store is not opened, and a value that is damaged later is an error instead of an answer.
 * - The history stays until `compact`: a watch resumes over a restart. Whoever owns the store calls `compact` from time to time;
 *   until then the file grows.
 * - A full disk fails the write with `Unavailable`; what was acknowledged stays, and writes go on once there is room.
 *
 * @param folder made if it is missing, for this user alone (0700). It holds `annex.db`, its write-ahead log, a lock, and a mark that
 *   there is a store; back it up while the store is closed, or all files in one snapshot.
 */
export function sqlite(folder: string, options: SQLiteStorageOptions = {}): SQLiteStore {
  return { open: () => SQLiteStorage.open(resolve(folder), options) };
}

class SQLiteStorage implements Storage {
  readonly #client: WorkerClient;
  readonly #recent: EventHistory;
  readonly #feeds: EventFeeds;
  readonly #writes: WriteQueue;
  #compacted: Revision;
  #purging: Promise<void> | undefined;
  #closing: Promise<void> | undefined;
  /** Set once nothing can be acknowledged any more. */
  #lost: StorageError | undefined;

  static async open(folder: string, options: SQLiteStorageOptions): Promise<Storage> {
    let storage: SQLiteStorage | undefined;
    const { client, current, compacted } = await WorkerClient.start({ folder, initialRevision: INITIAL_REVISION }, (message) => {
      if (storage !== undefined) storage.#lose(message);
    });
    storage = new SQLiteStorage(client, current as Revision, compacted as Revision, options); // what the store itself recorded
    return storage;
  }

  private constructor(client: WorkerClient, current: Revision, compacted: Revision, options: SQLiteStorageOptions) {
    this.#client = client;
    this.#compacted = compacted;
    const recent = new EventHistory(current, { maxEvents: options.recentEvents ?? 10_000, maxBytes: options.recentBytes ?? 32 * 1024 * 1024 });
    this.#recent = recent;
    this.#feeds = new EventFeeds({
      get current() {
        return recent.current;
      },
      read: (after, prefix) => this.#readEvents(after, prefix),
    });
    this.#writes = new WriteQueue({
      commit: (writes) => client.send({ type: "commit", writes }),
      publish: (events) => this.#publish(events),
      failure: (error) => this.#unavailable(error),
    });
  }

  async get(key: StorageKey): Promise<StoredValue | undefined> {
    this.#checkOpen();
    const row = await this.#client.send({ type: "get", key }).catch((error: unknown) => this.#fail(error));
    return row && storedValue(row);
  }

  async list(prefix: string, { start = prefix as StorageKey, limit = Number.POSITIVE_INFINITY }: StorageListOptions = {}): Promise<StorageList> {
    this.#checkOpen();
    const { rows, revision, more } = await this.#client.send({ type: "list", prefix, start, limit }).catch((error: unknown) => this.#fail(error));
    return { values: rows.map(storedValue), revision: revision as Revision, more }; // the store's own counter
  }

  async put(key: StorageKey, value: Uint8Array, expected: Revision | 0): Promise<Revision> {
    this.#checkOpen();
    if (value.byteLength > MAX_VALUE_BYTES) throw valueTooLarge(value.byteLength);
    // A copy: the caller may write into its bytes, and a message to the thread would carry the whole buffer that they are part of.
    return await this.#add({ type: "put", key, expected, value: new Uint8Array(value) });
  }

  async delete(key: StorageKey, expected: Revision): Promise<Revision> {
    this.#checkOpen();
    return await this.#add({ type: "delete", key, expected });
  }

  async revisions(): Promise<{ readonly current: Revision; readonly compacted: Revision }> {
    this.#checkOpen();
    return { current: this.#recent.current, compacted: this.#compacted };
  }

  watch(options: StorageWatchOptions): AsyncIterable<StorageBatch> {
    return this.#feeds.watch(options);
  }

  async compact(revision: Revision): Promise<void> {
    this.#checkOpen();
    const { compacted } = await this.#client.send({ type: "compact", revision }).catch((error: unknown) => this.#fail(error));
    this.#compacted = compacted as Revision; // the store's own counter
    this.#recent.dropThrough(this.#compacted);
    this.#purging ??= this.#purge().finally(() => {
      this.#purging = undefined;
    });
    await this.#purging;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Frees the space of the compacted history, a little at a time: writes go on in between. What is left at close is freed the next time. */
  async #purge(): Promise<void> {
    while (this.#closing === undefined) {
      const { isDone } = await this.#client.send({ type: "purge" }).catch((error: unknown) => this.#fail(error));
      if (isDone) return;
    }
  }

  async #close(): Promise<void> {
    const isLost = this.#lost !== undefined;
    await this.#writes.idle();
    this.#feeds.end(new StorageError("Closed", "the store is closed"));
    await this.#purging?.catch(() => undefined); // its caller has the error
    await this.#client.close().catch((error: unknown) => {
      // A thread that is gone has nothing to close; its end was reported when it happened.
      if (!isLost)
        throw new StorageError("Unavailable", "the store did not close cleanly; what was acknowledged is there at the next start", { cause: error });
    });
  }

  #add(write: Write): Promise<Revision> {
    return this.#lost === undefined ? this.#writes.add(write) : Promise.reject(this.#lost);
  }

  #publish(events: readonly StorageEvent[]): void {
    for (const event of events) this.#recent.append(event);
    if (events.length > 0) this.#feeds.wake();
  }

  #readEvents(after: Revision, prefix: string): StorageBatch | Promise<StorageBatch> {
    if (after < this.#compacted) throw compactedError(after, this.#compacted);
    return after >= this.#recent.floor ? this.#recent.read(after, prefix) : this.#readOldEvents(after, prefix);
  }

  async #readOldEvents(after: Revision, prefix: string): Promise<StorageBatch> {
    const { events, revision, compacted } = await this.#client.send({ type: "events", after, prefix }).catch((error: unknown) => this.#fail(error));
    if (compacted !== undefined) throw compactedError(after, compacted);
    return { events: events.map(storageEvent), revision: revision as Revision }; // the store's own counter
  }

  #unavailable(error: unknown): StorageError {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof RequestFailed && error.isFatal) this.#lose(message);
    return this.#lost ?? new StorageError("Unavailable", `the store is unavailable: ${message}`, { cause: error });
  }

  #fail(error: unknown): never {
    throw this.#unavailable(error);
  }

  #lose(message: string): void {
    if (this.#closing !== undefined) return;
    this.#lost ??= new StorageError("Unavailable", `the store is lost until the server starts again: ${message}`);
    this.#feeds.end(this.#lost);
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new StorageError("Closed", "the store is closed");
  }
}

function compactedError(after: number, compacted: number): StorageError {
  return new StorageError("Compacted", `the history after revision ${after} is compacted: the oldest left is ${compacted}`);
}

function storageEvent({ key, revision, value, previous }: LogEvent): StorageEvent {
  const base = { key: key as StorageKey, revision: revision as Revision }; // the thread hands out what was put in with these brands
  const was = previous && storedValue(previous);
  if (value !== undefined) return { ...base, type: "put", value, previous: was };
  if (was === undefined) throw new StorageError("Unavailable", `the event of revision ${revision} is damaged: a delete of nothing`);
  return { ...base, type: "delete", previous: was };
}
