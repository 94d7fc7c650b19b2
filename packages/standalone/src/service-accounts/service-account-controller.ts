import { APIError, type KubernetesObject } from "@annex/apimachinery";
import type { WatchBatch } from "@annex/apiserver";
import type { ControllerServices } from "@annex/apiserver-node";
import { EVERYTHING, findView, runAlways } from "../controller.ts";

/** The account that programs have which name none. */
const DEFAULT_NAME = "default";

/**
 * Keeps a service account `default` in every namespace: makes it when a namespace appears, and again when somebody deleted it.
 *
 * @returns when the signal aborts.
 * Source: kube-controller-manager's serviceaccount controller.
 */
export async function runServiceAccountController(options: ControllerServices, signal: AbortSignal): Promise<void> {
  const round = async () => {
    // When one of the two fails, the other ends with it, and both begin anew.
    const failed = new AbortController();
    const both = AbortSignal.any([signal, failed.signal]);
    try {
      await Promise.all([follow("namespaces", options, both), follow("serviceaccounts", options, both)]);
    } finally {
      failed.abort();
    }
  };
  await runAlways(round, "the service account controller begins anew", options, signal);
}

async function follow(resource: "namespaces" | "serviceaccounts", options: ControllerServices, signal: AbortSignal): Promise<void> {
  const selection = { ...EVERYTHING, resourceVersion: undefined, sendInitialEvents: undefined };
  const batches: AsyncIterable<WatchBatch> | undefined = await options.verbsOf("", resource).watch?.(selection, options.context(signal));
  if (batches === undefined) return;
  for await (const { events } of batches) {
    for (const { type, view } of events) {
      if (resource === "namespaces" && type !== "DELETED" && isActive(view.object)) await ensure(view.name, options, signal);
      if (resource === "serviceaccounts" && type === "DELETED" && view.name === DEFAULT_NAME) await ensureIfActive(view.namespace, options, signal);
    }
  }
}

async function ensureIfActive(namespace: string, options: ControllerServices, signal: AbortSignal): Promise<void> {
  const view = await findView(options.verbsOf("", "namespaces"), { namespace: "", name: namespace }, options.context(signal));
  if (view !== undefined && isActive(view.object)) await ensure(namespace, options, signal);
}

async function ensure(namespace: string, { verbsOf, context }: ControllerServices, signal: AbortSignal): Promise<void> {
  const object: KubernetesObject = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: DEFAULT_NAME, namespace } };
  const fieldManager = { manager: "annex", subresource: "" };
  try {
    await verbsOf("", "serviceaccounts").create?.({ version: "v1", namespace, name: "", object, isDryRun: false, fieldManager }, context(signal));
  } catch (error) {
    if (!isExpected(error)) throw error;
  }
}

/** It is there already, or the namespace goes. */
function isExpected(error: unknown): boolean {
  if (!APIError.is(error)) return false;
  const isTerminating = error.details?.causes?.some(({ reason }) => reason === "NamespaceTerminating") === true;
  return error.reason === "AlreadyExists" || error.reason === "NotFound" || isTerminating;
}

function isActive({ metadata, status }: KubernetesObject): boolean {
  return metadata.deletionTimestamp === undefined && (status as { readonly phase?: string } | undefined)?.phase === "Active";
}
