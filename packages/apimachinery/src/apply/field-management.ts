import type { JSONValue, KubernetesObject, ManagedFieldsEntry } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { FieldSet } from "./field-set.ts";
import { capUpdateManagers, type Manager, type Managers, managerIdentifier } from "./managed-fields.ts";
import { STRIPPED_FIELDS } from "./stripped-fields.ts";
import { objectType } from "./structural-type.ts";
import { checkForm } from "./typed.ts";
import { type OwnedFields, type TypedValue, type Updater, updateOwners } from "./updater.ts";

/** An object in another version, and that version's schema. */
export interface VersionedObject {
  readonly object: KubernetesObject;
  readonly schema: Schema;
  /** Whether a part of an object was filled in, so that it could be converted: what came of that nobody wrote. Default false. */
  readonly isFilledIn?: boolean;
}

/** Who writes, and under which schema. */
export interface FieldManagement {
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
   *
   * @throws {SchemaMismatchError} where the object is rather to be stored without managedFields.
   */
  readonly toVersion?: ((object: KubernetesObject, apiVersion: string) => VersionedObject | undefined) | undefined;
  /** As {@link Updater.sparesOwned}. */
  readonly sparesOwned?: Updater["sparesOwned"];
  /** What this request cannot change, by the version (`group/version`) in which it is not looked at: `status` on the main resource, `metadata` and `spec` on the status. Default: nothing. */
  readonly resetFields?: ReadonlyMap<string, FieldSet> | undefined;
}

export function withoutManagedFields(object: KubernetesObject): KubernetesObject {
  // What is left of an object whose applier lets go of its labels may have no metadata, for a while.
  if (object.metadata?.managedFields === undefined) return object;
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata };
}

export function withManagedFields(object: KubernetesObject, managedFields: readonly ManagedFieldsEntry[]): KubernetesObject {
  const { metadata } = withoutManagedFields(object);
  return { ...object, metadata: managedFields.length === 0 ? metadata : { ...metadata, managedFields } };
}

/**
 * An object as a value of its kind, without its managedFields.
 *
 * @param allowsDuplicates as in `checkForm`.
 * @throws {SchemaMismatchError} if it has not the form of the schema.
 */
export function typedObject(object: KubernetesObject, schema: Schema, apiVersion: string, allowsDuplicates: boolean): TypedValue {
  // `as`: an object is decoded JSON; its interface leaves the values open.
  const value = withoutManagedFields(object) as unknown as JSONValue;
  const type = objectType(schema);
  checkForm(value, type, { allowsDuplicates });
  return { value, type, apiVersion };
}

/** @param allowsDuplicates whether an object may have duplicates in another version than that of the request. */
export function updaterOf({ toVersion, resetFields, sparesOwned }: FieldManagement, allowsDuplicates: boolean): Updater {
  return {
    convert(value, apiVersion) {
      if (value.apiVersion === apiVersion) return value;
      // `as`: what is converted was made of an object, and what is taken from one leaves it one.
      const converted = toVersion?.(value.value as unknown as KubernetesObject, apiVersion);
      if (converted === undefined) return undefined;
      const typed = typedObject(converted.object, converted.schema, apiVersion, allowsDuplicates);
      return converted.isFilledIn === true ? { ...typed, isFilledIn: true } : typed;
    },
    sparesOwned,
    ignoredFields: resetFields,
  };
}

/** The manager that makes this request. */
export function managerOf(
  { manager, apiVersion, subresource }: FieldManagement,
  operation: Manager["operation"],
): Omit<Manager, "time" | "set" | "entry"> {
  return { manager: manager === "" ? "unknown" : manager, operation, apiVersion, subresource };
}

/** The managers of which something is left, with what they own now. */
export function managersFrom(before: Managers, owners: ReadonlyMap<string, OwnedFields>): Map<string, Manager> {
  const managers = new Map<string, Manager>();
  for (const [id, { set }] of owners) {
    const manager = before.get(id);
    if (manager !== undefined) managers.set(id, set === manager.set ? manager : { ...manager, set, entry: undefined });
  }
  return managers;
}

/** What a manager comes to own of a set: not what belongs to the server. */
export function manageable(set: FieldSet): FieldSet {
  return set.difference(STRIPPED_FIELDS);
}

/** The writer of an update is none of the managers: what it owned before it first loses like everybody else. Source: managedfields managedFieldsUpdater. */
const SELF = "current-operation";

/**
 * Who owns what after an update: see `updateManagedFields`.
 *
 * @throws {SchemaMismatchError} if an object does not have the form of its schema.
 */
export function managersAfterUpdate(management: FieldManagement, live: KubernetesObject, next: KubernetesObject, before: Managers): Managers {
  const { schema, apiVersion, now } = management;
  const after = typedObject(next, schema, apiVersion, true);
  // Live objects may hold duplicates that an old schema let in; converting them to another version may not.
  const owners = updateOwners(updaterOf(management, false), typedObject(live, schema, apiVersion, true), after, before, SELF);
  const managers = managersFrom(before, owners);
  const changed = manageable(owners.get(SELF)?.set ?? FieldSet.empty);
  if (!changed.isEmpty) {
    const info = managerOf(management, "Update");
    const id = managerIdentifier(info);
    managers.set(id, { ...info, time: now, set: changed.union(managers.get(id)?.set ?? FieldSet.empty), entry: undefined });
  }
  return capUpdateManagers(managers);
}
