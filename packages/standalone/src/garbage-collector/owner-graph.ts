import type { ObjectMeta, OwnerReference } from "@annex/apimachinery";
import type { Resource } from "@annex/apiserver";

/** The finalizers that a deletion sets for the garbage collector. Source: meta/v1 FinalizerOrphanDependents, FinalizerDeleteDependents. */
export const ORPHAN_FINALIZER = "orphan";
export const FOREGROUND_FINALIZER = "foregroundDeletion";

/** What is remembered of an object that has owners, or that waits for its dependents. */
export interface OwnedObject {
  readonly uid: string;
  readonly resource: Resource;
  readonly namespace: string;
  readonly name: string;
  readonly owners: readonly OwnerReference[];
  readonly isBeingDeleted: boolean;
  /** In deletion, and held until its dependents are gone. */
  readonly isDeletingDependents: boolean;
  /** In deletion, and held until its dependents no longer name it. */
  readonly isOrphaning: boolean;
}

export function ownedObject(resource: Resource, namespace: string, name: string, metadata: ObjectMeta): OwnedObject {
  const isBeingDeleted = metadata.deletionTimestamp !== undefined;
  const holds = (finalizer: string) => isBeingDeleted && metadata.finalizers?.includes(finalizer) === true;
  return {
    uid: metadata.uid ?? "",
    resource,
    namespace,
    name,
    owners: metadata.ownerReferences ?? [],
    isBeingDeleted,
    isDeletingDependents: holds(FOREGROUND_FINALIZER),
    isOrphaning: holds(ORPHAN_FINALIZER),
  };
}

/** Who owns whom, by uid. It holds no object that nobody owns and that waits for nobody. */
export class OwnerGraph {
  readonly #objects = new Map<string, OwnedObject>();
  /** By the uid of the owner, which need not exist. Never an empty set. */
  readonly #dependents = new Map<string, Set<string>>();

  get(uid: string): OwnedObject | undefined {
    return this.#objects.get(uid);
  }

  all(): IterableIterator<OwnedObject> {
    return this.#objects.values();
  }

  /** Takes in an object as it is now. @returns what was known of it before. */
  put(object: OwnedObject): OwnedObject | undefined {
    const previous = this.delete(object.uid);
    if (object.owners.length === 0 && !object.isDeletingDependents && !object.isOrphaning) return previous;
    this.#objects.set(object.uid, object);
    for (const { uid } of object.owners) {
      const dependents = this.#dependents.get(uid);
      if (dependents === undefined) this.#dependents.set(uid, new Set([object.uid]));
      else dependents.add(object.uid);
    }
    return previous;
  }

  /** Forgets an object; those that it owned go on naming it. @returns what was known of it. */
  delete(uid: string): OwnedObject | undefined {
    const object = this.#objects.get(uid);
    if (object === undefined) return undefined;
    this.#objects.delete(uid);
    for (const owner of object.owners) {
      const dependents = this.#dependents.get(owner.uid);
      dependents?.delete(uid);
      if (dependents?.size === 0) this.#dependents.delete(owner.uid);
    }
    return object;
  }

  dependentsOf(uid: string): OwnedObject[] {
    return [...(this.#dependents.get(uid) ?? [])].flatMap((dependent) => this.#objects.get(dependent) ?? []);
  }

  /** Those without which their owner may not go. */
  blockingDependentsOf(uid: string): OwnedObject[] {
    return this.dependentsOf(uid).filter(({ owners }) => owners.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true));
  }
}
