import fc from "fast-check";
import { expect, test } from "vitest";
import { keySegment, textOfKeySegment } from "./key-segment.ts";

test.each([
  { text: "a-b.c_D~1", want: "a-b.c_D~1" },
  { text: "a/b", want: "a%2Fb" },
  { text: "50%", want: "50%25" },
  { text: "ü b", want: "%C3%BC%20b" },
  { text: "\u{7f}\0", want: "%7F%00" },
])("$text is $want", ({ text, want }) => expect(keySegment(text)).toBe(want));

test("any text becomes printable ASCII without a slash, and comes back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(keySegment(text)).toMatch(/^[!-.0-~]*$/);
      expect(textOfKeySegment(keySegment(text))).toBe(text);
    }),
  );
});
