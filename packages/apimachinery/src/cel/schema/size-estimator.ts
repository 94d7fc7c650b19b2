import type { SizeEstimator } from "../cost/model.ts";
import type { DeclType } from "./decl-type.ts";

/**
 * The sizes of what is reached from a variable whose values have a declared type.
 *
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go sizeEstimator.
 */
export function sizeEstimator(root: DeclType): SizeEstimator {
  return ({ path }) => {
    const steps = path.steps();
    if (steps.length === 0) return undefined;
    let declType: DeclType | undefined = root;
    for (const step of steps.slice(1)) {
      declType = stepInto(declType, step);
      if (declType === undefined) return undefined;
    }
    return { min: 0n, max: BigInt(declType.maxElements) };
  };
}

function stepInto(declType: DeclType, step: string): DeclType | undefined {
  switch (step) {
    case "@items":
    case "@values":
      return declType.elemType;
    case "@keys":
      return declType.keyType;
    default:
      return declType.fields?.get(step);
  }
}
