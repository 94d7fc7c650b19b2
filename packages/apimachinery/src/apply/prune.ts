import { compare } from "./compare.ts";
import { FieldSet } from "./field-set.ts";
import { fieldSetOf } from "./field-set-of.ts";
import { withNamedFields } from "./reconcile.ts";
import { removeItems } from "./remove.ts";
import { STRIPPED_FIELDS } from "./stripped-fields.ts";
import type { StructuralType } from "./structural-type.ts";
import { SchemaMismatchError } from "./typed.ts";
import { holdsEmptyList, unownedFields } from "./unowned.ts";
import type { FieldOwners, OwnedFields, TypedValue, Updater } from "./updater.ts";
import { equalValues } from "./value.ts";

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

/** As {@link Updater.convert}; a value of the version is itself. */
type Convert = Updater["convert"];

function pruned(updater: Updater, merged: TypedValue, before: OwnedFields, owners: FieldOwners): TypedValue {
  const convert: Convert = (value, apiVersion) => (value.apiVersion === apiVersion ? value : updater.convert(value, apiVersion));
  const start = convert(merged, before.apiVersion);
  if (start === undefined) return merged;
  const byVersion = ownedByVersion(owners, before.apiVersion);
  const way: Way = { convert, merged, start, before: before.set, byVersion };
  return sparesOwned(updater, convert, merged, [before.apiVersion, ...byVersion.keys()]) ? prunedSparingly(way) : prunedInTurn(way);
}

/** What is pruned where versions differ. */
interface Way {
  readonly convert: Convert;
  readonly merged: TypedValue;
  /** The merged value in the version in which the applier named something before, and what that was. */
  readonly start: TypedValue;
  readonly before: FieldSet;
  readonly byVersion: ReadonlyMap<string, FieldSet>;
}

/** As Go does it, through all versions, one after the other: what one of them has no field for is lost. */
function prunedInTurn({ convert, merged, start, before, byVersion }: Way): TypedValue {
  const last = withNamedFields(before, start.type);
  const rest: TypedValue = { ...start, value: removeItems(start.value, last, start.type, true) };
  const left = leftInTurn(convert, start, rest, byVersion);
  if (left === undefined) return merged;
  // Of what went by that, only what the applier owned is to go, and the named objects on the way to it.
  const lost = namedFieldsOf(start).difference(left.fields).intersection(last);
  // What was made of a part that had to be filled in is not what was there, and is lost on the way back: where it came from is owned nevertheless.
  const owned = left.wasFilledIn ? byVersion.get(start.apiVersion) : undefined;
  const gone = owned === undefined ? lost : lost.difference(withNamedFields(owned, start.type));
  const result = convert({ ...start, value: removeItems(start.value, gone, start.type, true) }, merged.apiVersion);
  if (result === undefined) return merged;
  return result.isFilledIn === true ? withoutUnowned(merged, result, byVersion.get(merged.apiVersion) ?? FieldSet.empty) : result;
}

/**
 * The merged value without what it loses by what the applier let go of; but nothing goes that anybody owns, in whichever version. All else is as it was merged,
 * whatever another version makes of it.
 */
function prunedSparingly({ convert, merged, start, before, byVersion }: Way): TypedValue {
  const ownedIn = (apiVersion: string, type: StructuralType) => withNamedFields(byVersion.get(apiVersion) ?? FieldSet.empty, type);
  const letGo = withNamedFields(before, start.type)
    .difference(ownedIn(start.apiVersion, start.type))
    .difference(withNamedFields(STRIPPED_FIELDS, start.type));
  const whole = convert(start, merged.apiVersion);
  const rest = convert({ ...start, value: removeItems(start.value, letGo, start.type, true) }, merged.apiVersion);
  if (whole === undefined || rest === undefined) return merged;
  let gone = namedFieldsOf(whole).difference(leftFields(rest, whole)).difference(ownedIn(merged.apiVersion, merged.type));
  const counterparts = [...byVersion].flatMap(([apiVersion, owned]) => counterpartOf(convert, merged, apiVersion, owned) ?? []);
  const left = () => ({ ...merged, value: removeItems(merged.value, gone, merged.type, true) });
  for (const counterpart of counterparts) {
    gone = gone.difference(ownedAlone(counterpart));
    if (losesOwned(counterpart, left())) gone = withoutTied(gone, tiedToOwned(counterpart), merged.type);
  }
  // What steers what somebody owns is no part of that: then all stays.
  return gone.isEmpty || counterparts.some((counterpart) => losesOwned(counterpart, left())) ? merged : left();
}

/** The merged value in another version, in which somebody owns something. */
interface Counterpart {
  readonly there: TypedValue;
  /** What comes back of it. */
  readonly whole: TypedValue;
  readonly owned: FieldSet;
  /** What of it holds nothing else. What does goes with the last that it holds, and is seen of what is owned alone. */
  readonly leaves: FieldSet;
  /** Undefined where a value cannot be converted. */
  readonly forth: (value: TypedValue) => TypedValue | undefined;
  readonly back: (value: TypedValue) => TypedValue | undefined;
}

function counterpartOf(convert: Convert, merged: TypedValue, apiVersion: string, owned: FieldSet): Counterpart | undefined {
  const there = apiVersion === merged.apiVersion ? undefined : convert(merged, apiVersion);
  const forth = (value: TypedValue) => convertedOrUndefined(() => convert(value, apiVersion));
  const back = (value: TypedValue) => convertedOrUndefined(() => convert(value, merged.apiVersion));
  if (there === undefined) return undefined;
  const leaves = fieldSetOf(there.value, there.type).leaves().intersection(owned).difference(STRIPPED_FIELDS);
  return { there, whole: back(there) ?? merged, owned, leaves, forth, back };
}

/** What comes back of that alone which is owned there, and is as it was. Nothing where that cannot be converted. */
function ownedAlone({ there, whole, owned, back }: Counterpart): FieldSet {
  const others = namedFieldsOf(there).difference(withNamedFields(owned.union(STRIPPED_FIELDS), there.type));
  const alone = back({ ...there, value: removeItems(there.value, others, there.type, true) });
  return alone === undefined ? FieldSet.empty : unchangedFields(alone, whole);
}

/** Whether something that is owned there is not what it was, or cannot be told to be, in what is left of the merged value. */
function losesOwned({ there, leaves, forth }: Counterpart, left: TypedValue): boolean {
  const after = forth(left);
  if (after === undefined) return true;
  const { removed, modified } = compare(there.value, after.value, there.type);
  return !removed.union(modified).intersection(leaves).isEmpty;
}

/** What would come back otherwise if what is owned there were not: it is a part of that, or steered by it. */
function tiedToOwned({ there, whole, leaves, back }: Counterpart): FieldSet {
  const without = back({ ...there, value: removeItems(there.value, leaves, there.type, true) });
  if (without === undefined) return FieldSet.empty;
  const { removed, modified } = compare(whole.value, without.value, whole.type);
  return removed.union(modified);
}

/** What goes without what is tied, and what that is in. An element of a list, or an entry of a map, stays whole: with some of its fields it may be none. */
function withoutTied(gone: FieldSet, tied: FieldSet, type: StructuralType): FieldSet {
  const nodes = gone.nodes.flatMap((node) => {
    const { element, isMember, children } = node;
    const other = tied.node(element);
    if (other === undefined) return [node];
    const field = element.kind === "field" ? type.map?.fields.get(element.name) : undefined;
    const below = field?.type ?? (element.kind === "field" ? type.map?.element : type.list?.element);
    if (other.isMember || below === undefined || (isMember && field === undefined)) return [];
    const rest = withoutTied(children, other.children, below);
    return rest.isEmpty ? [] : [{ element, isMember: false, children: rest }];
  });
  return FieldSet.fromNodes(nodes);
}

/** @returns undefined also where the result has not the form of its type. */
function convertedOrUndefined(convert: () => TypedValue | undefined): TypedValue | undefined {
  try {
    return convert();
  } catch (error) {
    if (error instanceof SchemaMismatchError) return undefined;
    throw error;
  }
}

function sparesOwned(updater: Updater, convert: Convert, merged: TypedValue, apiVersions: readonly string[]): boolean {
  if (updater.sparesOwned !== "whereVersionsLose") return updater.sparesOwned === "always";
  return apiVersions.some((apiVersion) => {
    const there = convert(merged, apiVersion);
    const back = there && convert(there, merged.apiVersion);
    return back !== undefined && !equalValues(back.value, merged.value);
  });
}

/** What is left of a value, as fields of it, and whether it was filled in on the way. */
interface Left {
  readonly fields: FieldSet;
  readonly wasFilledIn: boolean;
}

/**
 * What is left of a value without a part of it, but with what somebody owns in any version.
 *
 * @param rest the value without the part.
 * @returns undefined where the version of the value is gone.
 */
function leftInTurn(convert: Convert, start: TypedValue, rest: TypedValue, byVersion: ReadonlyMap<string, FieldSet>): Left | undefined {
  let [whole, part] = [start, rest];
  let wasFilledIn = false;
  for (const [apiVersion, owned] of byVersion) {
    const wholeHere = convert(whole, apiVersion);
    const partHere = wholeHere && convert(part, apiVersion);
    if (wholeHere === undefined || partHere === undefined) continue;
    wasFilledIn ||= partHere.isFilledIn === true;
    [whole, part] = [wholeHere, withoutUnowned(wholeHere, partHere, owned)];
  }
  const back = convert(part, start.apiVersion);
  return back && { fields: leftFields(back, start), wasFilledIn: wasFilledIn || back.isFilledIn === true };
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
  return left.isFilledIn === true ? unchangedFields(left, whole) : namedFieldsOf(left);
}

/** The fields of what is left of a whole that are as they are there. */
function unchangedFields(left: TypedValue, whole: TypedValue): FieldSet {
  const { modified, added } = compare(whole.value, left.value, left.type);
  return namedFieldsOf({ ...left, value: removeItems(left.value, modified.union(added), left.type, true) });
}

function namedFieldsOf({ value, type }: TypedValue): FieldSet {
  return withNamedFields(fieldSetOf(value, type), type);
}
