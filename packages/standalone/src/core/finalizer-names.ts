import type { Invalid } from "@annex/apiserver";

/** Finalizers without a domain. Source: core/helper IsStandardFinalizerName. */
const STANDARD: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/**
 * Complains of finalizers of core kinds that are nobody's.
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
