import { type FunctionDeclaration, type Overload, overload } from "../check/declaration.ts";
import { CelError } from "../value/error.ts";
import { formatGeneral, parseFloat64 } from "../value/go-number.ts";
import { CelDouble, type CelInt, type CelUint, checkedInt, checkedUint, intFromBigInt, intFromDouble, uintFromDouble } from "../value/number.ts";
import { type CelDuration, type CelTimestamp, checkedTimestamp, parseGoDuration, parseTimestamp } from "../value/time.ts";
import { BOOL, BYTES, type CelType, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, typeParameter, typeType, UINT } from "../value/type.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";

const A = typeParameter("A");
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const cannotConvert = (from: CelType, to: CelType): CelError => new CelError(`type conversion error from '${from.name}' to '${to.name}'`);

const identity = (value: CelValue): CelValue => value;

const TRUE: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const FALSE: ReadonlySet<string> = new Set(["0", "f", "F", "FALSE", "false", "False"]);

/** Source: strconv.ParseBool. */
function boolFromText(text: string): CelValue {
  if (TRUE.has(text)) return true;
  return FALSE.has(text) ? false : cannotConvert(STRING, BOOL);
}

function intFromText(text: string): CelValue {
  if (!/^[+-]?0*\d{1,20}$/.test(text)) return cannotConvert(STRING, INT);
  const value = checkedInt(BigInt(text.replace(/^\+/, "")));
  return value instanceof CelError ? cannotConvert(STRING, INT) : value;
}

function uintFromText(text: string): CelValue {
  if (!/^0*\d{1,20}$/.test(text)) return cannotConvert(STRING, UINT);
  const value = checkedUint(BigInt(text));
  return value instanceof CelError ? cannotConvert(STRING, UINT) : value;
}

function doubleFromText(text: string): CelValue {
  const value = parseFloat64(text);
  return value === undefined ? cannotConvert(STRING, DOUBLE) : new CelDouble(value);
}

function timestampFromText(text: string): CelValue {
  const value = parseTimestamp(text);
  if (value === undefined) return cannotConvert(STRING, TIMESTAMP);
  return checkedTimestamp(value.seconds, value.nanoseconds, value.offsetSeconds);
}

function timestampFromInt(seconds: CelInt): CelValue {
  return checkedTimestamp(Number(seconds));
}

function textFromBytes(bytes: Uint8Array): CelValue {
  try {
    return decoder.decode(bytes);
  } catch {
    return new CelError("invalid UTF-8 in bytes, cannot convert to string");
  }
}

const show = (value: CelValue): CelValue => String(value);

type Conversion = readonly [id: string, from: CelType, call: Overload["call"]];

const conversion = (name: string, to: CelType, ...from: readonly Conversion[]): FunctionDeclaration => ({
  name,
  overloads: from.map(([id, type, call]) => overload(id, [type], to, call)),
});

/** `int(x)` and its like. Source: cel-go common/stdlib/standard.go and the ConvertToType methods of common/types. */
export const CONVERSIONS: readonly FunctionDeclaration[] = [
  { name: "type", overloads: [overload("type", [A], typeType(A))], implementation: typeOf },
  { name: "dyn", overloads: [overload("to_dyn", [A], DYN)], implementation: identity },
  conversion("bool", BOOL, ["bool_to_bool", BOOL, identity], ["string_to_bool", STRING, boolFromText]),
  conversion("bytes", BYTES, ["bytes_to_bytes", BYTES, identity], ["string_to_bytes", STRING, (text: string) => encoder.encode(text)]),
  conversion(
    "double",
    DOUBLE,
    ["double_to_double", DOUBLE, identity],
    ["int64_to_double", INT, (value: CelInt) => new CelDouble(Number(value))],
    ["string_to_double", STRING, doubleFromText],
    ["uint64_to_double", UINT, ({ value }: CelUint) => new CelDouble(Number(value))],
  ),
  conversion(
    "duration",
    DURATION,
    ["duration_to_duration", DURATION, identity],
    ["int64_to_duration", INT, () => cannotConvert(INT, DURATION)],
    ["string_to_duration", STRING, (text: string) => parseGoDuration(text) ?? cannotConvert(STRING, DURATION)],
  ),
  conversion(
    "int",
    INT,
    ["int64_to_int64", INT, identity],
    ["double_to_int64", DOUBLE, ({ value }: CelDouble) => intFromDouble(value)],
    ["duration_to_int64", DURATION, ({ nanoseconds }: CelDuration) => intFromBigInt(nanoseconds)],
    ["string_to_int64", STRING, intFromText],
    ["timestamp_to_int64", TIMESTAMP, ({ seconds }: CelTimestamp) => seconds],
    ["uint64_to_int64", UINT, ({ value }: CelUint) => checkedInt(value)],
  ),
  conversion(
    "string",
    STRING,
    ["string_to_string", STRING, identity],
    ["bool_to_string", BOOL, show],
    ["bytes_to_string", BYTES, textFromBytes],
    ["double_to_string", DOUBLE, ({ value }: CelDouble) => formatGeneral(value)],
    ["duration_to_string", DURATION, show],
    ["int64_to_string", INT, show],
    ["timestamp_to_string", TIMESTAMP, show],
    ["uint64_to_string", UINT, show],
  ),
  conversion(
    "timestamp",
    TIMESTAMP,
    ["timestamp_to_timestamp", TIMESTAMP, identity],
    ["int64_to_timestamp", INT, timestampFromInt],
    ["string_to_timestamp", STRING, timestampFromText],
  ),
  conversion(
    "uint",
    UINT,
    ["uint64_to_uint64", UINT, identity],
    ["double_to_uint64", DOUBLE, ({ value }: CelDouble) => uintFromDouble(value)],
    ["int64_to_uint64", INT, (value: CelInt) => checkedUint(BigInt(value))],
    ["string_to_uint64", STRING, uintFromText],
  ),
];
