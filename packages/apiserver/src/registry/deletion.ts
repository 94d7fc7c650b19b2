import { APIError, conflict, type KubernetesObject, type ObjectName } from "@annex/apimachinery";
import type { AdmissionChain, AdmissionContext } from "../admission/admission.ts";
import type { Awaitable } from "../awaitable.ts";
import type { Resource, WriteContext } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import { admissionDeleteOptions } from "./admission-options.ts";
import { formatTime, nextGeneration, withMetadata } from "./metadata.ts";
import type { ObjectStore } from "./object-store.ts";
import { writeContext } from "./request-context.ts";
import { checkAdmit } from "./validation.ts";
import { ValueView } from "./value-view.ts";
import type { DeleteOptions, DeleteResult, RequestContext } from "./verbs.ts";

export interface Deletion {
  readonly resource: Resource;
  readonly store: ObjectStore;
  readonly admission: AdmissionChain;
  /** Whether a garbage collector will take away what the finalizers `orphan` and `foregroundDeletion` hold. */
  readonly hasGarbageCollector: boolean;
  /** @throws {APIError} `NotFound`. */
  readonly require: (target: ObjectName, context: RequestContext) => Awaitable<ObjectView>;
}

/**
 * Deletes an object, or marks it as being deleted while finalizers hold it.
 *
 * @throws {APIError} `NotFound`, `Conflict` when a precondition does not hold, and whatever admission answers.
 * Source: k8s.io/apiserver registry store, Delete.
 */
export async function deleteObject(
  deletion: Deletion,
  target: ObjectName,
  options: DeleteOptions,
  context: RequestContext,
  { isOfCollection = false }: { readonly isOfCollection?: boolean } = {},
): Promise<DeleteResult> {
  const { resource, store } = deletion;
  const write = { ...writeContext(context, options.isDryRun), warn: context.warn };
  for (;;) {
    context.signal.throwIfAborted();
    const current = await deletion.require(target, context);
    checkPreconditions(resource, current, options);
    await admit(deletion, current, options, isOfCollection, write);
    // Also of one that is in deletion: who asks again may ask for something else.
    const object = deletion.hasGarbageCollector ? withPolicyFinalizer(current.object, options) : current.object;
    if (!isHeld(resource, object)) {
      if (options.isDryRun) return { view: current, isGone: true };
      const deleted = await store.delete(current, context.signal);
      if (deleted !== undefined) return deleted;
      continue;
    }
    const marked = mark(resource, object, write);
    if (marked === current.object) return { view: current, isGone: false };
    const view = options.isDryRun ? new ValueView(resource, marked) : await store.update(marked, current, context.signal);
    if (view !== undefined) return { view, isGone: false };
  }
}

function isHeld(resource: Resource, object: KubernetesObject): boolean {
  return (object.metadata.finalizers?.length ?? 0) > 0 || resource.hooks.isDeletionHeld?.(object) === true;
}

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";

/**
 * The object with the finalizer that asks the garbage collector for what the client wants of the dependents, and without the other one. When the client says
 * nothing, what the object's own finalizers say stays.
 *
 * Source: k8s.io/apiserver registry store, deletionFinalizersForGarbageCollection.
 */
function withPolicyFinalizer(object: KubernetesObject, { propagationPolicy, orphanDependents }: DeleteOptions): KubernetesObject {
  const { finalizers = [], ...metadata } = object.metadata;
  const policy = orphanDependents === undefined ? propagationPolicy : orphanDependents ? "Orphan" : "Background";
  if (policy === undefined) return object;
  const asked = policy === "Orphan" ? [ORPHAN] : policy === "Foreground" ? [FOREGROUND] : [];
  const others = finalizers.filter((finalizer) => finalizer !== ORPHAN && finalizer !== FOREGROUND);
  const wanted = [...others, ...asked];
  if (wanted.length === finalizers.length && wanted.every((finalizer) => finalizers.includes(finalizer))) return object;
  return withMetadata(object, wanted.length === 0 ? metadata : { ...metadata, finalizers: wanted });
}

/**
 * Begins a deletion that is held; one that began is left as it is, but for a time or a grace period that somebody applied.
 *
 * Source: k8s.io/apiserver registry store, markAsDeleting.
 */
function mark(resource: Resource, object: KubernetesObject, context: WriteContext): KubernetesObject {
  const { generation, deletionTimestamp: begun, deletionGracePeriodSeconds: grace } = object.metadata;
  const isBegun = begun !== undefined && Date.parse(begun) <= context.now;
  if (isBegun && grace === 0) return object;
  const marked = withMetadata(object, {
    ...object.metadata,
    deletionTimestamp: isBegun ? begun : formatTime(context.now),
    deletionGracePeriodSeconds: 0,
    ...(generation && grace === undefined ? { generation: nextGeneration(generation) } : {}),
  });
  return resource.hooks.prepareDeletion?.({ object: marked, ...context }) ?? marked;
}

/** @param isOfCollection the request then names no object. */
async function admit(
  { resource, admission }: Deletion,
  current: ObjectView,
  options: DeleteOptions,
  isOfCollection: boolean,
  context: AdmissionContext,
): Promise<void> {
  const { version = resource.storageVersion.name } = options;
  await admission.validate(
    {
      operation: "DELETE",
      resource,
      version,
      subresource: "",
      namespace: current.namespace,
      name: isOfCollection ? "" : current.name,
      requestName: current.name,
      object: undefined,
      previous: current.in(version),
      options: admissionDeleteOptions(options),
    },
    context,
  );
  await checkAdmit(resource, "DELETE", undefined, current.object, context);
}

/** @throws {APIError} `Conflict` when the object is not the one that the client means to delete. */
export function checkPreconditions(resource: Resource, current: ObjectView, { preconditions }: DeleteOptions): void {
  const { uid } = current.object.metadata;
  if (preconditions.uid !== undefined && preconditions.uid !== uid) {
    throw preconditionFailed(
      resource,
      current.name,
      `the UID in the precondition (${preconditions.uid}) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
    );
  }
  if (preconditions.resourceVersion !== undefined && preconditions.resourceVersion !== current.resourceVersion) {
    throw preconditionFailed(
      resource,
      current.name,
      `the ResourceVersion in the precondition (${preconditions.resourceVersion}) does not match the ResourceVersion in record (${current.resourceVersion}). The object might have been modified`,
    );
  }
}

/** @throws {APIError} `Conflict` when a PUT is of another object of the same name. A patch is not: there a changed uid is a fault of the object. */
export function checkUID(resource: Resource, wanted: KubernetesObject, { metadata }: KubernetesObject): void {
  const { uid } = wanted.metadata;
  if (!uid || uid === metadata.uid) return;
  throw conflict(resource, metadata.name ?? "", `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${metadata.uid}`);
}

/** Of all conflicts this one names the kind, not the resource: so does the Go server. */
function preconditionFailed({ group, kind }: Resource, name: string, why: string): APIError {
  const qualified = group === "" ? kind : `${kind}.${group}`;
  return new APIError("Conflict", `Operation cannot be fulfilled on ${qualified} "${name}": ${why}`, {
    details: { name, ...(group === "" ? {} : { group }), kind },
  });
}
