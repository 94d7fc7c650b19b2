import { CelError } from "./error.ts";
import { work } from "./work.ts";

/** `Local` is the zone of the host, which a server keeps at UTC. */
const UTC_NAMES: ReadonlySet<string> = new Set(["UTC", "", "Local"]);

/**
 * How far the clocks of a zone are ahead of UTC, in seconds.
 *
 * @param zone `America/New_York`, `UTC`, or an offset as `-08:00`.
 * @param seconds since 1970: when.
 *
 * Source: cel-go common/types/timestamp.go, timeZone; time.LoadLocation.
 */
export function zoneOffset(zone: string, seconds: number): number | CelError {
  if (UTC_NAMES.has(zone)) return 0;
  if (zone.includes(":")) return parseOffset(zone);
  if (/^[/\\]|\.\./.test(zone)) return new CelError("time: invalid location name");
  const format = zoneFormat(zone);
  return format === undefined ? new CelError(`unknown time zone ${zone}`) : localTime(format, seconds) - seconds;
}

const OFFSET = /^([+-]?)(\d+):([+-]?)(\d+)$/;

function parseOffset(zone: string): number | CelError {
  const match = OFFSET.exec(zone);
  if (match === null) {
    const colon = zone.indexOf(":");
    const bad = [zone.slice(0, colon), zone.slice(colon + 1)].find((part) => !/^[+-]?\d+$/.test(part));
    return new CelError(`strconv.Atoi: parsing ${JSON.stringify(bad ?? zone)}: invalid syntax`);
  }
  const hours = Number(match[1] + (match[2] ?? "")) * 60;
  const minutes = Number((match[3] ?? "") + (match[4] ?? ""));
  return 60 * (zone.startsWith("-") ? hours - minutes : hours + minutes);
}

/** What a clock shows, as seconds since it showed the beginning of 1970. */
function localTime(format: Intl.DateTimeFormat, seconds: number): number {
  const parts: Record<string, string> = {};
  for (const { type, value } of format.formatToParts(seconds * 1000)) parts[type] = value;
  const part = (type: string) => Number(parts[type]);
  const local = new Date(0);
  // The year 0 is 1 B(efore Christ).
  local.setUTCFullYear(parts.era === "B" ? 1 - part("year") : part("year"), part("month") - 1, part("day"));
  local.setUTCHours(part("hour"), part("minute"), part("second"));
  return local.getTime() / 1000;
}

/** How most zones are spelled; none has less than four letters, but what ICU alone knows does (`JST`). */
const USUAL_NAME = /^(?:(?:Etc\/|US\/)?[A-Z][a-z]{3,}(?:[-_/][A-Z][a-z]+)*|Etc\/(?:GMT[-+]\d\d?|GMT0?|UCT|UTC))$/;

/** How the rest of tzdata is. Intl takes a name in any case, Go's files do not. */
const UNUSUAL_NAMES = [
  ...["Africa/Dar_es_Salaam", "America/Argentina/ComodRivadavia", "America/Knox_IN", "America/Port-au-Prince", "America/Port_of_Spain"],
  ...["Antarctica/DumontDUrville", "Antarctica/McMurdo", "Australia/ACT", "Australia/LHI", "Australia/NSW", "Brazil/DeNoronha"],
  ...["Chile/EasterIsland", "Europe/Isle_of_Man", "Mexico/BajaNorte", "Mexico/BajaSur", "GB-Eire", "NZ-CHAT", "W-SU", "GMT+0", "GMT-0", "GMT0"],
  ...["CST6CDT", "EST5EDT", "MST7MDT", "PST8PDT", "CET", "EET", "EST", "GB", "GMT", "HST", "MET", "MST", "NZ", "PRC", "ROC", "ROK", "UCT", "WET"],
];
const UNUSUAL = new Map(UNUSUAL_NAMES.map((name) => [name.toLowerCase(), name]));

function isSpelledRight(zone: string): boolean {
  const unusual = UNUSUAL.get(zone.toLowerCase());
  return unusual === undefined ? USUAL_NAME.test(zone) : zone === unusual;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();
/** Formats are costly to make: so many are kept. */
const MAX_FORMATS = 100;
/** The steps of making one. */
const FORMAT_STEPS = 50_000;

function zoneFormat(zone: string): Intl.DateTimeFormat | undefined {
  const known = FORMATS.get(zone);
  if (known !== undefined) return known;
  if (!isSpelledRight(zone)) return undefined;
  work(FORMAT_STEPS);
  try {
    const digits = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" } as const;
    const format = new Intl.DateTimeFormat("en-US", { ...digits, era: "narrow", timeZone: zone, hourCycle: "h23" });
    if (FORMATS.size >= MAX_FORMATS) FORMATS.clear();
    FORMATS.set(zone, format);
    return format;
  } catch {
    return undefined;
  }
}
