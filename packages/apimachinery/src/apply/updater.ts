import type { JSONValue } from "../meta/index.ts";
import { type Comparison, compare, excludeFields } from "./compare.ts";
import type { FieldPath } from "./field-path.ts";
import { FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { merge } from "./merge.ts";
import { prune } from "./prune.ts";
import { reconcileFieldSet } from "./reconcile.ts";
import type { StructuralType } from "./structural-type.ts";
import { equalValues } from "./value.ts";

/** A value of a form that `checkForm` found no fault with for this type, and the version (`group/version`) that both are of. */
export interface TypedValue {
  readonly value: JSONValue;
  readonly type: StructuralType;
  readonly apiVersion: string;
  /** Whether it was converted of a part of an object that had to be filled in for that: what came out of the filling is not there. Default false. */
  readonly isFilledIn?: boolean;
}

/** The fields that one manager owns, in the version in which they were written. */
export interface OwnedFields {
  readonly apiVersion: string;
  readonly set: FieldSet;
}

/** Who owns what, by whatever tells managers apart. */
export type FieldOwners = ReadonlyMap<string, OwnedFields>;

export interface Updater {
  /**
   * Converts a value to another version. Undefined for a version that there is not any more: fields that are owned in it are forgotten.
   *
   * @throws {SchemaMismatchError} where the result has not the form of its type.
   */
  readonly convert: (value: TypedValue, apiVersion: string) => TypedValue | undefined;
  /**
   * Where everything stays that somebody owns when an applier lets go of something: always, or only where a value is another one when it comes back from a version
   * (which lacks a field, or rounds it). In Go it may go then, though its owner named it just now, where Go does not refuse the apply. Default: nowhere.
   */
  readonly sparesOwned?: "always" | "whereVersionsLose" | undefined;
  /** What this write cannot change, by version: nobody comes to own it or loses it. Default: nothing. */
  readonly ignoredFields?: ReadonlyMap<string, FieldSet> | undefined;
}

/** A field that somebody else owns, and that an applied configuration would change. */
export interface Conflict {
  /** The key of its owner in {@link FieldOwners}. */
  readonly owner: string;
  readonly path: FieldPath;
}

/** An applied configuration would change what others own; nothing was changed. */
export class ConflictError extends Error {
  override readonly name = "ConflictError";
  /** Owner by owner, each one's fields in the order of `FieldSet.paths`; never empty. */
  readonly conflicts: readonly Conflict[];

  constructor(conflicts: readonly Conflict[]) {
    super(`${conflicts.length} fields are owned by others`);
    this.conflicts = conflicts;
  }
}

/**
 * Who owns what after a write that is no apply: the writer what it added or changed, beside what it owned before, and nobody else any of it.
 *
 * @param self the key of the writer; it owns nothing in another version than that of `next`.
 * Source: structured-merge-diff merge.Updater, Update.
 */
export function updateOwners(updater: Updater, live: TypedValue, next: TypedValue, owners: FieldOwners, self: string): Map<string, OwnedFields> {
  const versions = new Versions(updater, live);
  const { changed, comparison } = changeOwners(versions, next, reconcileOwners(versions, owners), self, true);
  const own = changed.get(self)?.set ?? FieldSet.empty;
  const set = versions.withoutIgnored(own.difference(comparison.removed).union(comparison.modified).union(comparison.added), next.apiVersion);
  if (set.isEmpty) changed.delete(self);
  else changed.set(self, { apiVersion: next.apiVersion, set });
  return changed;
}

/**
 * Applies a configuration: merges it into the present value, takes away what the same applier named the time before and does not name now (unless somebody else
 * owns it), and says who owns what afterwards. The applier owns what its configuration sets, and nothing else.
 *
 * @param applied the configuration, without duplicates in its lists, in the version of `live`.
 * @param self the key of the applier.
 * @param force whether to take what others own instead of refusing.
 * @returns the value, `live.value` itself where it does not change.
 * @throws {ConflictError} if not forced.
 * Source: structured-merge-diff merge.Updater, Apply.
 */
export function applyOwners(
  updater: Updater,
  live: TypedValue,
  applied: TypedValue,
  owners: FieldOwners,
  self: string,
  force: boolean,
): { readonly value: JSONValue; readonly owners: Map<string, OwnedFields> } {
  const versions = new Versions(updater, live);
  const { type, apiVersion } = live;
  const present = reconcileOwners(versions, owners);
  const before = present.get(self);
  present.set(self, { apiVersion, set: versions.withoutIgnored(fieldSetOf(applied.value, type), apiVersion) });
  const merged = { value: merge(live.value, applied.value, type), type, apiVersion };
  const next = prune(updater, merged, before, present, self);
  const { changed } = changeOwners(versions, next, present, self, force);
  return { value: equalValues(live.value, next.value) ? live.value : next.value, owners: changed };
}

/** The present value in each version that was asked for. */
class Versions {
  private readonly updater: Updater;
  private readonly live: TypedValue;
  private readonly converted = new Map<string, TypedValue | undefined>();

  constructor(updater: Updater, live: TypedValue) {
    this.updater = updater;
    this.live = live;
  }

  liveIn(apiVersion: string): TypedValue | undefined {
    if (apiVersion === this.live.apiVersion) return this.live;
    if (!this.converted.has(apiVersion)) this.converted.set(apiVersion, this.updater.convert(this.live, apiVersion));
    return this.converted.get(apiVersion);
  }

  /** What a write changed, in a version; undefined where there is no such version. */
  compareIn(next: TypedValue, apiVersion: string): Comparison | undefined {
    const before = this.liveIn(apiVersion);
    const after = before && (apiVersion === next.apiVersion ? next : this.updater.convert(next, apiVersion));
    if (before === undefined || after === undefined) return undefined;
    const comparison = compare(before.value, after.value, after.type);
    const ignored = this.updater.ignoredFields?.get(apiVersion);
    return ignored === undefined ? comparison : excludeFields(comparison, ignored);
  }

  withoutIgnored(set: FieldSet, apiVersion: string): FieldSet {
    const ignored = this.updater.ignoredFields?.get(apiVersion);
    return ignored === undefined ? set : set.recursiveDifference(ignored);
  }
}

/** What became atomic since it was owned is owned as a whole; owners in versions that there are not any more are left out. */
function reconcileOwners(versions: Versions, owners: FieldOwners): Map<string, OwnedFields> {
  const reconciled = new Map<string, OwnedFields>();
  for (const [key, owned] of owners) {
    const live = versions.liveIn(owned.apiVersion);
    if (live !== undefined) reconciled.set(key, withSet(owned, reconcileFieldSet(owned.set, live.type)));
  }
  return reconciled;
}

/**
 * Takes what was added, changed or removed from whoever owns it beside `self`.
 *
 * @returns the owners that own anything then, and what changed in the version of `next`.
 * @throws {ConflictError} if not forced, where something that somebody else owns was added or changed.
 */
function changeOwners(
  versions: Versions,
  next: TypedValue,
  owners: FieldOwners,
  self: string,
  force: boolean,
): { readonly changed: Map<string, OwnedFields>; readonly comparison: Comparison } {
  const changes = new Map<string, { readonly comparison: Comparison; readonly taken: FieldSet } | undefined>();
  const changesIn = (apiVersion: string) => {
    if (!changes.has(apiVersion)) {
      const comparison = versions.compareIn(next, apiVersion);
      changes.set(apiVersion, comparison && { comparison, taken: comparison.modified.union(comparison.added) });
    }
    return changes.get(apiVersion);
  };
  const own = changesIn(next.apiVersion);
  if (own === undefined) throw new Error(`${next.apiVersion} is no version`);
  const changed = new Map<string, OwnedFields>();
  const conflicts: Conflict[] = [];
  for (const [key, owned] of owners) {
    if (key === self) {
      changed.set(key, owned);
      continue;
    }
    const change = changesIn(owned.apiVersion);
    if (change === undefined) continue;
    if (!force) for (const path of owned.set.intersection(change.taken).paths()) conflicts.push({ owner: key, path });
    changed.set(key, withSet(owned, owned.set.difference(change.taken).difference(change.comparison.removed)));
  }
  if (conflicts.length > 0) throw new ConflictError(conflicts);
  for (const [key, { set }] of changed) if (set.isEmpty) changed.delete(key);
  return { changed, comparison: own.comparison };
}

function withSet<T extends OwnedFields>(owned: T, set: FieldSet): OwnedFields {
  return set === owned.set ? owned : { apiVersion: owned.apiVersion, set };
}
