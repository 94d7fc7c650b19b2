import { equals } from "./equality.ts";
import { CelObject } from "./object.ts";
import { showValue } from "./show.ts";
import { type CelType, OPTIONAL } from "./type.ts";
import type { CelValue } from "./value.ts";

/** A value that may not be there. */
export class CelOptional extends CelObject {
  readonly value: CelValue | undefined;

  constructor(value: CelValue | undefined) {
    super();
    this.value = value;
  }

  get type(): CelType {
    return OPTIONAL;
  }

  equals(other: CelValue): CelValue {
    if (!(other instanceof CelOptional)) return false;
    if (this.value === undefined || other.value === undefined) return this.value === other.value;
    return equals(this.value, other.value);
  }

  toString(): string {
    return this.value === undefined ? "optional.none()" : `optional(${showValue(this.value)})`;
  }
}

export const OPTIONAL_NONE = new CelOptional(undefined);
export const optionalOf = (value: CelValue): CelOptional => new CelOptional(value);
