import { parseRFC3339 } from "../meta/index.ts";

const SECOND = 1_000;
/** Go's longest time.Duration, 2^63-1 nanoseconds: about 292 years. Longer ones are cut to it. */
const LONGEST_MS = 9_223_372_036_854.775;

/** Year 1, what Go prints for a time that was never set. */
export const ZERO_TIME = "0001-01-01T00:00:00Z";

/**
 * Prints a duration for people, with two or three significant figures: `5s`, `2m30s`, `3h4m`, `5d`, `2y35d`.
 *
 * @param ms may be negative by less than 2 s, which is the clocks' fault and prints `0s`; before that it prints `<invalid>`.
 * Source: k8s.io/apimachinery/pkg/util/duration, HumanDuration.
 */
export function humanDuration(ms: number): string {
  const seconds = Math.trunc(Math.min(Math.max(ms, -LONGEST_MS), LONGEST_MS) / SECOND);
  if (seconds < -1) return "<invalid>";
  if (seconds < 120) return `${Math.max(seconds, 0)}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return withRest(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 8) return withRest(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.floor(hours / 24);
  if (days < 8) return withRest(days, "d", hours % 24, "h");
  if (days < 2 * 365) return `${days}d`;
  const years = Math.floor(days / 365);
  return years < 8 ? withRest(years, "y", days % 365, "d") : `${years}y`;
}

function withRest(whole: number, unit: string, rest: number, restUnit: string): string {
  return rest === 0 ? `${whole}${unit}` : `${whole}${unit}${rest}${restUnit}`;
}

/**
 * The age of a timestamp as the cells of a `date` column show it.
 *
 * @param timestamp RFC 3339; absent, empty, `null` as a text and the year 1 mean that it was never set.
 * @param now milliseconds since the epoch.
 * @returns `5s`, `3d4h`; `<unknown>` when it was never set, `<invalid>` when it is no timestamp or more than 2 s ahead.
 * Source: apimachinery meta/table ConvertToHumanReadableDateType, metav1.Time UnmarshalQueryParameter.
 */
export function formatAge(timestamp: string | undefined, now: number): string {
  if (timestamp === undefined || timestamp === "" || timestamp === "null") return "<unknown>";
  const then = parseRFC3339(timestamp);
  if ("fault" in then) return "<invalid>";
  return then.milliseconds === Date.parse(ZERO_TIME) ? "<unknown>" : humanDuration(now - then.milliseconds);
}
