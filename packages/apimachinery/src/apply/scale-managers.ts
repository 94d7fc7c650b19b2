import type { ManagedFieldsEntry } from "../meta/index.ts";
import { type FieldPath, fieldElement } from "./field-path.ts";
import { FieldSet } from "./field-set.ts";
import { decodeManagedFields, encodeManagedFields, type Manager, type Managers, managerIdentifier, NO_MANAGERS } from "./managed-fields.ts";

/** Where each version of a kind (as `group/version`) has the number that its scale is about; undefined for a version without a scale. */
export type ReplicasPaths = ReadonlyMap<string, FieldPath | undefined>;

const SCALE_VERSION = "autoscaling/v1";
const REPLICAS_OF_SCALE: FieldPath = [fieldElement("spec"), fieldElement("replicas")];
const SCALE_FIELDS = fieldSetWith(REPLICAS_OF_SCALE);

/**
 * The `managedFields` of an object's scale: who owns the number of replicas, in the words of `autoscaling/v1`.
 *
 * Source: managedfields ScaleHandler, ToSubresource.
 */
export function scaleManagedFields(ofParent: readonly ManagedFieldsEntry[], paths: ReplicasPaths): readonly ManagedFieldsEntry[] {
  const managers = new Map<string, Manager>();
  for (const manager of decoded(ofParent).values()) {
    const path = paths.get(manager.apiVersion);
    if (path === undefined || !manager.set.has(path)) continue;
    const ofScale = { ...manager, apiVersion: SCALE_VERSION, set: SCALE_FIELDS, entry: undefined };
    managers.set(managerIdentifier(manager), ofScale);
  }
  return encodeManagedFields(managers);
}

/**
 * The `managedFields` of an object whose scale was written: what its managers own beside the number of replicas stays theirs, and the number belongs to those
 * whom `ofScale` names.
 *
 * As in Kubernetes, the entry of a manager who updates the number has no time, and stands beside the one for the manager's other fields even where both
 * are of one manager and no subresource; only who applied the number keeps one entry for all. Entries of versions that are not in `paths` are dropped.
 *
 * @param apiVersion the version of the parent's path, in which new entries are written; it must have a path.
 * @throws {TypeError} if it has none.
 * Source: managedfields ScaleHandler, ToParent.
 */
export function parentManagedFields(
  ofParent: readonly ManagedFieldsEntry[],
  ofScale: readonly ManagedFieldsEntry[],
  apiVersion: string,
  paths: ReplicasPaths,
): readonly ManagedFieldsEntry[] {
  const own = paths.get(apiVersion);
  if (own === undefined) throw new TypeError(`${apiVersion} has no scale`);
  const parents = decoded(ofParent);
  const writers = new Map(decoded(ofScale));
  const managers = new Map<string, Manager>();
  for (const [id, manager] of parents) {
    if (!paths.has(manager.apiVersion)) continue;
    const path = paths.get(manager.apiVersion);
    // An updater's identifier holds the version, which of a scale is another: only who applied is found again here.
    if (path === undefined || !manager.set.has(path) || writers.delete(id)) {
      managers.set(id, manager);
      continue;
    }
    const set = manager.set.difference(fieldSetWith(path));
    if (!set.isEmpty) managers.set(id, { ...manager, set, entry: undefined });
  }
  for (const [id, writer] of writers) {
    if (!writer.set.has(REPLICAS_OF_SCALE)) continue;
    managers.set(id, { ...writer, apiVersion, time: parents.get(id)?.time, set: fieldSetWith(own), entry: undefined });
  }
  return encodeManagedFields(managers);
}

function decoded(entries: readonly ManagedFieldsEntry[]): Managers {
  return decodeManagedFields(entries, true) ?? NO_MANAGERS;
}

function fieldSetWith(path: FieldPath): FieldSet {
  return FieldSet.of(path);
}
