import { type CelError, NO_SUCH_OVERLOAD } from "./error.ts";
import type { CelType } from "./type.ts";
import type { CelValue } from "./value.ts";

/** A value that JavaScript has no word for. */
export abstract class CelObject {
  abstract readonly type: CelType;

  /** Whether another value of any type is equal; an error when that cannot be told. */
  abstract equals(other: CelValue): CelValue;

  /** -1, 0 or 1 for a value that comes before, is equal, or comes after. */
  compare(_other: CelValue): number | CelError {
    return NO_SUCH_OVERLOAD;
  }

  /** As it stands within the sentence of an error. Source: Go's `%v`. */
  abstract toString(): string;
}
