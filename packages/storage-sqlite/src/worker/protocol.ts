// What the storage and its worker thread say to each other. Values cross as copies.
import type { OpenStoreErrorCode } from "../open-store-error.ts";

export interface Row {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array;
}

export type Write =
  | { readonly type: "put"; readonly key: string; readonly expected: number; readonly value: Uint8Array }
  | { readonly type: "delete"; readonly key: string; readonly expected: number };

/** What became of one write of a transaction that is durable. */
export type WriteResult =
  | { readonly type: "done"; readonly revision: number; readonly previous: Row | undefined }
  | { readonly type: "conflict"; readonly current: Row | undefined }
  | { readonly type: "failed"; readonly message: string };

/** An event as the log holds it: without a value it is a delete. */
export interface LogEvent {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | undefined;
  readonly previous: Row | undefined;
}

export type Request =
  | { readonly type: "commit"; readonly writes: readonly Write[] }
  | { readonly type: "get"; readonly key: string }
  | { readonly type: "list"; readonly prefix: string; readonly start: string; readonly limit: number }
  | { readonly type: "events"; readonly after: number; readonly prefix: string }
  | { readonly type: "compact"; readonly revision: number }
  | { readonly type: "purge" }
  | { readonly type: "close" };

/** What each request is answered with. */
export interface Replies {
  readonly commit: readonly WriteResult[];
  readonly get: Row | undefined;
  readonly list: { readonly rows: readonly Row[]; readonly revision: number; readonly more: boolean };
  /** `compacted` is set, and nothing else of use, when `after` is no longer held. */
  readonly events: { readonly events: readonly LogEvent[]; readonly revision: number; readonly compacted: number | undefined };
  readonly compact: { readonly compacted: number };
  readonly purge: { readonly isDone: boolean };
  readonly close: undefined;
}

export type RequestMessage = { readonly id: number; readonly request: Request };

export type ReplyMessage =
  | { readonly type: "opened"; readonly current: number; readonly compacted: number }
  | { readonly type: "refused"; readonly code: OpenStoreErrorCode; readonly message: string }
  | { readonly type: "reply"; readonly id: number; readonly reply: Replies[keyof Replies] }
  /** `isFatal`: what is on the disk is no longer known; no further write may be acknowledged. */
  | { readonly type: "failed"; readonly id: number; readonly message: string; readonly isFatal: boolean };

export interface WorkerSettings {
  readonly folder: string;
  /** Where the revisions of a new store begin. */
  readonly initialRevision: number;
}
