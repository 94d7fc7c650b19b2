/** The back end's counter: a positive safe integer that grows with every write. On the wire it is the `resourceVersion`. */
export type Revision = number & { readonly [revisionBrand]: true };
declare const revisionBrand: unique symbol;

/** The longest key, in characters. */
export const MAX_KEY_LENGTH = 1_024;

/** A key: printable ASCII, at most {@link MAX_KEY_LENGTH} characters, ordered byte by byte. Built by the registry as `/group/resource/namespace/name`. */
export type StorageKey = string & { readonly [keyBrand]: true };
declare const keyBrand: unique symbol;

/** A value and the revision that wrote it. */
export interface StoredValue {
  readonly key: StorageKey;
  readonly value: Uint8Array;
  readonly revision: Revision;
}

/** One change. A put without `previous` created the key. */
export type StorageEvent =
  | {
      readonly type: "put";
      readonly key: StorageKey;
      readonly revision: Revision;
      readonly value: Uint8Array;
      readonly previous: StoredValue | undefined;
    }
  | { readonly type: "delete"; readonly key: StorageKey; readonly revision: Revision; readonly previous: StoredValue };

/** Some changes in the order of their revisions, and how far the feed has come: every change up to `revision` was delivered. */
export interface StorageBatch {
  readonly events: readonly StorageEvent[];
  readonly revision: Revision;
}

/** A page of keys in byte order, all as they were at `revision`. */
export interface StorageList {
  readonly values: readonly StoredValue[];
  readonly revision: Revision;
  /** Whether keys under the prefix follow the last one. */
  readonly more: boolean;
}

export interface StorageListOptions {
  /** The first key wanted (inclusive); the prefix when absent. A key and a NUL after it is the smallest that follows it. */
  readonly start?: StorageKey;
  /** At most so many values; all when absent. */
  readonly limit?: number;
}

export interface StorageWatchOptions {
  /** Only keys that begin with it. */
  readonly prefix: string;
  /** Deliver what came after this revision. */
  readonly after: Revision;
  /** Ends the feed; the iteration then returns without an error. */
  readonly signal: AbortSignal;
}

/**
 * An ordered map from keys to bytes with one revision counter, compare-and-set writes and a history of changes: what etcd is to Kubernetes.
 *
 * - A write is durable before its promise resolves. Several writes may be under way at once; each gets a revision of its own.
 * - An empty store stands at {@link INITIAL_REVISION}, and everything before is compacted: a client's `resourceVersion=1` is always too old.
 * - A revision never goes back, also over a crash; one that was delivered to a feed was durable.
 * - Failures are {@link StorageError}s; after the store was closed every call fails with `Closed`.
 * - The bytes handed out belong to the store: nobody writes into them. The bytes handed in are copied.
 */
export interface Storage extends AsyncDisposable {
  get(key: StorageKey): Promise<StoredValue | undefined>;

  list(prefix: string, options?: StorageListOptions): Promise<StorageList>;

  /**
   * Writes a value if the key is at the revision expected.
   *
   * @param expected the revision of the value to replace; 0 where the key must be absent.
   * @returns the revision of this write.
   * @throws {StorageError} `Conflict` if the key is at another revision, `ValueTooLarge` beyond {@link MAX_VALUE_BYTES}, `Unavailable` if it could not be
   *   made durable (it then may or may not have happened).
   */
  put(key: StorageKey, value: Uint8Array, expected: Revision | 0): Promise<Revision>;

  /**
   * Removes a key if it is at the revision expected.
   *
   * @returns the revision of this write.
   * @throws {StorageError} `Conflict`, `Unavailable`: as `put`.
   */
  delete(key: StorageKey, expected: Revision): Promise<Revision>;

  /** The revision of the newest write, and the oldest that a watch may start after. */
  revisions(): Promise<{ readonly current: Revision; readonly compacted: Revision }>;

  /**
   * Changes since a revision, then changes as they happen, without a gap. A batch may be empty: it then only reports progress.
   * Leaving the iteration frees everything.
   *
   * A consumer that waits for the next batch is given it before the write that it reports is acknowledged. One that falls behind reads on
   * from the log: nothing piles up for it. `after` may lie ahead of the store: the feed then begins once the store is past it.
   *
   * @throws {StorageError} `Compacted` upon the first step if `after` is older than what is kept, or upon a later one if the consumer fell
   *   behind so far; `Unavailable` when the feed is lost; `Closed` when the store is closed.
   */
  watch(options: StorageWatchOptions): AsyncIterable<StorageBatch>;

  /** Forgets the history up to and including this revision. Older requests do nothing; `current` is the furthest it goes. */
  compact(revision: Revision): Promise<void>;
}

/** Where the revisions of an empty store begin: past 1, which clients send for "as old as can be". */
export const INITIAL_REVISION = 1_000 as Revision; // the one place where a number becomes the first revision

/** The largest value that every back end takes, in bytes (etcd's own request limit is 1.5 MiB; Kubernetes' body limit is 3 MiB). */
export const MAX_VALUE_BYTES = 3 * 1024 * 1024;

export type StorageErrorCode = "Conflict" | "Compacted" | "ValueTooLarge" | "Unavailable" | "Closed";

/** What a back end says went wrong. It knows no kinds; the registry makes an APIError of it. */
export class StorageError extends Error {
  override readonly name = "StorageError";
  readonly code: StorageErrorCode;
  /** With `Conflict`: what the key is at, undefined when it is absent. */
  readonly current: StoredValue | undefined;

  constructor(code: StorageErrorCode, message: string, options: { current?: StoredValue | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.current = options.current;
  }
}

/** The refusal of a write whose key is not at the revision expected; `current` is what the key is at. */
export function conflict(key: StorageKey, current: StoredValue | undefined): StorageError {
  const state = current === undefined ? "is absent" : `is at revision ${current.revision}`;
  return new StorageError("Conflict", `the key ${key} ${state}`, { current });
}

/** The refusal of a value beyond {@link MAX_VALUE_BYTES}. */
export function valueTooLarge(bytes: number): StorageError {
  return new StorageError("ValueTooLarge", `the value has ${bytes} bytes, at most ${MAX_VALUE_BYTES} are stored`);
}
