import { CLOCK_PARTS, DATE_PARTS } from "../../meta/rfc3339.ts";
import { CelError } from "../value/error.ts";
import { CelDuration, checkedDuration, parseGoDuration, parseTimestamp } from "../value/time.ts";
import type { CelValue } from "../value/value.ts";
import { NEW_ELEMENT_STEPS, work } from "../value/work.ts";
import { goTimeFault } from "./go-time-fault.ts";

/** No time is longer: what is, is read and quoted for nothing. */
const LONGEST_TIME = 100;

/** A text of a format that stands for another value. Source: k8s.io/apiserver/pkg/cel/common UnstructuredToVal. */
export function textValue(text: string, format: string | undefined): CelValue {
  if (format !== undefined && text.length > LONGEST_TIME) work(text.length * NEW_ELEMENT_STEPS);
  switch (format) {
    case "duration":
      return durationValue(text);
    case "date":
      return dateValue(text);
    case "date-time":
      return dateTimeValue(text);
    case "byte":
      return bytesValue(text);
    default:
      return text;
  }
}

function dateValue(text: string): CelValue {
  const value = /^\d{4}-\d{2}-\d{2}$/.test(text) ? parseTimestamp(`${text}T00:00:00Z`) : undefined;
  return value ?? new CelError(`Invalid date formatted string ${text}: ${goTimeFault(text, DATE_PARTS)}`);
}

/** Source: kube-openapi strfmt.ParseDateTime, whose empty text is 1970. */
function dateTimeValue(text: string): CelValue {
  if (text === "") return parseTimestamp("1970-01-01T00:00:00Z") ?? null;
  // `+0100` without a colon is one of its layouts, too, and so is a time without a zone.
  const value = parseTimestamp(text) ?? parseTimestamp(text.replace(/([+-]\d\d)(\d\d)$/, "$1:$2")) ?? parseTimestamp(`${text}Z`);
  return value ?? new CelError(`Invalid date-time formatted string ${text}: ${goTimeFault(text, [...DATE_PARTS, ...CLOCK_PARTS])}`);
}

const SECOND = 1_000_000_000n;

/** Units by name, the last of each in any longer form. Source: kube-openapi strfmt timeUnits. */
const UNITS: readonly (readonly [names: readonly string[], nanoseconds: bigint])[] = [
  [["ns", "nano"], 1n],
  [["us", "µs", "micro"], 1000n],
  [["ms", "milli"], 1_000_000n],
  [["s", "sec"], SECOND],
  [["m", "min"], 60n * SECOND],
  [["h", "hr", "hour"], 3600n * SECOND],
  [["d", "day"], 86_400n * SECOND],
  [["w", "wk", "week"], 604_800n * SECOND],
];

/** A duration of Go, or one of Scala (`2 days`). Source: kube-openapi strfmt.ParseDuration. */
function durationValue(text: string): CelValue {
  const duration = parseGoDuration(text);
  if (duration !== undefined) return duration;
  let nanoseconds: bigint | undefined;
  for (const [, digits = "", word = ""] of text.slice(0, 1000).matchAll(/(\d{1,19})[\t\n\f\r ]*([A-Za-zµ]+)/g)) {
    const unit = word.toLowerCase();
    const found = UNITS.find(([names]) => names.includes(unit) || unit.startsWith(names.at(-1) ?? unit));
    if (found !== undefined) nanoseconds = (nanoseconds ?? 0n) + BigInt(digits) * found[1];
  }
  if (nanoseconds === undefined) return new CelError(`Invalid duration ${text}: unable to parse ${text} as duration`);
  const sum = checkedDuration(nanoseconds);
  return sum instanceof CelError ? new CelDuration(BigInt.asIntN(64, nanoseconds)) : sum;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/** The place of each character of ASCII in the alphabet; -1 of others. */
const BASE64_VALUES = Int8Array.from({ length: 128 }, (_, code) => ALPHABET.indexOf(String.fromCharCode(code)));

/** base64 with the alphabet of URLs, which is the one that Go's strfmt.Base64 reads. */
function bytesValue(text: string): CelValue {
  work(text.length * 8);
  let buffer = 0;
  let bits = 0;
  const body = text.replaceAll(/[\r\n]/g, "");
  const data = body.replace(/={1,2}$/, "");
  const bytes = new Uint8Array(Math.floor((data.length * 3) / 4));
  let size = 0;
  for (let at = 0; at < data.length; at++) {
    const value = BASE64_VALUES[data.charCodeAt(at)] ?? -1;
    if (value < 0) return badBase64(text, at);
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes[size++] = (buffer >> bits) & 0xff;
  }
  return body.length % 4 === 0 && data.length % 4 !== 1 ? bytes : badBase64(text, body.length - (body.length % 4));
}

const badBase64 = (text: string, at: number): CelError =>
  new CelError(`Invalid byte formatted string ${text}: illegal base64 data at input byte ${at}`);
