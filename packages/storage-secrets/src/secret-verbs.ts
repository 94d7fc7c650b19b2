import type { ObjectName } from "@annex/apimachinery";
import type {
  Awaitable,
  CreateInput,
  DeleteOptions,
  DeleteResult,
  ListOptions,
  ListResult,
  ObjectView,
  ReadConsistency,
  RequestContext,
  Selection,
  UpdateInput,
  WatchBatch,
  WatchOptions,
} from "@annex/apiserver";

/** Of which type the Secrets are that are asked for; undefined for all. Verbs that know all Secrets anyway may show others, too: whoever asks looks. */
export interface OfSecretType {
  readonly secretType?: string | undefined;
}

export interface SecretTarget extends ObjectName, OfSecretType {
  /** The Secret as it was last seen, where it was: to be written or deleted if it is that still, without a look at it before. */
  readonly known?: ObjectView | undefined;
}

/** A selection of Secrets: labels and the name are asked of the Secret, everything else of the object within it, by `filter`. */
export type SecretSelection<Options extends Selection> = Options & OfSecretType;

export type SecretUpdate = Omit<UpdateInput, "target"> & { readonly target: SecretTarget };

/**
 * What is asked of Secrets: the verbs of the server's own (those of any kind will do), or of a cluster's. Failures are `APIError`s that name the Secret; an update is checked against the
 * resourceVersion that `transform` leaves in the object.
 */
export interface SecretVerbs {
  readonly get: (target: SecretTarget, consistency: ReadConsistency, context: RequestContext) => Awaitable<ObjectView>;
  readonly list: (options: SecretSelection<ListOptions>, context: RequestContext) => Promise<ListResult>;
  readonly watch: (options: SecretSelection<WatchOptions>, context: RequestContext) => Promise<AsyncIterable<WatchBatch>>;
  readonly create: (input: CreateInput, context: RequestContext) => Promise<ObjectView>;
  readonly update: (input: SecretUpdate, context: RequestContext) => Promise<{ readonly view: ObjectView }>;
  readonly delete: (target: SecretTarget, options: DeleteOptions, context: RequestContext) => Promise<DeleteResult>;
}
