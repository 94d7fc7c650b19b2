import { describe, expect, test } from "vitest";
import type { Schema } from "../../schema/index.ts";
import { OPTIONAL_NONE, optionalOf } from "../value/optional.ts";
import { showValue } from "../value/show.ts";
import { declTypeOf } from "./decl-type.ts";
import { escapeFieldName, unescapeFieldName } from "./escape.ts";
import { compileRules, maxCardinality } from "./rules.ts";
import { valueAdapter } from "./schema-value.ts";

const schema: Schema = {
  type: "object",
  required: ["min"],
  properties: {
    min: { type: "integer" },
    max: { type: "integer", nullable: true },
    ratio: { type: "number" },
    namespace: { type: "string", maxLength: 10 },
    "x.y-z": { type: "string" },
    since: { type: "string", format: "date-time" },
    wait: { type: "string", format: "duration" },
    port: { "x-kubernetes-int-or-string": true },
    tags: { type: "array", items: { type: "string" }, "x-kubernetes-list-type": "set", maxItems: 5 },
    ports: {
      type: "array",
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", properties: { name: { type: "string" }, port: { type: "integer" } } },
    },
    labels: { type: "object", additionalProperties: { type: "string" } },
    data: { type: "object", "x-kubernetes-preserve-unknown-fields": true },
  },
};
const declType = declTypeOf(schema) ?? expect.fail("the schema has a type");
const adapt = valueAdapter(schema);
const object = {
  min: 1,
  max: null,
  ratio: 2,
  namespace: "a",
  "x.y-z": "b",
  since: "2024-01-01T00:00:00Z",
  wait: "90s",
  port: "http",
  tags: ["a", "b"],
  ports: [
    { name: "a", port: 1 },
    { name: "b", port: 2 },
  ],
  labels: { constructor: "x" },
};

function evaluate(rule: string): string {
  const [compiled] = compileRules([{ rule: `(${rule}) == dyn('')` }], declType);
  if (compiled?.error !== undefined) return compiled.error;
  // The value itself is what counts: the rule only makes a bool of it.
  const [direct] = compileRules([{ rule: "true", messageExpression: `string(${rule})` }], declType);
  const result = (direct?.messageProgram ?? compiled?.program)?.evaluate({ self: adapt(object) });
  return result?.error ?? showValue(result?.value ?? null);
}

describe("a rule finds", () => {
  test.each([
    ["self.min", "1"],
    ["self.ratio", "2"],
    ["self.namespace + self.__namespace__", "aa"],
    ["self.x__dot__y__dash__z", "b"],
    ["self.since.getFullYear()", "2024"],
    ["self.wait.getMinutes()", "1"],
    ["self.port == 'http' && type(self.port) == string", "true"],
    ["has(self.max)", "false"],
    ["self.tags == ['b', 'a']", "true"],
    ["(self.tags + ['b', 'c']).size()", "3"],
    ["self.ports == [self.ports[1], self.ports[0]]", "true"],
    ["(self.ports + self.ports).size()", "2"],
    ["has(self.labels.constructor) && !has(self.labels.toString)", "true"],
    ["'toString' in self.labels", "false"],
  ])("%s", (rule, want) => {
    expect(evaluate(rule)).toBe(want);
  });
});

test.each([
  [{ rule: "self.mni <= 1" }, "compilation failed: ERROR: <input>:1:5: undefined field 'mni'\n | self.mni <= 1\n | ....^"],
  [{ rule: "self.min" }, "cel expression must evaluate to a bool"],
  [{ rule: "self.data.x == 1" }, "compilation failed: ERROR: <input>:1:10: undefined field 'x'\n | self.data.x == 1\n | .........^"],
])("refuses %j", (rule, want) => {
  expect(compileRules([rule], declType)[0]?.error).toBe(want);
});

test("refuses a message that is none, and leaves a blank rule alone", () => {
  const rules = compileRules(
    [
      { rule: " " },
      { rule: "true", messageExpression: "1" },
      { rule: "true", messageExpression: "nope" },
      { rule: "true", messageExpression: "'no'" },
    ],
    declType,
  );
  expect(rules[0]).toEqual({ usesOldSelf: false, maxCost: 0n, maxMessageCost: 0n });
  expect(rules[1]?.messageError).toBe("messageExpression must evaluate to a string");
  expect(rules[2]?.messageError).toContain("messageExpression compilation failed: ERROR: <input>:1:1: undeclared reference to 'nope'");
  expect(rules[3]?.messageProgram?.evaluate({ self: adapt(object) })).toMatchObject({ value: "no" });
});

test("knows which rules are about a change", () => {
  const rules = compileRules(
    [{ rule: "self.min >= oldSelf.min" }, { rule: "!oldSelf.hasValue() || self.min >= oldSelf.value().min", optionalOldSelf: true }],
    declType,
  );
  expect(rules.map(({ usesOldSelf }) => usesOldSelf)).toEqual([true, true]);
  const old = adapt({ min: 2 });
  expect(rules[0]?.program?.evaluate({ self: adapt(object), oldSelf: old }).value).toBe(false);
  expect(rules[1]?.program?.evaluate({ self: adapt(object), oldSelf: OPTIONAL_NONE }).value).toBe(true);
  expect(rules[1]?.program?.evaluate({ self: adapt(object), oldSelf: optionalOf(old) }).value).toBe(false);
});

/** Each with the estimate of cel-go and apiextensions. */
test.each([
  ["self.min <= 3", 3n],
  ["self.tags.all(t, t == 'a')", 28n],
  ["self.namespace.contains('a')", 1844674407370955266n],
])("estimates what %s may cost", (rule, want) => {
  expect(compileRules([{ rule }], declType)[0]?.maxCost).toBe(want);
});

test("estimates how often a rule may run", () => {
  expect(declType.minSerializedSize).toBe(10);
  expect(maxCardinality(declType.minSerializedSize)).toBe(285_975n);
});

test.each([
  ["a", "a"],
  ["namespace", "__namespace__"],
  ["a.b-c/d", "a__dot__b__dash__c__slash__d"],
  ["a__b", "a__underscores__b"],
  ["9a", undefined],
  ["a b", undefined],
])("a field %s is called %s", (name, want) => {
  expect(escapeFieldName(name)).toBe(want);
  if (want !== undefined) expect(unescapeFieldName(want)).toBe(name);
});

test.each([
  [{ min: "a" }, "self.min", "invalid data, expected int, got string"],
  [{ min: 1.5 }, "self.min", "invalid data, expected int, got float64"],
  [{ tags: {} }, "self.tags", "invalid data, expected an array for the provided schema with type=array"],
  [
    { since: "yesterday" },
    "self.since",
    'Invalid date-time formatted string yesterday: parsing time "yesterday" as "2006-01-02T15:04:05": cannot parse "yesterday" as "2006"',
  ],
])("data that does not fit its schema is an error where it is looked at: %j", (value, field, want) => {
  const [rule] = compileRules([{ rule: `type(${field}) == int` }], declType);
  expect(rule?.program?.evaluate({ self: adapt(value) })).toMatchObject({ error: want });
});
