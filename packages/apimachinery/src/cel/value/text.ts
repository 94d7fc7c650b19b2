import { NEW_ELEMENT_STEPS, work } from "./work.ts";

const SURROGATE = /[\ud800-\udfff]/;

/** From this length on, it is worth while to remember how many code points a text has. */
const LONG_TEXT = 512;
/** The last long text that was counted: rules ask again and again for the size of one. */
let counted = { text: "", count: 0 };

/** How many code points a text has. */
export function codePointCount(text: string): number {
  if (text.length < LONG_TEXT) return count(text);
  if (counted.text !== text) {
    work(text.length);
    counted = { text, count: count(text) };
  }
  return counted.count;
}

function count(text: string): number {
  if (!SURROGATE.test(text)) return text.length;
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xd800 && unit <= 0xdbff && isTrail(text.charCodeAt(at + 1))) at++;
    count++;
  }
  return count;
}

const isTrail = (unit: number): boolean => unit >= 0xdc00 && unit <= 0xdfff;

/** The code points of a text, which are its UTF-16 units where there are no surrogates. */
export function codePoints(text: string): string | readonly string[] {
  if (text.length >= LONG_TEXT) work(text.length * NEW_ELEMENT_STEPS);
  return SURROGATE.test(text) ? Array.from(text) : text;
}

/** A part of a text by code points. */
export function sliceCodePoints(text: string, start: number, end: number): string {
  const points = codePoints(text);
  return typeof points === "string" ? points.slice(start, end) : points.slice(start, end).join("");
}

/** How many bytes a text has in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x80) continue;
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}
