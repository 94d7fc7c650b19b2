import { DAY_OUT_OF_RANGE, extraText, readTimeParts, type TimePart, timeFault } from "../../meta/rfc3339.ts";

/** Why a text is not of a layout. Source: time.Parse, time.ParseError. */
export function goTimeFault(text: string, layout: readonly TimePart[]): string {
  const read = readTimeParts(text, layout);
  if ("fault" in read) return read.fault;
  return timeFault(text, read.rest === "" ? DAY_OUT_OF_RANGE : extraText(read.rest));
}
