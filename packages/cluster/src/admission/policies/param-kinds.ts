import { APIError, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import { type Clock, JoinedSignal, type Logger } from "@annex/apiserver";
import { type ClusterClient, reflect } from "../../client/index.ts";
import { settledWithin } from "../settled-within.ts";

/** Source: admissionregistration/v1 ParamKind. */
export interface ParamKind {
  readonly apiVersion: string;
  readonly kind: string;
}

export interface ParamKindsOptions {
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How many kinds are followed at a time, and how many objects of each. */
const MAX_KINDS = 32;
const MAX_OBJECTS = 10_000;
/** How long a write waits for params that were not read yet. Source: policy_dispatcher.go, CollectParams. */
const SYNC_WAIT_MS = 1_000;
/** How often a kind that is not known is looked for. */
const LOOK_UP_MS = 5_000;

/** What a policy cannot be evaluated for. The message is told to the client. */
export class PolicyConfigurationError extends Error {
  override readonly name = "PolicyConfigurationError";
}

/** The objects of one kind, while some policy has them as its params. */
export interface FollowedParams {
  readonly isNamespaced: boolean;
  /** All of them, by namespace and name. */
  readonly objects: readonly KubernetesObject[];
}

/**
 * Follows the kinds that policies have as their params, from when a policy with a binding names one until none does.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/generic/policy_source.go, ensureParamsForPolicyLocked.
 */
export class ParamKinds {
  readonly #options: ParamKindsOptions;
  readonly #kinds = new Map<string, Follower>();
  #wanted: () => readonly ParamKind[] = () => [];
  #signal: AbortSignal | undefined;
  readonly #running = new Set<Promise<void>>();

  constructor(options: ParamKindsOptions) {
    this.#options = options;
  }

  /** @param wanted tells which kinds are needed now. */
  async run(wanted: () => readonly ParamKind[], signal: AbortSignal): Promise<void> {
    this.#wanted = wanted;
    this.#signal = signal;
    this.changed();
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    await Promise.all(this.#running);
  }

  /** Begins and ceases to follow, after policies or bindings changed. */
  changed(): void {
    const signal = this.#signal;
    if (signal === undefined || signal.aborted) return;
    const wanted = new Map(this.#wanted().map((kind) => [keyOf(kind), kind]));
    for (const [key, follower] of this.#kinds) {
      if (wanted.has(key)) continue;
      follower.stop();
      this.#kinds.delete(key);
    }
    for (const [key, kind] of wanted) {
      if (this.#kinds.has(key) || this.#kinds.size >= MAX_KINDS) continue;
      const follower = new Follower(kind, this.#options, signal);
      this.#kinds.set(key, follower);
      const running = follower.run();
      this.#running.add(running);
      void running.finally(() => this.#running.delete(running));
    }
  }

  /** @throws {PolicyConfigurationError} for a kind that the cluster does not know. */
  async requireKnown(kind: ParamKind, signal: AbortSignal): Promise<void> {
    await this.#kinds.get(keyOf(kind))?.requireKnown(signal);
  }

  /**
   * The objects of a kind; waits a second for them to be read.
   *
   * @throws {PolicyConfigurationError} when they are not there.
   */
  async of(kind: ParamKind, signal: AbortSignal): Promise<FollowedParams> {
    const follower = this.#kinds.get(keyOf(kind));
    if (follower === undefined) throw new PolicyConfigurationError(`paramKind kind \`${shown(kind)}\` not yet synced to use for admission`);
    return follower.objects(signal);
  }
}

class Follower {
  readonly #kind: ParamKind;
  readonly #options: ParamKindsOptions;
  readonly #objects = new Map<string, KubernetesObject>();
  readonly #following: JoinedSignal;
  readonly #settled: Promise<void>;
  #settle: () => void = () => undefined;
  #state: "new" | "unknown" | "followed" = "new";
  #isNamespaced = true;
  #sorted: readonly KubernetesObject[] | undefined;

  /** @param signal ends it, as {@link stop} does. */
  constructor(kind: ParamKind, options: ParamKindsOptions, signal: AbortSignal) {
    this.#following = new JoinedSignal(signal);
    this.#kind = kind;
    this.#options = options;
    this.#settled = new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  stop(): void {
    this.#following.abort();
  }

  async requireKnown(signal: AbortSignal): Promise<void> {
    if (this.#state === "new") await settledWithin(this.#settled, SYNC_WAIT_MS, this.#options.clock, signal);
    const { apiVersion, kind } = this.#kind;
    if (this.#state === "unknown")
      throw new PolicyConfigurationError(`failed to find resource referenced by paramKind: '${apiVersion}, Kind=${kind}'`);
  }

  async objects(signal: AbortSignal): Promise<FollowedParams> {
    await this.requireKnown(signal);
    if (this.#state === "new") throw new PolicyConfigurationError(`paramKind kind \`${shown(this.#kind)}\` not yet synced to use for admission`);
    if (this.#objects.size > MAX_OBJECTS)
      throw new PolicyConfigurationError(`there are more than ${MAX_OBJECTS} objects of paramKind \`${shown(this.#kind)}\``);
    this.#sorted ??= [...this.#objects].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, object]) => object);
    return { isNamespaced: this.#isNamespaced, objects: this.#sorted };
  }

  async run(): Promise<void> {
    const { client, clock, log } = this.#options;
    const { signal } = this.#following;
    const path = await this.#path(signal);
    if (path === undefined) return;
    const observer = {
      reset: (objects: readonly KubernetesObject[]) => {
        this.#objects.clear();
        for (const object of objects) this.#put(object);
        this.#become("followed");
      },
      put: (object: KubernetesObject) => this.#put(object),
      deleted: ({ metadata }: KubernetesObject) => {
        this.#objects.delete(placeOf(metadata));
        this.#sorted = undefined;
      },
    };
    await reflect({ client, path, observer, clock, log }, signal);
  }

  /** Where the objects are; looked for until they are found. @returns undefined at the end. */
  async #path(signal: AbortSignal): Promise<string | undefined> {
    const { client, clock, log } = this.#options;
    const { apiVersion, kind } = this.#kind;
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    while (!signal.aborted) {
      try {
        const list = (await client.request({ method: "GET", path: root }, signal)) as unknown as ResourceList;
        const found = list.resources?.find((one) => one.kind === kind && !one.name.includes("/"));
        if (found !== undefined) {
          this.#isNamespaced = found.namespaced;
          return `${root}/${found.name}`;
        }
        this.#become("unknown");
      } catch (error) {
        if (signal.aborted) return undefined;
        if (APIError.is(error, "NotFound")) this.#become("unknown");
        else log.warn({ err: error, path: root }, "the params of a policy cannot be looked for; trying again");
      }
      await clock.sleep(LOOK_UP_MS, signal).catch(() => undefined);
    }
    return undefined;
  }

  #put(object: KubernetesObject): void {
    const { apiVersion, kind } = this.#kind;
    // Those of a list have no type, and expressions read it.
    const typed = { ...(object as unknown as JSONObject), apiVersion, kind } as unknown as KubernetesObject;
    // One beyond what is bearable says that there are too many.
    if (this.#objects.size <= MAX_OBJECTS || this.#objects.has(placeOf(object.metadata))) this.#objects.set(placeOf(object.metadata), typed);
    this.#sorted = undefined;
  }

  #become(state: "unknown" | "followed"): void {
    this.#state = state;
    this.#settle();
  }
}

/** Source: meta/v1 APIResourceList. */
interface ResourceList {
  readonly resources?: readonly { readonly name: string; readonly kind: string; readonly namespaced: boolean }[];
}

const keyOf = ({ apiVersion, kind }: ParamKind) => `${apiVersion} ${kind}`;
const placeOf = ({ namespace = "", name = "" }: KubernetesObject["metadata"]) => `${namespace}/${name}`;
/** As Go shows the struct. */
const shown = ({ apiVersion, kind }: ParamKind) => `&ParamKind{APIVersion:${apiVersion},Kind:${kind},}`;
