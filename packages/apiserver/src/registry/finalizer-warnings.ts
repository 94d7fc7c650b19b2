import { type KubernetesObject, quoteGo } from "@annex/apimachinery";
import type { Resource } from "../definition/resource.ts";

/** Kubernetes' own finalizers, which have no domain. */
const STANDARD: ReadonlySet<string> = new Set(["orphan", "foregroundDeletion", "kubernetes"]);
/** How many warnings one answer has of finalizers. */
const MAX_WARNINGS = 100;

/**
 * Warns of each new finalizer of a custom resource whose name has no domain before a slash.
 *
 * @param previous undefined in a creation.
 * Source: apiextensions-apiserver pkg/registry/customresource, generateWarningsFromObj; names that are not valid at all were refused before.
 */
export function warnOfFinalizers(
  { isCustomResource }: Resource,
  object: KubernetesObject,
  previous: KubernetesObject | undefined,
  warn: (text: string) => void,
): void {
  const { finalizers = [] } = object.metadata;
  if (!isCustomResource || finalizers.length === 0) return;
  const known = new Set(previous?.metadata.finalizers);
  const unqualified = [...new Set(finalizers)].filter((name) => !known.has(name) && !name.includes("/") && !STANDARD.has(name));
  for (const name of unqualified.sort().slice(0, MAX_WARNINGS)) {
    const what = name.includes(".") ? "finalizer name including a path (/)" : "finalizer name";
    warn(`metadata.finalizers: ${quoteGo(name)}: prefer a domain-qualified ${what} to avoid accidental conflicts with other finalizer writers`);
  }
}
