import { isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import { compareCodePoints } from "./go-format.ts";
import type { Schema } from "./schema.ts";

/** How many unknown fields are named at most, as sigs.k8s.io/json names at most so many; and how many characters their paths may take together. */
const MAX_UNKNOWN = 100;
const MAX_CHARACTERS = 1 << 16;

export interface Pruned {
  /** The same reference when nothing was unknown. */
  readonly value: JSONValue;
  /** Paths of the fields that were dropped: `spec.foo`, `spec.list[0].x`. Sorted, unless asked for as they stand. The first hundred found; a path is left out where all together pass 64 Ki characters. */
  readonly unknown: readonly string[];
}

export interface PruneOptions {
  /** The value is a whole API object: its `apiVersion`, `kind` and `metadata` are kept as they are, whatever the schema says. Default false. */
  readonly isResourceRoot?: boolean;
  /** Whether the paths are told in the order of the value, as Go's decoder of compiled-in kinds tells them. Default false: sorted, as for custom resources. */
  readonly keepsOrder?: boolean;
}

/**
 * Drops the fields that the schema does not know. Kept are fields below `x-kubernetes-preserve-unknown-fields` (though within a field that the schema
 * does name, its own schema decides again), those that `additionalProperties` admits, and `apiVersion`, `kind` and `metadata` of embedded resources.
 *
 * @param value is not changed; in the result what nothing was dropped from is the same reference.
 * Source: apiextensions-apiserver pkg/apiserver/schema/pruning, PruneWithOptions. KEP-2885 for the wording of paths.
 */
export function pruneUnknown(value: JSONValue, schema: Schema, { isResourceRoot = false, keepsOrder = false }: PruneOptions = {}): Pruned {
  const report: Report = { unknown: [], characters: 0 };
  const root: Schema = isResourceRoot ? { ...schema, "x-kubernetes-embedded-resource": true } : schema;
  const pruned = prune(value, root, "", report);
  return { value: pruned, unknown: keepsOrder ? report.unknown : report.unknown.sort(compareCodePoints) };
}

interface Report {
  readonly unknown: string[];
  characters: number;
}

function record(path: string, report: Report): void {
  if (report.unknown.length >= MAX_UNKNOWN || report.characters + path.length > MAX_CHARACTERS) return;
  report.unknown.push(path);
  report.characters += path.length;
}

/** @param schema undefined where nothing is known: every field goes. */
function prune(value: JSONValue, schema: Schema | undefined, path: string, report: Report): JSONValue {
  if (Array.isArray(value)) {
    const keeps = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
    return keeps && schema?.items === undefined ? value : pruneList(value, schema?.items, keeps, path, report);
  }
  return isJSONObject(value) ? pruneObject(value, schema, path, report) : value;
}

/** @param keeps whether the list itself preserves unknown fields: its elements then do, too. */
function pruneList(list: readonly JSONValue[], items: Schema | undefined, keeps: boolean, path: string, report: Report): JSONValue {
  const elements: Schema | undefined = keeps ? { ...items, "x-kubernetes-preserve-unknown-fields": true } : items;
  let result: JSONValue[] | undefined;
  for (const [index, element] of list.entries()) {
    const pruned = prune(element, elements, `${path}[${index}]`, report);
    if (pruned === element) continue;
    result ??= [...list];
    result[index] = pruned;
  }
  return result ?? list;
}

const isTypeOrMetadata = (name: string): boolean => name === "apiVersion" || name === "kind" || name === "metadata";

function pruneObject(object: JSONObject, schema: Schema | undefined, path: string, report: Report): JSONObject {
  const { properties = {}, additionalProperties } = schema ?? {};
  const keeps = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
  const isResource = schema?.["x-kubernetes-embedded-resource"] === true;
  let changes: Changes | undefined;
  for (const name in object) {
    const field = object[name];
    if (field === undefined || (isResource && isTypeOrMetadata(name))) continue;
    const isProperty = Object.hasOwn(properties, name);
    // `additionalProperties: true` admits any name, but says nothing about what is inside. `false` is the same as none.
    if (isProperty || (additionalProperties ?? false) !== false) {
      const child = isProperty ? properties[name] : typeof additionalProperties === "object" ? additionalProperties : undefined;
      const pruned = prune(field, child, path === "" ? name : `${path}.${name}`, report);
      if (pruned !== field) changes = withChange(changes, name, pruned);
    } else if (!keeps) {
      record(path === "" ? name : `${path}.${name}`, report);
      changes = withChange(changes, name, undefined);
    }
  }
  if (changes === undefined) return object;
  const entries = Object.entries(object).map(([name, field]) => [name, changes.has(name) ? changes.get(name) : field] as const);
  return Object.fromEntries(entries.filter(([, field]) => field !== undefined));
}

/** By name, the new value of a field, or undefined for one that goes. */
type Changes = Map<string, JSONValue | undefined>;

/** Most objects have none: the map is made for the first. */
const withChange = (changes: Changes | undefined, name: string, value: JSONValue | undefined): Changes => (changes ?? new Map()).set(name, value);
