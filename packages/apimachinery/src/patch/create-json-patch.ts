import { isJSONObject, type JSONObject, type JSONValue, jsonEquals } from "../meta/index.ts";
import type { JSONPatchOperation } from "./json-patch.ts";
import { getOwn } from "./json-value.ts";

/**
 * The JSON patch that makes one value of another: {@link applyJSONPatch} of it gives the second. Objects are compared key by key; a list that differs is replaced whole.
 * A property that is `undefined` counts as absent.
 *
 * @returns no operation where they are the same.
 */
export function createJSONPatch(from: JSONValue, to: JSONValue): readonly JSONPatchOperation[] {
  return [...changes(from, to, "")];
}

function* changes(from: JSONValue, to: JSONValue, path: string): Iterable<JSONPatchOperation> {
  if (isJSONObject(from) && isJSONObject(to)) yield* changesOfObject(from, to, path);
  else if (!jsonEquals(from, to)) yield { op: "replace", path, value: to };
}

function* changesOfObject(from: JSONObject, to: JSONObject, path: string): Iterable<JSONPatchOperation> {
  for (const key of new Set([...Object.keys(from), ...Object.keys(to)])) {
    const [left, right] = [getOwn(from, key), getOwn(to, key)];
    const place = `${path}/${escapeToken(key)}`;
    if (left !== undefined && right !== undefined) yield* changes(left, right, place);
    else if (left !== undefined) yield { op: "remove", path: place };
    else if (right !== undefined) yield { op: "add", path: place, value: right };
  }
}

/** Source: RFC 6901, section 3. */
const escapeToken = (key: string): string => key.replaceAll("~", "~0").replaceAll("/", "~1");
