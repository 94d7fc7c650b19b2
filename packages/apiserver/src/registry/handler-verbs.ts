import {
  APIError,
  badRequest,
  conflict,
  formatGroupResource,
  type KubernetesObject,
  notFound,
  type ObjectName,
  OPTIMISTIC_LOCK_MESSAGE,
} from "@annex/apimachinery";
import type { AuthorHandlers, HandlerContext, HandlerEvent, HandlerObject } from "../definition/handlers.ts";
import {
  fromStorageVersion,
  type Resource,
  type ResourceServices,
  type ResourceVersion,
  toStoredObject,
  versionOf,
  type WriteContext,
} from "../definition/resource.ts";
import type { ObjectView, WatchBatch, WatchEvent } from "../object-view.ts";
import type { Random } from "../random.ts";
import type { StorageKey } from "../storage/index.ts";
import { decodeContinue, encodeContinue } from "./continue-token.ts";
import { requireCreate } from "./create-on-update.ts";
import { checkPreconditions, checkUID } from "./deletion.ts";
import { emptyObject, trackFields } from "./field-managers.ts";
import { metadataForCreate, metadataForUpdate, metadataToCreate, withMetadata } from "./metadata.ts";
import { writeContext } from "./request-context.ts";
import { isCounted, matcherOf, visibilityFor } from "./selection.ts";
import { checkAdmit, checkForm, checkRules } from "./validation.ts";
import { ValueView } from "./value-view.ts";
import type {
  CreateInput,
  DeleteOptions,
  ListOptions,
  ListResult,
  RequestContext,
  ResourceVerbs,
  Selection,
  UpdateInput,
  WatchOptions,
} from "./verbs.ts";

/**
 * Makes verbs of an author's handlers: exactly those that are there, and those that follow from them.
 *
 * Defaults, validation and the kind's hooks apply as everywhere; storage, finalizers and generations do not: such objects are the author's. Server-side apply
 * (of kinds with `get` and `update`; with `create`, too, it creates) merges and writes managedFields; where the author keeps them, fields have owners from then on.
 */
export function handlerVerbs(handlers: AuthorHandlers): (resource: Resource, services: Pick<ResourceServices, "random">) => ResourceVerbs {
  return (resource, services) => new HandlerVerbs(resource, handlers, services).verbs();
}

class HandlerVerbs {
  readonly #resource: Resource;
  readonly #handlers: AuthorHandlers;
  readonly #random: Random;

  constructor(resource: Resource, handlers: AuthorHandlers, { random }: Pick<ResourceServices, "random">) {
    this.#resource = resource;
    this.#handlers = handlers;
    this.#random = random;
  }

  verbs(): ResourceVerbs {
    const { get, list, watch, create, update } = this.#handlers;
    const canDelete = get !== undefined && this.#handlers.delete !== undefined;
    return {
      ...(get === undefined ? {} : { get: async (target, _consistency, context) => this.#require(target, context) }),
      ...(list === undefined ? {} : { list: (options, context) => this.#list(options, context) }),
      ...(watch === undefined || list === undefined ? {} : { watch: async (options, context) => this.#watch(options, context) }),
      ...(create === undefined ? {} : { create: (input, context) => this.#create(create, input, context) }),
      ...(update === undefined || get === undefined ? {} : { update: (input, context) => this.#update(update, input, context) }),
      ...(canDelete ? { delete: (target, options, context) => this.#delete(target, options, context) } : {}),
      ...(canDelete && list !== undefined
        ? { deleteCollection: (selection, options, context) => this.#deleteCollection(selection, options, context) }
        : {}),
    };
  }

  async #find(target: ObjectName, context: RequestContext): Promise<ObjectView | undefined> {
    const object = await this.#handlers.get?.({ ...target, ...handlerContext(context) });
    if (object === undefined) return undefined;
    const view = this.#view(object, target.namespace);
    return visibilityFor(this.#resource, context.user)?.(view.object) === false ? undefined : view;
  }

  async #require(target: ObjectName, context: RequestContext): Promise<ObjectView> {
    const view = await this.#find(target, context);
    if (view === undefined) throw notFound(this.#resource, target.name);
    return view;
  }

  /** Everything that a selection means and this user may know of, in the order of names. */
  async #select(selection: Selection, context: RequestContext): Promise<ObjectView[]> {
    const objects = (await this.#handlers.list?.({ namespace: selection.namespace, ...handlerContext(context) })) ?? [];
    const matches = matcherOf(this.#resource, selection, visibilityFor(this.#resource, context.user));
    const views: ObjectView[] = objects.map((object) => this.#view(object, selection.namespace));
    return views.filter((view) => matches === undefined || matches(view)).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  }

  async #list(options: ListOptions, context: RequestContext): Promise<ListResult> {
    const views = await this.#select(options, context);
    const prefix = `${this.#resource.group}/${this.#resource.resource}/${options.namespace}/`;
    const start = options.continue === "" ? undefined : decodeContinue(options.continue, prefix).start.slice(prefix.length);
    const rest = start === undefined ? views : views.filter((view) => keyOf(view) >= start);
    const items = options.limit > 0 ? rest.slice(0, options.limit) : rest;
    const next = rest[items.length];
    const counts = isCounted(options, visibilityFor(this.#resource, context.user));
    return {
      items,
      resourceVersion: "",
      continue: next === undefined ? "" : encodeContinue({ revision: undefined, start: (prefix + keyOf(next)) as StorageKey }, prefix),
      remainingItemCount: next === undefined || !counts ? undefined : rest.length - items.length,
    };
  }

  async *#watch(options: WatchOptions, context: RequestContext): AsyncGenerator<WatchBatch> {
    const { resourceVersion, sendInitialEvents } = options;
    const matches = matcherOf(this.#resource, options, visibilityFor(this.#resource, context.user));
    const known = new Map<string, ObjectView>();
    // The feed is opened before the state is read, so that nothing falls in between; an event that the state already shows is told twice at most.
    const feed = this.#handlers.watch?.({ namespace: options.namespace, ...handlerContext(context) });
    const state = await this.#select(options, context);
    for (const view of state) known.set(keyOf(view), view);
    if (sendInitialEvents ?? (resourceVersion === undefined || resourceVersion === "0")) {
      const events = state.map((view): WatchEvent => ({ type: "ADDED", view, shared: undefined }));
      yield { events, resourceVersion: "", isInitialEnd: true };
    }
    if (feed === undefined) return;
    for await (const event of until(feed, context.signal)) {
      const seen = this.#asSeen(event, options.namespace, matches, known);
      if (seen !== undefined) yield { events: [seen], resourceVersion: seen.view.resourceVersion, isInitialEnd: false };
    }
  }

  #asSeen(
    event: HandlerEvent<KubernetesObject>,
    namespace: string,
    matches: ReturnType<typeof matcherOf>,
    known: Map<string, ObjectView>,
  ): WatchEvent | undefined {
    const view = this.#view(event.object, namespace);
    const key = keyOf(view);
    const previous = known.get(key);
    const isSelected = matches === undefined || matches(view);
    if (event.type === "DELETED" || !isSelected) {
      if (previous === undefined) return undefined;
      known.delete(key);
      return { type: "DELETED", view: isSelected ? view : this.#lastSelected(previous, view.resourceVersion), shared: undefined };
    }
    known.set(key, view);
    return { type: previous === undefined ? "ADDED" : "MODIFIED", view, shared: undefined };
  }

  /** What ceases to be selected is told as it last was: what it is now is not for this watcher. Source: k8s.io/apiserver cacher, convertToWatchEvent. */
  #lastSelected(previous: ObjectView, resourceVersion: string): ObjectView {
    if (resourceVersion === "") return previous;
    return this.#view(withMetadata(previous.object, { ...previous.object.metadata, resourceVersion }), previous.namespace);
  }

  async #create(handler: NonNullable<AuthorHandlers["create"]>, input: CreateInput, context: RequestContext): Promise<ObjectView> {
    const write = this.#begin(context, input.isDryRun);
    const { metadata } = input.object;
    if (input.isApply !== true && metadata.resourceVersion && metadata.resourceVersion !== "0")
      throw badRequest("resourceVersion should not be set on objects to be created");
    const { isNameOptional, isBuiltIn } = this.#resource;
    // Of a compiled-in kind that is asked and not kept (a review) no name is made. Source: their REST storage, which runs no BeforeCreate.
    const facts = { tracksGeneration: false, now: context.now, random: this.#random, generatesName: !(isNameOptional && isBuiltIn) };
    // What is in deletion its author says, however it is created.
    const wanted = metadataForCreate(metadataToCreate(metadata, metadata.namespace ?? "", true), facts);
    const object = this.#checked(withMetadata(input.object, wanted), undefined, input.version, {
      ...write,
      warn: context.warn,
    });
    await checkAdmit(this.#resource, "CREATE", object, undefined, write);
    return this.#view(await handler({ object, isDryRun: input.isDryRun, ...handlerContext(context) }), input.namespace);
  }

  async #update(
    handler: NonNullable<AuthorHandlers["update"]>,
    input: UpdateInput,
    context: RequestContext,
  ): Promise<{ view: ObjectView; isCreated: boolean }> {
    const write = this.#begin(context, input.isDryRun);
    const current = await this.#find(input.target, context);
    if (current === undefined) return { view: await this.#createApplied(input, context), isCreated: true };
    const wanted = await this.#wanted(input, current.in(input.version), context.now);
    if (!input.isPatch) checkUID(this.#resource, wanted, current.object);
    const { resourceVersion = "" } = wanted.metadata;
    // An author whose objects have no resourceVersion lets the last one win.
    if (resourceVersion !== "" && current.resourceVersion !== "" && resourceVersion !== current.resourceVersion) {
      throw conflict(this.#resource, input.target.name, OPTIMISTIC_LOCK_MESSAGE);
    }
    const metadata = metadataForUpdate(wanted.metadata, current.object.metadata);
    const object = this.#checked(withMetadata(wanted, metadata), current, input.version, { ...write, warn: context.warn });
    await input.admitSubresource?.(fromStorageVersion(this.#resource, object, this.#version(input.version)), current.in(input.version));
    await checkAdmit(this.#resource, "UPDATE", object, current.object, write);
    const answer = await handler({ object, previous: current.object, isDryRun: input.isDryRun, ...handlerContext(context) });
    return { view: this.#view(answer, input.target.namespace), isCreated: false };
  }

  /** What the client wants. Who owns what is written down where the author keeps it. */
  async #wanted({ transform, isApply, admitSubresource, version, fieldManager }: UpdateInput, live: KubernetesObject, now: number) {
    const wanted = await transform(live);
    if (isApply === true || admitSubresource !== undefined || live.metadata.managedFields === undefined) return wanted;
    return trackFields(this.#resource, wanted, live, this.#version(version), fieldManager, now);
  }

  /** An apply creates what is not there, where the author's handlers can. */
  async #createApplied(input: UpdateInput, context: RequestContext): Promise<ObjectView> {
    const { isApply, fieldManager, target, version } = input;
    const { create } = this.#handlers;
    if (isApply !== true || create === undefined || fieldManager.subresource !== "") throw notFound(this.#resource, target.name);
    const object = await input.transform(undefined, emptyObject(this.#resource, this.#version(version)));
    await requireCreate(this.#resource, input, context);
    return this.#create(create, { ...input, ...target, object }, context);
  }

  #checked(
    object: KubernetesObject,
    current: ObjectView | undefined,
    versionName: string,
    { warn, ...write }: WriteContext & Pick<RequestContext, "warn">,
  ): KubernetesObject {
    const version = this.#version(versionName);
    const live = current && fromStorageVersion(this.#resource, current.object, version);
    const formFaults = checkForm(this.#resource, version, object, live, "", warn);
    const stored = toStoredObject(this.#resource, object, version);
    const prepared = this.#resource.hooks.prepare?.({ object: stored, previous: current?.object, subresource: "", ...write }) ?? stored;
    checkRules(this.#resource, prepared, current?.object, "", formFaults, write);
    return prepared;
  }

  #version(name: string): ResourceVersion {
    return versionOf(this.#resource, name) ?? this.#resource.storageVersion;
  }

  async #delete(target: ObjectName, options: DeleteOptions, context: RequestContext): Promise<{ view: ObjectView; isGone: boolean }> {
    const write = this.#begin(context, options.isDryRun);
    const view = await this.#require(target, context);
    checkPreconditions(this.#resource, view, options);
    await checkAdmit(this.#resource, "DELETE", undefined, view.object, write);
    await this.#handlers.delete?.({ ...target, previous: view.object, isDryRun: options.isDryRun, ...handlerContext(context) });
    return { view, isGone: true };
  }

  async #deleteCollection(
    selection: Selection & { readonly limit: number } & Partial<Pick<ListOptions, "continue" | "consistency">>,
    options: DeleteOptions,
    context: RequestContext,
  ): Promise<ListResult> {
    this.#begin(context, options.isDryRun);
    const listed = await this.#list({ continue: "", consistency: { type: "MostRecent" }, ...selection }, context);
    for (const { namespace, name } of listed.items) {
      context.signal.throwIfAborted();
      await this.#delete({ namespace, name }, options, context).catch((error: unknown) => {
        // Somebody else was faster.
        if (!APIError.is(error, "NotFound")) throw error;
      });
    }
    return listed;
  }

  /** @throws {APIError} `BadRequest` for a dry run that the author has not thought of. */
  #begin(context: RequestContext, isDryRun: boolean): WriteContext {
    if (isDryRun && this.#handlers.supportsDryRun !== true) {
      throw badRequest(`${formatGroupResource(this.#resource)} does not support dry run`);
    }
    return writeContext(context, isDryRun);
  }

  #view(object: HandlerObject<KubernetesObject>, namespace: string): ValueView {
    // Without its type an object still has metadata; the index signature hides it.
    const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = object as KubernetesObject;
    const placed = this.#resource.isNamespaced && metadata.namespace === undefined ? { ...metadata, namespace } : metadata;
    return new ValueView(this.#resource, {
      apiVersion: this.#resource.storageVersion.apiVersion,
      kind: this.#resource.kind,
      metadata: placed,
      ...fields,
    });
  }
}

/**
 * What an author's feed delivers until the signal aborts, whether the author listens to it or not.
 *
 * A feed that does not end is left: it is told to return, and nobody waits for that.
 */
async function* until<T>(feed: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = feed[Symbol.asyncIterator]();
  let end: () => void = () => undefined;
  const aborted = new Promise<undefined>((resolve) => {
    end = () => resolve(undefined);
  });
  signal.addEventListener("abort", end, { once: true });
  try {
    while (!signal.aborted) {
      const next = iterator.next();
      // Whatever comes of it after the end is nobody's.
      next.catch(() => undefined);
      const step = await Promise.race([next, aborted]);
      if (step === undefined || step.done === true) return;
      yield step.value;
    }
  } finally {
    signal.removeEventListener("abort", end);
    iterator.return?.().catch(() => undefined);
  }
}

function handlerContext({ user, signal, now, authorizer }: RequestContext): HandlerContext {
  return { user, signal, now, authorizer };
}

function keyOf({ namespace, name }: ObjectName): string {
  return namespace === "" ? name : `${namespace}/${name}`;
}
