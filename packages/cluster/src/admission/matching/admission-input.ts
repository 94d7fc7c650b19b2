import type { AdmissionInput, JSONObject, KubernetesObject } from "@annex/apimachinery";
import type { AdmissionAttributes, AdmissionContext } from "@annex/apiserver";
import { kindAt } from "./write-versions.ts";

/** The objects of a write in the version that they are looked at in. */
export interface VersionedObjects {
  readonly version: string;
  readonly object: KubernetesObject | null;
  readonly previous: KubernetesObject | null;
}

/** What expressions are told of a write. */
export function admissionInput(
  attributes: AdmissionAttributes,
  { version, object, previous }: VersionedObjects,
  { user, isDryRun }: AdmissionContext,
): Pick<AdmissionInput, "request" | "object" | "oldObject"> {
  const { resource, subresource, namespace, name, operation, options } = attributes;
  const placeAt = (one: string) => ({ group: resource.group, version: one, resource: resource.resource });
  const { name: userName, uid, groups, extra } = user;
  return {
    request: {
      kind: kindAt(attributes, version),
      resource: placeAt(version),
      requestKind: kindAt(attributes, attributes.version),
      requestResource: placeAt(attributes.version),
      subResource: subresource,
      name,
      namespace,
      operation,
      user: { name: userName, ...(uid === undefined ? {} : { uid }), groups, extra },
      isDryRun,
      options,
    },
    // Objects of the registry are JSON all through.
    object: object as JSONObject | null,
    oldObject: previous as JSONObject | null,
  };
}
