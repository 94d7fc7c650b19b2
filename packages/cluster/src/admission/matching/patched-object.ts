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
import {
  type AdmissionAttributes,
  definedVersionOf,
  inVersion,
  type Resource,
  type ResourceVersion,
  rereadMetadata,
  rereadObject,
} from "@annex/apiserver";

/** Objects of the registry are JSON all through. */
export const asJSON = (object: KubernetesObject | undefined) => (object ?? null) as unknown as JSONObject | null;

/**
 * What a patch that no client sent makes of an object: of the version that the object has, also where the patch wrote another one of its kind.
 *
 * @throws {APIError} `Invalid` as `applyJSONPatch`, where it cannot be applied; `InternalError` where no object comes of it.
 */
export function patchedObject(object: KubernetesObject, patch: readonly JSONPatchOperation[], resource: Resource): KubernetesObject {
  const result = applyJSONPatch(object as unknown as JSONObject, patch);
  if (!isJSONObject(result)) throw internalError("json: cannot unmarshal array into Go value of type map[string]interface {}");
  if (typeof result.kind !== "string" || result.kind === "") throw internalError("Object 'Kind' is missing in what a patch made of an object");
  const metadata = result.metadata ?? {};
  if (!isJSONObject(metadata)) throw internalError("what a patch made of an object has metadata that is no object");
  const read = rereadMetadata({ ...result, metadata } as unknown as KubernetesObject); // it has what every object has
  if (read.apiVersion === object.apiVersion) return read;
  const [from, to] = [read, object].map((one) => definedVersionOf(resource, one));
  if (from === undefined || to === undefined)
    throw internalError(`no kind ${quoteGo(read.kind)} is registered for version ${quoteGo(String(read.apiVersion ?? ""))}`);
  return inVersion(resource, defaulted(read, from), to);
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
