import { APIError, escapeFieldValue, type KubernetesObject, type ObjectName, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import {
  type Awaitable,
  type Cancellation,
  type DeleteResult,
  isCounted,
  type ListResult,
  matcherOf,
  type ObjectStore,
  type ObjectView,
  type RequestContext,
  type Resource,
  type Selection,
  ValueView,
  type Visibility,
  type WatchBatch,
  type WriteOptions,
  whenSettled,
} from "@annex/apiserver";
import { decodeSecret, encodeSecret, type SecretCodec } from "./secret-codec.ts";
import { errorOfObject } from "./secret-error.ts";
import type { SecretObject } from "./secret-object.ts";
import type { SecretSelection, SecretTarget, SecretVerbs } from "./secret-verbs.ts";

export interface SecretStoreOptions {
  readonly resource: Resource;
  readonly codec: SecretCodec;
  /** Asked for each request: in the server itself the Secrets' verbs are there only once all kinds are defined. */
  readonly secrets: () => SecretVerbs;
  /** As whom Secrets are read and written. */
  readonly context: (cancellation: Cancellation) => RequestContext;
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
      view = object === undefined ? "other" : new SecretBackedView(resource, object, secret);
      views.set(secret, view);
    }
    return view === "other" ? undefined : view;
  }

  const placeOf = ({ namespace, name }: ObjectName, known?: ObjectView): SecretTarget => ({
    namespace: codec.namespace ?? namespace,
    name,
    secretType: codec.type,
    known,
  });

  /** One value, so that Secrets share what they list for it. */
  const ofThisKind = { isCounted: true, matches: (secret: ObjectView) => viewOf(secret) !== undefined };
  /** What was made of each list of Secrets, as long as that is held. */
  const lists = new WeakMap<ListResult, ListResult>();

  /** A selection of objects as one of Secrets: labels are the Secret's own, everything else is asked of the object, which knows its fields. */
  function asSecrets<Options extends Selection>(options: Options, visible: Visibility): SecretSelection<Options> {
    const others = { ...options, labelSelector: EVERYTHING.labels };
    const matches = matcherOf(resource, others, visible);
    return {
      ...options,
      secretType: codec.type,
      namespace: codec.namespace ?? options.namespace,
      // A name goes along: it is what leads straight to a single Secret.
      fieldSelector: nameSelector(options.fieldSelector.requiredValue("metadata.name")),
      filter:
        matches === undefined
          ? ofThisKind
          : {
              isCounted: isCounted(others, visible),
              matches: (secret) => {
                const view = viewOf(secret);
                return view !== undefined && matches(view);
              },
            },
    };
  }

  async function write(secret: SecretObject, target: SecretTarget, signal: AbortSignal): Promise<ObjectView | undefined> {
    return unlessLost(() =>
      secrets()
        .update({ version: "v1", target, isDryRun: false, fieldManager: FIELD_MANAGER, isPatch: false, transform: () => secret }, context({ signal }))
        .then(({ view }) => view),
    );
  }

  /** The Secret that an object was made of. It need not be the present one: whoever writes it is told. */
  async function secretOf(expected: ObjectView, signal: AbortSignal): Promise<ObjectView | undefined> {
    if (expected instanceof SecretBackedView) return expected.secret;
    const view = await unlessLost(() => secrets().get(placeOf(expected), { type: "MostRecent" }, context({ signal })));
    return view?.resourceVersion === expected.resourceVersion ? view : undefined;
  }

  async function toldOfObject<T>(name: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw errorOfObject(resource, name, error);
    }
  }

  async function create(object: KubernetesObject, { isDryRun }: WriteOptions, signal: AbortSignal): Promise<ObjectView | undefined> {
    const { secret, answer } = encodeSecret(codec, object, undefined);
    const { namespace = "" } = secret.metadata;
    const input = { version: "v1", namespace, name: "", object: secret, isDryRun, fieldManager: FIELD_MANAGER };
    try {
      const kept = await secrets().create(input, context({ signal }));
      if (isDryRun) return new ValueView(resource, object);
      const view = viewOf(kept);
      return view === undefined ? undefined : new ValueView(resource, withKeptMetadata(answer, view.object));
    } catch (error) {
      if (APIError.is(error, "AlreadyExists")) return undefined;
      throw error;
    }
  }

  async function update(object: KubernetesObject, expected: ObjectView, signal: AbortSignal): Promise<ObjectView | undefined> {
    const known = await secretOf(expected, signal);
    if (known === undefined) return undefined;
    const { secret } = encodeSecret(codec, object, known.object as SecretObject);
    const written = await write(secret, placeOf(expected, known), signal);
    return written && viewOf(written);
  }

  async function remove(expected: ObjectView, signal: AbortSignal): Promise<DeleteResult | undefined> {
    let known = await secretOf(expected, signal);
    if (known === undefined) return undefined;
    const { finalizers, deletionTimestamp } = known.object.metadata;
    const isHeldByUs = finalizers?.includes(codec.finalizer) === true;
    if (!isHeldByUs || deletionTimestamp === undefined) {
      const preconditions = { resourceVersion: known.resourceVersion };
      const options = { isDryRun: false, preconditions, propagationPolicy: undefined, gracePeriodSeconds: undefined };
      const target = placeOf(expected, known);
      const deleted = await unlessLost(() => secrets().delete(target, options, context({ signal })));
      if (deleted === undefined) return undefined;
      if (!isHeldByUs) return { view: viewOf(deleted.view) ?? expected, isGone: deleted.isGone };
      known = deleted.view;
    }
    // Our finalizer held the Secret for the object's own, which are done. It goes last: if the server ends before this write, the Secret is in deletion, and so is
    // the object, for whoever asks to remove it again.
    const secret = known.object as SecretObject;
    const others = secret.metadata.finalizers?.filter((finalizer) => finalizer !== codec.finalizer) ?? [];
    const released = await write(releasedSecret(codec, secret, others), placeOf(expected, known), signal);
    // Somebody else's finalizer on the Secret holds both.
    return released && { view: viewOf(released) ?? expected, isGone: others.length === 0 };
  }

  return {
    get: (target, consistency, cancellation) =>
      whenSettled(
        () => secrets().get(placeOf(target), consistency, context(cancellation)),
        viewOf,
        (error) => {
          if (APIError.is(error, "NotFound")) return undefined;
          throw errorOfObject(resource, target.name, error);
        },
      ),

    list: (options, visible, cancellation) =>
      toldOfObject("", async () => {
        const list = await secrets().list(asSecrets(options, visible), context(cancellation));
        const known = lists.get(list);
        if (known !== undefined) return known;
        const made = { ...list, items: list.items.flatMap((secret) => viewOf(secret) ?? []) };
        lists.set(list, made);
        return made;
      }),

    watch: (options, visible, signal) =>
      toldOfObject("", async () => {
        const batches = await secrets().watch(asSecrets(options, visible), context({ signal }));
        return mapped(batches, viewOf, (error) => errorOfObject(resource, "", error));
      }),

    create: (object, options, signal) => toldOfObject(object.metadata.name ?? "", () => create(object, options, signal)),
    update: (object, expected, signal) => toldOfObject(expected.name, () => update(object, expected, signal)),
    delete: (expected, signal) => toldOfObject(expected.name, () => remove(expected, signal)),
  };
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
  /** What it was made of. */
  readonly secret: ObjectView;
  /** Whether its Secret is. */
  override readonly isStale: boolean;
  readonly #bytes = new Map<string, Uint8Array>();

  constructor(resource: Resource, object: KubernetesObject, secret: ObjectView) {
    super(resource, object);
    this.secret = secret;
    this.isStale = secret.isStale;
  }

  override bytes(version: string): Uint8Array {
    let bytes = this.#bytes.get(version);
    if (bytes === undefined) {
      bytes = super.bytes(version);
      this.#bytes.set(version, bytes);
    }
    return bytes;
  }
}

async function* mapped(
  batches: AsyncIterable<WatchBatch>,
  viewOf: (secret: ObjectView) => ObjectView | undefined,
  told: (error: unknown) => unknown,
): AsyncGenerator<WatchBatch> {
  try {
    for await (const batch of batches) {
      const events = batch.events.flatMap(({ type, view: secret, shared }) => {
        const view = viewOf(secret);
        // What is encoded for watchers of an object is not what is encoded for those of its Secret.
        return view === undefined ? [] : [{ type, view, shared: shared && new ObjectFrames(shared) }];
      });
      yield { ...batch, events };
    }
  } catch (error) {
    throw told(error);
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

/** Undefined when somebody else was faster: the registry then looks again. */
async function unlessLost<T>(operation: () => Awaitable<T>): Promise<T | undefined> {
  try {
    return await operation();
  } catch (error) {
    if (isLost(error)) return undefined;
    throw error;
  }
}

/** A webhook may refuse with a conflict, too: that names no Secret, and would be answered again and again. */
function isLost(error: unknown): boolean {
  if (!APIError.is(error, "Conflict", "NotFound")) return false;
  return error.details?.kind === "secrets" || error.details?.kind === "Secret";
}
