import { isJSONObject, type JSONValue, type KubernetesObject, notFound, validatePathSegmentName } from "@annex/apimachinery";
import { defineResource, type ObjectView, ValueView } from "@annex/apiserver";
import { ClusterUnavailableError } from "../client/index.ts";

/** core/v1 Secret, as the cluster serves it: what may stand in one is the kube-apiserver's business. */
export const ClusterSecret = defineResource({ group: "", kind: "Secret", scope: "Namespaced", isBuiltIn: true, versions: { v1: { schema: {} } } });

/** A Secret out of an answer: of a list, or by itself. @throws {ClusterUnavailableError} for anything else. */
export function secretView(value: JSONValue | KubernetesObject): ObjectView {
  // What the kube-apiserver says is a Secret is read as one; its fields are looked at where they are used.
  const secret = value as JSONValue;
  if (!isJSONObject(secret) || !isJSONObject(secret.metadata) || (secret.kind !== undefined && secret.kind !== "Secret"))
    throw new ClusterUnavailableError("the answer is no Secret");
  return new ValueView(ClusterSecret, { ...secret, apiVersion: "v1", kind: "Secret" } as unknown as KubernetesObject);
}

/**
 * The path of a namespace's Secrets, of all (`""`), or of one.
 *
 * @throws {APIError} `NotFound` for a name that none can have: it must not lead anywhere else.
 */
export function secretPath(namespace: string, name?: string): string {
  for (const segment of [namespace, name ?? ""])
    if (segment !== "" && validatePathSegmentName(segment).length > 0) throw notFound(ClusterSecret, name ?? "");
  const collection = namespace === "" ? "/api/v1/secrets" : `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}
