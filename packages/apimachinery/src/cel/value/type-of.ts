import { CelObject } from "./object.ts";
import { BOOL, BYTES, type CelType, ERROR, INT, NULL, STRING } from "./type.ts";
import type { CelValue } from "./value.ts";

/** The type of a value, as `type()` answers it. */
export function typeOf(value: CelValue): CelType {
  switch (typeof value) {
    case "boolean":
      return BOOL;
    case "number":
    case "bigint":
      return INT;
    case "string":
      return STRING;
    default:
      if (value instanceof CelObject) return value.type;
      return value === null ? NULL : value instanceof Uint8Array ? BYTES : ERROR;
  }
}
