import { encodeJSONText, inFieldOrder, type JSONObject, type KubernetesObject, type ObjectMeta, sortedKeys } from "@annex/apimachinery";

const encoder = new TextEncoder();

/** What the JSON of every object of a kind begins with, up to its metadata: lists of built-in kinds leave it out of their items. */
export function typeMetaText(kind: string, apiVersion: string): string {
  return `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},`;
}

/** The JSON of an object that is in no cache, in the same form. */
export function encodeObject(object: KubernetesObject, isCustomResource: boolean): Uint8Array {
  return encoder.encode(`${typeMetaText(object.kind, object.apiVersion)}"metadata":{${bodyText(object, object.metadata, isCustomResource)}`);
}

/**
 * From the first key of metadata to the end. The resourceVersion comes first, where `restamp` finds it. The other keys stand as Go writes them: whatever reads from left to right finds
 * the same first.
 *
 * @param isCustomResource whose keys are sorted, as those of Go's maps. Any other has the fields of metadata in the order of the struct.
 */
export function bodyText(object: KubernetesObject, metadata: ObjectMeta, isCustomResource: boolean): string {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...fields } = object;
  const { resourceVersion, ...others } = metadata;
  // Objects are JSON all through.
  const [body, rest] = [fields as JSONObject, isCustomResource ? sortedKeys(others as JSONObject) : inFieldOrder(others)];
  const bodyJSON = encodeJSONText(isCustomResource ? sortedKeys(body) : body);
  const metadataJSON = encodeJSONText(rest).slice(1);
  const stamp = resourceVersion === undefined ? "" : `"resourceVersion":"${resourceVersion}"${metadataJSON === "}" ? "" : ","}`;
  return `${stamp}${metadataJSON}${bodyJSON === "{}" ? "}" : `,${bodyJSON.slice(1)}`}`;
}
