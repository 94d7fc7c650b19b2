import type { KubernetesObject, ObjectName } from "@annex/apimachinery";
import type { UserInfo } from "../authentication/user-info.ts";
import type { Authorizer } from "../authorization/authorizer.ts";

/** What every handler is told. `signal` aborts when the client is gone or the deadline is over. */
export interface HandlerContext {
  readonly user: UserInfo;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch at which the request came. */
  readonly now: number;
  /** Asks whether a user may do something; the default is no. */
  readonly authorizer: Authorizer;
}

/**
 * What an author's handler may answer: the framework fills in apiVersion, kind and what is missing of metadata, and applies defaults. `resourceVersion` is the author's:
 * where there is one, it must change with the object; where there is none, clients cannot lock optimistically.
 */
export type HandlerObject<Obj> = Omit<Obj, "apiVersion" | "kind"> & { readonly apiVersion?: string; readonly kind?: string };

/** A change that an author reports. */
export interface HandlerEvent<Obj> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: HandlerObject<Obj>;
}

/**
 * The verbs of a kind that is not kept in the server's storage: any subset. What can be derived is: patch from get and update, deletecollection from list and delete;
 * selectors, limits, tables and partial metadata by the framework. Objects are of the storage version. A handler refuses by throwing an `APIError`;
 * anything else it throws is a 500 whose message nobody sees.
 */
export interface AuthorHandlers<Obj = KubernetesObject> {
  /** Whether `create`, `update` and `delete` do nothing but check when `isDryRun` is true. Default false: a dry run is refused, as Kubernetes refuses it of webhooks with side effects. */
  readonly supportsDryRun?: boolean;
  /** @returns undefined for what does not exist: 404. */
  readonly get?: (args: ObjectName & HandlerContext) => Promise<HandlerObject<Obj> | undefined> | HandlerObject<Obj> | undefined;
  /** Every object of the namespace, or of all when it is `""`. Order does not matter. */
  readonly list?: (args: { readonly namespace: string } & HandlerContext) => Promise<readonly HandlerObject<Obj>[]> | readonly HandlerObject<Obj>[];
  /** Changes from now on, until the signal aborts. The framework sends what `list` answers first. */
  readonly watch?: (args: { readonly namespace: string } & HandlerContext) => AsyncIterable<HandlerEvent<Obj>>;
  /** The object is valid and defaulted. @returns what is to be answered. */
  readonly create?: (args: { readonly object: Obj; readonly isDryRun: boolean } & HandlerContext) => Promise<HandlerObject<Obj>> | HandlerObject<Obj>;
  readonly update?: (
    args: { readonly object: Obj; readonly previous: Obj; readonly isDryRun: boolean } & HandlerContext,
  ) => Promise<HandlerObject<Obj>> | HandlerObject<Obj>;
  /** Needs `get`. */
  readonly delete?: (args: ObjectName & { readonly previous: Obj; readonly isDryRun: boolean } & HandlerContext) => Promise<void> | void;
}
