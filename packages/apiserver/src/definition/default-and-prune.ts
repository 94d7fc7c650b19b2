import { applyDefaults, type JSONObject, pruneUnknown } from "@annex/apimachinery";
import { decodeEmbedded, decodeEmbeddedLeniently } from "./decode-embedded.ts";
import type { ResourceVersion } from "./resource.ts";
import { asTyped, withoutNulls } from "./typed-kind.ts";

/**
 * Fills in the defaults of a version, and says which fields it does not know. Metadata's own unknown fields are among them.
 *
 * @param isMerged whether an apply made it: what such an object has that cannot be (nulls, type and metadata of objects within it) is left for validation. Default false.
 * @throws {WrongTypeError} for a value that a compiled-in kind cannot hold, and for type and metadata of objects within the object; of everything else
 *   validation tells.
 */
export function defaultAndPrune(
  object: JSONObject,
  version: ResourceVersion,
  isMerged = false,
): { readonly object: JSONObject; readonly unknown: readonly string[] } {
  const { schema, isTyped, normalize, numbers } = version;
  const sent = isTyped ? withoutNulls(object, schema) : object;
  const pruned = pruneUnknown(normalize?.(sent) ?? sent, schema, { keepsOrder: isTyped });
  // An object stays one, whatever is pruned or defaulted in it. Objects within it are read last, as in Go: a null for their metadata may be gone by then.
  const known = { ...pruned, value: applyDefaults(pruned.value, schema, isMerged) };
  const { value, unknown } = version.hasEmbeddedResources ? (isMerged ? decodeEmbeddedLeniently : decodeEmbedded)(known, schema) : known;
  const whole = isTyped ? asTyped(value as JSONObject, schema) : (value as JSONObject);
  return { object: numbers?.plain(whole) ?? whole, unknown };
}
