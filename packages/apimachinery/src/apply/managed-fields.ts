import { isJSONObject, type ManagedFieldsEntry, parseRFC3339 } from "../meta/index.ts";
import { MalformedFieldsError } from "./field-path.ts";
import { FieldSet } from "./field-set.ts";
import { compareStrings, formatValue } from "./value.ts";

/** What one manager owns, decoded from one entry of `metadata.managedFields`. */
export interface Manager {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  /** The version that the set is written in. */
  readonly apiVersion: string;
  /** Empty for the main resource. */
  readonly subresource: string;
  /** RFC 3339, whole seconds, UTC. */
  readonly time: string | undefined;
  readonly set: FieldSet;
  /** The entry that this was read from, while it still says the same. */
  readonly entry: ManagedFieldsEntry | undefined;
}

/** The managers of an object, by {@link managerIdentifier}. */
export type Managers = ReadonlyMap<string, Manager>;

export const NO_MANAGERS: Managers = new Map();

/**
 * What tells managers apart: name, operation, subresource and, for updates, version. Its order decides between entries of the same second.
 *
 * Source: managedfields BuildManagerIdentifier.
 */
export function managerIdentifier({ manager, operation, apiVersion, subresource }: Omit<Manager, "time" | "set" | "entry">): string {
  const parts = [`"operation":"${operation}"`];
  if (manager !== "") parts.unshift(`"manager":${formatValue(manager)}`);
  if (operation === "Update") parts.push(`"apiVersion":${formatValue(apiVersion)}`);
  if (subresource !== "") parts.push(`"subresource":${formatValue(subresource)}`);
  return `{${parts.join(",")}}`;
}

/**
 * Reads `metadata.managedFields`. Of two entries of one manager the later one counts.
 *
 * @param entries as decoded from JSON. What the client sent may have any form.
 * @param isCanonical whether this server wrote them: their form is then kept where their content stays.
 * @returns undefined if any entry is invalid: no operation of `Apply` or `Update`, no apiVersion, a fieldsType other than `FieldsV1`, fields or a time that cannot
 *   be read.
 * Source: managedfields DecodeManagedFields.
 */
export function decodeManagedFields(entries: readonly unknown[], isCanonical: boolean): Managers | undefined {
  const managers = new Map<string, Manager>();
  for (const entry of entries) {
    const manager = decodeEntry(entry, isCanonical);
    if (manager === undefined) return undefined;
    managers.set(managerIdentifier(manager), manager);
  }
  return managers;
}

function decodeEntry(entry: unknown, isCanonical: boolean): Manager | undefined {
  if (!isJSONObject(entry)) return undefined;
  const { operation, apiVersion, fieldsType, fieldsV1 = null } = entry;
  const manager = entry.manager ?? "";
  const subresource = entry.subresource ?? "";
  if (operation !== "Apply" && operation !== "Update") return undefined;
  if (typeof apiVersion !== "string" || apiVersion === "" || fieldsType !== "FieldsV1") return undefined;
  if (typeof manager !== "string" || typeof subresource !== "string" || (fieldsV1 !== null && !isJSONObject(fieldsV1))) return undefined;
  const set = fieldsV1 === null ? FieldSet.empty : decodeFields(fieldsV1);
  const time = decodeTime(entry.time);
  if (set === undefined || time === null) return undefined;
  // `as`: the checks above are what the type says.
  return { manager, operation, apiVersion, subresource, time, set, entry: isCanonical ? (entry as ManagedFieldsEntry) : undefined };
}

function decodeFields(fieldsV1: Parameters<typeof FieldSet.fromFieldsV1>[0]): FieldSet | undefined {
  try {
    return FieldSet.fromFieldsV1(fieldsV1);
  } catch (error) {
    if (error instanceof MalformedFieldsError) return undefined;
    throw error;
  }
}

const CANONICAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** @returns null for what is no time. */
function decodeTime(time: unknown): string | undefined | null {
  if (time === undefined || time === null) return undefined;
  if (typeof time !== "string") return null;
  if (CANONICAL_TIME.test(time)) return time;
  const read = parseRFC3339(time);
  return "fault" in read ? null : `${new Date(read.milliseconds).toISOString().slice(0, 19)}Z`;
}

/**
 * Writes `metadata.managedFields`: applied entries before updated ones, older ones first, then by name, version and subresource.
 *
 * Source: managedfields encodeManagedFields.
 */
export function encodeManagedFields(managers: Managers): readonly ManagedFieldsEntry[] {
  return [...managers.values()].sort(compareManagers).map(encodeEntry);
}

function encodeEntry({ manager, operation, apiVersion, subresource, time, set, entry }: Manager): ManagedFieldsEntry {
  return (
    entry ?? {
      ...(manager === "" ? {} : { manager }),
      operation,
      apiVersion,
      ...(time === undefined ? {} : { time }),
      fieldsType: "FieldsV1",
      fieldsV1: set.toFieldsV1(),
      ...(subresource === "" ? {} : { subresource }),
    }
  );
}

function compareManagers(left: Manager, right: Manager): number {
  return (
    compareStrings(left.operation, right.operation) ||
    compareTimes(left, right) ||
    compareStrings(left.manager, right.manager) ||
    compareStrings(left.apiVersion, right.apiVersion) ||
    compareStrings(left.subresource, right.subresource)
  );
}

/** Times of one form sort as texts; an entry without one counts as of 1970. */
function compareTimes(left: Manager, right: Manager): number {
  return compareStrings(left.time ?? UNIX_EPOCH, right.time ?? UNIX_EPOCH);
}

const UNIX_EPOCH = "1970-01-01T00:00:00Z";

/** More update managers than this are joined, the oldest first. Source: managedfields DefaultMaxUpdateManagers. */
export const MAX_UPDATE_MANAGERS = 10;

const OLD_UPDATES_MANAGER = "ancient-changes";

/**
 * Bounds the number of update managers: the oldest of each version are joined under the name `ancient-changes`, with the latest of their times, until at most
 * {@link MAX_UPDATE_MANAGERS} are left. The first of a version stays as it is until there is a second to join it with, so many versions may leave more.
 *
 * Source: managedfields capManagersManager.
 */
export function capUpdateManagers(managers: Managers): Managers {
  const updaters = [...managers].filter(([, { operation }]) => operation === "Update");
  let count = updaters.length;
  if (count <= MAX_UPDATE_MANAGERS) return managers;
  updaters.sort(([leftId, left], [rightId, right]) => compareTimes(left, right) || compareStrings(leftId, rightId));
  const capped = new Map(managers);
  const firstOfVersion = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (count <= MAX_UPDATE_MANAGERS) break;
    const first = firstOfVersion.get(manager.apiVersion);
    if (first === undefined) {
      firstOfVersion.set(manager.apiVersion, id);
      continue;
    }
    joinIntoBucket(capped, first, id, manager);
    count--;
  }
  return capped;
}

/** Joins a manager, and the first of its version if there is no bucket yet, into the version's bucket: one manager fewer. */
function joinIntoBucket(managers: Map<string, Manager>, first: string, id: string, manager: Manager): void {
  const info = { manager: OLD_UPDATES_MANAGER, operation: "Update", apiVersion: manager.apiVersion, subresource: "" } as const;
  const bucket = managerIdentifier(info);
  // Where the bucket itself comes second, of the same second as the first, Go joins it with itself and then drops it, and its fields with it.
  const joined = id === bucket || !managers.has(bucket) ? first : bucket;
  const set = manager.set.union(managers.get(joined)?.set ?? FieldSet.empty);
  managers.delete(joined);
  managers.delete(id);
  managers.set(bucket, { ...info, time: manager.time, set, entry: undefined });
}
