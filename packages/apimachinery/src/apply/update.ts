import { isJSONObject, type JSONValue, jsonEquals, type KubernetesObject, type ManagedFieldsEntry } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { type Comparison, compare, excludeFields } from "./compare.ts";
import { FieldSet } from "./field-set.ts";
import { capUpdateManagers, decodeManagedFields, encodeManagedFields, type Manager, type Managers, managerIdentifier } from "./managed-fields.ts";
import { objectType } from "./structural-type.ts";
import { checkForm, SchemaMismatchError } from "./typed.ts";

/** An object in another version, and that version's schema. */
export interface VersionedObject {
  readonly object: KubernetesObject;
  readonly schema: Schema;
}

export interface ManagedFieldsUpdate {
  /**
   * The object as it is stored, in the version of the request. For a create undefined, or an empty object of the kind without a uid: what it holds already
   * (as `spec: {}`) nobody owns.
   */
  readonly live: KubernetesObject | undefined;
  /** The object as the client wants it, in the version of the request, decoded and defaulted, before admission. */
  readonly next: KubernetesObject;
  /** The schema of the request's version. */
  readonly schema: Schema;
  /** The name of the field manager: the query parameter, or `managerFromUserAgent`. Empty is `unknown`. */
  readonly manager: string;
  /** The version of the request, as `group/version`. */
  readonly apiVersion: string;
  /** Empty for the main resource. A write to a subresource cannot set managedFields. */
  readonly subresource: string;
  /** RFC 3339, whole seconds, UTC. */
  readonly now: string;
  /**
   * Converts an object to the version of another manager's entry. Undefined for a version that is not served any more: its entries are dropped.
   * Default: no other version exists.
   */
  readonly toVersion?: ((object: KubernetesObject, apiVersion: string) => VersionedObject | undefined) | undefined;
  /** What this request cannot change, in every version: `status` on the main resource, `metadata` and `spec` on the status. Default: nothing. */
  readonly resetFields?: FieldSet | undefined;
}

/** Fields that belong to the server, or name the object: nobody manages them. Source: managedfields stripMetaManager. */
const STRIPPED_FIELDS = FieldSet.of(
  ["apiVersion"],
  ["kind"],
  ["metadata"],
  ...["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion"].map((name) => [
    "metadata",
    name,
  ]),
);

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
    return keepIfSame(encodeManagedFields(capUpdateManagers(changeManagers(base, update))), update.live?.metadata.managedFields);
  } catch (error) {
    if (error instanceof SchemaMismatchError) return [];
    throw error;
  }
}

const NO_MANAGERS: Managers = new Map();

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

function keepIfSame(entries: readonly ManagedFieldsEntry[], stored: readonly ManagedFieldsEntry[] | undefined): readonly ManagedFieldsEntry[] {
  return stored?.length === entries.length && stored.every((entry, index) => entry === entries[index]) ? stored : entries;
}

function changeManagers(base: Managers, update: ManagedFieldsUpdate): Managers {
  const { apiVersion, subresource, now } = update;
  const comparisons = new Comparisons(update);
  const { added, modified } = comparisons.own;
  const managers = new Map<string, Manager>();
  for (const [id, manager] of base) {
    const comparison = comparisons.inVersion(manager.apiVersion);
    if (comparison === undefined) continue;
    const set = manager.set.difference(comparison.modified).difference(comparison.added).difference(comparison.removed);
    if (!set.isEmpty) managers.set(id, set === manager.set ? manager : { ...manager, set, entry: undefined });
  }
  const changed = modified.union(added).difference(STRIPPED_FIELDS);
  if (changed.isEmpty) return managers;
  const info = { manager: update.manager === "" ? "unknown" : update.manager, operation: "Update", apiVersion, subresource } as const;
  const id = managerIdentifier(info);
  const set = changed.union(managers.get(id)?.set ?? FieldSet.empty);
  return managers.set(id, { ...info, time: now, set, entry: undefined });
}

/** What the write changed, told in each version that a manager owns fields in. */
class Comparisons {
  readonly own: Comparison;
  private readonly others = new Map<string, Comparison | undefined>();
  private readonly update: ManagedFieldsUpdate;
  private readonly live: KubernetesObject;
  private readonly next: KubernetesObject;

  constructor(update: ManagedFieldsUpdate) {
    this.update = update;
    const { apiVersion, kind } = update.next;
    this.live = withoutManagedFields(update.live ?? { apiVersion, kind, metadata: {} });
    this.next = withoutManagedFields(update.next);
    // Live objects may hold duplicates that an old schema let in; converting them to another version may not.
    this.own = this.compare(this.live, this.next, update.schema, true);
  }

  /** @returns undefined for a version that is not served. */
  inVersion(apiVersion: string): Comparison | undefined {
    if (apiVersion === this.update.apiVersion) return this.own;
    if (!this.others.has(apiVersion)) this.others.set(apiVersion, this.converted(apiVersion));
    return this.others.get(apiVersion);
  }

  private converted(apiVersion: string): Comparison | undefined {
    const live = this.update.toVersion?.(this.live, apiVersion);
    const next = live === undefined ? undefined : this.update.toVersion?.(this.next, apiVersion);
    if (live === undefined || next === undefined) return undefined;
    return this.compare(withoutManagedFields(live.object), withoutManagedFields(next.object), next.schema, false);
  }

  private compare(live: KubernetesObject, next: KubernetesObject, schema: Schema, allowsDuplicates: boolean): Comparison {
    const type = objectType(schema);
    // `as`: an object is decoded JSON; its interface leaves the values open.
    const left = live as unknown as JSONValue;
    const right = next as unknown as JSONValue;
    checkForm(right, type, { allowsDuplicates });
    checkForm(left, type, { allowsDuplicates });
    const comparison = compare(left, right, type);
    return this.update.resetFields === undefined ? comparison : excludeFields(comparison, this.update.resetFields);
  }
}

function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  if (object.metadata.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
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
