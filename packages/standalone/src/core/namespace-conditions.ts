import { formatTime } from "@annex/apiserver";
import type { Namespace } from "./namespace.ts";

/** What a pass through a namespace that is being deleted has left. */
export interface Remainder {
  /** How many objects, by `RESOURCE.GROUP`. */
  readonly objects: ReadonlyMap<string, number>;
  /** How many of them each finalizer holds. */
  readonly finalizers: ReadonlyMap<string, number>;
  /** Why objects could not be deleted. */
  readonly failures: readonly string[];
}

export type NamespaceCondition = NonNullable<Namespace["status"]["conditions"]>[number];
type Finding = Pick<NamespaceCondition, "type" | "status"> & { readonly reason: string; readonly message: string };

/** How many kinds, finalizers or failures a message names. */
const MAX_NAMED = 100;

/** Discovery cannot fail here: what is served is known. Source: deletion/status_condition_utils.go, as all words of this file. */
const DISCOVERED: readonly Finding[] = [
  { type: "NamespaceDeletionDiscoveryFailure", status: "False", reason: "ResourcesDiscovered", message: "All resources successfully discovered" },
  {
    type: "NamespaceDeletionGroupVersionParsingFailure",
    status: "False",
    reason: "ParsedGroupVersions",
    message: "All legacy kube types successfully parsed",
  },
];

/**
 * Why a namespace is still there, as its status tells it: a condition of each type, and those of others untouched.
 *
 * @param now milliseconds since the epoch, when a condition's status changes.
 * @returns `present` itself when nothing of it changes.
 */
export function deletionConditions(present: readonly NamespaceCondition[], remainder: Remainder, now: number): readonly NamespaceCondition[] {
  const conditions = [...present];
  let hasChanged = false;
  for (const finding of findingsOf(remainder)) {
    const index = conditions.findIndex(({ type }) => type === finding.type);
    const known = conditions[index];
    if (known?.status === finding.status && known.reason === finding.reason && known.message === finding.message) continue;
    hasChanged = true;
    const lastTransitionTime = known?.status === finding.status ? known.lastTransitionTime : formatTime(now);
    const next = { ...finding, ...(lastTransitionTime === undefined ? {} : { lastTransitionTime }) };
    if (known === undefined) conditions.push(next);
    else conditions[index] = next;
  }
  return hasChanged ? conditions : present;
}

function findingsOf({ objects, finalizers, failures }: Remainder): readonly Finding[] {
  return [
    ...DISCOVERED,
    finding("NamespaceDeletionContentFailure", failures.length > 0, {
      bad: ["ContentDeletionFailed", `Failed to delete all resource types, ${failures.length} remaining: ${named(failures)}`],
      good: ["ContentDeleted", "All content successfully deleted, may be waiting on finalization"],
    }),
    finding("NamespaceContentRemaining", objects.size > 0, {
      bad: ["SomeResourcesRemain", `Some resources are remaining: ${named(counted(objects, "has"))}`],
      good: ["ContentRemoved", "All content successfully removed"],
    }),
    finding("NamespaceFinalizersRemaining", finalizers.size > 0, {
      bad: ["SomeFinalizersRemain", `Some content in the namespace has finalizers remaining: ${named(counted(finalizers, "in"))}`],
      good: ["ContentHasNoFinalizers", "All content-preserving finalizers finished"],
    }),
  ];
}

type Words = readonly [reason: string, message: string];

function finding(type: string, isBad: boolean, { bad, good }: { readonly bad: Words; readonly good: Words }): Finding {
  const [reason, message] = isBad ? bad : good;
  return { type, status: isBad ? "True" : "False", reason, message };
}

function counted(counts: ReadonlyMap<string, number>, verb: string): readonly string[] {
  return [...counts].map(([what, count]) => `${what} ${verb} ${count} resource instances`);
}

function named(texts: readonly string[]): string {
  return [...texts].sort().slice(0, MAX_NAMED).join(", ");
}
