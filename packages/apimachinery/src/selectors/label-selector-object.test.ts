import { describe, expect, test } from "vitest";
import { type LabelSelectorObject, labelSelectorOf, validateLabelSelector } from "./label-selector-object.ts";

describe("a label selector of an object", () => {
  test.each<{ selector: LabelSelectorObject; labels: Record<string, string> | undefined; matches: boolean }>([
    { selector: {}, labels: undefined, matches: true },
    { selector: { matchLabels: {}, matchExpressions: [] }, labels: { a: "b" }, matches: true },
    { selector: { matchLabels: { a: "b" } }, labels: { a: "b", c: "d" }, matches: true },
    { selector: { matchLabels: { a: "b" } }, labels: { a: "c" }, matches: false },
    { selector: { matchLabels: { a: "" } }, labels: {}, matches: false },
    { selector: { matchLabels: { constructor: "x" } }, labels: {}, matches: false },
    { selector: { matchExpressions: [{ key: "a", operator: "In", values: ["z", "b", "b"] }] }, labels: { a: "b" }, matches: true },
    { selector: { matchExpressions: [{ key: "a", operator: "In", values: ["z"] }] }, labels: {}, matches: false },
    { selector: { matchExpressions: [{ key: "a", operator: "NotIn", values: ["b"] }] }, labels: {}, matches: true },
    { selector: { matchExpressions: [{ key: "a", operator: "NotIn", values: ["b"] }] }, labels: { a: "b" }, matches: false },
    { selector: { matchExpressions: [{ key: "a", operator: "Exists" }] }, labels: { a: "" }, matches: true },
    { selector: { matchExpressions: [{ key: "a", operator: "DoesNotExist" }] }, labels: { a: "" }, matches: false },
    { selector: { matchLabels: { a: "b" }, matchExpressions: [{ key: "c", operator: "Exists" }] }, labels: { a: "b" }, matches: false },
  ])("$selector of $labels: $matches", ({ selector, labels, matches }) => expect(labelSelectorOf(selector)?.matches(labels)).toBe(matches));

  // Asked of kube-apiserver 1.36.
  test("its faults, in Kubernetes' order", () => {
    const selector: LabelSelectorObject = {
      matchLabels: { "a b": "c d" },
      matchExpressions: [
        { key: "x", operator: "In" },
        { key: "x", operator: "Exists", values: ["a"] },
        { key: "x", operator: "Foo" },
        { key: "", operator: "In", values: ["a b"] },
        { key: "x", operator: "toString" },
      ],
    };
    const faults = validateLabelSelector(selector, "s").map(({ reason, field, message }) => `${reason} ${field}: ${message.slice(0, 60)}`);
    expect(faults).toEqual([
      'FieldValueInvalid s.matchLabels: Invalid value: "a b": name part must consist of alphanumeric',
      'FieldValueInvalid s.matchLabels: Invalid value: "c d": a valid label must be an empty string ',
      "FieldValueRequired s.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or",
      "FieldValueForbidden s.matchExpressions[1].values: Forbidden: may not be specified when `operator` is 'Exists' ",
      'FieldValueInvalid s.matchExpressions[2].operator: Invalid value: "Foo": not a valid selector operator',
      'FieldValueInvalid s.matchExpressions[3].key: Invalid value: "": name part must be non-empty',
      'FieldValueInvalid s.matchExpressions[3].key: Invalid value: "": name part must consist of alphanumeric ch',
      'FieldValueInvalid s.matchExpressions[3].values[0]: Invalid value: "a b": a valid label must be an empty string ',
      'FieldValueInvalid s.matchExpressions[4].operator: Invalid value: "toString": not a valid selector operator',
    ]);
    expect(labelSelectorOf(selector)).toBeUndefined();
  });

  test.each<{ what: string; selector: LabelSelectorObject }>([
    { what: "values", selector: { matchExpressions: [{ key: "k", operator: "In", values: Array.from({ length: 200_000 }, () => "!") }] } },
    { what: "conditions", selector: { matchExpressions: Array.from({ length: 200_000 }, () => ({ key: "!", operator: "Exists" })) } },
  ])("of 200,000 bad $what a thousand are told", ({ selector }) => {
    expect(validateLabelSelector(selector, "s")).toHaveLength(1_000);
    expect(labelSelectorOf(selector)).toBeUndefined();
  });
});
