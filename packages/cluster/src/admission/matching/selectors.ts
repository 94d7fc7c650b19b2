import { APIError, internalError, type KubernetesObject, type LabelSelector, type LabelSelectorObject, labelSelectorOf } from "@annex/apimachinery";

/** Gives a namespace of the cluster. @throws {APIError} `NotFound`, and whatever keeps the cluster from being asked. */
export type NamespaceReader = (name: string, signal: AbortSignal) => Promise<KubernetesObject>;

/** A selector of a webhook or policy, compiled. Undefined selects everything, "invalid" is one that nobody can read: the cluster keeps none. */
export type CompiledSelector = LabelSelector | "invalid" | undefined;

export function compileSelector(selector: LabelSelectorObject | undefined): CompiledSelector {
  if (selector === undefined) return undefined;
  const compiled = labelSelectorOf(selector);
  if (compiled === undefined) return "invalid";
  return compiled.isEmpty ? undefined : compiled;
}

/** @throws {APIError} `InternalError`. */
function readable(selector: LabelSelector | "invalid"): LabelSelector {
  if (selector === "invalid") throw internalError("a label selector of an admission configuration cannot be read");
  return selector;
}

/**
 * Whether a write's objects are selected: one of them is enough.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/object.
 */
export function objectsSelected(selector: CompiledSelector, objects: readonly (KubernetesObject | undefined)[]): boolean {
  if (selector === undefined) return true;
  return objects.some((object) => object !== undefined && readable(selector).matches(object.metadata.labels));
}

/**
 * Whether a write's namespace is selected. Objects that are in none always are.
 *
 * @throws {APIError} `NotFound` for a namespace that is not there, `InternalError` when nobody can tell.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/predicates/namespace.
 */
export async function namespaceSelected(selector: CompiledSelector, namespace: string, read: NamespaceReader, signal: AbortSignal): Promise<boolean> {
  if (selector === undefined || namespace === "") return true;
  const { matches } = readable(selector);
  try {
    return matches((await read(namespace, signal)).metadata.labels);
  } catch (error) {
    signal.throwIfAborted();
    if (APIError.is(error, "NotFound")) throw error;
    throw internalError(error instanceof Error ? error.message : "a namespace could not be read", error);
  }
}
