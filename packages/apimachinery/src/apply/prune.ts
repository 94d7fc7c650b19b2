import { compare } from "./compare.ts";
import { FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { withNamedFields } from "./reconcile.ts";
import { removeItems } from "./remove.ts";
import { SchemaMismatchError } from "./typed.ts";
import { holdsEmptyList, unownedFields } from "./unowned.ts";
import type { FieldOwners, OwnedFields, TypedValue, Updater } from "./updater.ts";

/**
 * Takes away what an applier named the time before and does not name now, unless somebody else owns it. Where what is left cannot be converted to a version in
 * which somebody owns something, all stays: who owns what of it cannot be told.
 *
 * @param merged the present value with the new configuration merged into it.
 * @param before what the applier owned until now.
 * @param owners who owns what, the applier its new configuration.
 * @returns in the version of `merged`; `merged` itself where nothing goes.
 * Source: structured-merge-diff merge.Updater, prune.
 */
export function prune(updater: Updater, merged: TypedValue, before: OwnedFields | undefined, owners: FieldOwners, self: string): TypedValue {
  if (before === undefined || before.set.isEmpty) return merged;
  if (isOfOneVersion(merged, before, owners)) return prunedInPlace(merged, before, owners, self);
  try {
    return pruned(updater, merged, before, owners);
  } catch (error) {
    if (error instanceof SchemaMismatchError) return merged;
    throw error;
  }
}

function pruned(updater: Updater, merged: TypedValue, before: OwnedFields, owners: FieldOwners): TypedValue {
  const convert = (value: TypedValue, apiVersion: string) => (value.apiVersion === apiVersion ? value : updater.convert(value, apiVersion));
  const start = convert(merged, before.apiVersion);
  if (start === undefined) return merged;
  const last = withNamedFields(before.set, start.type);
  const rest: TypedValue = { ...start, value: removeItems(start.value, last, start.type, true) };
  const byVersion = ownedByVersion(owners, before.apiVersion);
  const left = leftInVersions(updater, start, rest, byVersion);
  if (left === undefined) return merged;
  // Of what went by that, only what the applier owned is to go, and the named objects on the way to it.
  const lost = namedFieldsOf(start).difference(left.fields).intersection(last);
  // What was made of a part that had to be filled in is not what was there, and is lost on the way back: where it came from is owned nevertheless.
  const owned = left.wasFilledIn ? byVersion.get(before.apiVersion) : undefined;
  const gone = owned === undefined ? lost : lost.difference(withNamedFields(owned, start.type));
  if (gone.isEmpty && updater.sparesOwned === true) return merged;
  const result = convert({ ...start, value: removeItems(start.value, gone, start.type, true) }, merged.apiVersion);
  if (result === undefined) return merged;
  const ownedHere = byVersion.get(merged.apiVersion) ?? FieldSet.empty;
  if (result.isFilledIn === true) return withoutUnowned(merged, result, ownedHere);
  if (updater.sparesOwned !== true) return result;
  const mergedBack = convert(start, merged.apiVersion);
  if (mergedBack === undefined) return merged;
  if (fieldsLost(merged, mergedBack).isEmpty) return result;
  // What the applier's version before has no field for is still there.
  const goneHere = fieldsLost(mergedBack, result).difference(withNamedFields(ownedHere, merged.type));
  return { ...merged, value: removeItems(merged.value, goneHere, merged.type, true) };
}

/** What is left of a value, as fields of it, and whether it was filled in on the way. */
interface Left {
  readonly fields: FieldSet;
  readonly wasFilledIn: boolean;
}

/**
 * What is left of a value without a part of it, and with what somebody owns in each version.
 *
 * Go sends what is left through all versions, one after the other: what one of them has no field for is lost. Where the updater spares it, each is looked at alone.
 *
 * @param rest the value without the part.
 * @returns undefined where the version of the value is gone.
 */
function leftInVersions(
  { convert, sparesOwned = false }: Updater,
  start: TypedValue,
  rest: TypedValue,
  byVersion: Map<string, FieldSet>,
): Left | undefined {
  let [whole, part] = [start, rest];
  let fields = sparesOwned ? leftFields(rest, start) : FieldSet.empty;
  let wasFilledIn = false;
  for (const [apiVersion, owned] of byVersion) {
    const wholeHere = convert(whole, apiVersion);
    const partHere = wholeHere && convert(part, apiVersion);
    if (wholeHere === undefined || partHere === undefined) continue;
    wasFilledIn ||= partHere.isFilledIn === true;
    const left = withoutUnowned(wholeHere, partHere, owned);
    if (!sparesOwned) {
      [whole, part] = [wholeHere, left];
      continue;
    }
    const back = convert(left, start.apiVersion);
    if (back === undefined) continue;
    wasFilledIn ||= back.isFilledIn === true;
    fields = fields.union(leftFields(back, start));
  }
  if (sparesOwned) return { fields, wasFilledIn };
  const back = convert(part, start.apiVersion);
  return back && { fields: leftFields(back, start), wasFilledIn: wasFilledIn || back.isFilledIn === true };
}

/** The fields of a value that another one of its version lacks. */
function fieldsLost(before: TypedValue, after: TypedValue): FieldSet {
  return before.value === after.value ? FieldSet.empty : namedFieldsOf(before).difference(namedFieldsOf(after));
}

function isOfOneVersion({ apiVersion }: TypedValue, before: OwnedFields, owners: FieldOwners): boolean {
  if (before.apiVersion !== apiVersion) return false;
  for (const owned of owners.values()) if (owned.apiVersion !== apiVersion) return false;
  return true;
}

/**
 * The same as {@link pruned} where nothing has to be converted: what the applier lets go of, and what of it nobody owns, sets alone tell. Where a list is empty, what is
 * left is looked at as a value: an object that holds only empty lists is in no set, and goes with its last field.
 */
function prunedInPlace(merged: TypedValue, before: OwnedFields, owners: FieldOwners, self: string): TypedValue {
  const { value, type } = merged;
  // Mostly an applier names again what it named before: what its configuration sets has no gaps, so that nothing goes.
  const letGo = before.set.difference(owners.get(self)?.set ?? FieldSet.empty);
  if (letGo.isEmpty) return merged;
  let owned = FieldSet.empty;
  for (const { set } of owners.values()) owned = owned.union(set);
  const gone = holdsEmptyList(value, type) ? lostWith(merged, before.set, owned) : unownedFields(value, type, { letGo, before: before.set, owned });
  return gone.isEmpty ? merged : { ...merged, value: removeItems(value, gone, type, true) };
}

/** What an applier named before that goes when all goes that nobody owns. */
function lostWith(merged: TypedValue, before: FieldSet, owned: FieldSet): FieldSet {
  const { value, type } = merged;
  const last = withNamedFields(before, type);
  const whole = namedFieldsOf(merged);
  const letGo = whole.difference(whole.recursiveDifference(last));
  const unowned = letGo.difference(withNamedFields(owned, type));
  const left = { ...merged, value: removeItems(value, unowned, type, true) };
  return whole.difference(namedFieldsOf(left)).intersection(last);
}

/** All that is owned in each version. The one of what is pruned comes first: what is owned in it may be needed to convert to another. */
function ownedByVersion(owners: FieldOwners, first: string): Map<string, FieldSet> {
  const byVersion = new Map<string, FieldSet>();
  const isOwnedInFirst = [...owners.values()].some(({ apiVersion }) => apiVersion === first);
  if (isOwnedInFirst) byVersion.set(first, FieldSet.empty);
  for (const { apiVersion, set } of owners.values()) byVersion.set(apiVersion, (byVersion.get(apiVersion) ?? FieldSet.empty).union(set));
  return byVersion;
}

/** The whole value without what was pruned and nobody owns. */
function withoutUnowned(whole: TypedValue, pruned: TypedValue, owned: FieldSet): TypedValue {
  const kept = leftFields(pruned, whole).union(withNamedFields(owned, whole.type));
  return { ...whole, value: removeItems(whole.value, namedFieldsOf(whole).difference(kept), whole.type, true) };
}

/** The fields of what is left of a whole. Where that had to be filled in, what is otherwise than in the whole came of it. */
function leftFields(left: TypedValue, whole: TypedValue): FieldSet {
  if (left.isFilledIn !== true) return namedFieldsOf(left);
  const { modified, added } = compare(whole.value, left.value, left.type);
  return namedFieldsOf({ ...left, value: removeItems(left.value, modified.union(added), left.type, true) });
}

function namedFieldsOf({ value, type }: TypedValue): FieldSet {
  return withNamedFields(fieldSetOf(value, type), type);
}
