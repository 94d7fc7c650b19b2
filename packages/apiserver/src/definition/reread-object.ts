import { internalError, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import { decodeMetadata } from "./decode-metadata.ts";
import { defaultAndPrune } from "./default-and-prune.ts";
import type { ResourceVersion } from "./resource.ts";
import { WrongTypeError } from "./typed-kind.ts";

/**
 * Reads the metadata of an object that admission changed as that of an object that a client sends is read: of the right types, and without what is empty.
 * managedFields that cannot be read are left: nothing hangs on them, and they are told in a warning later.
 *
 * @throws {APIError} `InternalError` for a field of another type: what is wrong is not what the client sent.
 */
export function rereadMetadata(object: KubernetesObject): KubernetesObject {
  // An object of admission is JSON all through.
  const { managedFields, ...metadata } = object.metadata as unknown as JSONObject;
  const isReset = managedFields === undefined || (Array.isArray(managedFields) && managedFields.length === 0);
  const read = { ...decoded(() => decodeMetadata(metadata)), ...(isReset ? {} : { managedFields }) };
  return { ...object, metadata: read as unknown as KubernetesObject["metadata"] };
}

/** The same of the whole object: pruned and defaulted, too. @throws {APIError} as {@link rereadMetadata}. */
export function rereadObject(object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  const { metadata, ...rest } = rereadMetadata(object);
  return decoded(() => defaultAndPrune({ ...rest, metadata } as unknown as JSONObject, version).object) as unknown as KubernetesObject;
}

function decoded<T>(decode: () => T): T {
  try {
    return decode();
  } catch (error) {
    throw error instanceof WrongTypeError ? internalError(error.message, error) : error;
  }
}
