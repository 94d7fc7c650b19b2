import type { Parameter } from "./model.ts";

const query = (name: string, type: Parameter["type"], description: string): Parameter => ({ name, in: "query", type, description });

const allowWatchBookmarks = query(
  "allowWatchBookmarks",
  "boolean",
  "Whether a watch may send BOOKMARK events, which carry nothing but a resourceVersion.",
);
const continueToken = query(
  "continue",
  "string",
  "Where the next page of a list begins: the `continue` of the page before. Everything else of the query must stay.",
);
const dryRun = query("dryRun", "string", "With `All`, every step is taken but the last: nothing is stored.");
const fieldManager = query(
  "fieldManager",
  "string",
  "Who makes the change, for `managedFields`: at most 128 printable characters. By default the first part of the User-Agent.",
);
const fieldSelector = query(
  "fieldSelector",
  "string",
  "Restricts a list or watch to objects with these values of fields. Not every field can be selected by.",
);
const fieldValidation = query(
  "fieldValidation",
  "string",
  "What happens to fields that are unknown or occur twice. `Ignore`: they are dropped. `Warn`, the default: dropped, with a warning each. `Strict`: the request is refused.",
);
const force = query(
  "force",
  "boolean",
  "Of a server-side apply: whether to take fields that others own, instead of telling of the conflict. Refused for every other patch.",
);
const gracePeriodSeconds = query(
  "gracePeriodSeconds",
  "integer",
  "How many seconds the object has to end in good order; 0 is at once. By default what its kind says.",
);
const ignoreStoreReadError = query(
  "ignoreStoreReadErrorWithClusterBreakingPotential",
  "boolean",
  "Would delete an object that cannot be read from the store. Taken and ignored, as by a Kubernetes where that feature is off.",
);
const labelSelector = query("labelSelector", "string", "Restricts a list or watch to objects with these labels.");
const limit = query(
  "limit",
  "integer",
  "How many objects one page of a list has at most. When there are more, the `continue` of its metadata leads to them.",
);
const orphanDependents = query(
  "orphanDependents",
  "boolean",
  "Deprecated, in favour of propagationPolicy: whether the objects that this one owns stay.",
);
const propagationPolicy = query(
  "propagationPolicy",
  "string",
  "What becomes of the objects that this one owns: `Orphan`, `Background` or `Foreground`.",
);
const resourceVersion = query(
  "resourceVersion",
  "string",
  "How recent the answer must be, or after which version a watch begins. Unset is the most recent.",
);
const resourceVersionMatch = query(
  "resourceVersionMatch",
  "string",
  "How resourceVersion is meant in a list: `Exact`, or `NotOlderThan`. It needs a resourceVersion, and sendInitialEvents needs it.",
);
const sendInitialEvents = query(
  "sendInitialEvents",
  "boolean",
  "Whether a watch begins with the objects that are there, and marks their end with a bookmark. It needs `resourceVersionMatch=NotOlderThan`.",
);
const shardSelector = query(
  "shardSelector",
  "string",
  "Would restrict a list or watch to a part of the objects. Taken and ignored, as by a Kubernetes where that feature is off.",
);
const timeoutSeconds = query("timeoutSeconds", "integer", "After how many seconds the call ends, whatever happened until then.");
const watch = query("watch", "boolean", "Whether to send changes as they happen, one event after the other, instead of a list.");

const NAME: Parameter = { name: "name", in: "path", type: "string", description: "The name of the object." };
const NAMESPACE: Parameter = { name: "namespace", in: "path", type: "string", description: "The namespace of the objects." };

/** Of every operation on objects. */
export const PRETTY = query("pretty", "string", "With `true`, the answer is indented. By default that is so for browsers, curl and wget alone.");

/** In alphabetical order, as documents list them. Source: meta/v1 GetOptions, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions, ListOptions. */
export const GET_PARAMETERS: readonly Parameter[] = [resourceVersion];
export const WRITE_PARAMETERS: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];
export const PATCH_PARAMETERS: readonly Parameter[] = [...WRITE_PARAMETERS, force];
export const DELETE_PARAMETERS: readonly Parameter[] = [dryRun, gracePeriodSeconds, ignoreStoreReadError, orphanDependents, propagationPolicy];
export const WATCH_PARAMETERS: readonly Parameter[] = [
  allowWatchBookmarks,
  continueToken,
  fieldSelector,
  labelSelector,
  limit,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  shardSelector,
  timeoutSeconds,
  watch,
];
/** Of a list whose resource has no watch. */
export const LIST_PARAMETERS: readonly Parameter[] = [
  continueToken,
  fieldSelector,
  labelSelector,
  limit,
  resourceVersion,
  resourceVersionMatch,
  shardSelector,
  timeoutSeconds,
];
export const DELETE_COLLECTION_PARAMETERS: readonly Parameter[] = [
  continueToken,
  dryRun,
  fieldSelector,
  gracePeriodSeconds,
  ignoreStoreReadError,
  labelSelector,
  limit,
  orphanDependents,
  propagationPolicy,
  resourceVersion,
  resourceVersionMatch,
  sendInitialEvents,
  shardSelector,
  timeoutSeconds,
];

/** The parameters that a path's own text asks for. */
export function pathParameters(path: string): Parameter[] {
  return [...(path.includes("{name}") ? [NAME] : []), ...(path.includes("{namespace}") ? [NAMESPACE] : [])];
}
