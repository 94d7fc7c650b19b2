import {
  APIError,
  escapeFieldValue,
  invalid,
  type KubernetesObject,
  type ObjectName,
  parseFieldSelector,
  parseLabelSelector,
} from "@annex/apimachinery";
import {
  isCounted,
  type ListOptions,
  type ListResult,
  matcherOf,
  type ObjectStore,
  type ObjectView,
  type RequestContext,
  type Resource,
  type ResourceVerbs,
  type Selection,
  ValueView,
  type Visibility,
  type WatchBatch,
  type WatchOptions,
} from "@annex/apiserver";
import { decodeSecret, encodeSecret, type SecretCodec } from "./secret-codec.ts";
import type { SecretObject } from "./secret-object.ts";

/** What is asked of Secrets: those of the server itself, or of a cluster. Each update is checked against the resourceVersion it carries. */
export type SecretVerbs = Required<Pick<ResourceVerbs, "get" | "list" | "watch" | "create" | "update" | "delete">>;

export interface SecretStoreOptions {
  readonly resource: Resource;
  readonly codec: SecretCodec;
  /** Asked for each request: in the server itself the Secrets' verbs are there only once all kinds are defined. */
  readonly secrets: () => SecretVerbs;
  /** As whom Secrets are read and written. */
  readonly context: (signal: AbortSignal) => RequestContext;
}

/** The name under which writes to Secrets appear in their managedFields. */
const FIELD_MANAGER = { manager: "annex", subresource: "" };

/** Objects that are kept in Secrets of the same name: a store like any other for the registry. */
export function secretStore({ resource, codec, secrets, context }: SecretStoreOptions): ObjectStore {
  /** What was made of each Secret, for as long as it is kept itself. */
  const views = new WeakMap<ObjectView, ObjectView | "other">();

  function viewOf(secret: ObjectView): ObjectView | undefined {
    let view = views.get(secret);
    if (view === undefined) {
      const object = decodeSecret(codec, secret.object as SecretObject);
      view = object === undefined ? "other" : new SecretBackedView(resource, object);
      views.set(secret, view);
    }
    return view === "other" ? undefined : view;
  }

  const placeOf = ({ namespace, name }: ObjectName): ObjectName => ({ namespace: codec.namespace ?? namespace, name });

  /** One value, so that Secrets share what they list for it. */
  const ofThisKind = { isCounted: true, matches: (secret: ObjectView) => viewOf(secret) !== undefined };
  /** What was made of each list of Secrets, as long as that is held. */
  const lists = new WeakMap<ListResult, ListResult>();

  /** A selection of objects as one of Secrets: everything is asked of the object, which knows its own fields. */
  function asSecrets<Options extends Selection>(options: Options, visible: Visibility): Options {
    const matches = matcherOf(resource, options, visible);
    return {
      ...options,
      namespace: codec.namespace ?? options.namespace,
      labelSelector: EVERYTHING.labels,
      // A name goes along: it is what leads straight to a single Secret.
      fieldSelector: nameSelector(options.fieldSelector.requiredValue("metadata.name")),
      filter:
        matches === undefined
          ? ofThisKind
          : {
              isCounted: isCounted(options, visible),
              matches: (secret) => {
                const view = viewOf(secret);
                return view !== undefined && matches(view);
              },
            },
    };
  }

  async function write(secret: SecretObject, target: ObjectName, signal: AbortSignal): Promise<ObjectView | undefined> {
    return unlessLost(
      secrets()
        .update({ version: "v1", target, isDryRun: false, fieldManager: FIELD_MANAGER, isPatch: false, transform: () => secret }, context(signal))
        .then(({ view }) => view),
    );
  }

  return {
    async get(target, consistency, { signal }) {
      try {
        return viewOf(await secrets().get(placeOf(target), consistency, context(signal)));
      } catch (error) {
        if (isReason(error, "NotFound")) return undefined;
        throw error;
      }
    },

    async list(options: ListOptions, visible, { signal }) {
      const list = await secrets().list(asSecrets(options, visible), context(signal));
      const known = lists.get(list);
      if (known !== undefined) return known;
      const made = { ...list, items: list.items.flatMap((secret) => viewOf(secret) ?? []) };
      lists.set(list, made);
      return made;
    },

    async watch(options: WatchOptions, visible, signal) {
      return mapped(await secrets().watch(asSecrets(options, visible), context(signal)), viewOf);
    },

    async create(object, { isDryRun }, signal) {
      const { secret, answer } = encodeSecret(codec, object, undefined);
      const { namespace = "" } = secret.metadata;
      try {
        const kept = await secrets().create({ version: "v1", namespace, object: secret, isDryRun, fieldManager: FIELD_MANAGER }, context(signal));
        if (isDryRun) return new ValueView(resource, object);
        const view = viewOf(kept);
        return view === undefined ? undefined : new ValueView(resource, withKeptMetadata(answer, view.object));
      } catch (error) {
        if (isReason(error, "AlreadyExists")) return undefined;
        throw ofObject(resource, object, error);
      }
    },

    async update(object, expected, signal) {
      const secret = await present(placeOf(expected), expected, signal);
      if (secret === undefined) return undefined;
      try {
        const written = await write(encodeSecret(codec, object, secret).secret, placeOf(expected), signal);
        return written === undefined ? undefined : viewOf(written);
      } catch (error) {
        throw ofObject(resource, object, error);
      }
    },

    async delete(expected, signal) {
      const target = placeOf(expected);
      let secret = await present(target, expected, signal);
      if (secret === undefined) return undefined;
      const isHeldByUs = secret.metadata.finalizers?.includes(codec.finalizer) === true;
      if (!isHeldByUs || secret.metadata.deletionTimestamp === undefined) {
        const { resourceVersion = "" } = secret.metadata;
        const options = { isDryRun: false, preconditions: { resourceVersion }, propagationPolicy: undefined, gracePeriodSeconds: undefined };
        const deleted = await unlessLost(secrets().delete(target, options, context(signal)));
        if (deleted === undefined) return undefined;
        if (!isHeldByUs) return { view: viewOf(deleted.view) ?? expected, isGone: deleted.isGone };
        secret = deleted.view.object as SecretObject;
      }
      // Our finalizer held the Secret for the object's own, which are done. It goes last: if the server ends before this write, the Secret is in deletion, and so is
      // the object, for whoever asks to remove it again.
      const finalizers = secret.metadata.finalizers?.filter((finalizer) => finalizer !== codec.finalizer) ?? [];
      const released = await write(releasedSecret(codec, secret, finalizers), target, signal);
      // Somebody else's finalizer on the Secret holds both.
      return released && { view: viewOf(released) ?? expected, isGone: finalizers.length === 0 };
    },
  };

  /** The Secret of an object, if it is still as expected. */
  async function present(target: ObjectName, expected: ObjectView, signal: AbortSignal): Promise<SecretObject | undefined> {
    const view = await unlessLost(secrets().get(target, { type: "MostRecent" }, context(signal)));
    return view?.resourceVersion === expected.resourceVersion ? (view.object as SecretObject) : undefined;
  }
}

const EVERYTHING = { labels: parseLabelSelector(""), fields: parseFieldSelector("", new Set()) };

function nameSelector(name: string | undefined) {
  return name === undefined ? EVERYTHING.fields : parseFieldSelector(`metadata.name=${escapeFieldValue(name)}`, new Set(["metadata.name"]));
}

/** A Secret without our finalizer. One that others still hold no longer says that the object's own do; in one that goes by this write nothing needs to change. */
function releasedSecret(codec: SecretCodec, secret: SecretObject, finalizers: readonly string[]): SecretObject {
  const object = finalizers.length === 0 || secret.immutable === true ? undefined : decodeSecret(codec, secret);
  if (object === undefined) return { ...secret, metadata: { ...secret.metadata, finalizers } };
  const { finalizers: _done, ...metadata } = object.metadata;
  return encodeSecret(codec, { ...object, metadata }, secret).secret;
}

/** A view that keeps what it has encoded: as many reads as you like cost one encoding. */
class SecretBackedView extends ValueView {
  readonly #bytes = new Map<string, Uint8Array>();

  override bytes(version: string): Uint8Array {
    let bytes = this.#bytes.get(version);
    if (bytes === undefined) {
      bytes = super.bytes(version);
      this.#bytes.set(version, bytes);
    }
    return bytes;
  }
}

async function* mapped(batches: AsyncIterable<WatchBatch>, viewOf: (secret: ObjectView) => ObjectView | undefined): AsyncGenerator<WatchBatch> {
  // What is encoded for watchers of an object is not what is encoded for those of its Secret.
  for await (const batch of batches) {
    const events = batch.events.flatMap((event) => {
      const view = viewOf(event.view);
      if (view === undefined) return [];
      return [{ type: event.type, view, shared: event.shared && new ObjectFrames(event.shared) }];
    });
    yield { ...batch, events };
  }
}

/** The encoded frames of an object's change, kept among those of its Secret's: so they are shared between watchers, and dropped when those are. */
class ObjectFrames extends Map<string, Uint8Array> {
  readonly #frames: Map<string, Uint8Array>;

  constructor(frames: Map<string, Uint8Array>) {
    super();
    this.#frames = frames;
  }

  override get(key: string): Uint8Array | undefined {
    return this.#frames.get(`object ${key}`);
  }

  override set(key: string, frame: Uint8Array): this {
    this.#frames.set(`object ${key}`, frame);
    return this;
  }
}

/** What the creator is answered: the answer of the codec, at the revision at which it was kept. */
function withKeptMetadata(answer: KubernetesObject, kept: KubernetesObject): KubernetesObject {
  return { ...answer, metadata: kept.metadata };
}

/** A fault of the Secret, told of the object: the client knows nothing of the other. */
function ofObject(resource: Resource, { metadata }: KubernetesObject, error: unknown): unknown {
  if (!APIError.is(error) || error.reason !== "Invalid") return error;
  const causes = (error.details?.causes ?? []).map(({ message = "", reason = "FieldValueInvalid" }) => ({ reason, message, field: "<nil>" }));
  return invalid(resource, metadata.name ?? "", causes);
}

/** Undefined when somebody else was faster: the registry then looks again. */
async function unlessLost<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isReason(error, "Conflict") || isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

function isReason(error: unknown, reason: APIError["reason"]): boolean {
  return APIError.is(error) && error.reason === reason;
}
