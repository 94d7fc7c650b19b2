import { APIError, type KubernetesObject, notFound } from "@annex/apimachinery";
import type { UpdateInput } from "@annex/apiserver";
import { EVERYTHING, RETRY_MS, runAlways } from "../controller.ts";
import { NAMESPACE_FINALIZER, type Namespace, SYSTEM_NAMESPACES } from "./namespace.ts";
import { deletionConditions, type Remainder } from "./namespace-conditions.ts";
import { type ContentOptions, emptyNamespace } from "./namespace-content.ts";

export type NamespaceControllerOptions = ContentOptions;

/** Makes the namespaces that are always there. */
export async function ensureNamespaces(
  names: Iterable<string>,
  { verbsOf, context }: NamespaceControllerOptions,
  signal: AbortSignal,
): Promise<void> {
  const namespaces = verbsOf("", "namespaces");
  for (const name of names) {
    const object: KubernetesObject = { apiVersion: "v1", kind: "Namespace", metadata: { name }, spec: {}, status: {} };
    const input = { version: "v1", namespace: "", name: "", object, isDryRun: false, fieldManager: { manager: "annex", subresource: "" } };
    await namespaces.create?.(input, context(signal)).catch((error: unknown) => {
      if (!APIError.is(error, "AlreadyExists")) throw error;
    });
  }
}

/**
 * Empties namespaces whose deletion began, then lets them go. Those of {@link SYSTEM_NAMESPACES} come again.
 *
 * @returns when the signal aborts.
 * Source: kube-controller-manager's namespace controller; kube-apiserver's systemnamespaces controller, which looks once a minute.
 */
export async function runNamespaceController(options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  await runAlways(() => follow(options, signal), "the namespace controller begins anew", options, signal);
}

async function follow(options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  const selection = { ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined };
  const pending = new Map<string, Promise<void>>();
  const batches = (await options.verbsOf("", "namespaces").watch?.(selection, options.context(signal))) ?? [];
  for await (const { events } of batches) {
    for (const { type, view } of events) {
      const { uid = "", deletionTimestamp } = view.object.metadata;
      if (type === "DELETED" && SYSTEM_NAMESPACES.has(view.name)) await ensureNamespaces([view.name], options, signal);
      if (type === "DELETED" || deletionTimestamp === undefined || pending.has(uid)) continue;
      pending.set(
        uid,
        finish({ name: view.name, uid }, options, signal).finally(() => pending.delete(uid)),
      );
    }
  }
  await Promise.all(pending.values());
}

/** The one namespace that is meant: another one may come to have its name. */
interface Leaving {
  readonly name: string;
  readonly uid: string;
}

/** Tries until the namespace is gone. It never rejects. */
async function finish(leaving: Leaving, options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      if (!(await isLeaving(leaving, options, signal))) return;
      const remainder = await emptyNamespace(leaving.name, () => isLeaving(leaving, options, signal), options, signal);
      await report(leaving, remainder, options, signal);
      const isEmpty = remainder.objects.size === 0 && remainder.failures.length === 0;
      if (isEmpty && (await release(leaving, options, signal))) return;
    } catch (error) {
      if (APIError.is(error, "NotFound")) return;
      if (!signal.aborted) options.log.warn({ error, namespace: leaving.name }, "a namespace could not be emptied; it is tried again");
    }
    await options.clock.sleep(RETRY_MS, signal).catch(() => undefined);
  }
}

/** Whether the namespace is still there, and still on its way out. @throws {APIError} `NotFound` when nothing has its name. */
async function isLeaving({ name, uid }: Leaving, { verbsOf, context }: NamespaceControllerOptions, signal: AbortSignal): Promise<boolean> {
  const present = await verbsOf("", "namespaces").get?.({ namespace: "", name }, { type: "MostRecent" }, context(signal));
  return present !== undefined && isMeant(present.object, uid);
}

function isMeant({ metadata }: KubernetesObject, uid: string): boolean {
  return metadata.uid === uid && metadata.deletionTimestamp !== undefined;
}

/** Tells in the status of a namespace what is left in it, when that is news. */
async function report({ name, uid }: Leaving, remainder: Remainder, options: NamespaceControllerOptions, signal: AbortSignal): Promise<void> {
  await change({ name, uid }, "status", options, signal, (namespace) => {
    const present = namespace.status.conditions ?? [];
    const conditions = deletionConditions(present, remainder, options.clock.now());
    return conditions === present ? namespace : { ...namespace, status: { ...namespace.status, conditions: [...conditions] } };
  });
}

/** Takes our finalizer away; without another one the namespace is gone by that. @returns whether ours was the last. */
async function release(leaving: Leaving, options: NamespaceControllerOptions, signal: AbortSignal): Promise<boolean> {
  let isLast = true;
  await change(leaving, "finalize", options, signal, (namespace) => {
    const finalizers = (namespace.spec.finalizers ?? []).filter((finalizer) => finalizer !== NAMESPACE_FINALIZER);
    isLast = finalizers.length === 0 && (namespace.metadata.finalizers?.length ?? 0) === 0;
    return { ...namespace, spec: { ...namespace.spec, finalizers } };
  });
  return isLast;
}

/** @throws {APIError} `NotFound` when the namespace that is meant is not there, or stays. */
async function change(
  { name, uid }: Leaving,
  subresource: "status" | "finalize",
  { verbsOf, context }: NamespaceControllerOptions,
  signal: AbortSignal,
  edit: (namespace: Namespace) => Namespace,
): Promise<void> {
  const input: UpdateInput = {
    version: "v1",
    target: { namespace: "", name },
    isDryRun: false,
    isPatch: true,
    fieldManager: { manager: "annex", subresource },
    transform: (live) => {
      if (live === undefined || !isMeant(live, uid)) throw notFound({ group: "", resource: "namespaces" }, name);
      // The Namespace of the definition, whose schema it satisfies.
      return edit(live as unknown as Namespace);
    },
  };
  await verbsOf("", "namespaces").update?.(input, context(signal));
}
