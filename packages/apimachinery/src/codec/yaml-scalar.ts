/** What a plain scalar means. A timestamp is a string that is quoted when written. */
export type ResolvedScalar =
  | { readonly kind: "null" }
  | { readonly kind: "bool"; readonly value: boolean }
  | { readonly kind: "int"; readonly value: bigint }
  | { readonly kind: "float"; readonly value: number }
  | { readonly kind: "timestamp" | "string" };

const STRING: ResolvedScalar = { kind: "string" };

const words = (resolved: ResolvedScalar, ...spellings: string[]): [string, ResolvedScalar][] => spellings.map((one) => [one, resolved]);

/** Words that are no strings. Source: YAML 1.1 types bool, null, float, as go.yaml.in/yaml/v2 spells them. */
const WORDS: ReadonlyMap<string, ResolvedScalar> = new Map([
  ...words({ kind: "bool", value: true }, "y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"),
  ...words({ kind: "bool", value: false }, "n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"),
  ...words({ kind: "null" }, "", "~", "null", "Null", "NULL"),
  ...words({ kind: "float", value: Number.NaN }, ".nan", ".NaN", ".NAN"),
  ...words({ kind: "float", value: Number.POSITIVE_INFINITY }, ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"),
  ...words({ kind: "float", value: Number.NEGATIVE_INFINITY }, "-.inf", "-.Inf", "-.INF"),
]);

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);

/**
 * What an unquoted scalar means in Kubernetes' YAML: YAML 1.1's words and integers (`0b1010`, `0777`, `0o17`, `0x1F`, `1_000`) without base 60.
 *
 * Source: go.yaml.in/yaml/v2, resolve, which sigs.k8s.io/yaml uses.
 */
export function resolvePlainScalar(text: string): ResolvedScalar {
  const first = text.charCodeAt(0);
  const isDigitOrSign = (first >= 48 && first <= 57) || first === 43 || first === 45;
  if (!isDigitOrSign && first !== 46 /* . */) return WORDS.get(text) ?? STRING;
  const word = WORDS.get(text);
  if (word !== undefined) return word;
  if (first === 46) return resolveFloat(text, true);
  if (isTimestamp(text)) return { kind: "timestamp" };
  const plain = text.replaceAll("_", "");
  const integer = parseInteger(plain);
  if (integer !== undefined) return { kind: "int", value: integer };
  return resolveFloat(plain, false);
}

/** A number beyond the range of a double is a string, as in Go. Go reads `.1_0` as a float, too, though not `1.1_0`'s underscores. */
function resolveFloat(text: string, hasUnderscores: boolean): ResolvedScalar {
  if (hasUnderscores && text.includes("_")) return STRING;
  if (!FLOAT.test(text)) return STRING;
  const value = Number(text);
  return Number.isFinite(value) ? { kind: "float", value } : STRING;
}

const INTEGERS: readonly { readonly pattern: RegExp; readonly radix: string }[] = [
  { pattern: /^([-+]?)0[bB]([01]+)$/, radix: "0b" },
  { pattern: /^([-+]?)0[xX]([0-9a-fA-F]+)$/, radix: "0x" },
  { pattern: /^([-+]?)0[oO]?([0-7]+)$/, radix: "0o" },
  { pattern: /^([-+]?)(0|[1-9][0-9]*)$/, radix: "" },
];

/** 64 bits with a sign, or without one. @returns undefined for what is larger (it may be a float) or no integer. */
function parseInteger(text: string): bigint | undefined {
  // 64 binary digits, a sign and a prefix; leading zeros may make a number longer, and such are strings or floats.
  if (text.length > 256) return undefined;
  for (const { pattern, radix } of INTEGERS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    const magnitude = BigInt(`${radix}${match[2]}`);
    const value = match[1] === "-" ? -magnitude : magnitude;
    // What is written with a plus has a sign, and Go's reader of unsigned numbers takes none.
    const max = match[1] === "+" ? MAX_UINT64 / 2n : MAX_UINT64;
    return value >= MIN_INT64 && value <= max ? value : undefined;
  }
  return undefined;
}

const DATE = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:([Tt]| )(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(Z|[-+]\d{2}:\d{2})?)?$/;
const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** Whether text is a date, or a date and time: those stay strings, and are quoted when written. */
function isTimestamp(text: string): boolean {
  const match = DATE.exec(text);
  if (match === null) return false;
  const [, year, month, day, separator, hour, minute, second, zone] = match;
  const days = Number(month) === 2 && isLeapYear(Number(year)) ? 29 : MONTH_DAYS[Number(month) - 1];
  if (days === undefined || Number(day) < 1 || Number(day) > days) return false;
  if (separator === undefined) return true;
  if ((separator === " ") !== (zone === undefined)) return false;
  if (zone !== undefined && zone !== "Z" && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) > 60)) return false;
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

/**
 * A double as Go's `%g` prints it with the fewest digits: with an exponent, of at least two digits, below 1e-4 and from 1e6 on.
 *
 * @param isSingle with the precision of 32 bits: Go's YAML reader prints keys that way.
 */
export function formatFloat(value: number, isSingle = false): string {
  if (Number.isNaN(value)) return ".nan";
  if (!Number.isFinite(value)) return value > 0 ? ".inf" : "-.inf";
  const [mantissa = "", exponent = "0"] = (isSingle ? shortestSingle(value) : value.toExponential()).split("e");
  const power = Number(exponent);
  const digits = mantissa.replace(/[-.]/g, "");
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  if (power < -4 || power >= 6) return `${sign}${mantissa.replace("-", "")}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
  if (power < 0) return `${sign}0.${"0".repeat(-power - 1)}${digits}`;
  if (digits.length <= power + 1) return `${sign}${digits.padEnd(power + 1, "0")}`;
  return `${sign}${digits.slice(0, power + 1)}.${digits.slice(power + 1)}`;
}

function shortestSingle(value: number): string {
  const single = Math.fround(value);
  for (let digits = 0; digits < 9; digits++) {
    const text = single.toExponential(digits);
    if (Math.fround(Number(text)) === single) return text;
  }
  return single.toExponential();
}
