import { isJSONObject, jsonEquals, type KubernetesObject, type ManagedFieldsEntry } from "../meta/index.ts";
import { type FieldManagement, managersAfterUpdate, withoutManagedFields } from "./field-management.ts";
import { decodeManagedFields, encodeManagedFields, type Managers, NO_MANAGERS } from "./managed-fields.ts";
import { SchemaMismatchError } from "./typed.ts";

export interface ManagedFieldsUpdate extends FieldManagement {
  /**
   * The object as it is stored, in the version of the request. For a create undefined, or an empty object of the kind without a uid: what it holds already
   * (as `spec: {}`) nobody owns.
   */
  readonly live: KubernetesObject | undefined;
  /** The object as the client wants it, in the version of the request, decoded and defaulted, before admission. */
  readonly next: KubernetesObject;
}

/**
 * The `metadata.managedFields` that an object is to be stored with after a create, an update or a patch other than apply.
 *
 * The manager comes to own what it added or changed; whoever owned what was changed or removed loses it, and who owns nothing any more is dropped. The time of
 * the manager's entry is `now` if it changed anything. A write that changes nothing gives back live's own list.
 *
 * What the client sent counts: no list leaves live's as the base, `[]` or `[{}]` clears it, another valid one replaces it, an invalid one is ignored. An object
 * whose list was cleared is not tracked again by updates: the next apply starts anew.
 *
 * @returns an empty list where the field is to be absent: nobody owns anything, or an object does not have the form of its schema, which Kubernetes then stores
 *   without managedFields.
 * @throws {TypeError} for a schema that is not structural (see `structuralType`).
 * Source: k8s.io/apimachinery/pkg/util/managedfields, FieldManager.UpdateNoErrors.
 */
export function updateManagedFields(update: ManagedFieldsUpdate): readonly ManagedFieldsEntry[] {
  const base = baseOf(update);
  if (base.size === 0 && (update.live?.metadata.uid ?? "") !== "") return [];
  try {
    const { apiVersion, kind } = update.next;
    const managers = managersAfterUpdate(update, update.live ?? { apiVersion, kind, metadata: {} }, update.next, base);
    return keepIfSame(encodeManagedFields(managers), update.live?.metadata.managedFields);
  } catch (error) {
    if (error instanceof SchemaMismatchError) return [];
    throw error;
  }
}

function baseOf({ live, next, subresource }: ManagedFieldsUpdate): Managers {
  const sent = next.metadata.managedFields;
  const stored = live?.metadata.managedFields;
  if (subresource === "" && Array.isArray(sent) && sent !== stored) {
    if (sent.length === 0 || (sent.length === 1 && isZeroEntry(sent[0]))) return NO_MANAGERS;
    // A client mostly sends back what it read: then nothing needs to be read again.
    const managers = stored !== undefined && jsonEquals(sent, stored) ? undefined : decodeManagedFields(sent, false);
    if (managers !== undefined && managers.size > 0) return managers;
  }
  return (stored === undefined ? undefined : decodeManagedFields(stored, true)) ?? NO_MANAGERS;
}

function isZeroEntry(entry: unknown): boolean {
  return isJSONObject(entry) && Object.values(entry).every((value) => value === undefined || value === null || value === "");
}

/** Live's own list where nothing of it changed. */
export function keepIfSame(entries: readonly ManagedFieldsEntry[], stored: readonly ManagedFieldsEntry[] | undefined): readonly ManagedFieldsEntry[] {
  return stored?.length === entries.length && stored.every((entry, index) => entry === entries[index]) ? stored : entries;
}

/**
 * Takes back the times of managedFields where nothing else changed, so that a write that does nothing stays one.
 *
 * @param live the stored object, and `next` the one to be stored: both in one version, `next` with the resourceVersion of `live`.
 * @returns `next`, with live's managedFields if the two differ at most in their times.
 * Source: apiserver fieldmanager IgnoreManagedFieldsTimestampsTransformer.
 */
export function keepManagedFieldsTimes(live: KubernetesObject, next: KubernetesObject): KubernetesObject {
  const before = live.metadata.managedFields;
  const after = next.metadata.managedFields;
  if (before === after || before === undefined || after === undefined || before.length !== after.length) return next;
  if (!before.every((entry, index) => equalsButTime(entry, after[index]))) return next;
  if (!jsonEquals(withoutManagedFields(live), withoutManagedFields(next))) return next;
  return { ...next, metadata: { ...next.metadata, managedFields: before } };
}

function equalsButTime(left: ManagedFieldsEntry, right: ManagedFieldsEntry | undefined): boolean {
  return right !== undefined && jsonEquals({ ...left, time: undefined }, { ...right, time: undefined });
}
