import { expect, test } from "vitest";
import { quoteGo } from "./go-quote.ts";

// Each was printed by Go's fmt; a lone surrogate is what Go reads in its place.
test.each([
  ["a\u200b\u00a0\x7fé\u2028<>\u{1f600}\ue000", String.raw`"a\u200b\u00a0\x7fé\u2028<>😀\ue000"`],
  ['\x00\x07\n\t"\\', String.raw`"\x00\a\n\t\"\\"`],
  ["\ud800", '"\ufffd"'],
  ["\u{e0001}", String.raw`"\U000e0001"`],
])("%j is quoted as Go quotes it", (text, quoted) => expect(quoteGo(text)).toBe(quoted));
