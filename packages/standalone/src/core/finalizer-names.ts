import type { ObjectMeta } from "@annex/apimachinery";
import type { Invalid } from "@annex/apiserver";

/** Finalizers without a domain. Source: core/helper IsStandardFinalizerName. */
const STANDARD: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** {@link checkFinalizers} of an object's metadata. */
export function checkMetadataFinalizers({ metadata }: { readonly metadata: Pick<ObjectMeta, "finalizers"> }, invalid: Invalid): void {
  checkFinalizers(metadata.finalizers, (index) => `metadata.finalizers[${index}]`, invalid);
}

/**
 * Complains of finalizers of Kubernetes' own kinds that are nobody's.
 *
 * @param pathOf the place of the finalizer at an index, as the complaint names it.
 * Source: core validation, validateKubeFinalizerName.
 */
export function checkFinalizers(finalizers: readonly string[] | undefined, pathOf: (index: number) => string, invalid: Invalid): void {
  for (const [index, finalizer] of (finalizers ?? []).entries()) {
    if (finalizer.includes("/") || STANDARD.has(finalizer)) continue;
    invalid(pathOf(index), "name is neither a standard finalizer name nor is it fully qualified", { value: finalizer });
  }
}
