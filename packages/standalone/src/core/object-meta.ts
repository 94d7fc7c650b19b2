import { type FieldError, type NameRule, type ObjectMeta, validateObjectMeta, validateObjectMetaUpdate } from "@annex/apimachinery";
import type { Invalid } from "@annex/apiserver";

// Kinds compiled into Kubernetes check their metadata themselves, each in an order of its own, beside the check that an update of any kind gets first: so a
// fault is told as often as there are checks that find it. Their name rule is `pathSegment`, which leaves it to them.

interface HasMetadata {
  readonly metadata: ObjectMeta;
}

/** What a kind says of names. */
interface ObjectMetaRules {
  readonly isNamespaced: boolean;
  readonly nameRule: NameRule;
}

/** Finalizers without a domain. Source: core/helper IsStandardFinalizerName. */
const STANDARD: ReadonlySet<string> = new Set(["kubernetes", "orphan", "foregroundDeletion"]);

/** Complains of an object's metadata by itself. Source: core validation, ValidateObjectMeta. */
export function checkObjectMeta({ metadata }: HasMetadata, rules: ObjectMetaRules, invalid: Invalid): void {
  complain(validateObjectMeta(metadata, rules), invalid);
  checkMetadataFinalizers(metadata, invalid);
}

/** Complains of what an update must not do to metadata. Source: core validation, ValidateObjectMetaUpdate. */
export function checkObjectMetaUpdate({ metadata }: HasMetadata, previous: HasMetadata, invalid: Invalid): void {
  complain(validateObjectMetaUpdate(metadata, previous.metadata), invalid);
  checkMetadataFinalizers(metadata, invalid);
}

function complain(faults: readonly FieldError[], invalid: Invalid): void {
  for (const { reason, field, message } of faults) invalid(field, message, { reason, isWhole: true });
}

function checkMetadataFinalizers({ finalizers }: ObjectMeta, invalid: Invalid): void {
  checkFinalizers(finalizers, (index) => `metadata.finalizers[${index}]`, invalid);
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
