import { quoteGo } from "../../meta/go-quote.ts";

/** A part of a layout of Go's time package: how it is written there, what it takes, and the range of its number. */
interface LayoutPart {
  readonly layout: string;
  readonly pattern: RegExp;
  readonly name?: string;
  readonly min?: number;
  readonly max?: number;
}

const literal = (layout: string): LayoutPart => ({ layout, pattern: new RegExp(`^${layout}`) });

export const DATE_LAYOUT: readonly LayoutPart[] = [
  { layout: "2006", pattern: /^\d{4}/ },
  literal("-"),
  { layout: "01", pattern: /^\d{2}/, name: "month", min: 1, max: 12 },
  literal("-"),
  { layout: "02", pattern: /^\d{2}/, name: "day", min: 0, max: 31 },
];

export const TIME_LAYOUT: readonly LayoutPart[] = [
  literal("T"),
  { layout: "15", pattern: /^\d{2}/, name: "hour", min: 0, max: 23 },
  literal(":"),
  { layout: "04", pattern: /^\d{2}/, name: "minute", min: 0, max: 59 },
  literal(":"),
  { layout: "05", pattern: /^\d{2}(?:[.,]\d+)?/, name: "second", min: 0, max: 59 },
];

/** Why a text is not of a layout. Source: time.Parse, time.ParseError. */
export function goTimeFault(text: string, layout: readonly LayoutPart[]): string {
  let rest = text;
  for (const { layout: part, pattern, name, min = 0, max = 9999 } of layout) {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) {
      return `parsing time ${quoteGo(text)} as ${quoteGo(layout.map((each) => each.layout).join(""))}: cannot parse ${quoteGo(rest)} as ${quoteGo(part)}`;
    }
    const value = Math.trunc(Number(found.replace(",", ".")));
    if (name !== undefined && (value < min || value > max)) return `parsing time ${quoteGo(text)}: ${name} out of range`;
    rest = rest.slice(found.length);
  }
  return rest === "" ? `parsing time ${quoteGo(text)}: day out of range` : `parsing time ${quoteGo(text)}: extra text: ${quoteGo(rest)}`;
}
