import { quoteGo } from "../../meta/go-quote.ts";
import { CelError } from "../value/error.ts";
import { formatFixed } from "../value/go-number.ts";
import { CelList } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelDouble, CelUint, isInt } from "../value/number.ts";
import { CelDuration, CelTimestamp } from "../value/time.ts";
import { CelType } from "../value/type.ts";
import { typeOf } from "../value/type-of.ts";
import type { CelValue } from "../value/value.ts";
import { NEW_ELEMENT_STEPS, work, workOnText } from "../value/work.ts";

const DEFAULT_PRECISION = 6;

/** The most digits behind a point that are written: Go has no bound, and writes zeros. */
const MAX_PRECISION = 1000;

/** A fault of formatting, in cel-go's words. */
class FormatError extends Error {
  override readonly name = "FormatError";
}

/** How the clause of a letter writes a value. @throws {FormatError} */
type Clause = (value: CelValue, precision: number | undefined) => string;

/**
 * `"%s has %d".format([…])`.
 *
 * Source: cel-go ext/formatting.go, locale en_US.
 */
export function formatText(format: string, args: CelList): CelValue {
  try {
    return substituteClauses(format, args.size, (clause, index, precision) =>
      during("error during formatting", () => clause(args.at(index), precision)),
    );
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return new CelError(error.message);
  }
}

function during(what: string, action: () => string): string {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${what}: ${error.message}`);
  }
}

/**
 * What is wrong with a format, as far as its text and the types of its arguments tell.
 *
 * @param check tells what is wrong with an argument for a clause.
 * @returns the argument to which the fault belongs, or none.
 *
 * Source: cel-go ext/formatting.go stringFormatValidator.
 */
export function formatFault(
  format: string,
  count: number,
  check: (letter: string, index: number) => string | undefined,
): { readonly message: string; readonly argument: number | undefined } | undefined {
  let used = 0;
  let bad: number | undefined;
  try {
    substituteClauses(format, count, (_clause, index, _precision, letter) => {
      used = index + 1;
      const fault = check(letter, index);
      if (fault === undefined) return "";
      bad = index;
      throw new FormatError(`error during formatting: ${fault}`);
    });
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { message: error.message, argument: bad };
  }
  if (count <= used) return undefined;
  return { message: `too many arguments supplied to string.format (expected ${used}, got ${count})`, argument: undefined };
}

type Write = (clause: Clause, index: number, precision: number | undefined, letter: string) => string;

/** @throws {FormatError} */
function substituteClauses(format: string, count: number, write: Write): string {
  let text = "";
  let index = 0;
  let at = 0;
  for (let next = format.indexOf("%", at); next >= 0; next = format.indexOf("%", at)) {
    text += format.slice(at, next);
    if (format[next + 1] === "%") {
      text += "%";
      at = next + 2;
      continue;
    }
    if (index >= count) throw new FormatError(`index ${index} out of range`);
    if (next + 1 >= format.length) throw new FormatError("unexpected end of string");
    const { clause, precision, end } = readClause(format, next + 1);
    const written = write(clause, index, precision, format[end - 1] ?? "");
    workOnText(written.length);
    text += written;
    index++;
    at = end;
  }
  return text + format.slice(at);
}

function readClause(format: string, start: number): { readonly clause: Clause; readonly precision: number | undefined; readonly end: number } {
  let at = start;
  let precision: number | undefined;
  if (format[at] === ".") {
    const digits = /\d*/y;
    digits.lastIndex = at + 1;
    const written = digits.exec(format)?.[0] ?? "";
    at += 1 + written.length;
    if (at >= format.length)
      throw new FormatError("could not parse formatting clause: error while parsing precision: could not find end of precision specifier");
    if (written === "") {
      throw new FormatError(
        'could not parse formatting clause: error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing "": invalid syntax',
      );
    }
    precision = Math.min(Number(written), MAX_PRECISION);
  }
  const letter = format[at] ?? "";
  const clause = CLAUSES[letter];
  if (clause === undefined) throw new FormatError(`could not parse formatting clause: unrecognized formatting clause "${letter}"`);
  return { clause, precision, end: at + 1 };
}

const CLAUSES: Readonly<Record<string, Clause>> = {
  s: formatString,
  d: formatDecimal,
  f: (value, precision = DEFAULT_PRECISION) =>
    formatDouble(value, "fixed-point", (double) => grouped(formatFixed(Object.is(double, -0) ? 0 : double, precision))),
  // cel-go takes the precision for a width.
  e: (value, precision = DEFAULT_PRECISION) => formatDouble(value, "scientific", scientific).padStart(precision),
  b: (value) => formatInRadix(value, 2, BINARY_SENTENCE),
  x: formatHex,
  X: (value) => formatHex(value).toUpperCase(),
  o: (value) => formatInRadix(value, 8, OCTAL_SENTENCE),
};

const wrongType = (sentence: string, value: CelValue): FormatError => new FormatError(`${sentence}, was given ${typeOf(value).name}`);

const STRING_SENTENCE = "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps";
const DECIMAL_SENTENCE = "decimal clause can only be used on integers";
const BINARY_SENTENCE = "only integers and bools can be formatted as binary";
const OCTAL_SENTENCE = "octal clause can only be used on integers";
const HEX_SENTENCE = "only integers, byte buffers, and strings can be formatted as hex";

/** What each clause says of an argument of the wrong type, and the types that it takes. */
export const CLAUSE_TYPES: Readonly<Record<string, { readonly sentence: string; readonly kinds: ReadonlySet<string> }>> = {
  s: {
    sentence: STRING_SENTENCE,
    kinds: new Set(["list", "map", "int", "uint", "double", "bool", "string", "timestamp", "bytes", "duration", "type", "null"]),
  },
  d: { sentence: DECIMAL_SENTENCE, kinds: new Set(["int", "uint"]) },
  f: { sentence: "fixed-point clause can only be used on doubles", kinds: new Set(["double", "string"]) },
  e: { sentence: "scientific clause can only be used on doubles", kinds: new Set(["double", "string"]) },
  b: { sentence: BINARY_SENTENCE, kinds: new Set(["int", "uint", "bool"]) },
  x: { sentence: HEX_SENTENCE, kinds: new Set(["int", "uint", "string", "bytes"]) },
  X: { sentence: HEX_SENTENCE, kinds: new Set(["int", "uint", "string", "bytes"]) },
  o: { sentence: OCTAL_SENTENCE, kinds: new Set(["int", "uint"]) },
};

function formatString(value: CelValue): string {
  if (value === null) return "null";
  if (value instanceof CelList) return formatList(value);
  if (value instanceof CelMap) return formatMap(value);
  if (value instanceof Uint8Array) return textOfBytes(value);
  if (typeof value !== "object" || value instanceof CelDouble || value instanceof CelUint || value instanceof CelType) return value.toString();
  if (value instanceof CelTimestamp || value instanceof CelDuration) return value.toString();
  throw wrongType(STRING_SENTENCE, value);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function textOfBytes(bytes: Uint8Array): string {
  workOnText(bytes.length);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new FormatError('could not convert argument "invalid UTF-8 in bytes, cannot convert to string" to string');
  }
}

function formatDecimal(value: CelValue): string {
  if (isInt(value) || value instanceof CelUint) return value.toString();
  throw wrongType(DECIMAL_SENTENCE, value);
}

function formatList(list: CelList): string {
  return `[${list.elements().map(formatElement).join(", ")}]`;
}

function formatMap(map: CelMap): string {
  const entries = map.keys().map((key) => {
    const isKey = typeof key === "string" || typeof key === "boolean" || isInt(key) || key instanceof CelUint;
    if (!isKey) throw new FormatError(`no formatting function for map key of type ${typeOf(key).name}`);
    work(NEW_ELEMENT_STEPS);
    return [typeof key === "string" ? quoteGo(key) : key.toString(), formatElement(map.get(key))] as const;
  });
  entries.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
  return `{${entries.map(([key, value]) => `${key}:${value}`).join(", ")}}`;
}

/** A value within a list or map: with quotes where it is text. */
function formatElement(value: CelValue): string {
  work(NEW_ELEMENT_STEPS);
  if (typeof value === "string") {
    workOnText(value.length);
    return quoteGo(value);
  }
  if (value instanceof Uint8Array) return `b${quoteGo(textOfBytes(value))}`;
  if (value instanceof CelTimestamp) return `timestamp(${quoteGo(value.toString())})`;
  if (value instanceof CelDuration) return `duration(${quoteGo(value.toString())})`;
  if (value instanceof CelDouble) return Number.isFinite(value.value) ? formatFixed(value.value, DEFAULT_PRECISION) : quoteGo(special(value.value));
  if (
    value === null ||
    value instanceof CelList ||
    value instanceof CelMap ||
    typeof value !== "object" ||
    value instanceof CelUint ||
    value instanceof CelType
  ) {
    return formatString(value);
  }
  throw new FormatError(`no formatting function for ${typeOf(value).name}`);
}

const special = (value: number): string => (Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");

/** Texts that stand for doubles may be given, too. */
const SPECIAL_TEXTS: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};

function formatDouble(value: CelValue, clause: string, write: (double: number) => string): string {
  const double = typeof value === "string" ? SPECIAL_TEXTS[value] : value instanceof CelDouble ? value.value : undefined;
  if (double === undefined) throw wrongType(`${clause} clause can only be used on doubles`, value);
  if (Number.isFinite(double)) return write(double);
  return Number.isNaN(double) ? "NaN" : double > 0 ? "∞" : "-∞";
}

/** With a comma at each thousand, as in American English. */
function grouped(digits: string): string {
  const [whole = "", fraction] = digits.split(".");
  const groups = whole.replace(/\B(?=(?:\d{3})+$)/g, ",");
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function scientific(double: number): string {
  const [mantissa = "", exponent = "0"] = double.toExponential(DEFAULT_PRECISION).split("e");
  return `${mantissa}×10${superscript(Number(exponent))}`;
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = {
  "-": "⁻",
  "+": "⁺",
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
};

/** At least two digits. */
function superscript(power: number): string {
  const digits = String(Math.abs(power)).padStart(2, "0");
  return Array.from(`${power < 0 ? "-" : ""}${digits}`, (char) => SUPERSCRIPTS[char] ?? char).join("");
}

function formatInRadix(value: CelValue, radix: 2 | 8, sentence: string): string {
  if (isInt(value)) return value.toString(radix);
  if (value instanceof CelUint) return value.value.toString(radix);
  if (typeof value === "boolean" && radix === 2) return value ? "1" : "0";
  throw wrongType(sentence, value);
}

const encoder = new TextEncoder();

function formatHex(value: CelValue): string {
  if (isInt(value)) return value.toString(16);
  if (value instanceof CelUint) return value.value.toString(16);
  const bytes = typeof value === "string" ? encoder.encode(value) : value;
  if (!(bytes instanceof Uint8Array)) throw wrongType(HEX_SENTENCE, value);
  work(bytes.length * NEW_ELEMENT_STEPS);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
