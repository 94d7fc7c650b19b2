import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { Clock, Logger } from "@annex/apiserver";
import { type ClusterClient, reflect } from "../client/index.ts";
import type { ServiceName } from "../ownership/index.ts";
import { WakingSleep } from "../waking-sleep.ts";
import { type Comparison, nameOf, planRepairs, type Repair } from "./plan-repairs.ts";

/** A collection of the cluster, cluster-scoped, in which some objects are this server's. */
export interface KeptCollection<Kept extends KubernetesObject> {
  readonly path: string;
  /** What one is called in a line of the log: `apiService`. */
  readonly logKey: string;
  /** What there is to be, as of now. */
  readonly wanted: () => readonly Kept[];
  readonly comparison: Comparison<Kept>;
  /** Told of each that is wanted, whoever made it, whenever it comes or changes. */
  readonly seen: (object: Kept) => void;
  readonly gone: (name: string) => void;
  /** @returns what is wrong with an object of a name that is wanted, for a line of readiness: it is somebody else's. */
  readonly fault: (object: Kept) => string | undefined;
}

export interface ObjectKeeperOptions {
  readonly client: ClusterClient;
  /** Whose they are. */
  readonly service: ServiceName;
  readonly clock: Clock;
  readonly log: Logger;
}

/** A repair is followed by a pause, which grows while somebody undoes each, in milliseconds. */
const MIN_PAUSE_MS = 100;
const MAX_PAUSE_MS = 30_000;
/** Without a repair for so long, the next one is the first. */
const QUIET_MS = 60_000;
/** How often it is looked for what is due when nobody tells of a change: failures are tried again. */
const INTERVAL_MS = 30_000;

const NOT_REGISTERED = "this server cannot be registered; trying again";
const NOT_REMOVED = "the registration of what is not served any more cannot be removed";

/** Follows a collection, and repairs what of it is this server's; each write is at the resourceVersion that was seen. */
export class ObjectKeeper<Kept extends KubernetesObject> {
  readonly #options: ObjectKeeperOptions;
  readonly #collection: KeptCollection<Kept>;
  readonly #sleep: WakingSleep;
  /** Behind a repair. Nobody who edits an object ends it. */
  readonly #pause: WakingSleep;
  readonly #present = new Map<string, Kept>();
  #isSynced = false;
  #toldProblem: string | undefined;
  readonly #toldLeftOvers = new Set<string>();

  constructor(options: ObjectKeeperOptions, collection: KeptCollection<Kept>) {
    this.#options = options;
    this.#collection = collection;
    this.#sleep = new WakingSleep(options.clock);
    this.#pause = new WakingSleep(options.clock);
  }

  /** Has it looked for what is due at once: what is wanted has changed. */
  wake(): void {
    this.#sleep.wake();
    this.#pause.wake();
  }

  /** Follows until the signal aborts. It does not reject. */
  async follow(signal: AbortSignal): Promise<void> {
    const { client, clock, log } = this.#options;
    const observer = {
      reset: (objects: readonly KubernetesObject[]) => this.#reset(objects),
      put: (object: KubernetesObject) => this.#put(object as Kept), // of that collection
      deleted: (object: KubernetesObject) => this.#deleted(nameOf(object)),
    };
    await reflect({ client, path: this.#collection.path, observer, clock, log }, signal);
  }

  /** For readiness. @throws {Error} where an object of a name that is wanted is somebody else's. */
  check(): void {
    for (const wanted of this.#collection.wanted()) {
      const found = this.#present.get(nameOf(wanted));
      const fault = found && this.#collection.fault(found);
      if (fault !== undefined) throw new Error(fault);
    }
  }

  /** Does what is due, while this replica is the one that writes. It does not reject. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, service } = this.#options;
    const { wanted, comparison } = this.#collection;
    let pauseMs = MIN_PAUSE_MS;
    let repairedMs = Number.NEGATIVE_INFINITY;
    while (!signal.aborted) {
      const repairs = this.#isSynced ? planRepairs(wanted(), this.#present, service, comparison) : [];
      const isDone = await this.#carryOut(repairs, signal);
      if (repairs.length === 0 || !isDone) {
        await this.#sleep.sleep(INTERVAL_MS, signal);
        continue;
      }
      pauseMs = clock.now() - repairedMs > QUIET_MS ? MIN_PAUSE_MS : Math.min(pauseMs * 2, MAX_PAUSE_MS);
      repairedMs = clock.now();
      await this.#pause.sleep(pauseMs, signal);
    }
  }

  #reset(objects: readonly KubernetesObject[]): void {
    this.#present.clear();
    this.#isSynced = true;
    for (const object of objects) this.#put(object as Kept);
    this.#sleep.wake();
  }

  #put(object: Kept): void {
    this.#present.set(nameOf(object), object);
    this.#sleep.wake();
    if (this.#collection.wanted().some((wanted) => nameOf(wanted) === nameOf(object))) this.#collection.seen(object);
  }

  #deleted(name: string): void {
    this.#present.delete(name);
    this.#toldLeftOvers.delete(name);
    this.#collection.gone(name);
    this.#sleep.wake();
  }

  /** @returns false when something failed that only time, or somebody else, can mend. */
  async #carryOut(repairs: readonly Repair<Kept>[], signal: AbortSignal): Promise<boolean> {
    let isDone = true;
    for (const repair of repairs) {
      try {
        isDone = (await this.#repair(repair, signal)) && isDone;
      } catch (error) {
        if (signal.aborted) return false;
        const problem = error instanceof Error ? error.message : String(error);
        if (problem !== this.#toldProblem)
          this.#options.log.error({ problem }, repair.verb === "delete" ? `${NOT_REMOVED}; trying again` : NOT_REGISTERED);
        this.#toldProblem = problem;
        return false;
      }
    }
    if (repairs.length > 0) this.#toldProblem = undefined;
    return isDone;
  }

  /** @returns false for what may not be removed: the rest is done all the same. */
  async #repair(repair: Repair<Kept>, signal: AbortSignal): Promise<boolean> {
    const { client, log } = this.#options;
    const { path, logKey } = this.#collection;
    const { object, verb } = repair;
    const fields = { [logKey]: nameOf(object) };
    try {
      if (verb === "create") await client.request({ method: "POST", path, body: object }, signal);
      else if (verb === "update") await client.request({ method: "PUT", path: `${path}/${nameOf(object)}`, body: object }, signal);
      else await deleteSeen(client, path, object, signal);
    } catch (error) {
      // Somebody was faster. What came of it is on its way to us.
      if (APIError.is(error, "AlreadyExists", "Conflict", "NotFound")) return true;
      if (verb !== "delete" || !APIError.is(error, "Forbidden")) throw error;
      this.#tellLeftOver(object, error);
      return false;
    }
    if (verb === "create") log.info(fields, "registered");
    else if (verb === "update") log.info({ ...fields, fields: repair.fields }, "registration brought up to date");
    else log.info(fields, "removed the registration of what is not served any more");
    return true;
  }

  #tellLeftOver(object: Kept, error: APIError): void {
    const name = nameOf(object);
    if (this.#toldLeftOvers.has(name)) return;
    this.#toldLeftOvers.add(name);
    const { path, logKey } = this.#collection;
    const remedy = `kubectl delete ${path.slice(path.lastIndexOf("/") + 1)} ${name}, or allow it to this server`;
    this.#options.log.error({ [logKey]: name, problem: error.message, remedy }, NOT_REMOVED);
  }
}

/** Deletes an object as it was seen, and not what somebody else made of it meanwhile. */
export async function deleteSeen(client: ClusterClient, path: string, { metadata }: KubernetesObject, signal: AbortSignal): Promise<void> {
  const { name, uid, resourceVersion } = metadata;
  const body = { apiVersion: "v1", kind: "DeleteOptions", preconditions: { uid, resourceVersion } };
  await client.request({ method: "DELETE", path: `${path}/${name}`, body }, signal);
}
