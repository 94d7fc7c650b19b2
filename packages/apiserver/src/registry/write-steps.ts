import { type JSONObject, type KubernetesObject, updateManagedFields, type VersionedObject } from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import { defaultAndPrune } from "../definition/compile-resource.ts";
import { emptyFields, fromStorageVersion, type Resource, type ResourceVersion, toStorageVersion, type WriteContext } from "../definition/resource.ts";
import { formatTime, withMetadata } from "./metadata.ts";
import { checkAdmit } from "./validation.ts";
import type { FieldManager } from "./verbs.ts";

/** The steps that creation and change share. */
export function writeSteps(resource: Resource, admission: AdmissionChain) {
  const attributes = (
    operation: "CREATE" | "UPDATE",
    object: KubernetesObject,
    previous: KubernetesObject | undefined,
    version: ResourceVersion,
    subresource: string,
  ) => ({
    operation,
    resource,
    version: version.name,
    subresource,
    namespace: object.metadata.namespace ?? "",
    name: object.metadata.name ?? "",
    object,
    previous,
  });
  return {
    /** Writes down in `managedFields` who owns what. */
    track(
      object: KubernetesObject,
      live: KubernetesObject | undefined,
      version: ResourceVersion,
      { manager, subresource }: FieldManager,
      now: number,
    ) {
      const managedFields = updateManagedFields({
        live: live ?? (resource.isBuiltIn ? emptyObject(resource, version) : undefined),
        next: object,
        schema: version.schema,
        manager,
        apiVersion: version.apiVersion,
        subresource,
        now: formatTime(now),
        toVersion: (value, apiVersion) => inAPIVersion(resource, value, version, apiVersion),
      });
      const { managedFields: _sent, ...metadata } = object.metadata;
      return withMetadata(object, managedFields.length === 0 ? metadata : { ...metadata, managedFields });
    },

    /** What admission changed is pruned and defaulted as what a client sent is. */
    async mutate(
      operation: "CREATE" | "UPDATE",
      object: KubernetesObject,
      previous: KubernetesObject | undefined,
      version: ResourceVersion,
      subresource: string,
      context: WriteContext,
    ): Promise<KubernetesObject> {
      const mutated = await admission.mutate(attributes(operation, object, previous, version, subresource), context);
      if (mutated === object) return object;
      // An object of a plugin is JSON all through, with type and metadata, and stays so.
      return defaultAndPrune(mutated as unknown as JSONObject, version).object as unknown as KubernetesObject;
    },

    async admit(
      operation: "CREATE" | "UPDATE",
      stored: KubernetesObject,
      previous: KubernetesObject | undefined,
      version: ResourceVersion,
      subresource: string,
      context: WriteContext,
    ) {
      const object = fromStorageVersion(resource, stored, version);
      const before = previous && fromStorageVersion(resource, previous, version);
      await admission.validate(attributes(operation, object, before, version, subresource), context);
      await checkAdmit(resource, operation, stored, previous, context);
    },

    /** Of a write to `status` only status is new; of any other everything but it, where there is a status subresource. */
    onlyOwnFields(wanted: KubernetesObject, live: KubernetesObject, subresource: string): KubernetesObject {
      if (!resource.hasStatus) return wanted;
      return subresource === "status" ? withStatusOf(live, wanted) : withStatusOf(wanted, live);
    },
  };
}

/** What a compiled-in kind is before anything was written to it: of what it holds already nobody becomes the owner. */
function emptyObject(resource: Resource, version: ResourceVersion): KubernetesObject {
  return { ...emptyFields(version), apiVersion: version.apiVersion, kind: resource.kind, metadata: {} };
}

function inAPIVersion(resource: Resource, object: KubernetesObject, from: ResourceVersion, apiVersion: string): VersionedObject | undefined {
  const target = resource.versions.find((version) => version.apiVersion === apiVersion);
  return target && { object: fromStorageVersion(resource, toStorageVersion(resource, object, from), target), schema: target.schema };
}

/** An object with the status of another one, or with an empty status where there is none. */
export function withStatusOf(object: KubernetesObject, source: KubernetesObject | undefined): KubernetesObject {
  const { status: _status, ...rest } = object;
  const status = source === undefined ? (object.status === undefined ? undefined : {}) : source.status;
  return (status === undefined ? rest : { ...rest, status }) as KubernetesObject;
}

/** What of an object its creator writes: where there is a status subresource, status is nobody's yet. */
export function ownFieldsOf({ hasStatus }: Resource, object: KubernetesObject): KubernetesObject {
  if (!hasStatus) return object;
  const { status: _status, ...own } = object;
  return own as KubernetesObject; // a type without one of its unnamed fields
}
