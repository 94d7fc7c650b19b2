import fc from "fast-check";
import { expect, test } from "vitest";
import { escapeFieldValue, METADATA_FIELDS, parseFieldSelector } from "./index.ts";

test.each([
  { text: "metadata.name", message: "invalid selector: 'metadata.name'; can't understand 'metadata.name'" },
  { text: "metadata.name=a=b", message: "invalid field selector: unescaped character in value: 61" },
  { text: "metadata.name=a\\b", message: "invalid field selector: invalid escape sequence: \\b" },
  { text: "metadata.name=a\\", message: "invalid field selector: invalid escape sequence: \\" },
  { text: "spec.x=1", message: '"spec.x" is not a known field selector: only "metadata.name", "metadata.namespace"' },
  { text: "=a", message: '"" is not a known field selector: only "metadata.name", "metadata.namespace"' },
  { text: "spec.x=1,metadata.name", message: "invalid selector: 'spec.x=1,metadata.name'; can't understand 'metadata.name'" },
])("refuses $text", ({ text, message }) => {
  const parse = () => parseFieldSelector(text, METADATA_FIELDS, { refusal: "metadata" });
  expect(parse).toThrow(expect.objectContaining({ reason: "BadRequest", code: 400, message, details: undefined }));
});

test("refuses a field that a kind with fields of its own does not have", () => {
  const supported = (field: string) => field === "spec.color";
  expect(() => parseFieldSelector("spec.size=9", supported)).toThrow("field label not supported: spec.size");
  expect(parseFieldSelector("spec.color=red", supported).isEmpty).toBe(false);
});

const values: Record<string, string> = { "metadata.name": "a,b", "metadata.namespace": "ns" };

test.each([
  { text: "", matches: true, canonical: "", name: undefined },
  { text: ",,", matches: true, canonical: "", name: undefined },
  { text: "=", matches: true, canonical: "", name: undefined },
  { text: "metadata.name=a\\,b", matches: true, canonical: "metadata.name=a\\,b", name: "a,b" },
  { text: "metadata.namespace==ns,metadata.name==x", matches: false, canonical: "metadata.name=x,metadata.namespace=ns", name: "x" },
  { text: "metadata.name!=x", matches: true, canonical: "metadata.name!=x", name: undefined },
  { text: "metadata.namespace!=ns", matches: false, canonical: "metadata.namespace!=ns", name: undefined },
  { text: "metadata.name=", matches: false, canonical: "metadata.name=", name: "" },
])("$text", ({ text, matches, canonical, name }) => {
  const selector = parseFieldSelector(text, METADATA_FIELDS);
  expect(selector.matches((field) => values[field] ?? "")).toBe(matches);
  expect(selector.toString()).toBe(canonical);
  expect(selector.requiredValue("metadata.name")).toBe(name);
  expect(selector.isEmpty).toBe(canonical === "");
});

test("limits", () => {
  expect(() => parseFieldSelector("a".repeat(65_537), METADATA_FIELDS)).toThrow(/too long/);
  expect(() => parseFieldSelector(new Array(1_001).fill("metadata.name=a").join(), METADATA_FIELDS)).toThrow(/too many/);
});

test("a value survives escaping", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom("\\", ",", "=", "!", "a", "é", "😀") }), (value) => {
      expect(parseFieldSelector(`metadata.name=${escapeFieldValue(value)}`, METADATA_FIELDS).requiredValue("metadata.name")).toBe(value);
    }),
  );
});
