import { encodeJSONText, type JSONObject, type KubernetesObject, type ObjectMeta } from "@annex/apimachinery";

const encoder = new TextEncoder();

/** What the JSON of every object of a kind begins with, up to its metadata: lists of built-in kinds leave it out of their items. */
export function typeMetaText(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
}

/** The JSON of an object that is in no cache, in the same form. */
export function encodeObject(object: KubernetesObject): Uint8Array {
  return encoder.encode(`${typeMetaText(object.kind, object.apiVersion)}"metadata":{${bodyText(object, object.metadata)}`);
}

/** From the first key of metadata to the end. The resourceVersion comes first, where `restamp` finds it. */
export function bodyText(object: KubernetesObject, metadata: ObjectMeta): string {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...fields } = object;
  const { resourceVersion, ...others } = metadata;
  const rest = encodeJSONText(fields as JSONObject);
  const stamp = resourceVersion === undefined ? "" : `"resourceVersion":"${resourceVersion}",`;
  return `${stamp}${encodeJSONText(others as JSONObject).slice(1)}${rest === "{}" ? "}" : `,${rest.slice(1)}`}`;
}
