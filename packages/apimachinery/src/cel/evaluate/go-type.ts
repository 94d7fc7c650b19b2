import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelOpaque } from "../value/opaque.ts";
import { CelDuration, CelTimestamp } from "../value/time.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";

const NAMES: Readonly<Record<string, string>> = {
  bool: "types.Bool",
  bytes: "types.Bytes",
  double: "types.Double",
  int: "types.Int",
  null: "types.Null",
  opaque: "*types.Optional",
  string: "types.String",
  type: "*types.Type",
  uint: "types.Uint",
};

/** The Go type of a value, which a few sentences show. */
export function goTypeName(value: CelValue): string {
  if (value instanceof CelList || value instanceof CelMap || value instanceof CelOpaque) return value.goType;
  if (value instanceof CelDuration) return "types.Duration";
  if (value instanceof CelTimestamp) return "types.Timestamp";
  return NAMES[typeOf(value).kind] ?? "*types.Err";
}
