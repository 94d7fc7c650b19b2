import { APIError, tooManyRequests } from "@annex/apimachinery";
import { failedWatch, type ListResult, requireRevision, type WatchBatch, type WatchOptions } from "@annex/apiserver";
import type { SecretSelection } from "@annex/storage-secrets";
import { type ClusterClient, ClusterUnavailableError } from "../client/index.ts";
import type { SecretFeed } from "./secret-feed.ts";
import { listSecrets } from "./secret-list.ts";
import { type SecretRequests, selectorsOf } from "./secret-requests.ts";
import { secretPath, secretView } from "./secret-resource.ts";

/** How many watches are followed in the cluster, one each, until they have caught up with the feed: each holds a connection. */
const MAX_EARLIER = 16;

export interface SecretWatcherOptions {
  readonly client: ClusterClient;
  readonly requests: SecretRequests;
  readonly feed: SecretFeed;
  /** Whether the feed comes as far as a resourceVersion soon enough to be waited for. */
  readonly reaches: (feed: SecretFeed, resourceVersion: string, signal: AbortSignal) => Promise<boolean>;
}

type Options = SecretSelection<WatchOptions>;

/** The watches of the Secrets of one type: of the feed, which one watch of the cluster fills for all of them. */
export class SecretWatcher {
  readonly #options: SecretWatcherOptions;
  #earlier = 0;

  constructor(options: SecretWatcherOptions) {
    this.#options = options;
  }

  /** Source: API concepts, "The resourceVersion parameter", semantics for watch. */
  async watch(options: Options, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>> {
    const { feed } = this.#options;
    if (!feed.secrets.isSynced) throw tooManyRequests("storage is (re)initializing", 1);
    const { resourceVersion, sendInitialEvents } = options;
    const isAny = resourceVersion !== undefined && requireRevision(resourceVersion) === 0;
    if (sendInitialEvents ?? (resourceVersion === undefined || isAny)) {
      return isAny ? feed.secrets.watch(options, undefined, signal) : this.#fromState(options, signal);
    }
    // Without one, from now on: the feed's now.
    if (resourceVersion === undefined || isAny || feed.secrets.remembers(resourceVersion)) return feed.secrets.watch(options, undefined, signal);
    return this.#fromEarlier(options, resourceVersion, signal);
  }

  /** A watch that begins with the state of now, or with one that is not older than a resourceVersion. */
  async #fromState(options: Options, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>> {
    const { feed, reaches, requests } = this.#options;
    const { resourceVersion } = options;
    if (resourceVersion !== undefined && (await reaches(feed, resourceVersion, signal))) return feed.secrets.watch(options, undefined, signal);
    const consistency = resourceVersion === undefined ? ({ type: "MostRecent" } as const) : ({ type: "NotOlderThan", resourceVersion } as const);
    try {
      const state = await listSecrets(requests, { ...options, limit: 0, continue: "", consistency }, signal);
      return this.#stateThenChanges(options, state, signal);
    } catch (error) {
      // As in Kubernetes the watch begins, and its first event says that the state is from the future.
      if (APIError.is(error, "Timeout")) return failedWatch(error);
      throw error;
    }
  }

  async *#stateThenChanges(
    options: Options,
    { items, resourceVersion }: Pick<ListResult, "items" | "resourceVersion">,
    signal: AbortSignal,
  ): AsyncGenerator<WatchBatch> {
    yield { events: items.map((view) => ({ type: "ADDED", view, shared: undefined })), resourceVersion, isInitialEnd: true };
    yield* await this.#changesAfter(options, resourceVersion, signal);
  }

  #changesAfter(options: Options, resourceVersion: string, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>> {
    return this.#options.feed.secrets.watch({ ...options, resourceVersion, sendInitialEvents: undefined }, undefined, signal);
  }

  /** From a resourceVersion that lies before all that the feed remembers: the kube-apiserver may remember more. Follows it until it has told what the feed remembers, and then the feed. */
  async *#fromEarlier(options: Options, from: string, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    const { filter } = options;
    const { secrets } = this.#options.feed;
    let at = from;
    // What a filter let through before a change is known here alone, and of the feed alone: so the client lists anew (410).
    if (this.#earlier < MAX_EARLIER && (filter === undefined || filter.isCounted)) {
      this.#earlier++;
      try {
        for await (const batch of this.#upstream(options, from, signal)) {
          at = batch.resourceVersion;
          yield batch;
          if (secrets.remembers(at)) break;
        }
        // It ends as every watch does; the client goes on from where it is.
        if (!secrets.remembers(at)) return;
      } finally {
        this.#earlier--;
      }
    }
    yield* await this.#changesAfter(options, at, signal);
  }

  async *#upstream(options: Options, from: string, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    const query = { ...selectorsOf(options), resourceVersion: from };
    try {
      for await (const { type, object } of this.#options.client.watch(secretPath(options.namespace), query, signal)) {
        const { resourceVersion = from } = object.metadata;
        yield { events: type === "BOOKMARK" ? [] : [{ type, view: secretView(object), shared: undefined }], resourceVersion, isInitialEnd: false };
      }
    } catch (error) {
      // The end of a connection ends a watch, and is no event of it.
      if (!(error instanceof ClusterUnavailableError)) throw error;
    }
  }
}
