import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import {
  comparePathElements,
  fieldElement,
  formatPath,
  formatPathElement,
  indexElement,
  keyElement,
  MalformedFieldsError,
  type PathElement,
  parsePathElement,
  valueElement,
} from "./field-path.ts";

const scalar = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null));
const element: fc.Arbitrary<PathElement> = fc.oneof(
  fc.string().map(fieldElement),
  fc.uniqueArray(fc.record({ name: fc.string(), value: scalar }), { selector: ({ name }) => name, maxLength: 3 }).map(keyElement),
  scalar.map(valueElement),
  fc.nat().map(indexElement),
);

describe("path elements", () => {
  test.each<{ text: string; want: PathElement; canonical?: string }>([
    { text: "f:spec", want: fieldElement("spec") },
    { text: "f:", want: fieldElement("") },
    { text: "f:a:b.c/d", want: fieldElement("a:b.c/d") },
    { text: 'k:{"name":"a"}', want: keyElement([{ name: "name", value: "a" }]) },
    {
      text: 'k:{"protocol":"TCP","port":80}',
      want: keyElement([
        { name: "port", value: 80 },
        { name: "protocol", value: "TCP" },
      ]),
      canonical: 'k:{"port":80,"protocol":"TCP"}',
    },
    { text: "k:{}", want: keyElement([]) },
    { text: "k:null", want: keyElement([]), canonical: "k:{}" },
    { text: 'v:"a<b"', want: valueElement("a<b"), canonical: 'v:"a\\u003cb"' },
    { text: "v:1.0", want: valueElement(1), canonical: "v:1" },
    { text: "v:9007199254740993", want: valueElement(9007199254740992), canonical: "v:9007199254740992" },
    { text: "v:null", want: valueElement(null) },
    { text: "i:0", want: indexElement(0) },
    { text: "i:+07", want: indexElement(7), canonical: "i:7" },
    { text: "i:-1", want: indexElement(-1) },
  ])("$text", ({ text, want, canonical = text }) => {
    const parsed = parsePathElement(text);
    expect(parsed).toMatchObject(want);
    expect(formatPathElement(want)).toBe(canonical);
  });

  test.each(["x:foo", "F:a", "::"])("%s is of a type that a later version may know", (text) => expect(parsePathElement(text)).toBeUndefined());

  // Each is an error in Go too.
  test.each(["", "f", "fx", "spec", "v:", "v:abc", "v:{", "k:5", 'k:"a"', "k:", "k:{a}", "i:", "i:a", "i:1.5", "i:99999999999999999999"])(
    "refuses %j",
    (text) => expect(() => parsePathElement(text)).toThrow(MalformedFieldsError),
  );

  test("parsing what was formatted gives the same element", () => {
    fc.assert(
      fc.property(element, (one) => {
        const parsed = parsePathElement(formatPathElement(one));
        expect(parsed).toBeDefined();
        if (parsed !== undefined) expect(comparePathElements(parsed, one)).toBe(0);
      }),
    );
  });

  test("the order is total, and equal elements are spelled alike", () => {
    fc.assert(
      fc.property(element, element, element, (a, b, c) => {
        expect(Math.sign(comparePathElements(a, b))).toBe(-Math.sign(comparePathElements(b, a)) || 0);
        if (comparePathElements(a, b) <= 0 && comparePathElements(b, c) <= 0) expect(comparePathElements(a, c)).toBeLessThanOrEqual(0);
        if (!formatPathElement(a).includes("-0")) expect(comparePathElements(a, b) === 0).toBe(formatPathElement(a) === formatPathElement(b));
      }),
    );
  });

  test("field names, then keys, values, indexes", () => {
    const texts = ["f:b", "f:é", 'k:{"a":1}', 'k:{"a":1,"b":1}', 'k:{"b":0}', "v:2", 'v:"1"', "v:true", "i:2", "i:10"];
    const elements = texts.flatMap((text) => parsePathElement(text) ?? []);
    expect(elements.toReversed().sort(comparePathElements).map(formatPathElement)).toEqual(texts);
  });

  test("paths in messages", () => {
    const key = keyElement([
      { name: "protocol", value: "T<P" },
      { name: "port", value: 80 },
    ]);
    expect(formatPath([fieldElement("spec"), fieldElement("ports"), key, indexElement(3), valueElement("x")])).toBe(
      '.spec.ports[port=80,protocol="T<P"][3][="x"]',
    );
  });

  // `read`: of FieldsV1, where Go has floats only.
  test.each<{ value: JSONValue; want: string; read?: string }>([
    { value: "é\u{1f600}\ufffd", want: '[="é\u{1f600}\ufffd"]' },
    { value: 'a"\\\n\v\u0001\u007f\u00ad\u2028\u{e0001}', want: String.raw`[="a\"\\\n\v\x01\x7f\u00ad\u2028\U000e0001"]` },
    { value: 0, want: "[=0]" },
    { value: -1.5, want: "[=-1.5]" },
    { value: 999999, want: "[=999999]" },
    { value: 1000000, want: "[=1000000]", read: "[=1e+06]" },
    { value: 2147483648, want: "[=2147483648]", read: "[=2.147483648e+09]" },
    { value: 9007199254740993n, want: "[=9007199254740993]", read: "[=9.007199254740992e+15]" },
    { value: 1e21, want: "[=1e+21]" },
    { value: 0.00012, want: "[=0.00012]" },
    { value: 0.000012, want: "[=1.2e-05]" },
    { value: [1, "a", null], want: '[=[1,"a",null]]' },
    { value: { b: 1, a: true }, want: "[=a=trueb=1]" },
  ])("a value as Go prints it: $want", ({ value, want, read = want }) => {
    const element = valueElement(value);
    expect(formatPath([element])).toBe(want);
    expect(formatPath([parsePathElement(formatPathElement(element)) ?? element])).toBe(read);
    expect(formatPath([keyElement([{ name: "k", value }])])).toBe(want.replace("[", "[k"));
    expect(formatPath([parsePathElement(formatPathElement(keyElement([{ name: "k", value }]))) ?? element])).toBe(read.replace("[", "[k"));
  });
});
