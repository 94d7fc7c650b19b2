import fc from "fast-check";
import { expect, test } from "vitest";
import { canonicalJSON, compareCodePoints, formatGoFloat, formatGoNumber, formatGoValue } from "./go-format.ts";

// Each was printed by Go's fmt.
test.each([
  [1e6, "1e+06"],
  [123456.5, "123456.5"],
  [1234567.5, "1.2345675e+06"],
  [1e20, "1e+20"],
  [0.0001, "0.0001"],
  [0.00001234, "1.234e-05"],
  [2 ** 53 - 1, "9.007199254740991e+15"],
  [-0.5, "-0.5"],
])("the float %d is %s", (value, text) => expect(formatGoFloat(value)).toBe(text));

test("a whole number prints as an integer, unless only a float can hold it", () => {
  expect([1_000_000, -5, 2 ** 53].map(formatGoNumber)).toEqual(["1000000", "-5", "9.007199254740992e+15"]);
});

test("values: numbers bare, objects as JSON with sorted keys and no HTML", () => {
  expect(formatGoValue(9223372036854775807n)).toBe("9223372036854775807");
  expect(formatGoValue(null)).toBe("null");
  expect(formatGoValue({ b: [1n, "<&>"], a: { "\u{1f600}": 1, "\uffff": undefined, "\ufb00": 2 } })).toBe(
    String.raw`{"a":{"ﬀ":2,"😀":1},"b":[1,"\u003c\u0026\u003e"]}`,
  );
});

test("canonical JSON tells values apart as JSON does, whatever the order of keys", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (left, right) => {
      const reversed = (value: unknown): unknown =>
        Array.isArray(value)
          ? value.map(reversed)
          : typeof value === "object" && value !== null
            ? Object.fromEntries(
                Object.entries(value)
                  .reverse()
                  .map(([key, inner]) => [key, reversed(inner)]),
              )
            : value;
      expect(canonicalJSON(reversed(left))).toBe(canonicalJSON(left));
      expect(JSON.parse(canonicalJSON(left))).toEqual(JSON.parse(JSON.stringify(left)));
      if (canonicalJSON(left) === canonicalJSON(right)) expect(JSON.parse(JSON.stringify(left))).toEqual(JSON.parse(JSON.stringify(right)));
    }),
  );
});

test("texts are ordered as their UTF-8 bytes are", () => {
  const bytes = (text: string) => [...new TextEncoder().encode(text)].map((byte) => String.fromCharCode(byte)).join("");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), (left, right) => {
      const want = bytes(left) < bytes(right) ? -1 : bytes(left) > bytes(right) ? 1 : 0;
      expect(Math.sign(compareCodePoints(left, right))).toBe(want);
    }),
  );
});
