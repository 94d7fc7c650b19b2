import { APIError, conflict, OPTIMISTIC_LOCK_MESSAGE } from "@annex/apimachinery";
import {
  type Clock,
  type HealthCheck,
  isCounted,
  type ListOptions,
  type ListResult,
  type Logger,
  type ObjectView,
  type RequestContext,
  type ResourceVerbs,
  type WatchOptions,
  withDeadline,
} from "@annex/apiserver";
import type { SecretSelection, SecretTarget, SecretUpdate, SecretVerbs } from "@annex/storage-secrets";
import type { ClusterClient } from "../client/index.ts";
import { SecretFeed } from "./secret-feed.ts";
import { listSecrets } from "./secret-list.ts";
import { SecretRequests } from "./secret-requests.ts";
import { ClusterSecret } from "./secret-resource.ts";
import { SecretWatcher } from "./secret-watch.ts";

export interface RemoteSecretsOptions {
  readonly client: ClusterClient;
  /** The types of Secrets that are followed: those that objects are kept in. */
  readonly types: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** The Secrets of a cluster. */
export interface RemoteSecrets {
  /**
   * The verbs of Secrets, for `secretStore` and whoever else asks for them: reads without a resourceVersion are the kube-apiserver's, of the quorum, so that what one replica has written every other one
   * reads; reads that may be older, and watches, come from memory. Types that are not followed can be read and written, not watched.
   */
  readonly verbs: Required<Pick<ResourceVerbs, keyof SecretVerbs>> & SecretVerbs;
  /** Whether the Secrets of each type were read, and are followed now. */
  readonly ready: HealthCheck;
  /** Follows the cluster until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** How long a read waits for the feed before it asks the kube-apiserver: what was just written comes in some milliseconds, but a resourceVersion of another kind's write only with the next bookmark. */
const FEED_WAIT_MS = 500;

/** The Secrets of a cluster as the verbs that `secretStore` asks. */
export function remoteSecrets({ client, types, clock, log }: RemoteSecretsOptions): RemoteSecrets {
  const requests = new SecretRequests(client, log);
  const reaches = (feed: SecretFeed, resourceVersion: string, signal: AbortSignal) => feedReaches(feed, resourceVersion, clock, signal);
  const feeds = new Map(types.map((type) => [type, new SecretFeed({ client, type, clock, log })]));
  const watchers = new Map([...feeds].map(([type, feed]) => [type, new SecretWatcher({ client, requests, feed, reaches })]));
  const ofType = <T>(all: ReadonlyMap<string, T>, { secretType }: { readonly secretType?: string | undefined }) =>
    secretType === undefined ? undefined : all.get(secretType);

  /** The feed, where it can answer a read. */
  async function feedFor(
    place: { readonly secretType?: string | undefined },
    consistency: ListOptions["consistency"],
    signal: AbortSignal,
  ): Promise<SecretFeed | undefined> {
    const feed = ofType(feeds, place);
    if (feed?.secrets.isSynced !== true || consistency.type === "MostRecent") return undefined;
    if (consistency.type === "Any") return feed;
    return consistency.type === "NotOlderThan" && (await reaches(feed, consistency.resourceVersion, signal)) ? feed : undefined;
  }

  async function get(target: SecretTarget, consistency: ListOptions["consistency"], context: RequestContext): Promise<ObjectView> {
    const feed = await feedFor(target, consistency, context.signal);
    const view = await feed?.secrets.get(target, { type: "Any" }, context);
    // What the feed does not know may be of another type.
    return view ?? requests.get(target, consistency, context.signal);
  }

  async function list(options: SecretSelection<ListOptions>, context: RequestContext): Promise<ListResult> {
    const { limit, consistency } = options;
    // Of what may be old there is one page, as in Kubernetes: what is in memory anyway. Source: k8s.io/apiserver storage/cacher/delegator.
    const isWhole = options.continue === "" && (limit === 0 || consistency.type === "Any");
    const feed = isWhole ? await feedFor(options, consistency, context.signal) : undefined;
    if (feed !== undefined) return feed.secrets.list({ ...options, limit: 0, consistency: { type: "Any" } }, undefined, context);
    const page = await listSecrets(requests, options, context.signal);
    return { ...page, remainingItemCount: remainingOf(options, page) };
  }

  /** Roughly, as the API allows: the kube-apiserver does not count what a selector selects, so what the feed knows counts. */
  function remainingOf(options: SecretSelection<ListOptions>, page: Pick<ListResult, "items" | "continue">): number | undefined {
    const feed = ofType(feeds, options);
    const last = page.items[page.items.length - 1];
    if (feed === undefined || last === undefined || page.continue === "" || !isCounted(options, undefined)) return undefined;
    return feed.secrets.countBehind(options.namespace, last) || undefined;
  }

  async function update(input: SecretUpdate, { signal }: RequestContext) {
    const { target, isDryRun, fieldManager } = input;
    let { known } = target;
    for (let refused: unknown, tried = ""; ; ) {
      known ??= await requests.get(target, { type: "MostRecent" }, signal);
      const { resourceVersion } = known;
      // Not because somebody else wrote: to try the same again helps nobody.
      if (resourceVersion === tried) throw refused;
      const wanted = await input.transform(known.object);
      if ((wanted.metadata.resourceVersion || resourceVersion) !== resourceVersion)
        throw conflict(ClusterSecret, target.name, OPTIMISTIC_LOCK_MESSAGE);
      try {
        const object = { ...wanted, metadata: { ...wanted.metadata, resourceVersion } };
        return { view: await requests.update(target, object, isDryRun, fieldManager, signal), isCreated: false };
      } catch (error) {
        if (!APIError.is(error, "Conflict")) throw error;
        [refused, tried, known] = [error, resourceVersion, undefined];
      }
    }
  }

  return {
    verbs: {
      get,
      list,
      async watch(options: SecretSelection<WatchOptions>, { signal }: RequestContext) {
        const watcher = ofType(watchers, options);
        if (watcher === undefined) throw new Error(`Secrets of the type ${options.secretType} are not followed`);
        return watcher.watch(options, signal);
      },
      create: (input, { signal }) => requests.create(input, signal),
      update,
      async delete(target: SecretTarget, options, { signal }) {
        const known = target.known ?? (await requests.get(target, { type: "MostRecent" }, signal));
        return requests.delete(target, known, options, signal);
      },
    },
    ready: {
      name: "secrets",
      check: () => {
        for (const [type, { isFresh }] of feeds) if (!isFresh) throw new Error(`the cluster's Secrets of the type ${type} are not followed`);
      },
    },
    run: async (signal) => void (await Promise.all([...feeds.values()].map((feed) => feed.run(signal)))),
  };
}

/** Whether the feed comes as far as a resourceVersion while it is waited for. */
async function feedReaches(feed: SecretFeed, resourceVersion: string, clock: Clock, signal: AbortSignal): Promise<boolean> {
  using deadline = withDeadline(signal, FEED_WAIT_MS, clock);
  try {
    await feed.secrets.reached(resourceVersion, deadline.signal);
    return true;
  } catch (error) {
    if (deadline.isExpired) return false;
    throw error;
  }
}
