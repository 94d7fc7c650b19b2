import { isJSONObject, type JSONObject, type JSONValue, setOwn } from "../meta/index.ts";
import { compareCodePoints } from "./go-format.ts";
import { propertyMap } from "./property-map.ts";
import type { Schema } from "./schema.ts";

/** How many unknown fields are named at most, as sigs.k8s.io/json names at most so many; and how many characters their paths may take together. */
const MAX_UNKNOWN = 100;
const MAX_CHARACTERS = 1 << 16;

export interface Pruned {
  /** The same reference when nothing was unknown. */
  readonly value: JSONValue;
  /** Paths of the fields that were dropped: `spec.foo`, `spec.list[0].x`. Sorted, those of metadata first, unless asked for as they stand. The first hundred found; a path is left out where all together pass 64 Ki characters. */
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
 * does name, its own schema decides again), those that `additionalProperties` has a say about, and `apiVersion`, `kind` and `metadata` of embedded resources.
 *
 * @param value is not changed; in the result what nothing was dropped from is the same reference.
 * Source: apiextensions-apiserver pkg/apiserver/schema/pruning, PruneWithOptions. KEP-2885 for the wording of paths.
 */
export function pruneUnknown(value: JSONValue, schema: Schema, { isResourceRoot = false, keepsOrder = false }: PruneOptions = {}): Pruned {
  const report: Report = { unknown: [], characters: 0 };
  const root: Schema = isResourceRoot ? { ...schema, "x-kubernetes-embedded-resource": true } : schema;
  const pruned = prune(value, root, "", report);
  return { value: pruned, unknown: keepsOrder ? report.unknown : report.unknown.sort(comparePaths) };
}

/** Of a custom resource metadata is read first, and so are its unknown fields told. Source: apiextensions-apiserver pkg/apiserver, unstructuredSchemaCoercer. */
function comparePaths(left: string, right: string): number {
  return Number(isOfMetadata(right)) - Number(isOfMetadata(left)) || compareCodePoints(left, right);
}

const isOfMetadata = (path: string): boolean => path.startsWith("metadata.");

interface Report {
  readonly unknown: string[];
  characters: number;
}

function recordUnknown(parent: string, name: string, report: Report): void {
  if (report.unknown.length >= MAX_UNKNOWN) return;
  const path = parent === "" ? name : `${parent}.${name}`;
  if (report.characters + path.length > MAX_CHARACTERS) return;
  report.unknown.push(path);
  report.characters += path.length;
}

/** @param schema undefined where nothing is known: every field goes. */
function prune(value: JSONValue, schema: Schema | undefined, path: string, report: Report): JSONValue {
  if (Array.isArray(value)) {
    const keeps = schema?.["x-kubernetes-preserve-unknown-fields"] === true;
    return keeps && schema?.items === undefined ? value : pruneList(value, schema?.items, keeps, path, report);
  }
  return isJSONObject(value) ? pruneObject(value, schema ?? NOTHING_KNOWN, path, report) : value;
}

/** @param keeps whether the list itself preserves unknown fields: its elements then do, too. */
function pruneList(list: readonly JSONValue[], items: Schema | undefined, keeps: boolean, path: string, report: Report): JSONValue {
  const elements: Schema | undefined = keeps ? { ...items, "x-kubernetes-preserve-unknown-fields": true } : items;
  let result: JSONValue[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const element = list[index] ?? null;
    const pruned = prune(element, elements, `${path}[${index}]`, report);
    if (pruned === element) continue;
    result ??= [...list];
    result[index] = pruned;
  }
  return result ?? list;
}

const NOTHING_KNOWN: Schema = {};

const isTypeOrMetadata = (name: string): boolean => name === "apiVersion" || name === "kind" || name === "metadata";

function pruneObject(object: JSONObject, schema: Schema, path: string, report: Report): JSONObject {
  const isResource = schema["x-kubernetes-embedded-resource"] === true;
  const { byName } = propertyMap(schema);
  // Most objects keep all their fields: a copy begins with the first that changes.
  let copy: Record<string, JSONValue> | undefined;
  for (const name in object) {
    const field = object[name];
    if (field === undefined) continue;
    const pruned = isResource && isTypeOrMetadata(name) ? field : pruneField(field, name, byName.get(name), schema, path, report);
    if (copy === undefined && pruned !== field) copy = fieldsBefore(object, name);
    if (copy !== undefined && pruned !== undefined) setOwn(copy, name, pruned);
  }
  return copy ?? object;
}

/** @returns undefined for a field that goes. */
function pruneField(
  field: JSONValue,
  name: string,
  property: Schema | undefined,
  schema: Schema,
  path: string,
  report: Report,
): JSONValue | undefined {
  const { additionalProperties } = schema;
  // A boolean keeps any name, but says nothing about what is inside: what `false` forbids is left for validation to refuse.
  if (property !== undefined || additionalProperties !== undefined) {
    const child = property ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
    return typeof field === "object" ? prune(field, child, path === "" ? name : `${path}.${name}`, report) : field;
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] === true) return field;
  recordUnknown(path, name, report);
  return undefined;
}

/** A copy of the fields before one. */
function fieldsBefore(object: JSONObject, end: string): Record<string, JSONValue> {
  const copy: Record<string, JSONValue> = {};
  for (const name in object) {
    if (name === end) break;
    const field = object[name];
    if (field !== undefined) setOwn(copy, name, field);
  }
  return copy;
}
