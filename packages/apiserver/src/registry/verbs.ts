import type { FieldSelector, KubernetesObject, LabelSelector, ObjectName } from "@annex/apimachinery";
import type { Awaitable } from "../awaitable.ts";
import type { WriteContext } from "../definition/resource.ts";
import type { ObjectView, WatchBatch } from "../object-view.ts";

/** Who asks, and until when. Its `signal` may be a getter of a class, so that it is made when first read: take what is needed by name, a spread would lose it. */
export interface RequestContext extends Omit<WriteContext, "isDryRun"> {
  /** Tells the client something beside the answer: a `Warning` header. */
  readonly warn: (text: string) => void;
}

/** How fresh a read must be. Source: API concepts, "The resourceVersion parameter". */
export type ReadConsistency =
  | { readonly type: "MostRecent" }
  | { readonly type: "Any" }
  | { readonly type: "NotOlderThan"; readonly resourceVersion: string }
  | { readonly type: "Exact"; readonly resourceVersion: string };

/** What of a resource is asked for. */
export interface Selection {
  /** `""` for all namespaces, and for cluster-scoped kinds. */
  readonly namespace: string;
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
  /** Leaves out more, for a kind that is made of the objects of this one. An object that begins or ceases to match is ADDED or DELETED in a watch. */
  readonly filter?: {
    readonly matches: (view: ObjectView) => boolean;
    /** Whether what it leaves out is no secret and nothing the client asked for, so that what remains is counted. */
    readonly isCounted: boolean;
  };
}

export interface ListOptions extends Selection {
  /** 0 for no limit. */
  readonly limit: number;
  /** The token of the page before; empty for the first page. */
  readonly continue: string;
  readonly consistency: ReadConsistency;
}

export interface ListResult {
  readonly items: readonly ObjectView[];
  readonly resourceVersion: string;
  /** Empty on the last page. */
  readonly continue: string;
  readonly remainingItemCount: number | undefined;
}

export interface WatchOptions extends Selection {
  /** Deliver what came after it; undefined and `"0"` begin with the present objects as ADDED. */
  readonly resourceVersion: string | undefined;
  /** Begin with the present objects and mark their end, whatever the resourceVersion (which they are then not older than). */
  readonly sendInitialEvents: boolean | undefined;
  /** When it will be ended, in milliseconds since the epoch: shortly before, it tells how far it has come. Default: nobody knows. */
  readonly endsAt?: number;
}

export interface WriteOptions {
  readonly isDryRun: boolean;
}

/** What a client said in the options of a create, update or patch beside the dry run: admission is told. */
export interface SentWriteOptions {
  readonly fieldManager?: string;
  readonly fieldValidation?: string;
}

/** Who writes, for `managedFields`. */
export interface FieldManager {
  readonly manager: string;
  readonly subresource: string;
}

/** An object as a client wants it: decoded, defaulted and pruned in the version of the request. */
export interface CreateInput extends WriteOptions {
  readonly version: string;
  readonly namespace: string;
  /** The name in the path: of a subresource that of the object it lies below, of a PUT that creates the object's own. `""` for collections. */
  readonly name: string;
  readonly object: KubernetesObject;
  readonly fieldManager: FieldManager;
  /** Default: nothing was said. */
  readonly sentOptions?: SentWriteOptions;
  /** Whether it was applied: `object` then has its managedFields already. */
  readonly isApply?: boolean;
}

export interface UpdateInput extends WriteOptions {
  readonly version: string;
  readonly target: ObjectName;
  readonly fieldManager: FieldManager;
  /** Default: nothing was said. */
  readonly sentOptions?: SentWriteOptions;
  /** Whether the client's resourceVersion is a precondition that must be there unless the kind waives it (PUT), or one that may be (PATCH). */
  readonly isPatch: boolean;
  /** Whether it is a server-side apply, which creates what is not there: what `transform` makes has its managedFields already. */
  readonly isApply?: boolean;
  /**
   * Makes the wanted object of the present one, in the version of the request, defaulted and pruned. Called again when somebody else wrote in
   * between. `live` is undefined when there is none and the kind creates on update, or it is an apply.
   *
   * @param empty the object before anybody wrote anything. Whatever else `live` holds belongs to somebody, for an apply, even if it has no managedFields. Default:
   *   `live` itself, so that an apply to an object whose managers are not kept finds no conflict.
   */
  readonly transform: (live: KubernetesObject | undefined, empty?: KubernetesObject) => KubernetesObject | Promise<KubernetesObject>;
  /**
   * Set where the write comes through a subresource with a kind of its own, which admission and field managers are told of in that kind's terms: `transform`
   * then has asked mutating admission and written managedFields, and this is called in the place of validating admission.
   */
  readonly admitSubresource?: (object: KubernetesObject, previous: KubernetesObject) => Promise<void>;
}

export type PropagationPolicy = "Orphan" | "Background" | "Foreground";

export interface DeleteOptions extends WriteOptions {
  /** The version of the path. Default: the storage version. */
  readonly version?: string;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
  readonly propagationPolicy: PropagationPolicy | undefined;
  /** The older form of `propagationPolicy`, never given together with it: true is `Orphan`, false is `Background`. */
  readonly orphanDependents?: boolean | undefined;
  readonly gracePeriodSeconds: number | undefined;
}

export interface DeleteResult {
  readonly view: ObjectView;
  /** False when finalizers hold the object: it then is in deletion. */
  readonly isGone: boolean;
}

/**
 * What a resource can do. An endpoint calls these and nothing else; discovery lists exactly those that are there. Failures are `APIError`s.
 *
 * `patch` is not one of them: it is `update` with another transform.
 */
export interface ResourceVerbs {
  readonly get?: (target: ObjectName, consistency: ReadConsistency, context: RequestContext) => Awaitable<ObjectView>;
  readonly list?: (options: ListOptions, context: RequestContext) => Promise<ListResult>;
  /** Rejects when the watch cannot begin; once it has, a failure is thrown by the iteration. Ends with the context's signal. */
  readonly watch?: (options: WatchOptions, context: RequestContext) => Promise<AsyncIterable<WatchBatch>>;
  readonly create?: (input: CreateInput, context: RequestContext) => Promise<ObjectView>;
  readonly update?: (input: UpdateInput, context: RequestContext) => Promise<{ readonly view: ObjectView; readonly isCreated: boolean }>;
  readonly delete?: (target: ObjectName, options: DeleteOptions, context: RequestContext) => Promise<DeleteResult>;
  /** Deletes what a list would show, by default of the present objects. */
  readonly deleteCollection?: (
    selection: Selection & { readonly limit: number } & Partial<Pick<ListOptions, "continue" | "consistency">>,
    options: DeleteOptions,
    context: RequestContext,
  ) => Promise<ListResult>;
}
