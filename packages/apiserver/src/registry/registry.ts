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
  quoteGo,
  validatePathSegmentName,
} from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import { type Awaitable, whenReady } from "../awaitable.ts";
import { type Resource, type ResourceVersion, toStoredObject, versionOf, type WriteContext } from "../definition/resource.ts";
import type { ObjectView } from "../object-view.ts";
import type { Random } from "../random.ts";
import { requireCreate } from "./create-on-update.ts";
import { checkUID, type Deletion, deleteObject } from "./deletion.ts";
import { emptyObject, trackFields } from "./field-managers.ts";
import { warnOfFinalizers } from "./finalizer-warnings.ts";
import {
  generateName,
  inRequestNamespace,
  metadataForCreate,
  metadataForStatus,
  metadataForUpdate,
  metadataToCreate,
  nextGeneration,
  withMetadata,
  withoutDuplicateOwners,
} from "./metadata.ts";
import type { ObjectStore } from "./object-store.ts";
import { writeContext } from "./request-context.ts";
import { parseRevision, revisionFault } from "./resource-version.ts";
import { visibilityFor } from "./selection.ts";
import { checkForm, checkRules, resourceVersionRequired } from "./validation.ts";
import { ValueView } from "./value-view.ts";
import type { CreateInput, ListResult, ReadConsistency, RequestContext, ResourceVerbs, UpdateInput } from "./verbs.ts";
import { type WriteSteps, withNewStatus, writeSteps } from "./write-steps.ts";

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
export function registryVerbs(options: RegistryOptions): Required<ResourceVerbs> {
  return new Registry(options).verbs();
}

class Registry {
  readonly #resource: Resource;
  readonly #store: ObjectStore;
  readonly #random: Random;
  readonly #steps: WriteSteps;
  readonly #deletion: Deletion;

  constructor({ resource, store, admission, random, hasGarbageCollector = false }: RegistryOptions) {
    this.#resource = resource;
    this.#store = store;
    this.#random = random;
    this.#steps = writeSteps(resource, admission);
    this.#deletion = { resource, store, admission, hasGarbageCollector, require: (target, context) => this.#require(target, context) };
  }

  verbs(): Required<ResourceVerbs> {
    const [resource, store] = [this.#resource, this.#store];
    return {
      get: (target, consistency, context) => this.#require(target, context, consistency),
      list: (options, context) => store.list(options, visibilityFor(resource, context.user), context),
      watch: (options, context) => store.watch(options, visibilityFor(resource, context.user), context.signal),
      create: (input, context) => this.#create(input, context),
      update: (input, context) => this.#update(input, context),
      delete: (target, options, context) => deleteObject(this.#deletion, target, options, context),
      deleteCollection: async (selection, options, context) => {
        const listed = await store.list({ continue: "", consistency: MOST_RECENT, ...selection }, visibilityFor(resource, context.user), context);
        await forEachLimited(listed.items, DELETE_CONCURRENCY, async (item) => {
          await deleteObject(this.#deletion, item, options, context, { isOfCollection: true }).catch((error: unknown) => {
            if (!isNotFound(error)) throw error;
          });
        });
        return listed satisfies ListResult;
      },
    };
  }

  /** The present state, as far as this user may know of it. @throws {APIError} `NotFound`. */
  #require(target: ObjectName, context: RequestContext, consistency = MOST_RECENT): Awaitable<ObjectView> {
    return whenReady(this.#find(target, context, consistency), (view) => {
      if (view === undefined) throw missing(this.#resource, target.name);
      return view;
    });
  }

  #find(target: ObjectName, context: RequestContext, consistency = MOST_RECENT): Awaitable<ObjectView | undefined> {
    const found = this.#store.get(target, consistency, context);
    const isVisible = visibilityFor(this.#resource, context.user);
    return isVisible === undefined ? found : whenReady(found, (view) => (view !== undefined && isVisible(view.object) ? view : undefined));
  }

  /** @param authorize asks whether the user may create, where the request was allowed as another verb: as in Go once the object is known to be valid. */
  async #create(input: CreateInput, context: RequestContext, authorize?: () => Promise<void>): Promise<ObjectView> {
    const version = requireVersion(this.#resource, input.version);
    const write = { ...writeContext(context, input.isDryRun), warn: context.warn };
    const facts = { tracksGeneration: this.#resource.tracksGeneration, now: context.now, random: this.#random };
    // Only an update or apply has to ask whether it may create, too.
    const metadata = metadataToCreate(input.object.metadata, input.namespace, authorize === undefined);
    let object = this.#steps.converted(withMetadata(input.object, metadata), version);
    if (input.isApply !== true) object = trackFields(this.#resource, object, undefined, version, input.fieldManager, context.now);
    // The status that is dropped was looked at before: an object with one that is no object has no managers, in Go as here.
    if (version.hasStatus) object = withNewStatus(object, version);
    const request = {
      subresource: input.fieldManager.subresource,
      name: input.name || (object.metadata.name ?? ""),
      requestName: input.name,
      sentOptions: input.sentOptions,
    };
    const mutated = await this.#steps.mutate("CREATE", object, undefined, version, request, write);
    // What a write may not say, a plugin may not either.
    if (mutated !== object) object = version.hasStatus ? withNewStatus(mutated, version) : mutated;
    object = inRequestNamespace(withoutDuplicateOwners(object, context.warn, "mutated"), this.#resource, input.namespace);
    const sent = object.metadata;
    const isGenerated = !sent.name && sent.generateName !== undefined;
    object = withMetadata(object, metadataForCreate(sent, facts));
    const formFaults = checkForm(this.#resource, version, object, undefined, "", context.warn);
    let stored = toStoredObject(this.#resource, this.#steps.withoutNulls(object, version, input.isApply), version);
    stored = this.#resource.hooks.prepare?.({ object: stored, previous: undefined, subresource: "", ...write }) ?? stored;
    checkRules(this.#resource, stored, undefined, request.subresource, formFaults, write);
    warnOfFinalizers(this.#resource, stored, undefined, context.warn);
    const { canonicalize = (valid: KubernetesObject) => valid } = this.#resource.hooks;
    stored = canonicalize(stored);
    await authorize?.();
    await this.#steps.admit("CREATE", stored, undefined, version, request, write);

    // One that is no number says nothing, and neither does one of an update or apply. Source: k8s.io/apiserver storage/etcd3, Create and GuaranteedUpdate.
    if (authorize === undefined && parseRevision(sent.resourceVersion ?? "")) throw resourceVersionSet(input.object);
    for (let attempt = 1; ; attempt++) {
      const name = stored.metadata.name ?? "";
      const created = await this.#store.create(stored, input, context.signal);
      if (created !== undefined) return input.isDryRun && sent.resourceVersion ? this.#shownAt(stored, sent.resourceVersion) : created;
      // Whoever gave both is told so too. Source: k8s.io/apiserver registry/rest, CheckGeneratedNameError.
      if (!isGenerated) {
        const error = sent.generateName ? generateNameConflict(this.#resource, name, 1) : alreadyExists(this.#resource, name);
        throw await this.#nameTaken(error, { namespace: input.namespace, name }, context);
      }
      if (attempt === MAX_NAME_ATTEMPTS) throw generateNameConflict(this.#resource, name, 1);
      stored = canonicalize(withMetadata(stored, { ...stored.metadata, name: generateName(sent.generateName ?? "", this.#random) }));
    }
  }

  /** To a dry run Go shows the resourceVersion that was sent: none takes its place. */
  #shownAt(stored: KubernetesObject, resourceVersion: string): ObjectView {
    return new ValueView(this.#resource, withMetadata(stored, { ...stored.metadata, resourceVersion }));
  }

  /** The 409 of a name that is taken: it tells a client that the one who has it is on its way out. Source: k8s.io/apiserver registry store, Create. */
  async #nameTaken(error: APIError, target: ObjectName, context: RequestContext): Promise<APIError> {
    // Who may not know of it is told only that the name is taken.
    const present = await this.#find(target, context);
    if (present?.object.metadata.deletionTimestamp === undefined) return error;
    const { reason, message, details } = error;
    return new APIError(reason, `object is being deleted: ${message}`, details === undefined ? {} : { details });
  }

  async #update(input: UpdateInput, context: RequestContext): Promise<{ view: ObjectView; isCreated: boolean }> {
    const version = requireVersion(this.#resource, input.version);
    const write = { ...writeContext(context, input.isDryRun), warn: context.warn };
    for (;;) {
      context.signal.throwIfAborted();
      const current = await this.#find(input.target, context);
      if (current === undefined) {
        const created = await this.#createOnUpdate(input, context);
        if (created !== undefined) return { view: created, isCreated: true };
        continue;
      }
      const view = await this.#tryUpdate(input, current, version, write);
      if (view !== undefined) return { view, isCreated: false };
    }
  }

  /** @returns undefined when somebody else created it first, so that it can be updated. */
  async #createOnUpdate(input: UpdateInput, context: RequestContext): Promise<ObjectView | undefined> {
    const { target, isApply = false } = input;
    const isAllowed = isApply || (this.#resource.allowsCreateOnUpdate && !input.isPatch);
    if (!isAllowed || input.fieldManager.subresource !== "") throw missing(this.#resource, target.name);
    const object = await input.transform(undefined, emptyObject(this.#resource, requireVersion(this.#resource, input.version)));
    // Who names a uid wants to update that object, which is gone.
    if (!isApply) checkUID(this.#resource, object, { ...object, metadata: { name: target.name, uid: "" } });
    const { resourceVersion = "" } = object.metadata;
    if (resourceVersion !== "" && parseRevision(resourceVersion) === undefined) throw badRequest(revisionFault(resourceVersion));
    try {
      return await this.#create({ ...input, ...target, object }, context, () => requireCreate(this.#resource, input, context));
    } catch (error) {
      if (APIError.is(error, "AlreadyExists") && (await this.#find(target, context)) !== undefined) return undefined;
      throw error;
    }
  }

  /** @returns undefined when somebody else wrote first: then all is done again with what is there now. */
  async #tryUpdate(
    input: UpdateInput,
    current: ObjectView,
    version: ResourceVersion,
    write: RequestContext & WriteContext,
  ): Promise<ObjectView | undefined> {
    const { subresource } = input.fieldManager;
    const request = { subresource, name: input.target.name, requestName: input.target.name, sentOptions: input.sentOptions };
    const live = current.in(version.name);
    const wanted = this.#steps.converted(await input.transform(live, emptyObject(this.#resource, version)), version);
    this.#checkPreconditions(input, wanted, current);
    const isWhole = input.admitSubresource === undefined;
    const isTracked = !isWhole || input.isApply === true;
    const tracked = isTracked ? wanted : trackFields(this.#resource, wanted, live, version, input.fieldManager, write.now);
    const ownParts = (whole: KubernetesObject, { metadata: wished }: KubernetesObject) => {
      const metadata = subresource === "status" ? metadataForStatus(wished, live.metadata) : metadataForUpdate(wished, live.metadata);
      return withMetadata(this.#steps.onlyOwnFields(whole, live, version, subresource), { ...metadata, resourceVersion: current.resourceVersion });
    };
    let object = ownParts(wanted, tracked);
    if (isWhole) {
      const mutated = await this.#steps.mutate("UPDATE", object, live, version, request, write);
      if (mutated !== object) {
        this.#checkRevision(input, mutated, current);
        // What a write may not change, a plugin may not either.
        object = inRequestNamespace(ownParts(mutated, mutated), this.#resource, input.target.namespace);
      }
      object = withoutDuplicateOwners(object, write.warn, "mutated");
    }
    object = keepManagedFieldsTimes(live, object);
    const formFaults = checkForm(this.#resource, version, object, live, subresource, write.warn);
    const previous = current.object;
    let stored = toStoredObject(this.#resource, this.#steps.withoutNulls(object, version, input.isApply), version);
    stored = this.#resource.hooks.prepare?.({ object: stored, previous, subresource, ...write }) ?? stored;
    if (this.#resource.tracksGeneration && hasNewGeneration(stored, previous, version)) {
      stored = withMetadata(stored, { ...stored.metadata, generation: nextGeneration(previous.metadata.generation) });
    }
    checkRules(this.#resource, stored, previous, subresource, formFaults, write);
    warnOfFinalizers(this.#resource, stored, previous, write.warn);
    await this.#steps.admit("UPDATE", stored, previous, version, request, write, input.admitSubresource);
    if (isDeletionComplete(this.#resource, stored, previous)) {
      // Nothing is stored, so that nothing is lost by the way there: but where the kind itself made something of it.
      const written = this.#resource.hooks.prepare === undefined ? { version: version.name, object: withStoredMetadata(object, stored) } : undefined;
      const answer = new ValueView(this.#resource, stored, written);
      if (input.isDryRun) return answer;
      const deleted = await this.#store.delete(current, write.signal);
      return deleted && answer;
    }
    if (jsonEquals(stored, previous) && !current.isStale) return current;
    if (input.isDryRun) return new ValueView(this.#resource, stored);
    return this.#store.update(stored, current, write.signal);
  }

  #checkPreconditions(input: UpdateInput, wanted: KubernetesObject, current: ObjectView): void {
    if (!input.isPatch) checkUID(this.#resource, wanted, current.object);
    this.#checkRevision(input, wanted, current);
  }

  /** That of a client, or that which admission left. */
  #checkRevision({ target: { name } }: UpdateInput, { metadata: { resourceVersion } }: KubernetesObject, current: ObjectView): void {
    if (!resourceVersion || resourceVersion === "0") {
      if (!this.#resource.allowsUnconditionalUpdate) throw resourceVersionRequired(this.#resource, name);
    } else if (resourceVersion !== current.resourceVersion) {
      if (parseRevision(resourceVersion) === undefined) throw badRequest(revisionFault(resourceVersion));
      throw conflict(this.#resource, name, OPTIMISTIC_LOCK_MESSAGE);
    }
  }
}

/** The refusal of a new object with a resourceVersion. Where it was none of the client's, storage refuses it, in Go: a 500. */
function resourceVersionSet({ metadata }: KubernetesObject): APIError {
  const message = "resourceVersion should not be set on objects to be created";
  return metadata.resourceVersion ? badRequest(message) : new APIError("InternalError", message, { statedReason: "" });
}

/** What is told of an object that is not there; a name that no object can have is a fault of the request. Source: k8s.io/apiserver registry store, NamespaceKeyFunc. */
function missing(resource: Resource, name: string): APIError {
  const complaints = validatePathSegmentName(name);
  return complaints.length === 0 ? notFound(resource, name) : badRequest(`Name parameter invalid: ${quoteGo(name)}: ${complaints.join(";")}`);
}

/** An object as it was written, with the metadata that it would be stored with: but for annotations, which a conversion may have made or used up. */
function withStoredMetadata(object: KubernetesObject, stored: KubernetesObject): KubernetesObject {
  const { annotations: _stored, ...metadata } = stored.metadata;
  const { annotations } = object.metadata;
  return withMetadata(object, annotations === undefined ? metadata : { ...metadata, annotations });
}

/** Whether anything but metadata changed; and but status, where that is a subresource. Source: customresource strategy PrepareForUpdate. */
function hasNewGeneration(object: KubernetesObject, previous: KubernetesObject, { hasStatus }: ResourceVersion): boolean {
  const content = ({ metadata: _metadata, status, ...rest }: KubernetesObject) => (hasStatus ? rest : { ...rest, status });
  return !jsonEquals(content(object), content(previous));
}

/** Whether a deletion that began is no longer held by anything. One that was applied may have a grace period. Source: registry store, ShouldDeleteDuringUpdate. */
function isDeletionComplete(resource: Resource, object: KubernetesObject, { metadata: before }: KubernetesObject): boolean {
  if (before.deletionTimestamp === undefined || (before.deletionGracePeriodSeconds ?? 0) !== 0) return false;
  return (object.metadata.finalizers ?? []).length === 0 && resource.hooks.isDeletionHeld?.(object) !== true;
}

function requireVersion(resource: Resource, name: string): ResourceVersion {
  const version = versionOf(resource, name);
  if (version === undefined) throw new Error(`${resource.kind} has no version ${name}`);
  return version;
}

function isNotFound(error: unknown): boolean {
  return APIError.is(error, "NotFound");
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
