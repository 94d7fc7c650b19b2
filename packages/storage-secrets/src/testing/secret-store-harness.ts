import { type KubernetesObject, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import {
  type Authorizer,
  admissionChain,
  type Clock,
  cryptoRandom,
  type ListOptions,
  type ListResult,
  loopbackContext,
  type ObjectView,
  type RequestContext,
  type Resource,
  type ResourceVerbs,
  type WatchBatch,
  type WatchOptions,
} from "@annex/apiserver";
import type { SecretObject, SecretVerbs } from "../index.ts";
import { Note } from "./note.ts";

/** Secrets under test, and what the suite needs beside them. */
export interface SecretStoreHarness {
  /** The verbs that a server has. Those of Secrets of the type {@link NOTE_SECRET_TYPE} are asked for, and some of the type `Opaque`. */
  readonly secrets: SecretVerbs;
  /** Those of another replica, which keeps its objects in the same Secrets; where a server is alone, the same ones. */
  readonly others: SecretVerbs;
  /** Two namespaces without Secrets of the type of notes. Nobody else writes to them. */
  readonly namespaces: readonly [string, string];
  readonly clock: Clock;
  /** Called once, after each test. */
  dispose(): Promise<void>;
}

/** Notes as a server serves them. */
export type NoteVerbs = Required<ResourceVerbs>;

export const never = new AbortController().signal;
export const MANAGER = { manager: "suite", subresource: "" };
export const EVERYTHING = { labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };
export const fieldsOf = (text: string) => parseFieldSelector(text, new Set(["metadata.name", "metadata.namespace", "spec.color"]));
export const DELETE = { isDryRun: false, preconditions: {}, propagationPolicy: undefined, gracePeriodSeconds: undefined } as const;

const nobody: Authorizer = { authorize: () => ({ decision: "NoOpinion", reason: "" }) };
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** @param resource to be served in place of notes: of the same Secrets. */
export function notesOver(secrets: SecretVerbs, clock: Clock, resource: Resource = Note): NoteVerbs {
  const verbs = resource.handlers?.(resource, {
    admission: admissionChain([]),
    authorizer: nobody,
    random: cryptoRandom,
    hasGarbageCollector: false,
    clock,
    log: silent,
    verbsOf: () => secrets as unknown as ResourceVerbs, // no others are asked for
  });
  return verbs as NoteVerbs; // the registry's are all there
}

export function contextOf(clock: Clock, signal: AbortSignal = never): RequestContext {
  return loopbackContext({ signal }, clock.now(), nobody);
}

export function note(name: string, namespace: string, { spec = {}, metadata = {} }: { spec?: object; metadata?: object } = {}): KubernetesObject {
  const whole = {
    apiVersion: "example.com/v1",
    kind: "Note",
    metadata: { name, namespace, ...metadata },
    spec: { color: "white", text: "", ...spec },
  };
  return whole as KubernetesObject; // what tests leave out is optional
}

export async function createNote(notes: NoteVerbs, clock: Clock, object: KubernetesObject, isDryRun = false): Promise<ObjectView> {
  const { namespace = "" } = object.metadata;
  return notes.create({ version: "v1", namespace, name: "", object, isDryRun, fieldManager: MANAGER }, contextOf(clock));
}

/** Changes a note as a patch does. */
export async function changeNote(
  notes: NoteVerbs,
  clock: Clock,
  target: { readonly namespace: string; readonly name: string },
  change: (note: KubernetesObject) => KubernetesObject,
): Promise<ObjectView> {
  const transform = (live: KubernetesObject | undefined) => change(live as KubernetesObject); // it is not created by an update
  const input = { version: "v1", target, isDryRun: false, fieldManager: MANAGER, isPatch: true, transform };
  return (await notes.update(input, contextOf(clock))).view;
}

export function textOf({ object }: ObjectView): string {
  return (object as KubernetesObject & { readonly spec: { readonly text: string } }).spec.text;
}

export function withText(object: KubernetesObject, text: string): KubernetesObject {
  return { ...object, spec: { ...(object as KubernetesObject & { readonly spec: object }).spec, text } } as KubernetesObject;
}

/** Writes a Secret as somebody does who knows nothing of notes. */
export async function editSecret(
  { secrets, clock }: SecretStoreHarness,
  target: { readonly namespace: string; readonly name: string },
  change: (secret: SecretObject) => object,
): Promise<ObjectView> {
  const transform = (live: KubernetesObject | undefined) => change(live as SecretObject) as KubernetesObject;
  const input = { version: "v1", target, isDryRun: false, fieldManager: { manager: "somebody", subresource: "" }, isPatch: true, transform };
  return (await secrets.update(input, contextOf(clock))).view;
}

export async function makeSecret({ secrets, clock }: SecretStoreHarness, namespace: string, name: string, fields: object): Promise<ObjectView> {
  const object = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace }, ...fields } as KubernetesObject;
  const input = { version: "v1", namespace, name: "", object, isDryRun: false, fieldManager: { manager: "somebody", subresource: "" } };
  return secrets.create(input, contextOf(clock));
}

export function listNotes(notes: NoteVerbs, clock: Clock, namespace: string, options: Partial<ListOptions> = {}, context?: RequestContext) {
  const whole: ListOptions = { namespace, ...EVERYTHING, limit: 0, continue: "", consistency: { type: "MostRecent" }, ...options };
  return notes.list(whole, context ?? contextOf(clock));
}

export function namesOf({ items }: Pick<ListResult, "items">): string[] {
  return items.map(({ name }) => name);
}

/** A watch, read as its events come. Disposing of it ends it. */
export class ReadWatch implements AsyncDisposable {
  readonly #stop = new AbortController();
  readonly #lines: string[] = [];
  #wake: () => void = () => undefined;
  #done: Promise<unknown> = Promise.resolve();
  #error: unknown;

  static async begin(notes: NoteVerbs, clock: Clock, namespace: string, options: Partial<WatchOptions> = {}): Promise<ReadWatch> {
    const watch = new ReadWatch();
    const whole = { namespace, ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined, ...options };
    watch.#done = watch.#read(await notes.watch(whole, contextOf(clock, watch.#stop.signal)));
    return watch;
  }

  /** Resolves with so many lines, once they are there: `MODIFIED a@red`, `SYNCED` where the initial state ends. @throws what ended the watch. */
  async take(count: number): Promise<readonly string[]> {
    while (this.#lines.length < count) {
      if (this.#error !== undefined) throw this.#error;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  async #read(batches: AsyncIterable<WatchBatch>): Promise<void> {
    try {
      for await (const { events, isInitialEnd } of batches) {
        for (const { type, view } of events) this.#lines.push(`${type} ${view.name}@${colorOf(view)}`);
        if (isInitialEnd) this.#lines.push("SYNCED");
        this.#wake();
      }
    } catch (error) {
      this.#error = error;
    }
    this.#error ??= new Error("the watch ended");
    this.#wake();
  }
}

function colorOf({ object }: ObjectView): string {
  return (object as KubernetesObject & { readonly spec: { readonly color: string } }).spec.color;
}

export function withColor(object: KubernetesObject, color: string): KubernetesObject {
  return { ...object, spec: { ...(object as KubernetesObject & { readonly spec: object }).spec, color } } as KubernetesObject;
}
