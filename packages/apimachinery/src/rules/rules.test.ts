import { describe, expect, test } from "vitest";
import type { JSONValue } from "../meta/index.ts";
import type { Schema, ValidationRule } from "../schema/index.ts";
import { checkDefaultsByRules, compileSchemaRules, tryRules } from "./index.ts";

const text: Schema = { type: "string", maxLength: 20 };
const rules = (...list: readonly (string | ValidationRule)[]) => ({
  "x-kubernetes-validations": list.map((rule) => (typeof rule === "string" ? { rule } : rule)),
});
const ofSpec = (schema: Schema): Schema => ({ type: "object", properties: { spec: schema } });

function compiled(schema: Schema) {
  const { rules: found, faults } = compileSchemaRules(schema, "schema");
  expect(faults).toEqual([]);
  if (found === undefined) throw new Error("no rules");
  return found;
}

/** What is told of a spec: `reason field: message`, and `warning …` of what is let through. */
function told(schema: Schema, spec: JSONValue, old?: JSONValue): string[] {
  const outcome = tryRules(compiled(ofSpec(schema)), { spec }, old === undefined ? undefined : { spec: old }, true);
  return [
    ...outcome.faults.map(({ reason, field, message }) => `${reason} ${field}: ${message}`),
    ...outcome.warnings.map(({ field, message }) => `warning ${field}: ${message}`),
  ];
}

// kube-apiserver 1.36 was asked, by random schemas with such rules (test/e2e/schemas).
describe("a rule that fails", () => {
  test.each<readonly [what: string, schema: Schema, spec: JSONValue, told: readonly string[]]>([
    ["a scalar is shown", { ...text, ...rules("self != 'a'") }, "a", [`FieldValueInvalid spec: Invalid value: "a": failed rule: self != 'a'`]],
    [
      "numbers as Go shows them",
      { type: "number", ...rules("self < 1.0") },
      1e20,
      ["FieldValueInvalid spec: Invalid value: 1e+20: failed rule: self < 1.0"],
    ],
    [
      "an object is not",
      { type: "object", properties: { a: text }, ...rules("has(self.a)") },
      {},
      ["FieldValueInvalid spec: Invalid value: failed rule: has(self.a)"],
    ],
    [
      "a list is not",
      { type: "array", maxItems: 3, items: text, ...rules("self.size() == 1") },
      [],
      ["FieldValueInvalid spec: Invalid value: failed rule: self.size() == 1"],
    ],
    [
      "says its message",
      { ...text, ...rules({ rule: "self != 'a'", message: "  not a  " }) },
      "a",
      ['FieldValueInvalid spec: Invalid value: "a": not a'],
    ],
    [
      "makes its message",
      { ...text, ...rules({ rule: "self != 'a'", message: "m", messageExpression: "'no ' + self" }) },
      "a",
      ['FieldValueInvalid spec: Invalid value: "a": no a'],
    ],
    [
      "has a message for when none can be made",
      { ...text, ...rules({ rule: "self != 'a'", message: "m", messageExpression: "string(1 / (self.size() - 1))" }) },
      "a",
      ['FieldValueInvalid spec: Invalid value: "a": m'],
    ],
    ...["''", "'a\\nb'", "'x'.size() == 1 ? '  ' : ''"].map(
      (messageExpression) =>
        [
          `does not say ${messageExpression}`,
          { ...text, ...rules({ rule: "self != 'a'", messageExpression }) },
          "a",
          [`FieldValueInvalid spec: Invalid value: "a": failed rule: self != 'a'`],
        ] as const,
    ),
    [
      "forbids",
      { ...text, ...rules({ rule: "false", message: "m", reason: "FieldValueForbidden" }) },
      "a",
      ["FieldValueForbidden spec: Forbidden: m"],
    ],
    [
      "requires",
      { ...text, ...rules({ rule: "false", message: "m", reason: "FieldValueRequired" }) },
      "a",
      ["FieldValueRequired spec: Required value: m"],
    ],
    [
      "finds a duplicate",
      { ...text, ...rules({ rule: "false", message: "m", reason: "FieldValueDuplicate" }) },
      "a",
      ['FieldValueDuplicate spec: Duplicate value: "a"'],
    ],
    [
      "is told of a field below",
      {
        type: "object",
        properties: { a: text, "b.c": text },
        ...rules({ rule: "false", message: "m", fieldPath: ".a" }, { rule: "false", message: "n", fieldPath: "['b.c']" }),
      },
      {},
      ["FieldValueInvalid spec.a: Invalid value: m", "FieldValueInvalid spec.b.c: Invalid value: n"],
    ],
    [
      "stands wherever there is a schema",
      {
        type: "object",
        properties: {
          list: { type: "array", maxItems: 3, items: { ...text, ...rules("self != 'a'") } },
          map: { type: "object", maxProperties: 3, additionalProperties: { ...text, ...rules("self != 'a'") } },
        },
      },
      { list: ["b", "a"], map: { "k.l": "a", constructor: "b" } },
      [
        `FieldValueInvalid spec.list[1]: Invalid value: "a": failed rule: self != 'a'`,
        `FieldValueInvalid spec.map[k.l]: Invalid value: "a": failed rule: self != 'a'`,
      ],
    ],
    ["is not tried on null", { ...text, nullable: true, ...rules("false") }, null, []],
    [
      "cannot be tried",
      { type: "integer", ...rules("10 / self > 1") },
      0,
      ['FieldValueInvalid spec: Invalid value: "integer": division by zero evaluating rule: 10 / self > 1'],
    ],
    [
      "cannot be tried on this type",
      { "x-kubernetes-int-or-string": true, ...rules({ rule: "self > 5", message: "m" }) },
      "a",
      [
        `FieldValueInvalid spec: Invalid value: "": 'no such overload': call arguments did not match a supported operator, function or macro signature for rule: m`,
      ],
    ],
  ])("%s", (_what, schema, spec, faults) => expect(told(schema, spec)).toEqual(faults));
});

// A nullable element or value is null, whatever type the checker gave it. kube-apiserver 1.36 was asked.
describe("a null among elements", () => {
  const list = (rule: string, type: "string" | "integer"): Schema => ({
    type: "array",
    maxItems: 3,
    items: { type, nullable: true, ...(type === "string" && { maxLength: 9 }) },
    ...rules(rule),
  });

  test.each<readonly [rule: string, call: string, type: "string" | "integer"]>([
    ["self.all(x, isURL(x))", "isURL(null_type)", "string"],
    ["self.all(x, !isQuantity(x))", "isQuantity(null_type)", "string"],
    ["self.all(x, x.split(',').size() == 1)", "split(null_type, string)", "string"],
    ["self.all(x, string(x) == 'a')", "string(null_type)", "string"],
    ["self.all(x, int(x) == 1)", "int(null_type)", "integer"],
    ["self.sum() > 0", "sum(list)", "integer"],
    ["self.isSorted()", "isSorted(list)", "string"],
  ])("is no argument of %s", (rule, call, type) => {
    expect(told(list(rule, type), [null])).toEqual([
      `FieldValueInvalid spec: Invalid value: "array": 'no such overload: ${call}': call arguments did not match a supported operator, function or macro signature for rule: ${rule}`,
    ]);
  });

  test("may be among the values of a map", () => {
    const map: Schema = {
      type: "object",
      maxProperties: 3,
      additionalProperties: { type: "string", maxLength: 9, nullable: true },
      ...rules("self.all(k, self[k].lowerAscii() == 'a')"),
    };
    expect(told(map, { k: null })).toHaveLength(1);
  });
});

describe("a rule about a change", () => {
  const immutable = { ...text, ...rules("self == oldSelf") };

  test("is tried where there was a value", () => {
    expect(told(immutable, "a")).toEqual([]);
    expect(told(immutable, "b", "a")).toEqual([`FieldValueInvalid spec: Invalid value: "b": failed rule: self == oldSelf`]);
    expect(told({ type: "object", properties: { a: immutable } }, { a: "b" }, {})).toEqual([]);
    expect(told({ ...immutable, nullable: true }, "b", null)).toEqual([]);
  });

  test("is tried on new values, too, where the old one is optional", () => {
    const optional = { ...text, ...rules({ rule: "oldSelf.orValue('a') == self", optionalOldSelf: true }) };
    expect(told(optional, "a")).toEqual([]);
    expect(told(optional, "b")).toHaveLength(1);
    expect(told(optional, "b", "b")).toEqual([]);
  });

  test("has an oldSelf in its message that is no optional", () => {
    const messageExpression = "oldSelf.hasValue() ? 'was' : 'new'";
    const optional = { ...text, ...rules({ rule: "oldSelf.hasValue() && self == 'a'", message: "m", messageExpression, optionalOldSelf: true }) };
    expect(told(optional, "b")).toEqual([`FieldValueInvalid spec: Invalid value: "b": m`]);
    expect(told(optional, "b", "a")).toEqual([`FieldValueInvalid spec: Invalid value: "b": m`]);
  });

  test("finds elements of lists of type map by their keys", () => {
    const list: Schema = {
      type: "array",
      maxItems: 5,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["name"],
      items: { type: "object", required: ["name"], properties: { name: text, size: { type: "integer", ...rules("self >= oldSelf") } } },
    };
    const old = [
      { name: "a", size: 1 },
      { name: "b", size: 5 },
    ];
    expect(
      told(
        list,
        [
          { name: "b", size: 4 },
          { name: "c", size: 0 },
          { name: "a", size: 2 },
        ],
        old,
      ),
    ).toEqual(["FieldValueInvalid spec[0].size: Invalid value: 4: failed rule: self >= oldSelf"]);
  });

  test("is told, whether or not the value is new", () => {
    expect(told({ ...text, ...rules("self != oldSelf") }, "a", "a")).toHaveLength(1);
  });
});

describe("a rule that fails on what was there before", () => {
  const never = { ...text, ...rules({ rule: "false", message: "m" }) };

  test("is a warning", () => {
    expect(told(never, "a", "a")).toEqual(['warning spec: Invalid value: "a": m']);
    expect(told(never, "b", "a")).toEqual(['FieldValueInvalid spec: Invalid value: "b": m']);
  });

  test("is let through with the list around it, when nothing else is known of it", () => {
    const list: Schema = { type: "array", maxItems: 3, items: never };
    expect(told(list, ["a"], ["a"])).toEqual(['warning spec[0]: Invalid value: "a": m']);
    expect(told(list, ["a", "b"], ["a"])).toHaveLength(2);
  });

  test("is told of kinds that clients know as compiled-in ones", () => {
    const outcome = tryRules(compiled(ofSpec(never)), { spec: "a" }, { spec: "a" }, false);
    expect(outcome.faults).toHaveLength(1);
  });
});

describe("what rules may cost", () => {
  const dear = "self.all(a, self.all(b, self.all(c, a + b + c >= 0)))";

  test("a rule that could cost too much is refused", () => {
    const { faults } = compileSchemaRules(ofSpec({ type: "array", items: { type: "integer" }, ...rules(dear) }), "schema");
    const path = "schema.properties[spec].x-kubernetes-validations[0].rule";
    const hint = "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared)";
    expect(faults.map(({ field, message }) => `${field}: ${message}`)).toEqual([
      `${path}: Forbidden: estimated rule cost exceeds budget by factor of more than 100x ${hint}`,
      `${path}: Forbidden: contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema`,
      `schema: Forbidden: x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of more than 100x ${hint}`,
    ]);
  });

  test("one that costs too much when it is tried ends it all", () => {
    const list = { type: "array", maxItems: 1000, items: { type: "integer" }, ...rules(dear, "false") } as const;
    // As estimated for the bounds that a schema promises it is refused; who breaks the promise is stopped.
    const { rules: found } = compileSchemaRules(ofSpec({ ...list, maxItems: 20 }), "schema");
    if (found === undefined) throw new Error("no rules");
    const outcome = tryRules(found, { spec: Array.from({ length: 1000 }, (_, index) => index) }, undefined, true);
    expect(outcome.faults.map(({ message }) => message)).toEqual([
      expect.stringMatching(
        /^Invalid value: "array": 'operation cancelled: actual cost limit exceeded': no further validation rules will be run due to call cost exceeds limit for rule: /,
      ),
    ]);
    expect(outcome.budget).toBeLessThan(0);
  });

  test("the budget of a request is spent by all of its rules together", () => {
    const item = { type: "string", maxLength: 100, ...rules("self.size() + self.size() + self.size() + self.size() >= 0") } as const;
    const found = compiled(ofSpec({ type: "array", maxItems: 1000, items: item }));
    const outcome = tryRules(found, { spec: Array.from({ length: 2_000_000 }, () => "") }, undefined, true);
    expect(outcome.faults).toHaveLength(1);
    expect(outcome.faults[0]?.message).toBe(
      'Invalid value: "string": validation failed due to running out of cost budget, no further validation rules will be run',
    );
  });
});

test("a list has no values but its elements: a rule about others is typed by itself", () => {
  const list: Schema = { type: "array", items: { type: "integer" }, additionalProperties: { type: "string", ...rules("self == ''") } };
  expect(compileSchemaRules(ofSpec(list), "schema").faults).toEqual([]);
});

test.each<readonly [what: string, schema: Schema, told: readonly string[]]>([
  [
    "an unknown field",
    { type: "object", properties: { a: text }, ...rules("self.b == 1") },
    [
      'schema.x-kubernetes-validations[0].rule: Invalid value: {"Rule":"self.b == 1","Message":"","MessageExpression":"","Reason":null,"FieldPath":"","OptionalOldSelf":null}: compilation failed: ERROR: <input>:1:5: undefined field \'b\'\n | self.b == 1\n | ....^',
    ],
  ],
  [
    "a message that is none",
    { type: "object", ...rules({ rule: "true", messageExpression: "1" }) },
    [
      'schema.x-kubernetes-validations[0].messageExpression: Invalid value: {"Rule":"true","Message":"","MessageExpression":"1","Reason":null,"FieldPath":"","OptionalOldSelf":null}: messageExpression must evaluate to a string',
    ],
  ],
  [
    "a change of what has no former value",
    ofSpec({ type: "array", maxItems: 2, items: { ...text, ...rules("self == oldSelf") } }),
    [
      'schema.properties[spec].items.x-kubernetes-validations[0].rule: Invalid value: "self == oldSelf": oldSelf cannot be used on the uncorrelatable portion of the schema within schema.properties[spec]',
    ],
  ],
  [
    "an optional old value that nobody asks for",
    { type: "object", ...rules({ rule: "true", optionalOldSelf: true }) },
    ["schema.x-kubernetes-validations[0].optionalOldSelf: Invalid value: true: may not be set if oldSelf is not used in rule"],
  ],
  [
    "a rule on what CEL cannot see",
    ofSpec({ "x-kubernetes-preserve-unknown-fields": true, ...rules("true") }),
    [
      "schema.properties[spec].x-kubernetes-validations: Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable to convert structural schema to CEL declarations",
    ],
  ],
])("refuses %s", (_what, schema, complaints) => {
  expect(compileSchemaRules(schema, "schema").faults.map(({ field, message }) => `${field}: ${message}`)).toEqual(complaints);
});

test("rules see type and name of the object, whatever the schema says", () => {
  const found = compiled({ type: "object", ...rules("self.metadata.name != self.kind") });
  expect(tryRules(found, { apiVersion: "v1", kind: "a", metadata: { name: "a" } }, undefined, true).faults.map(({ field }) => field)).toEqual([
    "<nil>",
  ]);
});

test("defaults satisfy the rules, as new values and as old ones", () => {
  const schema = ofSpec({ ...text, default: "a", ...rules("self != 'a'") });
  expect(checkDefaultsByRules(schema, compiled(schema), "schema").map(({ field }) => field)).toEqual(["schema.properties[spec].default"]);
  const changed = ofSpec({ ...text, default: "a", ...rules({ rule: "oldSelf.hasValue()", optionalOldSelf: true }) });
  expect(checkDefaultsByRules(changed, compiled(changed), "schema")).toHaveLength(1);
  const fine = ofSpec({ ...text, default: "b", ...rules("self != 'a'") });
  expect(checkDefaultsByRules(fine, compiled(fine), "schema")).toEqual([]);
});
