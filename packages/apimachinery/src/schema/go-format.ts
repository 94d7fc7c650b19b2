import { quoteGo } from "../meta/go-quote.ts";

/**
 * Prints a value as Go's field errors do: strings quoted as `%q`, numbers as `%v`, everything else as JSON with sorted keys.
 *
 * Source: k8s.io/apimachinery/pkg/util/validation/field, Error.ErrorBody.
 */
export function formatGoValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoteGo(value);
    case "number":
      return formatGoNumber(value);
    case "bigint":
    case "boolean":
      return String(value);
    default:
      return escaped(canonicalJSON(value));
  }
}

/** Prints a struct of Go's as JSON: members as they stand, in their order. Source: encoding/json. */
export function formatGoStruct(members: Readonly<Record<string, unknown>>): string {
  return escaped(JSON.stringify(members));
}

const escaped = (json: string): string => json.replace(/[<>&\u2028\u2029]/g, (char) => `\\u${hex(char.charCodeAt(0), 4)}`);

/**
 * Prints a number as Go's `%v`: a whole number that a `number` holds exactly as an integer (which it is after decoding), any other as the shortest
 * `%g`: with an exponent of two digits below 1e-4 and from 1e6 on.
 */
export function formatGoNumber(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  return formatGoFloat(value);
}

/** Prints a whole number with all of its digits, as Go's `%v` of an integer; any other as {@link formatGoNumber}. */
export function formatGoInteger(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : formatGoNumber(value);
}

/** Prints a float64 as Go's `%v`, whole numbers too: `1e+06`. Source: strconv.FormatFloat with format 'g', shortest. */
export function formatGoFloat(value: number): string {
  const [mantissa = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

/** JSON with keys in byte order: one text per value. Numbers that differ only in their kind (`1`, `1n`) are one. */
export function canonicalJSON(value: unknown): string {
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJSON).join(",")}]`;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  entries.sort(([left], [right]) => compareCodePoints(left, right));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJSON(inner)}`).join(",")}}`;
}

/** Orders by code points, which is the order of the UTF-8 bytes that Go sorts by. `<` would order by UTF-16 units. */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a === b) continue;
    const surrogateA = a >= 0xd800 && a <= 0xdfff;
    const surrogateB = b >= 0xd800 && b <= 0xdfff;
    // A surrogate stands for a code point beyond every single unit.
    return surrogateA === surrogateB ? a - b : surrogateA ? 1 : -1;
  }
  return left.length - right.length;
}

const hex = (code: number, digits: number): string => code.toString(16).padStart(digits, "0");
