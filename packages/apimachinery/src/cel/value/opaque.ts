import { CelObject } from "./object.ts";

/** A value of a type that a library brings: an IP address, a quantity. */
export abstract class CelOpaque extends CelObject {
  /** Its Go type, which a few sentences show. */
  get goType(): string {
    return "*types.Err";
  }

  /** How long the texts are that it holds, which functions go through: {@link workOn}. */
  get weight(): number {
    return 0;
  }

  /** Whether it is what its type has where nothing was said: `optional.ofNonZeroValue`. */
  get isZero(): boolean {
    return false;
  }

  /** What `size` counts for the cost of a call, undefined for a value without a size. */
  get costSize(): number | undefined {
    return undefined;
  }
}
