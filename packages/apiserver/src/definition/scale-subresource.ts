import {
  badRequest,
  fieldElement,
  internalError,
  isJSONObject,
  type JSONObject,
  type KubernetesObject,
  parentManagedFields,
  pruneUnknown,
  type ReplicasPaths,
  scaleManagedFields,
  updateManagedFields,
} from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import { admissionWriteOptions } from "../registry/admission-options.ts";
import { emptyObject } from "../registry/field-managers.ts";
import { formatTime } from "../registry/metadata.ts";
import { writeContext } from "../registry/request-context.ts";
import { ValueView } from "../registry/value-view.ts";
import type { RequestContext, ResourceVerbs, UpdateInput } from "../registry/verbs.ts";
import type { Resource, ResourceVersion, Subresource } from "./resource.ts";
import { Scale } from "./scale.ts";
import {
  type CompiledPaths,
  compilePaths,
  formatSteps,
  type Reading,
  readInteger,
  readText,
  type ScalePaths,
  scaleFaults,
  withInteger,
} from "./scale-paths.ts";

/**
 * The `scale` subresource of a kind: `kubectl scale` and horizontal autoscalers read and write the number of replicas through it, knowing nothing else of the
 * kind.
 *
 * ```ts
 * defineResource({ …, subresources: { scale: scaleSubresource({ specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.replicas" }) } });
 * ```
 *
 * It has the verbs get and update (and with it patch) where its parent has them; update needs both. A write changes the number and nothing else; a
 * resourceVersion or, in a PUT, a uid that is sent must be the parent's. Numbers that are no int32 or below zero are a fault (422) of the parent, however it is
 * written. While the parent has no number at all, get is a 500 as in Kubernetes, and a patch that does not say one a 400.
 *
 * @param paths those of every version, or a function of a version's name; a version without any has no scale.
 * @throws {TypeError} for a path that is not below the field where it belongs.
 * Source: apiextensions/v1 CustomResourceSubresourceScale; apiextensions-apiserver/pkg/registry/customresource, ScaleREST and its validator.
 */
export function scaleSubresource(paths: ScalePaths | ((version: string) => ScalePaths | undefined)): Subresource {
  const pathsOf = compiledPaths(paths);
  return {
    kind: Scale,
    verbs: (parent, verbs, { admission }, version) => {
      const own = pathsOf(version.name);
      return own === undefined ? {} : scaleVerbs({ parent, verbs, admission, version, paths: own, replicasPaths: replicasPaths(parent, pathsOf) });
    },
    validateParent: (object, version, subresource) => {
      const own = pathsOf(version);
      return own === undefined ? [] : scaleFaults(asJSON(object), own, subresource === "status");
    },
  };
}

function compiledPaths(paths: Parameters<typeof scaleSubresource>[0]): (version: string) => CompiledPaths | undefined {
  if (typeof paths !== "function") {
    const every = compilePaths(paths);
    return () => every;
  }
  const known = new Map<string, CompiledPaths | undefined>();
  return (version) => {
    if (!known.has(version)) {
      const own = paths(version);
      known.set(version, own && compilePaths(own));
    }
    return known.get(version);
  };
}

function replicasPaths({ definedVersions }: Resource, pathsOf: (version: string) => CompiledPaths | undefined): ReplicasPaths {
  return new Map(definedVersions.map(({ name, apiVersion }) => [apiVersion, pathsOf(name)?.specReplicas.map(fieldElement)]));
}

/** What makes the scale of one version of a kind. */
interface Scaled {
  readonly parent: Resource;
  readonly verbs: ResourceVerbs;
  readonly admission: AdmissionChain;
  readonly version: ResourceVersion;
  readonly paths: CompiledPaths;
  readonly replicasPaths: ReplicasPaths;
}

/** Stands for the number that a parent does not have, while a client changes its scale: if it is there still, nobody said one. Source: ScaleREST. */
const UNSET_REPLICAS = -(2 ** 31);

function scaleVerbs(scaled: Scaled): ResourceVerbs {
  const { verbs, version, paths } = scaled;
  const { get, update } = verbs;
  if (get === undefined) return {};
  return {
    async get(target, consistency, context) {
      const object = (await get(target, consistency, context)).in(version.name);
      if (replicasOf(object, paths) === undefined) throw internalError(`the spec replicas field ${nameOf(paths)} does not exist`);
      return new ValueView(Scale, scaleOf(object, paths));
    },
    ...(update === undefined
      ? {}
      : {
          async update(input, context) {
            const { view } = await update(parentUpdate(scaled, input, context), context);
            return { view: new ValueView(Scale, scaleOf(view.in(version.name), paths)), isCreated: false };
          },
        }),
  };
}

/** The write of the parent that a write of its scale is. */
function parentUpdate(scaled: Scaled, input: UpdateInput, context: RequestContext): UpdateInput {
  const { parent, version, paths, admission } = scaled;
  const { target, fieldManager } = input;
  const write = { ...writeContext(context, input.isDryRun), warn: context.warn };
  const { subresource } = fieldManager;
  const options = admissionWriteOptions("UPDATE", input.sentOptions, input.isDryRun);
  const attributes = {
    operation: "UPDATE",
    resource: parent,
    version: version.name,
    subresource,
    ...target,
    requestName: target.name,
    options,
  } as const;
  return {
    ...input,
    version: version.name,
    async transform(live) {
      if (live === undefined) throw new Error("a scale never creates");
      const previous = storedScale(live, scaled);
      const changed = await input.transform(previous, emptyObject(Scale, Scale.storageVersion));
      const wanted = input.isApply === true ? changed : withManagers(changed, previous, input, context.now);
      const object = await admission.mutate({ ...attributes, object: withZero(wanted), previous }, write);
      if (object.kind !== Scale.kind || object.apiVersion !== Scale.storageVersion.apiVersion) {
        throw internalError(`admission made ${object.apiVersion} ${object.kind} of a Scale`);
      }
      const scaledParent = asJSON(withScale(live, object, scaled, input.isPatch));
      // What a path leads to that the schema does not have is dropped, as in any other write. An object stays one.
      return pruneUnknown(scaledParent, version.schema).value as unknown as KubernetesObject;
    },
    admitSubresource: (object, previous) =>
      admission.validate({ ...attributes, object: scaleOf(object, paths), previous: scaleOf(previous, paths) }, write),
  };
}

/** The scale that a client's change is made to: with its managers, and with {@link UNSET_REPLICAS}. */
function storedScale(live: KubernetesObject, { paths, replicasPaths }: Scaled): KubernetesObject {
  const scale = scaleOf(live, paths);
  const managedFields = scaleManagedFields(live.metadata.managedFields ?? [], replicasPaths);
  const spec = replicasOf(live, paths) === undefined ? { replicas: UNSET_REPLICAS } : scale.spec;
  return { ...scale, metadata: { ...scale.metadata, ...(managedFields.length === 0 ? {} : { managedFields }) }, spec };
}

/** The wanted scale, with the managers that it has after the write: none while nobody is known to manage the number. */
function withManagers(wanted: KubernetesObject, live: KubernetesObject, { fieldManager }: UpdateInput, now: number): KubernetesObject {
  const { schema, apiVersion } = Scale.storageVersion;
  const isTracked = live.metadata.managedFields !== undefined;
  const managedFields = !isTracked ? [] : updateManagedFields({ ...fieldManager, live, next: wanted, schema, apiVersion, now: formatTime(now) });
  return { ...wanted, metadata: { ...wanted.metadata, managedFields } };
}

/** The scale as plugins are shown it: with the number of present replicas, which a client need not say. */
function withZero(scale: KubernetesObject): KubernetesObject {
  const { status } = asJSON(scale);
  return isJSONObject(status) && status.replicas !== undefined
    ? scale
    : { ...scale, status: { ...(isJSONObject(status) ? status : {}), replicas: 0 } };
}

/** The parent, with what its scale may say: the number, who owns it, and which object the client means. */
function withScale(live: KubernetesObject, scale: KubernetesObject, { version, paths, replicasPaths }: Scaled, isPatch: boolean): KubernetesObject {
  // A null is what is absent, as Go decodes it.
  const { value: replicas = 0 } = readInteger(asJSON(scale), ["spec", "replicas"]);
  if (replicas === UNSET_REPLICAS) throw badRequest(`the spec replicas field ${nameOf(paths)} cannot be empty`);
  const { uid, resourceVersion, managedFields: owners = [] } = scale.metadata;
  const { managedFields = [], ...metadata } = live.metadata;
  const managers = parentManagedFields(managedFields, owners, version.apiVersion, replicasPaths);
  return {
    // Type and metadata are there still: the path is below spec.
    ...(withInteger(asJSON(live), paths.specReplicas, replicas) as unknown as KubernetesObject),
    metadata: {
      ...metadata,
      ...(managers.length === 0 ? {} : { managedFields: managers }),
      ...(resourceVersion ? { resourceVersion } : {}),
      ...(uid && !isPatch ? { uid } : {}),
    },
  };
}

/** @throws {APIError} `InternalError` where a path leads to another type: by the kind's schema it may. */
function scaleOf(object: KubernetesObject, paths: CompiledPaths): KubernetesObject {
  const replicas = replicasOf(object, paths);
  const current = require(readInteger(asJSON(object), paths.statusReplicas));
  const selector = paths.labelSelector && require(readText(asJSON(object), paths.labelSelector));
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const metadata = Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(([, value]) => value !== undefined);
  return {
    apiVersion: Scale.storageVersion.apiVersion,
    kind: Scale.kind,
    metadata: Object.fromEntries(metadata),
    // As of a compiled-in kind: an optional zero is left out.
    spec: replicas ? { replicas } : {},
    status: { replicas: current ?? 0, ...(selector ? { selector } : {}) },
  };
}

function replicasOf(object: KubernetesObject, { specReplicas }: CompiledPaths): number | bigint | undefined {
  return require(readInteger(asJSON(object), specReplicas));
}

function require<T>({ value, fault }: Reading<T>): T | undefined {
  if (fault !== undefined) throw internalError(fault);
  return value;
}

function nameOf({ specReplicas }: CompiledPaths): string {
  return JSON.stringify(formatSteps(specReplicas));
}

/** Objects are JSON all through; only their interface leaves the values open. */
function asJSON(object: KubernetesObject): JSONObject {
  return object as unknown as JSONObject;
}
