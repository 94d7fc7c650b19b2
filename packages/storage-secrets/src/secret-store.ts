import { APIError, escapeFieldValue, type KubernetesObject, type ObjectName, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import {
  type Awaitable,
  type Cancellation,
  type DeleteResult,
  isCounted,
  type ListOptions,
  type ListResult,
  matcherOf,
  type ObjectStore,
  type ObjectView,
  type ReadConsistency,
  type RequestContext,
  type Resource,
  type Selection,
  ValueView,
  type Visibility,
  type WatchBatch,
  type WatchOptions,
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
export function secretStore(options: SecretStoreOptions): ObjectStore {
  return new SecretStore(options);
}

class SecretStore implements ObjectStore {
  readonly #resource: Resource;
  readonly #codec: SecretCodec;
  readonly #secrets: () => SecretVerbs;
  readonly #context: (cancellation: Cancellation) => RequestContext;
  /** What was made of each Secret, for as long as it is kept itself. */
  readonly #views = new WeakMap<ObjectView, ObjectView | "other">();
  /** What was made of each list of Secrets, as long as that is held. */
  readonly #lists = new WeakMap<ListResult, ListResult>();
  /** One value, so that Secrets share what they list for it. */
  readonly #ofThisKind = { isCounted: true, matches: (secret: ObjectView) => this.#viewOf(secret) !== undefined };

  constructor({ resource, codec, secrets, context }: SecretStoreOptions) {
    this.#resource = resource;
    this.#codec = codec;
    this.#secrets = secrets;
    this.#context = context;
  }

  get(target: ObjectName, consistency: ReadConsistency, cancellation: Cancellation): Awaitable<ObjectView | undefined> {
    return whenSettled(
      () => this.#secrets().get(this.#placeOf(target), consistency, this.#context(cancellation)),
      (secret) => this.#viewOf(secret),
      (error) => {
        if (APIError.is(error, "NotFound")) return undefined;
        throw errorOfObject(this.#resource, target.name, error);
      },
    );
  }

  list(options: ListOptions, visible: Visibility, cancellation: Cancellation): Promise<ListResult> {
    return this.#toldOfObject("", async () => {
      const list = await this.#secrets().list(this.#asSecrets(options, visible), this.#context(cancellation));
      const known = this.#lists.get(list);
      if (known !== undefined) return known;
      const made = { ...list, items: list.items.flatMap((secret) => this.#viewOf(secret) ?? []) };
      this.#lists.set(list, made);
      return made;
    });
  }

  watch(options: WatchOptions, visible: Visibility, signal: AbortSignal): Promise<AsyncIterable<WatchBatch>> {
    return this.#toldOfObject("", async () => {
      const batches = await this.#secrets().watch(this.#asSecrets(options, visible), this.#context({ signal }));
      return mapped(
        batches,
        (secret) => this.#viewOf(secret),
        (error) => errorOfObject(this.#resource, "", error),
      );
    });
  }

  create(object: KubernetesObject, options: WriteOptions, signal: AbortSignal): Promise<ObjectView | undefined> {
    return this.#toldOfObject(object.metadata.name ?? "", () => this.#create(object, options, signal));
  }

  update(object: KubernetesObject, expected: ObjectView, signal: AbortSignal): Promise<ObjectView | undefined> {
    return this.#toldOfObject(expected.name, () => this.#update(object, expected, signal));
  }

  delete(expected: ObjectView, signal: AbortSignal): Promise<DeleteResult | undefined> {
    return this.#toldOfObject(expected.name, () => this.#remove(expected, signal));
  }

  #viewOf(secret: ObjectView): ObjectView | undefined {
    let view = this.#views.get(secret);
    if (view === undefined) {
      const object = decodeSecret(this.#codec, secret.object as SecretObject);
      view = object === undefined ? "other" : new SecretBackedView(this.#resource, object, secret);
      this.#views.set(secret, view);
    }
    return view === "other" ? undefined : view;
  }

  #placeOf({ namespace, name }: ObjectName, known?: ObjectView): SecretTarget {
    const { type, namespace: own } = this.#codec;
    return { namespace: own ?? namespace, name, secretType: type, known };
  }

  /** A selection of objects as one of Secrets: labels are the Secret's own, everything else is asked of the object, which knows its fields. */
  #asSecrets<Options extends Selection>(options: Options, visible: Visibility): SecretSelection<Options> {
    const others = { ...options, labelSelector: EVERYTHING.labels };
    const matches = matcherOf(this.#resource, others, visible);
    return {
      ...options,
      secretType: this.#codec.type,
      namespace: this.#codec.namespace ?? options.namespace,
      // A name goes along: it is what leads straight to a single Secret.
      fieldSelector: nameSelector(options.fieldSelector.requiredValue("metadata.name")),
      filter:
        matches === undefined
          ? this.#ofThisKind
          : {
              isCounted: isCounted(others, visible),
              matches: (secret) => {
                const view = this.#viewOf(secret);
                return view !== undefined && matches(view);
              },
            },
    };
  }

  async #write(secret: SecretObject, target: SecretTarget, signal: AbortSignal): Promise<ObjectView | undefined> {
    return unlessLost(() =>
      this.#secrets()
        .update(
          { version: "v1", target, isDryRun: false, fieldManager: FIELD_MANAGER, isPatch: false, transform: () => secret },
          this.#context({ signal }),
        )
        .then(({ view }) => view),
    );
  }

  /** The Secret that an object was made of. It need not be the present one: whoever writes it is told. */
  async #secretOf(expected: ObjectView, signal: AbortSignal): Promise<ObjectView | undefined> {
    if (expected instanceof SecretBackedView) return expected.secret;
    const view = await unlessLost(() => this.#secrets().get(this.#placeOf(expected), { type: "MostRecent" }, this.#context({ signal })));
    return view?.resourceVersion === expected.resourceVersion ? view : undefined;
  }

  async #toldOfObject<T>(name: string, operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw errorOfObject(this.#resource, name, error);
    }
  }

  async #create(object: KubernetesObject, { isDryRun }: WriteOptions, signal: AbortSignal): Promise<ObjectView | undefined> {
    const { secret, answer } = encodeSecret(this.#codec, object, undefined);
    const { namespace = "" } = secret.metadata;
    const input = { version: "v1", namespace, name: "", object: secret, isDryRun, fieldManager: FIELD_MANAGER };
    try {
      const kept = await this.#secrets().create(input, this.#context({ signal }));
      if (isDryRun) return new ValueView(this.#resource, object);
      const view = this.#viewOf(kept);
      return view === undefined ? undefined : new ValueView(this.#resource, withKeptMetadata(answer, view.object));
    } catch (error) {
      if (APIError.is(error, "AlreadyExists")) return undefined;
      throw error;
    }
  }

  async #update(object: KubernetesObject, expected: ObjectView, signal: AbortSignal): Promise<ObjectView | undefined> {
    const known = await this.#secretOf(expected, signal);
    if (known === undefined) return undefined;
    const { secret } = encodeSecret(this.#codec, object, known.object as SecretObject);
    const written = await this.#write(secret, this.#placeOf(expected, known), signal);
    return written && this.#viewOf(written);
  }

  async #remove(expected: ObjectView, signal: AbortSignal): Promise<DeleteResult | undefined> {
    let known = await this.#secretOf(expected, signal);
    if (known === undefined) return undefined;
    const { finalizers, deletionTimestamp } = known.object.metadata;
    const isHeldByUs = finalizers?.includes(this.#codec.finalizer) === true;
    if (!isHeldByUs || deletionTimestamp === undefined) {
      const preconditions = { resourceVersion: known.resourceVersion };
      const options = { isDryRun: false, preconditions, propagationPolicy: undefined, gracePeriodSeconds: undefined };
      const target = this.#placeOf(expected, known);
      const deleted = await unlessLost(() => this.#secrets().delete(target, options, this.#context({ signal })));
      if (deleted === undefined) return undefined;
      if (!isHeldByUs) return { view: this.#viewOf(deleted.view) ?? expected, isGone: deleted.isGone };
      known = deleted.view;
    }
    // Our finalizer held the Secret for the object's own, which are done. It goes last: if the server ends before this write, the Secret is in deletion, and so is
    // the object, for whoever asks to remove it again.
    const secret = known.object as SecretObject;
    const others = secret.metadata.finalizers?.filter((finalizer) => finalizer !== this.#codec.finalizer) ?? [];
    const released = await this.#write(releasedSecret(this.#codec, secret, others), this.#placeOf(expected, known), signal);
    // Somebody else's finalizer on the Secret holds both.
    return released && { view: this.#viewOf(released) ?? expected, isGone: others.length === 0 };
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
