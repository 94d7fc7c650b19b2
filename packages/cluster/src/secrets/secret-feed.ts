import { escapeFieldValue } from "@annex/apimachinery";
import { type Clock, FollowedObjects, type Logger } from "@annex/apiserver";
import { type ClusterClient, reflect } from "../client/index.ts";
import { ClusterSecret, secretPath } from "./secret-resource.ts";

export interface SecretFeedOptions {
  readonly client: ClusterClient;
  /** Of the Secrets that are followed; of others nothing is asked, and nothing kept. */
  readonly type: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is remembered for watches that come back: a Secret of a token has two kilobytes. */
const MAX_EVENTS = 20_000;
const MAX_EVENT_BYTES = 64 * 1024 * 1024;
/** How exact the time is at which a watch tells where it is. */
const TICK_MS = 1_000;

/** The Secrets of one type in all namespaces, as one watch of the cluster tells them. */
export class SecretFeed {
  readonly secrets: FollowedObjects;
  readonly #options: SecretFeedOptions;
  #isFollowing = false;

  constructor(options: SecretFeedOptions) {
    this.#options = options;
    this.secrets = new FollowedObjects({
      resource: ClusterSecret,
      clock: options.clock,
      maxEvents: MAX_EVENTS,
      maxEventBytes: MAX_EVENT_BYTES,
    });
  }

  /** Whether the Secrets were read, and are followed now. */
  get isFresh(): boolean {
    return this.secrets.isSynced && this.#isFollowing;
  }

  /** Follows the cluster until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, type, clock, log } = this.#options;
    const { secrets } = this;
    const observer = {
      reset: (...args: Parameters<FollowedObjects["reset"]>) => secrets.reset(...args),
      put: (...args: Parameters<FollowedObjects["put"]>) => secrets.put(...args),
      deleted: (...args: Parameters<FollowedObjects["deleted"]>) => secrets.deleted(...args),
      progress: (resourceVersion: string) => secrets.progress(resourceVersion),
      following: () => {
        this.#isFollowing = true;
      },
      lost: () => {
        this.#isFollowing = false;
      },
    };
    const query = { fieldSelector: `type=${escapeFieldValue(type)}` };
    await Promise.all([reflect({ client, path: secretPath(""), query, observer, clock, log }, signal), this.#tick(signal)]);
    this.#isFollowing = false;
  }

  async #tick(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(TICK_MS, signal).catch(() => undefined);
      this.secrets.tick();
    }
  }
}
