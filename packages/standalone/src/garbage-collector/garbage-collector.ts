import { APIError, formatGroupResource, type OwnerReference } from "@annex/apimachinery";
import type { ObjectView, PropagationPolicy, Resource, ResourceVerbs } from "@annex/apiserver";
import { EVERYTHING, findView, runAlways } from "../controller.ts";
import type { NamespaceControllerOptions } from "../core/index.ts";
import { FOREGROUND_FINALIZER, ORPHAN_FINALIZER, type OwnedObject, OwnerGraph, ownedObject } from "./owner-graph.ts";
import { WorkQueue } from "./work-queue.ts";

export type GarbageCollectorOptions = NamespaceControllerOptions;

/** How many objects are looked at at a time: enough that storage writes their deletions together. */
const CONCURRENCY = 32;
/** How many objects are read before requests have their turn: some 5 ms. */
const TURN = 500;

/** The verbs that a kind needs for its objects to be collected. */
type CollectableVerbs = ResourceVerbs & Required<Pick<ResourceVerbs, "get" | "list" | "watch" | "delete">>;

/**
 * Deletes objects whose owners are all gone, finishes deletions with the policies `Foreground` and `Orphan`.
 *
 * An owner is looked up where the API has it, in the object's own namespace or among the cluster-scoped kinds; what cannot be looked up, because its kind is not served, counts as there.
 * Kinds that cannot be watched and deleted are left alone.
 *
 * @returns when the signal aborts, and nothing of its work is under way.
 * Source: kube-controller-manager's garbage collector; API concepts, "Garbage Collection".
 */
export async function runGarbageCollector(options: GarbageCollectorOptions, signal: AbortSignal): Promise<void> {
  const collector = new GarbageCollector(options, signal);
  await collector.run();
}

class GarbageCollector {
  readonly #options: GarbageCollectorOptions;
  readonly #signal: AbortSignal;
  readonly #graph = new OwnerGraph();
  readonly #queue: WorkQueue;
  /** Kinds whose objects are not all known yet: until then nothing can be said of anybody's dependents. */
  readonly #unknown: Set<Resource>;

  constructor(options: GarbageCollectorOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#unknown = new Set(options.resources.filter((resource) => isCollectable(options.verbsOf(resource.group, resource.resource))));
    this.#queue = new WorkQueue({
      clock: options.clock,
      concurrency: CONCURRENCY,
      signal,
      work: (uid) => this.#process(uid),
      onFailure: (uid, error) => {
        // Somebody else wrote in between: the common case, and no news.
        if (APIError.is(error, "Conflict")) return;
        options.log.warn(APIError.is(error) ? { why: error.message, uid } : { error, uid }, "the garbage collector tries again");
      },
    });
  }

  async run(): Promise<void> {
    await Promise.all(
      [...this.#unknown].map((resource) => {
        const complaint = `the garbage collector follows ${formatGroupResource(resource)} anew`;
        return runAlways(() => this.#follow(resource), complaint, this.#options, this.#signal);
      }),
    );
    await this.#queue.idle();
  }

  async #follow(resource: Resource): Promise<void> {
    const { watch } = this.#verbsOf(resource);
    /** Until the present objects are all told: those that are known and were not told of are gone. */
    let untold: Set<string> | undefined = new Set([...this.#graph.all()].filter((known) => known.resource === resource).map(({ uid }) => uid));
    const options = { ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: true };
    for await (const { events, isInitialEnd } of await watch(options, this.#context())) {
      for (const [index, { type, view }] of events.entries()) {
        if (index % TURN === TURN - 1) await this.#options.clock.sleep(0, this.#signal);
        const uid = view.object.metadata.uid ?? "";
        untold?.delete(uid);
        if (type === "DELETED") this.#gone(uid);
        else this.#seen(resource, view);
      }
      if (!isInitialEnd || untold === undefined) continue;
      for (const uid of untold) this.#gone(uid);
      untold = undefined;
      this.#known(resource);
    }
  }

  #known(resource: Resource): void {
    const wasComplete = this.#unknown.size === 0;
    this.#unknown.delete(resource);
    if (wasComplete || this.#unknown.size > 0) return;
    for (const { uid, owners, isDeletingDependents, isOrphaning } of this.#graph.all()) {
      if (owners.length > 0 || isDeletingDependents || isOrphaning) this.#queue.add(uid);
    }
  }

  #enqueue(uid: string): void {
    if (this.#unknown.size === 0) this.#queue.add(uid);
  }

  #seen(resource: Resource, view: ObjectView): void {
    const object = ownedObject(resource, view.namespace, view.name, view.object.metadata);
    const previous = this.#graph.put(object);
    for (const uid of releasedOwners(previous?.owners ?? [], object.owners)) this.#enqueue(uid);
    const isWaiting = object.isDeletingDependents || object.isOrphaning;
    const wasWaiting = previous?.isDeletingDependents === true || previous?.isOrphaning === true;
    const former = new Set(previous?.owners.map(({ uid }) => uid));
    const hasOtherOwners = object.owners.some(({ uid }) => !former.has(uid));
    if (hasOtherOwners || (isWaiting && !wasWaiting)) this.#enqueue(object.uid);
    if (object.isDeletingDependents && !wasWaiting) for (const { uid } of this.#graph.dependentsOf(object.uid)) this.#enqueue(uid);
  }

  #gone(uid: string): void {
    const object = this.#graph.delete(uid);
    for (const dependent of this.#graph.dependentsOf(uid)) this.#enqueue(dependent.uid);
    // Perhaps they waited for this one.
    for (const owner of object?.owners ?? []) this.#enqueue(owner.uid);
  }

  async #process(uid: string): Promise<void> {
    const object = this.#graph.get(uid);
    if (object === undefined) return;
    if (object.isOrphaning) await this.#orphanDependents(object);
    else if (object.isDeletingDependents) await this.#finishForeground(object);
    // What is being deleted only waits for others.
    else if (!object.isBeingDeleted) await this.#deleteUnlessOwned(object);
  }

  async #orphanDependents(owner: OwnedObject): Promise<void> {
    await Promise.all(
      this.#graph.dependentsOf(owner.uid).map((dependent) => this.#setOwners(dependent, (owners) => withoutOwners(owners, new Set([owner.uid])))),
    );
    await this.#removeFinalizer(owner, ORPHAN_FINALIZER);
  }

  async #finishForeground(owner: OwnedObject): Promise<void> {
    const blocking = this.#graph.blockingDependentsOf(owner.uid);
    if (blocking.length === 0) return this.#removeFinalizer(owner, FOREGROUND_FINALIZER);
    for (const dependent of blocking) if (!dependent.isDeletingDependents) this.#queue.add(dependent.uid);
  }

  /** Deletes what nobody owns any longer; of what somebody still owns, takes the owners away that are gone. */
  async #deleteUnlessOwned(object: OwnedObject): Promise<void> {
    const view = await this.#find(object.resource, object.namespace, object.name);
    if (view?.object.metadata.uid !== object.uid) return this.#gone(object.uid);
    const owners = view.object.metadata.ownerReferences ?? [];
    if (owners.length === 0) return;
    const states = await Promise.all(owners.map((owner) => this.#stateOf(owner, object)));
    if (states.includes("solid")) {
      const lost = new Set(owners.filter((_, index) => states[index] !== "solid").map(({ uid }) => uid));
      if (lost.size > 0) await this.#setOwners(object, (present) => withoutOwners(present, lost));
      return;
    }
    const dependents = this.#graph.dependentsOf(object.uid);
    if (states.includes("deletingDependents") && dependents.length > 0) {
      // Perhaps a circle, in which each would wait for the next.
      if (dependents.some(({ isDeletingDependents }) => isDeletingDependents) && owners.some(({ blockOwnerDeletion }) => blockOwnerDeletion)) {
        await this.#setOwners(object, unblocked);
        return this.#deleteUnlessOwned(object);
      }
      return this.#delete(object, view, "Foreground");
    }
    await this.#delete(object, view, policyOf(view.object.metadata.finalizers ?? []));
  }

  /** `solid` is also what cannot be looked up. */
  async #stateOf({ apiVersion, kind, name, uid }: OwnerReference, dependent: OwnedObject): Promise<"solid" | "gone" | "deletingDependents"> {
    const resource = this.#options.resources.find((one) => one.kind === kind && one.versions.some((version) => version.apiVersion === apiVersion));
    if (resource === undefined || this.#options.verbsOf(resource.group, resource.resource).get === undefined) return "solid";
    // An owner in a namespace cannot own what is in none.
    if (resource.isNamespaced && dependent.namespace === "") return "solid";
    const owner = await this.#find(resource, resource.isNamespaced ? dependent.namespace : "", name);
    if (owner?.object.metadata.uid !== uid) return "gone";
    return ownedObject(resource, owner.namespace, owner.name, owner.object.metadata).isDeletingDependents ? "deletingDependents" : "solid";
  }

  #find({ group, resource }: Resource, namespace: string, name: string): Promise<ObjectView | undefined> {
    return findView(this.#options.verbsOf(group, resource), { namespace, name }, this.#context());
  }

  /** Unless it has changed since it was looked at: then perhaps somebody owns it again. */
  async #delete(
    { resource, namespace, name, uid }: OwnedObject,
    { resourceVersion }: ObjectView,
    propagationPolicy: PropagationPolicy,
  ): Promise<void> {
    const options = { isDryRun: false, preconditions: { uid, resourceVersion }, propagationPolicy, gracePeriodSeconds: undefined };
    await unlessNotFound(this.#verbsOf(resource).delete({ namespace, name }, options, this.#context()));
  }

  #removeFinalizer(object: OwnedObject, finalizer: string): Promise<void> {
    return this.#update(object, ({ finalizers = [], ...metadata }) => {
      const left = finalizers.filter((one) => one !== finalizer);
      return left.length === 0 ? metadata : { ...metadata, finalizers: left };
    });
  }

  #setOwners(object: OwnedObject, change: (owners: readonly OwnerReference[]) => readonly OwnerReference[]): Promise<void> {
    return this.#update(object, ({ ownerReferences = [], ...metadata }) => {
      const owners = change(ownerReferences);
      return owners.length === 0 ? metadata : { ...metadata, ownerReferences: owners };
    });
  }

  async #update(
    { resource, namespace, name, uid }: OwnedObject,
    change: (metadata: ObjectView["object"]["metadata"]) => ObjectView["object"]["metadata"],
  ): Promise<void> {
    const { update } = this.#verbsOf(resource);
    if (update === undefined) throw new Error(`${resource.resource} cannot be updated`);
    const input = {
      version: resource.storageVersion.name,
      target: { namespace, name },
      isDryRun: false,
      isPatch: true,
      fieldManager: { manager: "annex", subresource: "" },
      transform: (live: ObjectView["object"] | undefined) => {
        // Another one of the same name is none of ours.
        if (live?.metadata.uid !== uid) throw new APIError("NotFound", `${resource.resource} ${JSON.stringify(name)} is not the one that was meant`);
        return { ...live, metadata: change(live.metadata) };
      },
    };
    await unlessNotFound(update(input, this.#context()));
  }

  #verbsOf({ group, resource }: Resource): CollectableVerbs {
    // `as`: of others nothing gets into the graph.
    return this.#options.verbsOf(group, resource) as CollectableVerbs;
  }

  #context() {
    return this.#options.context(this.#signal);
  }
}

function isCollectable(verbs: ResourceVerbs): boolean {
  return verbs.get !== undefined && verbs.list !== undefined && verbs.watch !== undefined && verbs.delete !== undefined;
}

/** The owners that an object kept from going, and now does not. */
function releasedOwners(before: readonly OwnerReference[], after: readonly OwnerReference[]): string[] {
  const blocked = new Set(after.filter(({ blockOwnerDeletion }) => blockOwnerDeletion === true).map(({ uid }) => uid));
  return before.filter(({ uid, blockOwnerDeletion }) => blockOwnerDeletion === true && !blocked.has(uid)).map(({ uid }) => uid);
}

function withoutOwners(owners: readonly OwnerReference[], lost: ReadonlySet<string>): readonly OwnerReference[] {
  return owners.filter(({ uid }) => !lost.has(uid));
}

function unblocked(owners: readonly OwnerReference[]): readonly OwnerReference[] {
  return owners.map((owner) => ({ ...owner, blockOwnerDeletion: false }));
}

/** What an object's own finalizers already ask for. */
function policyOf(finalizers: readonly string[]): PropagationPolicy {
  if (finalizers.includes(ORPHAN_FINALIZER)) return "Orphan";
  return finalizers.includes(FOREGROUND_FINALIZER) ? "Foreground" : "Background";
}

async function unlessNotFound(write: Promise<unknown>): Promise<void> {
  try {
    await write;
  } catch (error) {
    if (!APIError.is(error, "NotFound")) throw error;
  }
}
