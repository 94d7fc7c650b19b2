import type { KubernetesObject } from "@annex/apimachinery";

/**
 * An object at a revision, on its way out: bytes where they are kept, a value where somebody must look inside. Immutable; the same
 * value is shared by every request.
 */
export interface ObjectView {
  readonly namespace: string;
  readonly name: string;
  readonly resourceVersion: string;
  /** Whether it is kept otherwise than it would be written now (in an older version, without newer defaults): then a write that changes nothing is one, as in Kubernetes. */
  readonly isStale: boolean;
  /** The object in the storage version, with its resourceVersion. Parsed when first asked. Never to be changed. */
  readonly object: KubernetesObject;
  /** The object in a served version. */
  in(version: string): KubernetesObject;
  /** Its whole JSON in a served version. Never to be changed. */
  bytes(version: string): Uint8Array;
}

export type WatchEventType = "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";

/** One change, as one watcher sees it. */
export interface WatchEvent {
  readonly type: Exclude<WatchEventType, "BOOKMARK">;
  readonly view: ObjectView;
  /** A place where everything that was encoded for this change may be kept and shared between its watchers; undefined for what one watcher is told alone. */
  readonly shared: Map<string, Uint8Array> | undefined;
}

/** Changes in order. A batch may be empty: then only `resourceVersion` moved on, which a bookmark may tell. */
export interface WatchBatch {
  readonly events: readonly WatchEvent[];
  /** Everything up to here has been seen. */
  readonly resourceVersion: string;
  /** Set on the batch that ends the initial state of a watch which asked for it. */
  readonly isInitialEnd: boolean;
}

/**
 * Keeps something that is made of all the objects of a resource as fresh as the server itself: it is called in the moment in which a change comes in, before anybody is told of it. Whoever
 * was answered a write finds it there. To be quick, and never to throw: the feed of the whole server waits for it.
 */
export interface ObjectObserver {
  /** The present objects: at the beginning, and when the feed of storage had a gap. What was known before is void. */
  readonly reset: (views: Iterable<ObjectView>) => void;
  /** An object is new, or another one than before. */
  readonly put: (view: ObjectView) => void;
  /** An object is gone. `view` is what it was. */
  readonly deleted: (view: ObjectView) => void;
}
