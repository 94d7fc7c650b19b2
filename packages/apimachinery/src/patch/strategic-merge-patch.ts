import { badRequest, isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import { checkPatchDepth, getOwn, isJSONArray, type MutableObject, setOwn } from "./json-value.ts";
import { pruneNulls } from "./merge-patch.ts";
import { OBJECT_META_PATCH_SCHEMA } from "./object-meta-patch.ts";
import { deleteScalars, mergeLists, orderLists } from "./strategic-lists.ts";

const DIRECTIVE = "$patch";
const RETAIN_KEYS = "$retainKeys";
const DELETE_PREFIX = "$deleteFromPrimitiveList";
const ORDER_PREFIX = "$setElementOrder";

/**
 * Applies a strategic merge patch: objects merge, null removes, and lists merge where the schema says so.
 *
 * A field's `x-kubernetes-patch-strategy` is `merge` (a list of scalars is united, one of objects merged by `x-kubernetes-patch-merge-key`),
 * `replace` (also of an object), `retainKeys`, or two of them with a comma; without one, lists are replaced and objects merged. `metadata` at
 * the top follows {@link OBJECT_META_PATCH_SCHEMA}, whatever the schema says. Directives: `$patch` (`replace`, `delete`) in objects and
 * elements of merged lists, `$retainKeys` in objects, `$deleteFromPrimitiveList/<field>` and `$setElementOrder/<field>` beside lists.
 *
 * @param target never changed; what the patch leaves alone is shared with the result.
 * @param patch an object; null is the patch that changes nothing.
 * @param schema of the whole object; unknown fields are treated as without a strategy.
 * @throws {APIError} `BadRequest` for a patch that does not make sense (Go answers some of these with a 500 that shows its own types),
 *   `Invalid` (422) for a merged list of lists.
 *
 * Source: k8s.io/apimachinery strategicpatch.StrategicMergeMapPatch; interpretStrategicMergePatchError of apiserver's patch handler.
 */
export function applyStrategicMergePatch(target: JSONObject, patch: JSONValue, schema: Schema): JSONObject {
  if (patch === null) return target;
  if (!isJSONObject(patch)) throw badRequest("error decoding patch: a strategic merge patch must be an object");
  checkPatchDepth(patch);
  return mergeObjects(target, patch, { ...schema, properties: { ...schema.properties, metadata: OBJECT_META_PATCH_SCHEMA } });
}

function mergeObjects(original: JSONObject, patch: JSONObject, schema: Schema | undefined): JSONObject {
  const directive = getOwn(patch, DIRECTIVE);
  if (directive !== undefined) return applyDirective(directive, patch);
  const result: MutableObject = { ...original };
  applyRetainKeys(result, patch);
  const ordered = applyElementOrders(result, patch, schema);
  const deletions: string[] = [];
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined || key === RETAIN_KEYS || key.startsWith(ORDER_PREFIX) || ordered.has(key)) continue;
    if (key.startsWith(DELETE_PREFIX)) deletions.push(key);
    else mergeField(result, key, value, schema);
  }
  for (const key of deletions) deleteFromList(result, fieldOf(key, DELETE_PREFIX, "primitive list"), patch[key] ?? null);
  return result;
}

function applyDirective(directive: JSONValue, patch: JSONObject): JSONObject {
  if (directive === "delete") return {};
  if (directive !== "replace") throw badRequest(`unknown patch type: ${describe(directive)}`);
  const result: MutableObject = {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (key !== DIRECTIVE && value !== undefined && value !== null) setOwn(result, key, pruneNulls(value));
  }
  return result;
}

/** What the list does not name goes; what the patch sets must be named. */
function applyRetainKeys(result: MutableObject, patch: JSONObject): void {
  const directive = getOwn(patch, RETAIN_KEYS);
  if (directive === undefined) return;
  if (!isJSONArray(directive)) throw badRequest("invalid patch format of retainKeys");
  const retained = new Set(directive);
  for (const key of Object.keys(patch)) {
    if (key === RETAIN_KEYS || key.startsWith(DELETE_PREFIX) || key.startsWith(ORDER_PREFIX)) continue;
    if (patch[key] !== null && !retained.has(key)) throw badRequest("invalid patch format of retainKeys");
  }
  for (const key of Object.keys(result)) if (!retained.has(key)) delete result[key];
}

/** Merges and orders the lists that have a `$setElementOrder`. @returns the fields that are done with. */
function applyElementOrders(result: MutableObject, patch: JSONObject, schema: Schema | undefined): ReadonlySet<string> {
  const done = new Set<string>();
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(ORDER_PREFIX)) continue;
    const order = patch[key];
    const field = fieldOf(key, ORDER_PREFIX, "setElementOrder list");
    const current = getOwn(result, field);
    const change = getOwn(patch, field);
    const isListOrAbsent = (value: JSONValue | undefined) => value === undefined || isJSONArray(value);
    if (!isJSONArray(order) || !isListOrAbsent(current) || !isListOrAbsent(change)) {
      throw badRequest("invalid patch format of setElementOrder list");
    }
    const { strategy, mergeKey, schema: fieldSchema } = lookup(schema, field);
    const list = {
      original: isJSONArray(current) ? current : undefined,
      patch: isJSONArray(change) ? change : undefined,
      isMerged: strategy === "merge",
      mergeKey,
      mergeElements: (left: JSONObject, right: JSONObject) => mergeObjects(left, right, fieldSchema?.items),
      withoutDirectives,
    };
    const ordered = orderLists(list, order);
    if (ordered === undefined) continue;
    setOwn(result, field, ordered);
    done.add(field);
  }
  return done;
}

function mergeField(result: MutableObject, key: string, value: JSONValue, schema: Schema | undefined): void {
  if (value === null) {
    delete result[key];
    return;
  }
  const current = getOwn(result, key);
  const { strategy, mergeKey, schema: fieldSchema } = lookup(schema, key);
  if (isJSONObject(current) && isJSONObject(value)) {
    setOwn(result, key, strategy === "replace" ? pruneNulls(value) : mergeObjects(current, value, fieldSchema));
  } else if (isJSONArray(current) && isJSONArray(value)) {
    const mergeElements = (left: JSONObject, right: JSONObject) => mergeObjects(left, right, fieldSchema?.items);
    setOwn(result, key, strategy === "merge" ? mergeLists(current, value, mergeKey, mergeElements).merged : pruneNulls(value));
  } else {
    const kept = withoutDirectives(pruneNulls(value));
    if (kept === undefined) delete result[key];
    else setOwn(result, key, kept);
  }
}

function deleteFromList(result: MutableObject, field: string, scalars: JSONValue): void {
  // As Kubernetes does: the null that removes a field removes it under this name too.
  if (scalars === null) {
    delete result[field];
    return;
  }
  const current = getOwn(result, field);
  if (!isJSONArray(current)) return;
  if (!isJSONArray(scalars)) throw badRequest("invalid patch format of primitive list");
  setOwn(result, field, deleteScalars(current, scalars));
}

/** What is left of a new value: an object that bears `$patch` speaks of something that is not there. */
function withoutDirectives(value: JSONValue): JSONValue | undefined {
  if (isJSONArray(value)) return value.map(withoutDirectives).filter((element) => element !== undefined);
  if (!isJSONObject(value)) return value;
  if (getOwn(value, DIRECTIVE) !== undefined) return undefined;
  const result: MutableObject = {};
  for (const key of Object.keys(value)) {
    const member = value[key];
    const kept = member === undefined ? undefined : withoutDirectives(member);
    if (kept !== undefined) setOwn(result, key, kept);
  }
  return result;
}

function fieldOf(key: string, prefix: string, what: string): string {
  const slash = key.indexOf("/");
  if (slash === -1 || key.slice(0, slash) !== prefix) throw badRequest(`invalid patch format of ${what}`);
  return key.slice(slash + 1);
}

interface PatchMetadata {
  readonly strategy: string;
  readonly mergeKey: string;
  readonly schema: Schema | undefined;
}

function lookup(schema: Schema | undefined, field: string): PatchMetadata {
  const properties = schema?.properties;
  const additional = schema?.additionalProperties;
  const declared = properties !== undefined && Object.hasOwn(properties, field) ? properties[field] : undefined;
  const found = declared ?? (typeof additional === "object" ? additional : undefined);
  // `retainKeys` tells kubectl to send the directive; here the directive speaks for itself.
  const strategies = (found?.["x-kubernetes-patch-strategy"] ?? "").split(",").filter((strategy) => strategy !== "retainKeys");
  return { strategy: strategies[0] ?? "", mergeKey: found?.["x-kubernetes-patch-merge-key"] ?? "", schema: found };
}

/** A value for an error sentence: short. */
function describe(value: JSONValue): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64));
  return isJSONArray(value) ? "a list" : typeof value === "object" ? "an object" : String(value);
}
