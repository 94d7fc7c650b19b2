import { badRequest, isJSONObject, type JSONObject, type JSONValue } from "../meta/index.ts";
import { checkPatchDepth, getOwn, isJSONArray, type MutableObject, setOwn } from "./json-value.ts";

/**
 * Applies a JSON merge patch: null removes, objects merge, all else replaces.
 *
 * Where Kubernetes' library departs from the RFC, this does as it does: what comes in new from the patch loses the null members of its objects,
 * also of those inside lists.
 *
 * @param target never changed; what the patch leaves alone is shared with the result.
 * @throws {APIError} `BadRequest` when the patch is not an object, or nests deeper than 1,000.
 *
 * Source: RFC 7386; evanphx/json-patch v4, MergePatch.
 */
export function applyMergePatch(target: JSONValue, patch: JSONValue): JSONObject {
  if (patch === null) throw badRequest("Invalid JSON Patch");
  if (!isJSONObject(patch)) throw badRequest("error decoding patch: a merge patch must be an object");
  checkPatchDepth(patch);
  return isJSONObject(target) ? mergeObjects(target, patch) : pruneObject(patch);
}

function mergeObjects(target: JSONObject, patch: JSONObject): JSONObject {
  const result: MutableObject = { ...target };
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === undefined) continue;
    if (value === null) delete result[key];
    else setOwn(result, key, mergeValues(getOwn(target, key), value));
  }
  return result;
}

function mergeValues(current: JSONValue | undefined, patch: JSONValue): JSONValue {
  if (!isJSONObject(current)) return pruneNulls(patch);
  return isJSONObject(patch) ? mergeObjects(current, patch) : patch;
}

/** Without the null members of objects; null elements of lists stay. */
export function pruneNulls(value: JSONValue): JSONValue {
  if (isJSONArray(value)) return value.map(pruneNulls);
  return isJSONObject(value) ? pruneObject(value) : value;
}

function pruneObject(object: JSONObject): JSONObject {
  const result: MutableObject = {};
  for (const key of Object.keys(object)) {
    const value = object[key];
    if (value !== undefined && value !== null) setOwn(result, key, pruneNulls(value));
  }
  return result;
}
