import { applyDefaults, decodeManagedFields, type JSONObject, jsonEquals, type KubernetesObject } from "@annex/apimachinery";
import type { AdmissionChain, AdmissionContext } from "../admission/admission.ts";
import { rereadObject } from "../definition/reread-object.ts";
import { fromStorageVersion, type Resource, type ResourceVersion, toStorageVersion } from "../definition/resource.ts";
import { admissionWriteOptions } from "./admission-options.ts";
import { checkAdmit } from "./validation.ts";
import type { SentWriteOptions, UpdateInput } from "./verbs.ts";

export type WriteSteps = ReturnType<typeof writeSteps>;

/** What of a request admission is told: see `AdmissionAttributes`. */
interface WriteRequest {
  readonly subresource: string;
  readonly name: string;
  readonly requestName: string;
  readonly sentOptions: SentWriteOptions | undefined;
}

/** The steps that creation and change share. */
export function writeSteps(resource: Resource, admission: AdmissionChain) {
  const attributes = (
    operation: "CREATE" | "UPDATE",
    object: KubernetesObject,
    previous: KubernetesObject | undefined,
    version: ResourceVersion,
    { sentOptions, ...request }: WriteRequest,
    { isDryRun }: AdmissionContext,
  ) => ({
    operation,
    resource,
    version: version.name,
    namespace: object.metadata.namespace ?? "",
    ...request,
    object,
    previous,
    options: admissionWriteOptions(operation, sentOptions, isDryRun),
  });
  return {
    /**
     * The object without what conversion loses: a compiled-in kind is converted as soon as it is read, so that nobody owns what was lost then. Custom
     * resources are converted on their way to storage.
     */
    converted(object: KubernetesObject, version: ResourceVersion): KubernetesObject {
      if (!resource.isBuiltIn || version === resource.storageVersion) return object;
      return fromStorageVersion(resource, toStorageVersion(resource, object, version), version);
    },

    /** What admission changed is pruned and defaulted as what a client sent is. */
    async mutate(
      operation: "CREATE" | "UPDATE",
      object: KubernetesObject,
      previous: KubernetesObject | undefined,
      version: ResourceVersion,
      request: WriteRequest,
      context: AdmissionContext,
    ): Promise<KubernetesObject> {
      const mutated = await admission.mutate(attributes(operation, object, previous, version, request, context), context);
      if (mutated === object) return object;
      return withReadableManagers(rereadObject(mutated, version), object, context.warn);
    },

    /**
     * What an apply leaves null is kept for validation to refuse. Of what it let through (no type is stated there) nothing stays, as in Go, which drops it when it
     * reads what it stored.
     */
    withoutNulls(object: KubernetesObject, version: ResourceVersion, isApply = false): KubernetesObject {
      if (!isApply || !resource.isCustomResource) return object;
      // Objects of the registry are JSON all through, and stay objects.
      return applyDefaults(object as unknown as JSONObject, version.schema) as unknown as KubernetesObject;
    },

    async admit(
      operation: "CREATE" | "UPDATE",
      stored: KubernetesObject,
      previous: KubernetesObject | undefined,
      version: ResourceVersion,
      request: WriteRequest,
      context: AdmissionContext,
      admitSubresource?: UpdateInput["admitSubresource"],
    ) {
      const object = fromStorageVersion(resource, stored, version);
      const before = previous && fromStorageVersion(resource, previous, version);
      if (admitSubresource !== undefined && before !== undefined) await admitSubresource(object, before);
      else {
        // By now a name is made up. Source: k8s.io/apiserver registry/rest, AdmissionToValidateObjectFunc.
        const named = { ...request, name: request.name || (object.metadata.name ?? "") };
        await admission.validate(attributes(operation, object, before, version, named, context), context);
      }
      await checkAdmit(resource, operation, stored, previous, context);
    },

    /** Of a write to `status` only status is new; of any other everything but it, where there is a status subresource. */
    onlyOwnFields(wanted: KubernetesObject, live: KubernetesObject, version: ResourceVersion, subresource: string): KubernetesObject {
      if (!version.hasStatus) return wanted;
      return subresource === "status" ? withStatusOf(live, wanted, version) : withStatusOf(wanted, live, version);
    },
  };
}

const UNREADABLE_MANAGERS =
  ".metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests";

/** The object with the managedFields of before admission, where those of after it cannot be read. Source: k8s.io/apiserver handlers/fieldmanager/admission.go. */
function withReadableManagers(object: KubernetesObject, { metadata: before }: KubernetesObject, warn: (text: string) => void): KubernetesObject {
  const { managedFields: sent, ...metadata } = object.metadata;
  if (sent === undefined || jsonEquals(sent, before.managedFields)) return object;
  if (Array.isArray(sent) && decodeManagedFields(sent, false) !== undefined) return object;
  warn(UNREADABLE_MANAGERS);
  const { managedFields } = before;
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

/** An object with the status of another one. A null that may not be, where there was none, is none: nothing changed that could be refused. */
function withStatusOf(object: KubernetesObject, { status }: KubernetesObject, { schema }: ResourceVersion): KubernetesObject {
  const { status: before = null, ...rest } = object;
  const isNone = status === undefined || (status === null && before === null && schema.properties?.status?.nullable !== true);
  return (isNone ? rest : { ...rest, status }) as KubernetesObject;
}

/** A new object, whose status nobody has written yet: the default of its schema, if there is one. */
export function withNewStatus(object: KubernetesObject, { schema }: ResourceVersion): KubernetesObject {
  const { status: _status, ...rest } = object;
  const { status } = schema.properties ?? {};
  // An object is JSON all through, and stays one when defaults are filled in.
  const json = rest as unknown as JSONObject;
  return (status === undefined ? json : applyDefaults(json, { type: "object", properties: { status } })) as unknown as KubernetesObject;
}
