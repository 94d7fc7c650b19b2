import {
  alreadyExists,
  badRequest,
  conflict,
  jsonEquals,
  type KubernetesObject,
  keepManagedFieldsTimes,
  notFound,
  type ObjectName,
  OPTIMISTIC_LOCK_MESSAGE,
  updateManagedFields,
  type VersionedObject,
} from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import { fromStorageVersion, type Resource, type ResourceVersion, toStorageVersion, versionOf, type WriteContext } from "../definition/resource.ts";
import type { Random } from "../random.ts";
import { deleteObject } from "./deletion.ts";
import { formatTime, generateName, metadataForCreate, metadataForStatus, metadataForUpdate, withMetadata } from "./metadata.ts";
import type { ObjectStore } from "./object-store.ts";
import type { ObjectView } from "./object-view.ts";
import { visibilityFor } from "./selection.ts";
import { checkAdmit, checkForm, checkRules, resourceVersionRequired } from "./validation.ts";
import { ValueView } from "./value-view.ts";
import type { CreateInput, FieldManager, ListResult, ReadConsistency, RequestContext, ResourceVerbs, UpdateInput } from "./verbs.ts";

export interface RegistryOptions {
  readonly resource: Resource;
  readonly store: ObjectStore;
  readonly admission: AdmissionChain;
  readonly random: Random;
}

/** How often a generated name is tried anew. Source: k8s.io/apiserver registry store, maxNameGenerationCreateAttempts. */
const MAX_NAME_ATTEMPTS = 8;
/** How many objects of a collection are deleted at a time: enough that storage writes them together. */
const DELETE_CONCURRENCY = 32;

const MOST_RECENT: ReadConsistency = { type: "MostRecent" };

/** What Kubernetes does with the objects of any kind, over wherever they are kept. */
export function registryVerbs({ resource, store, admission, random }: RegistryOptions): Required<ResourceVerbs> {
  const steps = writeSteps(resource, admission);

  /** The present state, as far as this user may know of it. @throws {APIError} `NotFound`. */
  async function require(target: ObjectName, context: RequestContext, consistency = MOST_RECENT): Promise<ObjectView> {
    const view = await find(target, context, consistency);
    if (view === undefined) throw notFound(resource, target.name);
    return view;
  }

  async function find(target: ObjectName, context: RequestContext, consistency = MOST_RECENT): Promise<ObjectView | undefined> {
    const view = await store.get(target, consistency, context.signal);
    if (view === undefined || resource.hooks.visibleTo === undefined) return view;
    return resource.hooks.visibleTo({ object: view.object, user: context.user }) ? view : undefined;
  }

  async function create(input: CreateInput, context: RequestContext): Promise<ObjectView> {
    const version = requireVersion(resource, input.version);
    const write: WriteContext = { ...context, isDryRun: input.isDryRun };
    const sent = input.object.metadata;
    if (sent.resourceVersion) throw badRequest("resourceVersion should not be set on objects to be created");
    const facts = { namespace: input.namespace, tracksGeneration: resource.tracksGeneration, now: context.now, random };
    let object = withMetadata(resource.hasStatus ? withStatusOf(input.object, undefined) : input.object, metadataForCreate(sent, facts));
    object = steps.track(object, undefined, version, input.fieldManager, context.now);
    object = await steps.mutate("CREATE", object, undefined, version, input.fieldManager.subresource, write);
    const formFaults = checkForm(resource, version, object, undefined);
    let stored = toStorageVersion(resource, object, version);
    stored = resource.hooks.prepare?.({ object: stored, previous: undefined, subresource: "", ...write }) ?? stored;
    checkRules(resource, stored, undefined, formFaults, write);
    await steps.admit("CREATE", stored, undefined, version, input.fieldManager.subresource, write);

    const isGenerated = !sent.name && sent.generateName !== undefined;
    for (let attempt = 1; ; attempt++) {
      const name = stored.metadata.name ?? "";
      const created = await store.create(stored, input, context.signal);
      if (created !== undefined) return created;
      if (!isGenerated || attempt === MAX_NAME_ATTEMPTS) throw alreadyExists(resource, name);
      stored = withMetadata(stored, { ...stored.metadata, name: generateName(sent.generateName ?? "", random) });
    }
  }

  async function update(input: UpdateInput, context: RequestContext): Promise<{ view: ObjectView; isCreated: boolean }> {
    const version = requireVersion(resource, input.version);
    const write: WriteContext = { ...context, isDryRun: input.isDryRun };
    for (;;) {
      context.signal.throwIfAborted();
      const current = await find(input.target, context);
      if (current === undefined) return { view: await createOnUpdate(input, context), isCreated: true };
      const view = await tryUpdate(input, current, version, write);
      if (view !== undefined) return { view, isCreated: false };
    }
  }

  async function createOnUpdate(input: UpdateInput, context: RequestContext): Promise<ObjectView> {
    if (!resource.allowsCreateOnUpdate || input.isPatch || input.fieldManager.subresource !== "") throw notFound(resource, input.target.name);
    const object = await input.transform(undefined);
    return create({ ...input, namespace: input.target.namespace, object }, context);
  }

  /** @returns undefined when somebody else wrote first: then all is done again with what is there now. */
  async function tryUpdate(input: UpdateInput, current: ObjectView, version: ResourceVersion, write: WriteContext): Promise<ObjectView | undefined> {
    const { subresource } = input.fieldManager;
    const live = current.in(version.name);
    const wanted = await input.transform(live);
    checkPreconditions(input, wanted, current);
    const metadata = subresource === "status" ? metadataForStatus(wanted.metadata, live.metadata) : metadataForUpdate(wanted.metadata, live.metadata);
    let object = withMetadata(steps.onlyOwnFields(wanted, live, subresource), { ...metadata, resourceVersion: current.resourceVersion });
    object = steps.track(object, live, version, input.fieldManager, write.now);
    object = await steps.mutate("UPDATE", object, live, version, subresource, write);
    object = keepManagedFieldsTimes(live, object);
    const formFaults = checkForm(resource, version, object, live);
    const previous = current.object;
    let stored = toStorageVersion(resource, object, version);
    stored = resource.hooks.prepare?.({ object: stored, previous, subresource, ...write }) ?? stored;
    if (resource.tracksGeneration && hasNewGeneration(stored, previous)) {
      stored = withMetadata(stored, { ...stored.metadata, generation: (previous.metadata.generation ?? 0) + 1 });
    }
    checkRules(resource, stored, previous, formFaults, write);
    await steps.admit("UPDATE", stored, previous, version, subresource, write);
    if (isDeletionComplete(resource, stored)) {
      if (input.isDryRun) return new ValueView(resource, stored);
      return (await store.delete(current, write.signal)) && new ValueView(resource, stored);
    }
    if (jsonEquals(stored, previous)) return current;
    if (input.isDryRun) return new ValueView(resource, stored);
    return store.update(stored, current, write.signal);
  }

  function checkPreconditions(input: UpdateInput, wanted: KubernetesObject, current: ObjectView): void {
    const { uid, resourceVersion } = wanted.metadata;
    const { name } = input.target;
    if (!input.isPatch && uid && uid !== current.object.metadata.uid) {
      throw conflict(resource, name, `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.object.metadata.uid}`);
    }
    if (!resourceVersion || resourceVersion === "0") {
      if (!resource.allowsUnconditionalUpdate) throw resourceVersionRequired(resource, name);
    } else if (resourceVersion !== current.resourceVersion) {
      throw conflict(resource, name, OPTIMISTIC_LOCK_MESSAGE);
    }
  }

  const deletion = { resource, store, admission, require };

  return {
    get: (target, consistency, context) => require(target, context, consistency),
    list: (options, context) => store.list(options, visibilityFor(resource, context.user), context.signal),
    watch: (options, context) => store.watch(options, visibilityFor(resource, context.user), context.signal),
    create,
    update,
    delete: (target, options, context) => deleteObject(deletion, target, options, context),
    async deleteCollection(selection, options, context) {
      const listed = await store.list(
        { ...selection, continue: "", consistency: MOST_RECENT },
        visibilityFor(resource, context.user),
        context.signal,
      );
      await forEachLimited(listed.items, DELETE_CONCURRENCY, async (item) => {
        await deleteObject(deletion, item, options, context).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      });
      return listed satisfies ListResult;
    },
  };
}

/** The steps that creation and change share. */
function writeSteps(resource: Resource, admission: AdmissionChain) {
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

    mutate: (
      operation: "CREATE" | "UPDATE",
      object: KubernetesObject,
      previous: KubernetesObject | undefined,
      version: ResourceVersion,
      subresource: string,
      context: WriteContext,
    ) => admission.mutate(attributes(operation, object, previous, version, subresource), context),

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
  const objects = Object.entries(version.schema.properties ?? {}).filter(([, schema]) => schema.type === "object" && schema.default !== undefined);
  return { ...Object.fromEntries(objects.map(([field]) => [field, {}])), apiVersion: version.apiVersion, kind: resource.kind, metadata: {} };
}

function inAPIVersion(resource: Resource, object: KubernetesObject, from: ResourceVersion, apiVersion: string): VersionedObject | undefined {
  const target = resource.versions.find((version) => version.apiVersion === apiVersion);
  return target && { object: fromStorageVersion(resource, toStorageVersion(resource, object, from), target), schema: target.schema };
}

/** An object with the status of another one, or with an empty status where there is none. */
function withStatusOf(object: KubernetesObject, source: KubernetesObject | undefined): KubernetesObject {
  const { status: _status, ...rest } = object;
  const status = source === undefined ? (object["status"] === undefined ? undefined : {}) : source["status"];
  return (status === undefined ? rest : { ...rest, status }) as KubernetesObject;
}

/** Whether anything but metadata and status changed. Source: customresource strategy PrepareForUpdate. */
function hasNewGeneration(object: KubernetesObject, previous: KubernetesObject): boolean {
  const content = ({ metadata: _metadata, status: _status, ...rest }: KubernetesObject) => rest;
  return !jsonEquals(content(object), content(previous));
}

/** Whether a deletion that began is no longer held by anything. */
function isDeletionComplete(resource: Resource, object: KubernetesObject): boolean {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  return deletionTimestamp !== undefined && finalizers.length === 0 && resource.hooks.isDeletionHeld?.(object) !== true;
}

function requireVersion(resource: Resource, name: string): ResourceVersion {
  const version = versionOf(resource, name);
  if (version === undefined) throw new Error(`${resource.kind} has no version ${name}`);
  return version;
}

function isNotFound(error: unknown): boolean {
  return typeof error === "object" && error !== null && "reason" in error && error.reason === "NotFound";
}

/** Runs a task for each item, so many at a time; the first failure stops the rest and is thrown. */
async function forEachLimited<T>(items: readonly T[], limit: number, task: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  const worker = async () => {
    while (next < items.length && !failed) {
      try {
        await task(items[next++] as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const results = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}
