import { CelError } from "./error.ts";
import type { CelList } from "./list.ts";
import type { CelMap } from "./map.ts";
import type { CelDouble, CelInt, CelUint } from "./number.ts";
import type { CelOpaque } from "./opaque.ts";
import type { CelOptional } from "./optional.ts";
import type { CelDuration, CelTimestamp } from "./time.ts";
import type { CelType } from "./type.ts";

/**
 * A value of CEL. null, bool, int and string are JSON's as they stand (an int beyond 2^53 is a bigint); bytes are a Uint8Array; the others are classes.
 * An error is a value, too.
 */
export type CelValue =
  | null
  | boolean
  | CelInt
  | string
  | CelDouble
  | CelUint
  | Uint8Array
  | CelTimestamp
  | CelDuration
  | CelList
  | CelMap
  | CelType
  | CelOptional
  | CelOpaque
  | CelError;

export const isError = (value: CelValue): value is CelError => value instanceof CelError;
