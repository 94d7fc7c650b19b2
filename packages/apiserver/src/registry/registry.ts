import {
  APIError,
  alreadyExists,
  badRequest,
  conflict,
  generateNameConflict,
  jsonEquals,
  type KubernetesObject,
  keepManagedFieldsTimes,
  notFound,
  type ObjectName,
  OPTIMISTIC_LOCK_MESSAGE,
} from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import { type Resource, type ResourceVersion, toStorageVersion, versionOf, type WriteContext } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import type { Random } from "../random.ts";
import { checkUID, deleteObject } from "./deletion.ts";
import { generateName, metadataForCreate, metadataForStatus, metadataForUpdate, withMetadata, withoutDuplicateOwners } from "./metadata.ts";
import type { ObjectStore } from "./object-store.ts";
import { visibilityFor } from "./selection.ts";
import { checkForm, checkRules, resourceVersionRequired } from "./validation.ts";
import { ValueView } from "./value-view.ts";
import type { CreateInput, ListResult, ReadConsistency, RequestContext, ResourceVerbs, UpdateInput } from "./verbs.ts";
import { ownFieldsOf, withStatusOf, writeSteps } from "./write-steps.ts";

export interface RegistryOptions {
  readonly resource: Resource;
  readonly store: ObjectStore;
  readonly admission: AdmissionChain;
  readonly random: Random;
  /** Whether something beside this server empties the finalizers `orphan` and `foregroundDeletion`. Default false: deletions do not set them. */
  readonly hasGarbageCollector?: boolean;
}

/** How often a generated name is tried anew. Source: k8s.io/apiserver registry store, maxNameGenerationCreateAttempts. */
const MAX_NAME_ATTEMPTS = 8;
/** How many objects of a collection are deleted at a time: enough that storage writes them together. */
const DELETE_CONCURRENCY = 32;

const MOST_RECENT: ReadConsistency = { type: "MostRecent" };

/** What Kubernetes does with the objects of any kind, over wherever they are kept. */
export function registryVerbs({ resource, store, admission, random, hasGarbageCollector = false }: RegistryOptions): Required<ResourceVerbs> {
  const steps = writeSteps(resource, admission);

  /** The present state, as far as this user may know of it. @throws {APIError} `NotFound`. */
  async function require(target: ObjectName, context: RequestContext, consistency = MOST_RECENT): Promise<ObjectView> {
    const view = await find(target, context, consistency);
    if (view === undefined) throw notFound(resource, target.name);
    return view;
  }

  async function find(target: ObjectName, context: RequestContext, consistency = MOST_RECENT): Promise<ObjectView | undefined> {
    const view = await store.get(target, consistency, context);
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
    object = withoutDuplicateOwners(object, context.warn);
    object = withMetadata(object, steps.track(ownFieldsOf(resource, object), undefined, version, input.fieldManager, context.now).metadata);
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
      if (!isGenerated) throw await nameTaken(name, input.namespace, context);
      if (attempt === MAX_NAME_ATTEMPTS) throw generateNameConflict(resource, name, 1);
      stored = withMetadata(stored, { ...stored.metadata, name: generateName(sent.generateName ?? "", random) });
    }
  }

  /** The 409 of a name that is taken: it tells a client that the one who has it is on its way out. Source: k8s.io/apiserver registry store, Create. */
  async function nameTaken(name: string, namespace: string, context: RequestContext): Promise<APIError> {
    const present = await store.get({ namespace, name }, MOST_RECENT, context);
    const { message, details } = alreadyExists(resource, name);
    const isLeaving = present?.object.metadata.deletionTimestamp !== undefined;
    return new APIError("AlreadyExists", isLeaving ? `object is being deleted: ${message}` : message, details === undefined ? {} : { details });
  }

  async function update(input: UpdateInput, context: RequestContext): Promise<{ view: ObjectView; isCreated: boolean }> {
    const version = requireVersion(resource, input.version);
    const write = { ...context, isDryRun: input.isDryRun };
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
  async function tryUpdate(
    input: UpdateInput,
    current: ObjectView,
    version: ResourceVersion,
    write: RequestContext & WriteContext,
  ): Promise<ObjectView | undefined> {
    const { subresource } = input.fieldManager;
    const live = current.in(version.name);
    const wanted = await input.transform(live);
    checkPreconditions(input, wanted, current);
    const metadata = subresource === "status" ? metadataForStatus(wanted.metadata, live.metadata) : metadataForUpdate(wanted.metadata, live.metadata);
    let object = withMetadata(steps.onlyOwnFields(wanted, live, subresource), { ...metadata, resourceVersion: current.resourceVersion });
    object = withoutDuplicateOwners(object, write.warn);
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
      const deleted = await store.delete(current, write.signal);
      return deleted && new ValueView(resource, stored);
    }
    if (jsonEquals(stored, previous)) return current;
    if (input.isDryRun) return new ValueView(resource, stored);
    return store.update(stored, current, write.signal);
  }

  function checkPreconditions(input: UpdateInput, wanted: KubernetesObject, current: ObjectView): void {
    const { resourceVersion } = wanted.metadata;
    const { name } = input.target;
    if (!input.isPatch) checkUID(resource, wanted, current.object);
    if (!resourceVersion || resourceVersion === "0") {
      if (!resource.allowsUnconditionalUpdate) throw resourceVersionRequired(resource, name);
    } else if (resourceVersion !== current.resourceVersion) {
      throw conflict(resource, name, OPTIMISTIC_LOCK_MESSAGE);
    }
  }

  const deletion = { resource, store, admission, hasGarbageCollector, require };

  return {
    get: (target, consistency, context) => require(target, context, consistency),
    list: (options, context) => store.list(options, visibilityFor(resource, context.user), context),
    watch: (options, context) => store.watch(options, visibilityFor(resource, context.user), context.signal),
    create,
    update,
    delete: (target, options, context) => deleteObject(deletion, target, options, context),
    async deleteCollection(selection, options, context) {
      const listed = await store.list({ ...selection, continue: "", consistency: MOST_RECENT }, visibilityFor(resource, context.user), context);
      await forEachLimited(listed.items, DELETE_CONCURRENCY, async (item) => {
        await deleteObject(deletion, item, options, context).catch((error: unknown) => {
          if (!isNotFound(error)) throw error;
        });
      });
      return listed satisfies ListResult;
    },
  };
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
  return APIError.is(error) && error.reason === "NotFound";
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
