import { CelError, INT_OVERFLOW, noSuchOverload, TIMESTAMP_OVERFLOW } from "./error.ts";
import { formatPlain } from "./go-number.ts";
import { CelObject } from "./object.ts";
import { zoneOffset } from "./time-zone.ts";
import { type CelType, DURATION, TIMESTAMP } from "./type.ts";
import type { CelValue } from "./value.ts";

const SECOND = 1_000_000_000n;
const MIN_NANOS = -(2n ** 63n);
const MAX_NANOS = 2n ** 63n - 1n;

/** Seconds since 1970 of 0001-01-01T00:00:00Z and of 9999-12-31T23:59:59Z. */
const MIN_UNIX = -62_135_596_800;
const MAX_UNIX = 253_402_300_799;

/** A span of time in nanoseconds, within 64 bits. */
export class CelDuration extends CelObject {
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    super();
    this.nanoseconds = nanoseconds;
  }

  get type(): CelType {
    return DURATION;
  }

  equals(other: CelValue): boolean {
    return other instanceof CelDuration && other.nanoseconds === this.nanoseconds;
  }

  override compare(other: CelValue): number | CelError {
    if (!(other instanceof CelDuration)) return noSuchOverload(other);
    return Number(this.nanoseconds > other.nanoseconds) - Number(this.nanoseconds < other.nanoseconds);
  }

  /** In whole units, towards zero. Of hours, minutes and seconds Go makes a double before, which may round up. Source: time.Duration, Hours. */
  in(unit: bigint): number {
    const whole = Number(this.nanoseconds / unit);
    return unit < SECOND ? whole : Math.trunc(whole + Number(this.nanoseconds % unit) / Number(unit));
  }

  toString(): string {
    return `${formatPlain(durationSeconds(this.nanoseconds))}s`;
  }
}

/** Go's Duration.Seconds: whole seconds and the rest are added as doubles. */
function durationSeconds(nanoseconds: bigint): number {
  return Number(nanoseconds / SECOND) + Number(nanoseconds % SECOND) / 1e9;
}

/** A moment between the years 1 and 9999, with the offset from UTC that it was written with. */
export class CelTimestamp extends CelObject {
  readonly seconds: number;
  /** From 0 to 999,999,999. */
  readonly nanoseconds: number;
  readonly offsetSeconds: number;

  constructor(seconds: number, nanoseconds: number, offsetSeconds = 0) {
    super();
    this.seconds = seconds;
    this.nanoseconds = nanoseconds;
    this.offsetSeconds = offsetSeconds;
  }

  get type(): CelType {
    return TIMESTAMP;
  }

  equals(other: CelValue): boolean {
    return other instanceof CelTimestamp && other.seconds === this.seconds && other.nanoseconds === this.nanoseconds;
  }

  override compare(other: CelValue): number | CelError {
    if (!(other instanceof CelTimestamp)) return noSuchOverload(other);
    return Math.sign(this.seconds - other.seconds || this.nanoseconds - other.nanoseconds);
  }

  /** RFC 3339, with as many decimals of the second as are not zero. Source: time.RFC3339Nano. */
  toString(): string {
    const local = new Date((this.seconds + this.offsetSeconds) * 1000).toISOString().slice(-24, -5);
    const fraction = this.nanoseconds === 0 ? "" : `.${String(this.nanoseconds).padStart(9, "0").replace(/0+$/, "")}`;
    return `${local}${fraction}${formatOffset(this.offsetSeconds)}`;
  }
}

function formatOffset(seconds: number): string {
  if (seconds === 0) return "Z";
  const minutes = Math.trunc(Math.abs(seconds) / 60);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${seconds < 0 ? "-" : "+"}${two(Math.trunc(minutes / 60))}:${two(minutes % 60)}`;
}

export function checkedDuration(nanoseconds: bigint): CelDuration | CelError {
  return nanoseconds < MIN_NANOS || nanoseconds > MAX_NANOS ? INT_OVERFLOW : new CelDuration(nanoseconds);
}

export function checkedTimestamp(seconds: number, nanoseconds = 0, offsetSeconds = 0): CelTimestamp | CelError {
  return seconds < MIN_UNIX || seconds > MAX_UNIX ? TIMESTAMP_OVERFLOW : new CelTimestamp(seconds, nanoseconds, offsetSeconds);
}

const nanosecondsOf = ({ seconds, nanoseconds }: CelTimestamp): bigint => BigInt(seconds) * SECOND + BigInt(nanoseconds);

/** @param nanoseconds negative to go back. */
export function addToTimestamp(timestamp: CelTimestamp, nanoseconds: bigint): CelTimestamp | CelError {
  const total = nanosecondsOf(timestamp) + nanoseconds;
  const rest = ((total % SECOND) + SECOND) % SECOND;
  return checkedTimestamp(Number((total - rest) / SECOND), Number(rest), timestamp.offsetSeconds);
}

export function timestampDifference(left: CelTimestamp, right: CelTimestamp): CelDuration | CelError {
  return checkedDuration(nanosecondsOf(left) - nanosecondsOf(right));
}

const RFC3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?(?:Z|([+-])(\d\d):(\d\d))$/;

/** Reads RFC 3339 as Go does; undefined when it is none. Source: time.Parse(time.RFC3339, text). */
export function parseTimestamp(text: string): CelTimestamp | undefined {
  const match = RFC3339.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [, , , , , , , fraction = "", sign, offsetHours, offsetMinutes] = match;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  if (Number(offsetHours ?? 0) > 24 || Number(offsetMinutes ?? 0) > 60) return undefined;
  const offset = (sign === "-" ? -60 : 60) * (60 * Number(offsetHours ?? 0) + Number(offsetMinutes ?? 0));
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second);
  return new CelTimestamp(date.getTime() / 1000 - offset, Number(fraction.slice(0, 9).padEnd(9, "0")), offset);
}

function daysIn(year: number, month: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, 0);
  return date.getUTCDate();
}

/** Units of Go's durations in nanoseconds. */
const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
};

const PART = /(\d*)(\.\d*)?(ns|us|µs|μs|ms|s|m|h)/y;

/** Reads a duration as `1h30m`, `-1.5s`; undefined when it is none, or beyond 64 bits. Source: time.ParseDuration. */
export function parseGoDuration(text: string): CelDuration | undefined {
  const isNegative = text.startsWith("-");
  const body = isNegative || text.startsWith("+") ? text.slice(1) : text;
  if (body === "0") return new CelDuration(0n);
  if (body === "") return undefined;
  let total = 0n;
  for (PART.lastIndex = 0; PART.lastIndex < body.length; ) {
    const match = PART.exec(body);
    if (match === null) return undefined;
    const [, whole = "", fraction = "", unit = ""] = match;
    if (whole === "" && fraction.length < 2) return undefined;
    if (whole.replace(/^0+/, "").length > 19) return undefined;
    const scale = UNITS[unit] ?? 1n;
    total += BigInt(whole || "0") * scale + fractionOf(fraction.slice(1), scale);
    if (total > MAX_NANOS + 1n) return undefined;
  }
  if (total > MAX_NANOS && !isNegative) return undefined;
  return new CelDuration(isNegative ? -total : total);
}

/** Go keeps the digits that fit in 63 bits, and multiplies as doubles. */
function fractionOf(digits: string, scale: bigint): bigint {
  let value = 0n;
  let divisor = 1;
  for (const digit of digits) {
    const next = value * 10n + BigInt(digit);
    if (value > MAX_NANOS / 10n || next > MAX_NANOS + 1n) break;
    value = next;
    divisor *= 10;
  }
  return BigInt(Math.trunc(Number(value) * (Number(scale) / divisor)));
}

/** The parts of a date on a clock. */
export interface ClockTime {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
  /** From 0, Sunday. */
  readonly weekday: number;
  /** From 0. */
  readonly dayOfYear: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/**
 * What a clock shows.
 *
 * @param zone `America/New_York`, `UTC`, or an offset as `-08:00`; undefined for UTC.
 */
export function clockTime(timestamp: CelTimestamp, zone: string | undefined): ClockTime | CelError {
  const offset = zone === undefined ? 0 : zoneOffset(zone, timestamp.seconds);
  if (offset instanceof CelError) return offset;
  const date = new Date((timestamp.seconds + offset) * 1000);
  const year = date.getUTCFullYear();
  const start = new Date(date);
  start.setUTCMonth(0, 1);
  return {
    year,
    month: date.getUTCMonth(),
    day: date.getUTCDate(),
    weekday: date.getUTCDay(),
    dayOfYear: Math.round((date.getTime() - start.getTime()) / 86_400_000),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
    second: date.getUTCSeconds(),
  };
}
