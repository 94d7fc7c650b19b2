import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { Clock, Logger } from "@annex/apiserver";
import type { ClusterClient, ClusterRequest } from "./cluster-client.ts";
import { listCollection } from "./pages.ts";
import { ClusterUnavailableError } from "./unavailable.ts";

/** Who is told what a collection holds. Called in order, never at the same time; to be quick, and never to throw. */
export interface CollectionObserver {
  /** All present objects: at the beginning, and when what lay between was lost. */
  readonly reset: (objects: readonly KubernetesObject[], resourceVersion: string) => void;
  readonly put: (object: KubernetesObject) => void;
  readonly deleted: (object: KubernetesObject) => void;
  /** Everything up to here was told. */
  readonly progress?: (resourceVersion: string) => void;
  /** From here on every change is told as it happens, until {@link lost}. */
  readonly following?: () => void;
  /** The server cannot be followed for now: what is known may be old. Called again for each attempt that fails. */
  readonly lost?: () => void;
}

export interface ReflectorOptions {
  readonly client: ClusterClient;
  /** Of the collection: `/api/v1/namespaces`. */
  readonly path: string;
  /** Selectors. */
  readonly query?: ClusterRequest["query"];
  readonly observer: CollectionObserver;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Source: client-go reflector, backoff manager. */
const MIN_BACKOFF_MS = 800;
const MAX_BACKOFF_MS = 30_000;
/** Attempts that reach nobody burden nobody, and whoever comes back is to be found soon: until then this server has nothing fresh to tell. */
const MAX_UNREACHABLE_BACKOFF_MS = 5_000;

/**
 * Keeps an observer as fresh as a collection of the cluster: lists, and watches from there on, for as long as it is asked to. Failures are logged and tried again, ever more seldom.
 *
 * @returns when the signal aborts; it does not reject.
 * Source: client-go tools/cache, Reflector.
 */
export async function reflect(options: ReflectorOptions, signal: AbortSignal): Promise<void> {
  const { clock, log, path } = options;
  let at: string | undefined;
  let backoffMs = MIN_BACKOFF_MS;
  let wasUnreachable = false;
  while (!signal.aborted) {
    let isUnreachable = false;
    try {
      at ??= await listAll(options, signal);
      for await (const resourceVersion of follow(options, at, signal)) {
        at = resourceVersion;
        backoffMs = MIN_BACKOFF_MS;
      }
    } catch (error) {
      if (signal.aborted) return;
      isUnreachable = error instanceof ClusterUnavailableError;
      // The first word of a server that has come back, which may remember nothing of before.
      if (wasUnreachable && !isUnreachable) backoffMs = MIN_BACKOFF_MS;
      if (APIError.is(error, "Expired", "Gone")) at = undefined;
      else {
        options.observer.lost?.();
        log.warn({ err: error, path }, "a collection of the cluster cannot be followed; trying again");
      }
    }
    // A watch that ends is nothing unusual, nor is a place that is gone, but what ends at once is not to be asked for without a pause.
    await clock.sleep(backoffMs * (0.5 + Math.random()), signal).catch(() => undefined);
    backoffMs = Math.min(backoffMs * 2, isUnreachable ? MAX_UNREACHABLE_BACKOFF_MS : MAX_BACKOFF_MS);
    wasUnreachable = isUnreachable;
  }
}

async function listAll({ client, path, query, observer }: ReflectorOptions, signal: AbortSignal): Promise<string> {
  const { items, resourceVersion } = await listCollection(client, path, query, signal);
  observer.reset(items, resourceVersion);
  return resourceVersion;
}

/** Yields the revision after each event. */
async function* follow({ client, path, query, observer }: ReflectorOptions, from: string, signal: AbortSignal): AsyncGenerator<string> {
  for await (const { type, object } of client.watch(path, { ...query, resourceVersion: from }, signal, observer.following)) {
    const { resourceVersion = "" } = object.metadata;
    if (type === "DELETED") observer.deleted(object);
    else if (type !== "BOOKMARK") observer.put(object);
    observer.progress?.(resourceVersion);
    yield resourceVersion;
  }
}
