import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseLabelSelector } from "./index.ts";

// Asked of the sample-apiserver (the first eight) and of a kube-apiserver 1.36.
test.each([
  { text: "a b", message: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt" },
  { text: "i in (", message: "unable to parse requirement: found '', expected: ',', ')' or identifier" },
  { text: "=1", message: "found '=', expected: !, identifier, or 'end of string'" },
  { text: "i>x", message: "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators, the value must be an integer" },
  { text: "a=b=c", message: "found '=', expected: ',' or 'end of string'" },
  { text: "bad key in (x)", message: "unable to parse requirement: found 'key', expected: in, notin, =, ==, !=, gt, lt" },
  { text: "!", message: "unable to parse requirement: found '', expected: identifier" },
  { text: "a in 1", message: "unable to parse requirement: found '1' expected: '('" },
  { text: "a,", message: "found '', expected: identifier after ','" },
  { text: "a in (b c)", message: "unable to parse requirement: found 'c', expected: ',' or ')'" },
  { text: "a in (b,=)", message: "unable to parse requirement: found '=', expected: ',', or identifier" },
  { text: "!a=b", message: "found '=', expected: ',' or 'end of string'" },
  { text: "!1\0in\tb", message: "found 'in', expected: ',' or 'end of string'" },
  { text: "a\0b", message: "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt" },
])("refuses $text", ({ text, message }) => {
  expect(() => parseLabelSelector(text)).toThrow(expect.objectContaining({ reason: "BadRequest", code: 400, message, details: undefined }));
});

test("refuses keys and values that are no labels'", () => {
  expect(() => parseLabelSelector("/a")).toThrow('unable to parse requirement: <nil>: Invalid value: "/a": prefix part must be non-empty');
  expect(() => parseLabelSelector("a in (b,-)")).toThrow(
    'unable to parse requirement: values[0][a]: Invalid value: "-": a valid label must be an empty string or consist of',
  );
  expect(() => parseLabelSelector("a>-1")).toThrow(/^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-1": a valid label/);
});

const labels = { a: "1", b: "x", "k.io/c": "", in: "notin", n: "9223372036854775807" };

test.each([
  { text: "", matches: true, canonical: "" },
  { text: "a", matches: true, canonical: "a" },
  { text: "!a", matches: false, canonical: "!a" },
  { text: "zz,!z", matches: false, canonical: "!z,zz" },
  { text: "b = x , a==1", matches: true, canonical: "a==1,b=x" },
  { text: "a!=1", matches: false, canonical: "a!=1" },
  { text: "none!=1", matches: true, canonical: "none!=1" },
  { text: "b in (y, x,y)", matches: true, canonical: "b in (x,y)" },
  { text: "b notin (x)", matches: false, canonical: "b notin (x)" },
  { text: "none notin (x)", matches: true, canonical: "none notin (x)" },
  { text: "k.io/c=", matches: true, canonical: "k.io/c=" },
  { text: "k.io/c in ()", matches: true, canonical: "k.io/c in ()" },
  { text: "k.io/c in (,x)", matches: true, canonical: "k.io/c in (,x)" },
  { text: "in in (in,notin)", matches: true, canonical: "in in (in,notin)" },
  { text: "in=notin", matches: true, canonical: "in=notin" },
  { text: "a>0,a<2", matches: true, canonical: "a>0,a<2" },
  { text: "a>1", matches: false, canonical: "a>1" },
  { text: "b>0", matches: false, canonical: "b>0" },
  { text: "n>9223372036854775806", matches: true, canonical: "n>9223372036854775806" },
  { text: "constructor", matches: false, canonical: "constructor" },
])("$text", ({ text, matches, canonical }) => {
  const selector = parseLabelSelector(text);
  expect(selector.matches(labels)).toBe(matches);
  expect(selector.toString()).toBe(canonical);
  expect(selector.isEmpty).toBe(text === "");
});

test("an object without labels", () => {
  expect(parseLabelSelector("!a,b!=c").matches(undefined)).toBe(true);
  expect(parseLabelSelector("a").matches(undefined)).toBe(false);
});

describe("limits", () => {
  test("length", () => expect(() => parseLabelSelector("a".repeat(65_537))).toThrow(expect.objectContaining({ code: 400 })));
  test("requirements", () => {
    expect(parseLabelSelector(new Array(1_000).fill("a").join()).requirements).toHaveLength(1_000);
    expect(() => parseLabelSelector(new Array(1_001).fill("a").join())).toThrow(/at most 1000 are allowed/);
  });
});

test("any text is refused with a 400, or its canonical text means the same", () => {
  const piece = fc.constantFrom("a", "b", "1", "in", "notin", " ", "=", "!=", "!", "(", ")", ",", "<", "k.io/a", "x");
  const set = fc.dictionary(fc.constantFrom("a", "b", "in", "k.io/a", "x"), fc.constantFrom("", "1", "a", "in"));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), set, (pieces, object) => {
      let selector: ReturnType<typeof parseLabelSelector>;
      try {
        selector = parseLabelSelector(pieces.join(""));
      } catch (error) {
        expect(error).toMatchObject({ code: 400 });
        return;
      }
      const again = parseLabelSelector(selector.toString());
      expect(again.requirements).toEqual(selector.requirements);
      expect(again.matches(object)).toBe(selector.matches(object));
    }),
  );
});
