import { type FunctionDeclaration, member } from "../check/declaration.ts";
import { CelError } from "../value/error.ts";
import { type CelDuration, type CelTimestamp, type ClockTime, clockTime } from "../value/time.ts";
import { DURATION, INT, STRING, TIMESTAMP } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

const MILLISECOND = 1_000_000n;
const SECOND = 1000n * MILLISECOND;

/** A part of a timestamp on the clock of a zone, and of a duration where `unit` is given. */
function part(name: string, id: string, read: (clock: ClockTime, timestamp: CelTimestamp) => number, unit?: bigint): FunctionDeclaration {
  const at = (timestamp: CelTimestamp, zone: string | undefined): CelValue => {
    const clock = clockTime(timestamp, zone);
    return clock instanceof CelError ? clock : read(clock, timestamp);
  };
  const zoned = id === "seconds" ? "timestamp_to_seconds_tz" : `timestamp_to_${id}_with_tz`;
  const overloads = [
    member(`timestamp_to_${id}`, [TIMESTAMP], INT, (timestamp: CelTimestamp) => at(timestamp, undefined)),
    member(zoned, [TIMESTAMP, STRING], INT, (timestamp: CelTimestamp, zone: string) => at(timestamp, zone)),
  ];
  if (unit !== undefined) overloads.push(member(`duration_to_${id}`, [DURATION], INT, (duration: CelDuration) => duration.in(unit)));
  return { name, overloads };
}

/** The parts of timestamps and durations. Source: cel-go common/stdlib/standard.go. */
export const TIME_PARTS: readonly FunctionDeclaration[] = [
  part("getFullYear", "year", ({ year }) => year),
  part("getMonth", "month", ({ month }) => month),
  part("getDayOfYear", "day_of_year", ({ dayOfYear }) => dayOfYear),
  part("getDayOfMonth", "day_of_month", ({ day }) => day - 1),
  part("getDate", "day_of_month_1_based", ({ day }) => day),
  part("getDayOfWeek", "day_of_week", ({ weekday }) => weekday),
  part("getHours", "hours", ({ hour }) => hour, 3600n * SECOND),
  part("getMinutes", "minutes", ({ minute }) => minute, 60n * SECOND),
  part("getSeconds", "seconds", ({ second }) => second, SECOND),
  part("getMilliseconds", "milliseconds", (_clock, { nanoseconds }) => Math.trunc(nanoseconds / 1e6), MILLISECOND),
];
