const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** `2006-01-02`, a day that exists. Source: RFC 3339 full-date. */
export function isDateFormat(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = (MONTH_DAYS[month - 1] ?? 0) + (leap && month === 2 ? 1 : 0);
  return day >= 1 && day <= days;
}

/**
 * RFC 3339 date-time in either case. As kube-apiserver: no leap second, any character before the fraction, and text after a second `t` is not looked at.
 * Source: kube-openapi strfmt.IsDateTime.
 */
export function isDateTimeFormat(text: string): boolean {
  const [date, time] = text.toLowerCase().split("t", 2);
  if (date === undefined || time === undefined || !isDateFormat(date)) return false;
  const match = /^(\d{2}):(\d{2}):(\d{2})(.\d+)?(z|[+-]\d{2}:\d{2})$/u.exec(time);
  return match !== null && Number(match[1]) <= 23 && Number(match[2]) <= 59 && Number(match[3]) <= 59;
}

const NANOSECONDS: ReadonlyMap<string, bigint> = new Map([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);

/** Units of Scala's durations by name; of the last in a row any longer word will do (`seconds`). */
const WORDS = [
  ["ns", "nano"],
  ["us", "µs", "micro"],
  ["ms", "milli"],
  ["s", "sec"],
  ["m", "min"],
  ["h", "hr", "hour"],
  ["d", "day"],
  ["w", "wk", "week"],
];

/** Go's duration (`1h30m`), or any text with a number and a unit in it (`2 days`). Source: kube-openapi strfmt.ParseDuration. */
export function isDurationFormat(text: string): boolean {
  if (isGoDuration(text)) return true;
  let found = false;
  // The word may be empty, so that each match succeeds where it begins: digits without end cost no more than linear time.
  for (const [, digits = "", word = ""] of text.matchAll(/(\d+)[\t\n\f\r ]*([A-Za-zµ]*)/g)) {
    if (word === "") continue;
    if (BigInt(digits.length > 30 ? "9".repeat(30) : digits) > 0x7fff_ffff_ffff_ffffn) return false;
    const unit = word.toLowerCase();
    found ||= WORDS.some((row) => row.includes(unit) || unit.startsWith(row.at(-1) ?? unit));
  }
  return found;
}

const LONGEST = 1n << 63n;

/** Source: time.ParseDuration: sums of decimal numbers with units, less than 2^63 nanoseconds. */
function isGoDuration(text: string): boolean {
  const sign = /^[+-]/.exec(text)?.[0] ?? "";
  const rest = text.slice(sign.length);
  if (rest === "0") return true;
  if (rest === "" || rest.length > 1024) return false;
  let total = 0n;
  let end = 0;
  for (const part of rest.matchAll(/(\d*)(?:\.(\d*))?([^\d.]+)/g)) {
    const [whole, digits = "", fraction = "", unitName = ""] = part;
    const unit = NANOSECONDS.get(unitName);
    if (part.index !== end || unit === undefined || digits + fraction === "") return false;
    total += BigInt(digits === "" ? "0" : digits) * unit + (BigInt(fraction === "" ? "0" : fraction) * unit) / 10n ** BigInt(fraction.length);
    if (total > LONGEST) return false;
    end = part.index + whole.length;
  }
  return end === rest.length && (sign === "-" || total < LONGEST);
}
