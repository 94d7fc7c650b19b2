import type { KubernetesObject, ObjectName } from "@annex/apimachinery";
import type { Awaitable } from "../awaitable.ts";
import type { Cancellation } from "../cancellation.ts";
import type { ObjectView, WatchBatch } from "../object-view.ts";
import type { DeleteResult, ListOptions, ListResult, ReadConsistency, WatchOptions, WriteOptions } from "./verbs.ts";

/** Which objects a reader may know of; undefined for all. */
export type Visibility = ((object: KubernetesObject) => boolean) | undefined;

/**
 * Where the objects of one resource are kept: what the generic registry writes to and reads from. One implementation lies over storage and the watch
 * cache, another over a cluster's Secrets. Objects are of the storage version. Failures are `APIError`s.
 */
export interface ObjectStore {
  /** @returns undefined when there is none. */
  get(target: ObjectName, consistency: ReadConsistency, cancellation: Cancellation): Awaitable<ObjectView | undefined>;
  list(options: ListOptions, visible: Visibility, cancellation: Cancellation): Promise<ListResult>;
  watch(options: WatchOptions, visible: Visibility, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>>;
  /**
   * Keeps a new object; a dry run only finds out whether it could. The answer may hold more than what is kept (a secret that is told once).
   *
   * @returns undefined when there is an object of this name already.
   */
  create(object: KubernetesObject, options: WriteOptions, signal: AbortSignal): Promise<ObjectView | undefined>;
  /** @returns undefined when `expected` is no longer the present state. */
  update(object: KubernetesObject, expected: ObjectView, signal: AbortSignal): Promise<ObjectView | undefined>;
  /**
   * @returns the object as it was, at the revision of its deletion; or as it is, where something that only the store knows of holds it still (`isGone` is
   *   false). Undefined when `expected` is no longer the present state.
   */
  delete(expected: ObjectView, signal: AbortSignal): Promise<DeleteResult | undefined>;
}
