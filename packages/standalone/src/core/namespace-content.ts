import { APIError, notFound } from "@annex/apimachinery";
import type { ListResult, RequestContext, Resource, ResourceVerbs } from "@annex/apiserver";
import type { ControllerServices } from "@annex/apiserver-node";
import { EVERYTHING } from "../controller.ts";
import type { Remainder } from "./namespace-conditions.ts";

export interface ContentOptions extends ControllerServices {
  /** Every kind that is served. */
  readonly resources: readonly Resource[];
}

const BACKGROUND = { isDryRun: false, preconditions: {}, propagationPolicy: undefined, gracePeriodSeconds: undefined };
/** How many objects of a kind are asked for their finalizers in one pass; the others are counted. */
const MAX_INSPECTED = 500;

/**
 * Deletes what is in a namespace. A kind that fails keeps no other from being emptied.
 *
 * @param isLeaving whether the namespace is still the one that is meant, and still on its way out: asked before each kind, for somebody may let it go meanwhile, and make it anew.
 * @returns what is left.
 * @throws {APIError} `NotFound` when it is not.
 * Source: kube-controller-manager's namespace controller, deleteAllContent.
 */
export async function emptyNamespace(
  namespace: string,
  isLeaving: () => Promise<boolean>,
  { resources, verbsOf, context, log }: ContentOptions,
  signal: AbortSignal,
): Promise<Remainder> {
  const objects = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const failures: string[] = [];
  for (const { isNamespaced, group, resource } of resources) {
    const verbs = verbsOf(group, resource);
    if (!isNamespaced || verbs.delete === undefined || verbs.list === undefined) continue;
    if (!(await isLeaving())) throw notFound({ group: "", resource: "namespaces" }, namespace);
    const name = `${resource}.${group}`;
    try {
      await deleteAll(namespace, verbs, context(signal));
      const left = await list(namespace, MAX_INSPECTED, verbs, context(signal));
      if (left.items.length === 0) continue;
      objects.set(name, left.items.length + (left.remainingItemCount ?? 0));
      const held = countFinalizers(left, finalizers);
      if (held === 0) failures.push(`unexpected items still remain in namespace: ${namespace} for ${name}`);
    } catch (error) {
      if (signal.aborted) throw error;
      log.warn({ error, namespace, resource: name }, "a namespace could not be emptied; it is tried again");
      // What is no answer of the API may say more than is anybody's business.
      failures.push(APIError.is(error) ? error.message : `${name} could not be deleted`);
    }
  }
  return { objects, finalizers, failures };
}

/** @returns how many finalizers hold the objects of a list. They are added to the counts. */
function countFinalizers({ items }: ListResult, counts: Map<string, number>): number {
  let held = 0;
  for (const { object } of items) {
    for (const finalizer of object.metadata.finalizers ?? []) {
      counts.set(finalizer, (counts.get(finalizer) ?? 0) + 1);
      held++;
    }
  }
  return held;
}

async function deleteAll(namespace: string, verbs: ResourceVerbs, context: RequestContext): Promise<void> {
  if (verbs.deleteCollection !== undefined) {
    await verbs.deleteCollection({ ...EVERYTHING, namespace, limit: 0 }, BACKGROUND, context);
    return;
  }
  for (const { name } of (await list(namespace, 0, verbs, context)).items) {
    await verbs.delete?.({ namespace, name }, BACKGROUND, context).catch((error: unknown) => {
      if (!APIError.is(error, "NotFound")) throw error;
    });
  }
}

const NOTHING: ListResult = { items: [], resourceVersion: "", continue: "", remainingItemCount: undefined };

async function list(namespace: string, limit: number, verbs: ResourceVerbs, context: RequestContext): Promise<ListResult> {
  return (await verbs.list?.({ ...EVERYTHING, namespace, limit, continue: "", consistency: { type: "MostRecent" } }, context)) ?? NOTHING;
}
