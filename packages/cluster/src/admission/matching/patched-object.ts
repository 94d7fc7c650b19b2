import {
  applyDefaults,
  applyJSONPatch,
  internalError,
  isJSONObject,
  type JSONObject,
  type JSONPatchOperation,
  type KubernetesObject,
  quoteGo,
} from "@annex/apimachinery";
import { type AdmissionAttributes, type ResourceVersion, rereadMetadata, rereadObject } from "@annex/apiserver";

/** Objects of the registry are JSON all through. */
export const asJSON = (object: KubernetesObject | undefined) => (object ?? null) as unknown as JSONObject | null;

/**
 * What a patch that no client sent makes of an object.
 *
 * @throws {APIError} `Invalid` as `applyJSONPatch`, where it cannot be applied; `InternalError` where no object comes of it.
 */
export function patchedObject(object: KubernetesObject, patch: readonly JSONPatchOperation[]): KubernetesObject {
  const result = applyJSONPatch(object as unknown as JSONObject, patch);
  if (!isJSONObject(result)) throw internalError("json: cannot unmarshal array into Go value of type map[string]interface {}");
  if (typeof result.kind !== "string" || result.kind === "") throw internalError("Object 'Kind' is missing in what a patch made of an object");
  const { kind, apiVersion, metadata } = result;
  if (apiVersion !== object.apiVersion)
    throw internalError(`no kind ${quoteGo(kind)} is registered for version ${quoteGo(String(apiVersion ?? ""))}`);
  if (!isJSONObject(metadata ?? null)) throw internalError("what a patch made of an object has no metadata");
  return rereadMetadata(result as unknown as KubernetesObject); // it has what every object has
}

/** The version that the objects of a write have, when they are looked at in a version of the resource: that of the subresource's own kind, where it has one. */
export function objectVersion({ resource, subresource }: AdmissionAttributes, version: string): ResourceVersion | undefined {
  return resource.subresources.get(subresource)?.kind.storageVersion ?? resource.definedVersions.find(({ name }) => name === version);
}

/** The object with the defaults of its schema, as the next one is to see it. Fields that nobody knows are dropped after the last one. */
export function defaulted(object: KubernetesObject, version: ResourceVersion | undefined): KubernetesObject {
  if (version === undefined) return object;
  if (version.isTyped) return rereadObject(object, version);
  return applyDefaults(object as unknown as JSONObject, version.schema) as unknown as KubernetesObject;
}
