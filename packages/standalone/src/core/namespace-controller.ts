import { APIError, type KubernetesObject, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import type { Clock, Logger, RequestContext, Resource, ResourceVerbs } from "@annex/apiserver";
import { NAMESPACE_FINALIZER, type Namespace } from "./namespace.ts";

export interface NamespaceControllerOptions {
  /** Every kind that is served. */
  readonly resources: readonly Resource[];
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
  readonly context: (signal: AbortSignal) => RequestContext;
  readonly clock: Clock;
  readonly log: Logger;
}

/** How long a namespace that could not be emptied (a finalizer holds something in it) is left alone. */
const RETRY_MS = 1_000;
const EVERYTHING = { labelSelector: parseLabelSelector(""), fieldSelector: parseFieldSelector("", new Set()) };
const BACKGROUND = { isDryRun: false, preconditions: {}, propagationPolicy: undefined, gracePeriodSeconds: undefined };

/** Makes the namespaces that are always there. */
export async function ensureNamespaces(
  names: Iterable<string>,
  { verbsOf, context }: NamespaceControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const namespaces = verbsOf("", "namespaces");
  for (const name of names) {
    const object: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {}, status: {} };
    const input = { version: "v1", namespace: "", object, isDryRun: false, fieldManager: { manager: "annex", subresource: "" } };
    await namespaces.create?.(input, context(signal)).catch((error: unknown) => {
      if (!APIError.is(error) || error.reason !== "AlreadyExists") throw error;
    });
  }
}

/**
 * Empties namespaces whose deletion began, then lets them go.
 *
 * @returns when the signal aborts.
 * Source: kube-controller-manager's namespace controller.
 */
export async function runNamespaceController(options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  const { clock, log } = options;
  while (!signal.aborted) {
    try {
      await follow(options, signal);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ error }, "the namespace controller begins anew");
      await clock.sleep(RETRY_MS, signal).catch(() => undefined);
    }
  }
}

async function follow(options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  const selection = { namespace: "", ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined };
  const pending = new Map<string, Promise<void>>();
  const batches = (await options.verbsOf("", "namespaces").watch?.(selection, options.context(signal))) ?? [];
  for await (const { events } of batches) {
    for (const { type, view } of events) {
      if (type === "DELETED" || view.object.metadata.deletionTimestamp === undefined || pending.has(view.name)) continue;
      pending.set(
        view.name,
        finish(view.name, options, signal).finally(() => pending.delete(view.name)),
      );
    }
  }
  await Promise.all(pending.values());
}

/** Tries until the namespace is gone. It never rejects. */
async function finish(name: string, options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const remaining = await empty(name, options, signal);
      if (remaining === 0 && (await release(name, options, signal))) return;
    } catch (error) {
      if (APIError.is(error) && error.reason === "NotFound") return;
      if (!signal.aborted) options.log.warn({ error, namespace: name }, "a namespace could not be emptied; it is tried again");
    }
    await options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

/** Deletes what is in a namespace. @returns how many kinds still have objects in it. */
async function empty(namespace: string, { resources, verbsOf, context }: NamespaceControllerOptions, signal: AbortSignal): Promise<number> {
  let remaining = 0;
  for (const { isNamespaced, group, resource } of resources) {
    const { deleteCollection, list } = verbsOf(group, resource);
    if (!isNamespaced || deleteCollection === undefined || list === undefined) continue;
    await deleteCollection({ namespace, ...EVERYTHING, limit: 0 }, BACKGROUND, context(signal));
    const left = await list({ namespace, ...EVERYTHING, limit: 1, continue: "", consistency: { type: "MostRecent" } }, context(signal));
    if (left.items.length > 0) remaining++;
  }
  return remaining;
}

/** Takes our finalizer away; without another one the namespace is gone by that. @returns whether ours was the last. */
async function release(name: string, { verbsOf, context }: NamespaceControllerOptions, signal: AbortSignal): Promise<boolean> {
  const target = { namespace: "", name };
  let isLast = true;
  await verbsOf("", "namespaces").update?.(
    {
      version: "v1",
      target,
      isDryRun: false,
      isPatch: true,
      fieldManager: { manager: "annex", subresource: "finalize" },
      transform: (live) => {
        // The Namespace of the definition, whose schema it satisfies.
        const namespace = live as unknown as Namespace;
        const finalizers = (namespace.spec.finalizers ?? []).filter((finalizer) => finalizer !== NAMESPACE_FINALIZER);
        isLast = finalizers.length === 0 && (namespace.metadata.finalizers?.length ?? 0) === 0;
        return { ...namespace, spec: { ...namespace.spec, finalizers } };
      },
    },
    context(signal),
  );
  return isLast;
}
