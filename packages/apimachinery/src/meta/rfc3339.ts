/** A part of a layout of Go's time package: how it is written there, what it takes, what Go calls it and how far it goes. */
export interface TimePart {
  readonly layout: string;
  readonly pattern: RegExp;
  readonly name?: string;
  readonly min?: number;
  readonly max?: number;
}

/** `2006-01-02`. Whether a month has a day shows when all is read. */
export const DATE_PARTS: readonly TimePart[] = [
  { layout: "2006", pattern: /^(\d{4})/ },
  { layout: "-", pattern: /^-/ },
  { layout: "01", pattern: /^(\d{2})/, name: "month", min: 1, max: 12 },
  { layout: "-", pattern: /^-/ },
  { layout: "02", pattern: /^(\d{2})/ },
];
/** `T15:04:05`. Go wants two digits of everything but the hour, and lets a fraction of a second follow, behind a comma as well. */
export const CLOCK_PARTS: readonly TimePart[] = [
  { layout: "T", pattern: /^T/ },
  { layout: "15", pattern: /^(\d{1,2})/, name: "hour", min: 0, max: 23 },
  { layout: ":", pattern: /^:/ },
  { layout: "04", pattern: /^(\d{2})/, name: "minute", min: 0, max: 59 },
  { layout: ":", pattern: /^:/ },
  { layout: "05", pattern: /^(\d{2})([.,]\d+)?/, name: "second", min: 0, max: 59 },
];
const RFC3339_PARTS: readonly TimePart[] = [...DATE_PARTS, ...CLOCK_PARTS];
const ZONE = /^(?:Z|([+-])(\d{2}):(\d{2}))/;
const ZONE_LAYOUT = "Z07:00";
/** As some write them: a whole day, a whole hour. */
const [MAX_ZONE_HOUR, MAX_ZONE_MINUTE] = [24, 60];

/** What stands in a text by a layout, and what follows there. */
export interface ReadParts {
  readonly numbers: readonly number[];
  /** Of a second, with its point or comma; `""` where there is none. */
  readonly fraction: string;
  readonly rest: string;
}

/** Reads a text part by part. @param layoutBehind of what the caller reads itself, for Go's sentence. Source: time.Parse, time.ParseError. */
export function readTimeParts(text: string, parts: readonly TimePart[], layoutBehind = ""): ReadParts | { readonly fault: string } {
  const numbers: number[] = [];
  let rest = text;
  let fraction = "";
  for (const { layout, pattern, name, min = 0, max = 9999 } of parts) {
    const found = pattern.exec(rest);
    if (found === null) return { fault: unparsed(text, rest, parts, layoutBehind, layout) };
    const number = Number(found[1]);
    if (name !== undefined && (number < min || number > max)) return { fault: timeFault(text, `${name} out of range`) };
    if (found[1] !== undefined) numbers.push(number);
    fraction = found[2] ?? "";
    rest = rest.slice(found[0].length);
  }
  return { numbers, fraction, rest };
}

function unparsed(text: string, rest: string, parts: readonly TimePart[], layoutBehind: string, part: string): string {
  const layout = parts.map((each) => each.layout).join("") + layoutBehind;
  return `parsing time ${quote(text)} as ${quote(layout)}: cannot parse ${quote(rest)} as ${quote(part)}`;
}

/** Go's sentence about a text that has the form of a time. */
export function timeFault(text: string, what: string): string {
  return `parsing time ${quote(text)}: ${what}`;
}

export const extraText = (rest: string): string => `extra text: ${quote(rest)}`;
export const DAY_OUT_OF_RANGE = "day out of range";

/**
 * Reads a time of an API object as Go does, which takes more than RFC 3339 has: an hour of one digit, a comma before the fraction, offsets of 24 hours and of
 * 60 minutes.
 *
 * @returns the milliseconds since 1970, cut to whole ones, or Go's sentence about a text that is none.
 * Source: time.Parse, time.ParseError; meta/v1 Time.UnmarshalJSON.
 */
export function parseRFC3339(text: string): { readonly milliseconds: number } | { readonly fault: string } {
  const read = readTimeParts(text, RFC3339_PARTS, ZONE_LAYOUT);
  if ("fault" in read) return read;
  const { numbers, fraction } = read;
  const said = (what: string) => ({ fault: timeFault(text, what) });
  const zone = ZONE.exec(read.rest);
  if (zone === null) return { fault: unparsed(text, read.rest, RFC3339_PARTS, ZONE_LAYOUT, ZONE_LAYOUT) };
  const [whole, sign, hours = 0, minutes = 0] = zone;
  if (Number(hours) > MAX_ZONE_HOUR) return said("time zone offset hour out of range");
  if (Number(minutes) > MAX_ZONE_MINUTE) return said("time zone offset minute out of range");
  const rest = read.rest.slice(whole.length);
  if (rest !== "") return said(extraText(rest));
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers;
  const date = new Date(0);
  // Date.UTC takes a year below 100 for one of the twentieth century.
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, Math.trunc(Number(`0.${fraction.slice(1) || "0"}`) * 1000));
  if (date.getUTCDate() !== day) return said(DAY_OUT_OF_RANGE);
  const offset = (Number(hours) * 60 + Number(minutes)) * 60_000;
  return { milliseconds: date.getTime() + (sign === "-" ? offset : -offset) };
}

const encoder = new TextEncoder();
/** How much of a text is shown, in characters: no time is longer. Go shows all of it, twice. */
const MAX_SHOWN = 1024;

/** Source: time.quote, to which what is not printable ASCII is bytes. */
function quote(text: string): string {
  const shown = text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)} ...` : text;
  let quoted = "";
  for (const byte of encoder.encode(shown)) {
    const character = String.fromCharCode(byte);
    if (byte < 0x20 || byte >= 0x80) quoted += `\\x${byte.toString(16).padStart(2, "0")}`;
    else quoted += character === '"' || character === "\\" ? `\\${character}` : character;
  }
  return `"${quoted}"`;
}
