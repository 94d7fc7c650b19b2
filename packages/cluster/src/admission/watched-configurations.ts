import { APIError, forbidden, type KubernetesObject } from "@annex/apimachinery";
import { type AdmissionAttributes, type Clock, type Logger, refusedName } from "@annex/apiserver";
import { type ClusterClient, reflect } from "../client/index.ts";
import { settledWithin } from "./settled-within.ts";

export interface WatchedConfigurationsOptions<Compiled> {
  readonly client: ClusterClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** `/apis/admissionregistration.k8s.io/v1/…` */
  readonly path: string;
  /** Whether there are clusters that do not know the kind, and so have none. Default false. */
  readonly isOptional?: boolean;
  /** Is told whenever there are others. */
  readonly changed?: () => void;
  /** Makes of an object what is asked for each write; called once for each version of it, when it is first needed. */
  readonly compile: (object: KubernetesObject) => Compiled;
}

/** How long a write waits for configurations that were not read yet. Source: k8s.io/apiserver/pkg/admission/handler.go. */
const READY_WAIT_MS = 10_000;
/** How often a cluster is asked whether it knows a kind by now. */
const UNKNOWN_KIND_MS = 60_000;

/** What the cluster's administrators want of writes: followed, compiled, and sorted by name. */
export class WatchedConfigurations<Compiled> {
  readonly path: string;
  readonly #options: WatchedConfigurationsOptions<Compiled>;
  readonly #objects = new Map<string, { readonly object: KubernetesObject; compiled?: Compiled }>();
  readonly #ready: Promise<void>;
  #tellReady: () => void = () => undefined;
  #isReady = false;
  #sorted: readonly Compiled[] | undefined;

  constructor(options: WatchedConfigurationsOptions<Compiled>) {
    this.path = options.path;
    this.#options = options;
    this.#ready = new Promise((resolve) => {
      this.#tellReady = resolve;
    });
  }

  /** Whether they were read once. From then on what is known counts, also while the cluster is away. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** All of them, by name. */
  get all(): readonly Compiled[] {
    this.#sorted ??= [...this.#objects]
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([, entry]) => {
        entry.compiled ??= this.#options.compile(entry.object);
        return entry.compiled;
      });
    return this.#sorted;
  }

  /**
   * Waits until they were read.
   *
   * @throws {APIError} `Forbidden` when that takes too long: what nobody may have been asked about is not written.
   */
  async whenReady({ resource, name, object }: AdmissionAttributes, signal: AbortSignal): Promise<void> {
    if (this.#isReady) return;
    await settledWithin(this.#ready, READY_WAIT_MS, this.#options.clock, signal);
    if (!this.#isReady) throw forbidden(resource, refusedName({ name, object }), "not yet ready to handle request");
  }

  /** Follows the cluster until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, clock, log, path } = this.#options;
    while (await this.#isUnknown(signal)) {
      this.#reset([]);
      await clock.sleep(UNKNOWN_KIND_MS, signal).catch(() => undefined);
    }
    const observer = {
      reset: (objects: readonly KubernetesObject[]) => this.#reset(objects),
      put: (object: KubernetesObject) => this.#put(object),
      deleted: ({ metadata }: KubernetesObject) => {
        this.#objects.delete(metadata.name ?? "");
        this.#change();
      },
    };
    await reflect({ client, path, observer, clock, log }, signal);
  }

  /** Whether the cluster does not know the kind. What else goes wrong, following it tells. */
  async #isUnknown(signal: AbortSignal): Promise<boolean> {
    const { client, path, isOptional = false } = this.#options;
    if (!isOptional || signal.aborted) return false;
    try {
      await client.request({ method: "GET", path, query: { limit: "1" } }, signal);
      return false;
    } catch (error) {
      return APIError.is(error, "NotFound");
    }
  }

  #put(object: KubernetesObject): void {
    this.#objects.set(object.metadata.name ?? "", { object });
    this.#change();
  }

  #reset(objects: readonly KubernetesObject[]): void {
    const before = new Map(this.#objects);
    this.#objects.clear();
    this.#sorted = undefined;
    for (const object of objects) {
      const { name = "", resourceVersion } = object.metadata;
      const known = before.get(name);
      // What is as it was need not be compiled again.
      this.#objects.set(name, known?.object.metadata.resourceVersion === resourceVersion && known !== undefined ? known : { object });
    }
    this.#change();
    this.#isReady = true;
    this.#tellReady();
  }

  #change(): void {
    this.#sorted = undefined;
    this.#options.changed?.();
  }
}
