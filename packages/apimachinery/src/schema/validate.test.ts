import { expect, test } from "vitest";
import { t } from "./builder.ts";
import type { Schema } from "./schema.ts";
import { compileValidator, rulesNotChecked } from "./validate.ts";

const name = t.object({ n: t.string() });
const schemas = {
  color: t.literals(["red", "green", "blue"]),
  size: { type: "integer", format: "int32", minimum: 1, maximum: 100 },
  serial: t.int64(),
  whole: t.integer(),
  step: { type: "integer", minimum: -5, maximum: 1_000_000, exclusiveMaximum: true, multipleOf: 5 },
  weight: t.number({ minimum: 0, exclusiveMinimum: true, multipleOf: 0.5 }),
  limited: t.number({ maximum: 1e7 }),
  large: t.number({ maximum: 2 ** 60 }),
  half: t.number({ minimum: 0.5, exclusiveMinimum: true }),
  float: t.number({ format: "float" }),
  on: t.boolean(),
  code: t.string({ minLength: 2, maxLength: 5, pattern: "^[a-zé😀]+$" }),
  one: t.string({ maxLength: 1 }),
  when: t.string({ format: "date-time" }),
  label: t.string({ format: "made-up" }),
  port: t.intOrString(),
  maybe: t.nullable(t.string()),
  maybeEnum: t.nullable(t.literals(["p"])),
  exact: { type: "integer", enum: [9007199254740993n, 1] },
  choice: { type: "object", "x-kubernetes-preserve-unknown-fields": true, enum: [{ a: 1, b: [2] }] },
  args: t.array(t.string(), { minItems: 1, maxItems: 2 }),
  unique: { type: "array", items: t.unknown(), uniqueItems: true },
  tags: t.set(t.string({ maxLength: 20 })),
  objects: t.set(t.object({ a: t.optional(t.unknown()) }, { "x-kubernetes-map-type": "atomic" })),
  ports: t.listMap(t.object({ port: t.integer(), protocol: t.string({ default: "TCP" }) }), { keys: ["port", "protocol"] }),
  mounts: t.listMap(t.object({ n: t.string(), options: t.optional(t.set(t.string())) }), { keys: ["n"] }),
  settings: t.record(t.string({ maxLength: 10 }), { minProperties: 1, maxProperties: 2 }),
  sets: t.record(t.set(t.string())),
  // Go takes two groups of one name.
  named: { type: "string", pattern: "(?P<n>a)(?P<n>b)" },
  closed: { type: "object", properties: { a: { type: "string" } }, additionalProperties: false },
  source: {
    type: "object",
    properties: { url: { type: "string" }, path: { type: "string" }, legacy: { type: "string" } },
    oneOf: [{ required: ["url"] }, { required: ["path"] }],
    not: { required: ["legacy"] },
  },
  text: { type: "string", allOf: [{ minLength: 2 }, { maxLength: 4 }, { pattern: "^a" }], not: { enum: ["abc"] } },
  number: { type: "integer", anyOf: [{ maximum: 3 }, { minimum: 10, multipleOf: 5 }, { enum: [7] }] },
  host: { type: "string", oneOf: [{ format: "ipv4" }, { format: "ipv6" }, { enum: ["any", "::1"] }] },
  template: t.embeddedResource(),
  names: t.array(name),
} as const satisfies Record<string, Schema>;

const spec: Schema = { type: "object", properties: { spec: { type: "object", properties: schemas } } };
const validate = compileValidator(spec);

type Row = readonly [field: keyof typeof schemas, value: unknown, ...faults: string[]];
const told = (value: unknown) => validate({ spec: value }).map(({ reason, field, message }) => `${reason} ${field}: ${message}`);

// Unless a row says otherwise, kube-apiserver 1.36 was asked.
test.each<Row>([
  ["color", "red"],
  ["color", "", 'FieldValueNotSupported spec.color: Unsupported value: "": supported values: "red", "green", "blue"'],
  [
    "color",
    null,
    'FieldValueTypeInvalid spec.color: Invalid value: "null": spec.color in body must be of type string: "null"',
    'FieldValueNotSupported spec.color: Unsupported value: null: supported values: "red", "green", "blue"',
  ],
  ["size", 5],
  ["size", 0, "FieldValueInvalid spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"],
  [
    "size",
    3_000_000_000,
    'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.size',
    "FieldValueInvalid spec.size: Invalid value: 3000000000: spec.size in body should be less than or equal to 100",
  ],
  [
    "size",
    1.5,
    'FieldValueTypeInvalid spec.size: Invalid value: "float64": spec.size in body must be of type int32: "float64"',
    'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int32 in spec.size',
  ],
  ["size", "3", 'FieldValueTypeInvalid spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'],
  ["size", true, 'FieldValueTypeInvalid spec.size: Invalid value: "": spec.size in body must be of type int32: ""'],
  ["serial", 9223372036854775807n],
  ["serial", -9223372036854775808n],
  [
    "serial",
    9223372036854775808n,
    'FieldValueTypeInvalid spec.serial: Invalid value: "float64": spec.serial in body must be of type int64: "float64"',
    'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int64 in spec.serial',
  ],
  [
    "serial",
    1e20,
    'FieldValueTypeInvalid spec.serial: Invalid value: "float64": spec.serial in body must be of type int64: "float64"',
    'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int64 in spec.serial',
  ],
  // Written with an exponent it is a float64, and as one it is in range: to the digits that Go writes out.
  ["serial", 1e18, 'FieldValueTypeInvalid spec.serial: Invalid value: "float64": spec.serial in body must be of type int64: "float64"'],
  [
    "serial",
    -(2 ** 63),
    'FieldValueTypeInvalid spec.serial: Invalid value: "float64": spec.serial in body must be of type int64: "float64"',
    'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer with format int64 in spec.serial',
  ],
  // To Go, this is whole up to its precision; the range check then refuses it.
  ["whole", 1_000_000_000.5, 'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type integer (default format) in spec.whole'],
  [
    "whole",
    2n ** 53n,
    "FieldValueInvalid spec.whole: Invalid value: 9007199254740992: spec.whole in body should be less than or equal to 9007199254740991",
  ],
  ["step", -5],
  ["step", 2, "FieldValueInvalid spec.step: Invalid value: 2: spec.step in body should be a multiple of 5"],
  ["step", 1_000_000, "FieldValueInvalid spec.step: Invalid value: 1000000: spec.step in body should be less than 1000000"],
  [
    "step",
    10n ** 18n + 1n,
    "FieldValueInvalid spec.step: Invalid value: 1000000000000000001: spec.step in body should be a multiple of 5",
    "FieldValueInvalid spec.step: Invalid value: 1000000000000000001: spec.step in body should be less than 1000000",
  ],
  ["named", "ab"],
  ["named", "a", `FieldValueInvalid spec.named: Invalid value: "a": spec.named in body should match '(?P<n>a)(?P<n>b)'`],
  ["weight", 1.5],
  ["weight", 0.3, "FieldValueInvalid spec.weight: Invalid value: 0.3: spec.weight in body should be a multiple of 0.5"],
  ["weight", "1", 'FieldValueTypeInvalid spec.weight: Invalid value: "string": spec.weight in body must be of type number: "string"'],
  // Kubernetes cuts the factor 0.5 to 0 for whole numbers, and says that it must be positive. Ours does not.
  ["weight", 2],
  ["weight", 0, "FieldValueInvalid spec.weight: Invalid value: 0: spec.weight in body should be greater than 0"],
  [
    "limited",
    12345678.5,
    "FieldValueInvalid spec.limited: Invalid value: 1.23456785e+07: spec.limited in body should be less than or equal to 1e+07",
  ],
  ["limited", 20_000_000, "FieldValueInvalid spec.limited: Invalid value: 20000000: spec.limited in body should be less than or equal to 10000000"],
  [
    "large",
    2n ** 61n,
    "FieldValueInvalid spec.large: Invalid value: 2305843009213693952: spec.large in body should be less than or equal to 1152921504606846976",
  ],
  // Kubernetes cuts the bound to 0 for whole numbers: "greater than 0". Ours does not.
  ["half", 0, "FieldValueInvalid spec.half: Invalid value: 0: spec.half in body should be greater than 0.5"],
  ["float", 3.4e38],
  ["float", 1e39, 'FieldValueInvalid <nil>: Invalid value: "": Checked value must be of type number with format float in spec.float'],
  ["on", "yes", 'FieldValueTypeInvalid spec.on: Invalid value: "string": spec.on in body must be of type boolean: "string"'],
  ["code", "é😀abc"],
  ["code", "😀", 'FieldValueInvalid spec.code: Invalid value: "😀": spec.code in body should be at least 2 chars long'],
  ["code", "😀😀😀😀😀😀", "FieldValueTooLong spec.code: Too long: may not be more than 5 bytes"],
  ["code", "aB\u200b", String.raw`FieldValueInvalid spec.code: Invalid value: "aB\u200b": spec.code in body should match '^[a-zé😀]+$'`],
  ["one", "ab", "FieldValueTooLong spec.one: Too long: may not be more than 1 byte"],
  ["when", "2024-01-01T00:00:00Z"],
  ["when", "yesterday", 'FieldValueTypeInvalid spec.when: Invalid value: "yesterday": spec.when in body must be of type date-time: "yesterday"'],
  ["when", 5, 'FieldValueTypeInvalid spec.when: Invalid value: "int64": spec.when in body must be of type date-time: "int64"'],
  ["when", {}, 'FieldValueTypeInvalid spec.when: Invalid value: "": spec.when in body must be of type date-time: ""'],
  // Kubernetes takes any array for a string with a format. Ours does not: the static type is a string.
  ["when", [], 'FieldValueTypeInvalid spec.when: Invalid value: "array": spec.when in body must be of type string: "array"'],
  ["label", "anything"],
  ["port", 80],
  ["port", "http"],
  ["port", 1.5, 'FieldValueTypeInvalid spec.port: Invalid value: "number": spec.port in body must be of type integer,string: "number"'],
  ["maybe", null],
  ["maybeEnum", null, 'FieldValueNotSupported spec.maybeEnum: Unsupported value: null: supported values: "p"'],
  ["choice", { b: [2], a: 1 }],
  [
    "choice",
    { b: ["<"], a: 1 },
    String.raw`FieldValueNotSupported spec.choice: Unsupported value: {"a":1,"b":["\u003c"]}: supported values: "{\"a\":1,\"b\":[2]}"`,
  ],
  ["exact", 9007199254740993n],
  ["exact", 2, 'FieldValueNotSupported spec.exact: Unsupported value: 2: supported values: "9007199254740993", "1"'],
  ["args", ["a", "b"]],
  ["args", [], "FieldValueInvalid spec.args: Invalid value: 0: spec.args in body should have at least 1 items"],
  [
    "args",
    [1, "b", "c"],
    'FieldValueTypeInvalid spec.args[0]: Invalid value: "integer": spec.args[0] in body must be of type string: "integer"',
    "FieldValueTooMany spec.args: Too many: 3: must have at most 2 items",
  ],
  // Not in a CustomResourceDefinition, which may not ask for it: from kube-openapi's source.
  ["unique", [1, { a: 1 }, { a: 2 }]],
  [
    "unique",
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    `FieldValueInvalid spec.unique: Invalid value: "": spec.unique in body shouldn't contain duplicates`,
  ],
  ["tags", ["a", "b"]],
  ["tags", ["a", "a", "a", "b"], 'FieldValueDuplicate spec.tags[1]: Duplicate value: "a"'],
  ["objects", [{}, { a: [1] }, { a: [1] }], 'FieldValueDuplicate spec.objects[2]: Duplicate value: {"a":[1]}'],
  [
    "ports",
    [
      { port: 1, protocol: "TCP" },
      { port: 1, protocol: "UDP" },
    ],
  ],
  [
    "ports",
    [
      { protocol: "TCP", port: 1 },
      { port: 1, protocol: "TCP" },
    ],
    'FieldValueDuplicate spec.ports[1]: Duplicate value: {"port":1,"protocol":"TCP"}',
  ],
  [
    "mounts",
    [{ n: "a" }, { n: "a", options: ["x", "x"] }],
    'FieldValueDuplicate spec.mounts[1]: Duplicate value: {"n":"a"}',
    'FieldValueDuplicate spec.mounts[1].options[1]: Duplicate value: "x"',
  ],
  [
    "mounts",
    ["x"],
    'FieldValueTypeInvalid spec.mounts[0]: Invalid value: "string": spec.mounts[0] in body must be of type object: "string"',
    'FieldValueInvalid spec.mounts[0]: Invalid value: "x": must be an object for an array of list-type map',
  ],
  ["settings", {}, "FieldValueInvalid spec.settings: Invalid value: 0: spec.settings in body should have at least 1 properties"],
  [
    "settings",
    { a: 1, b: "12345678901", c: "" },
    "FieldValueTooMany spec.settings: Too many: 3: must have at most 2 items",
    'FieldValueTypeInvalid spec.settings.a: Invalid value: "integer": spec.settings.a in body must be of type string: "integer"',
    "FieldValueTooLong spec.settings.b: Too long: may not be more than 10 bytes",
  ],
  ["sets", { k: ["a", "a"] }, 'FieldValueDuplicate spec.sets[k][1]: Duplicate value: "a"'],
  // Not in a CustomResourceDefinition either.
  ["closed", { a: "x", b: 1 }, 'FieldValueInvalid spec.closed: Invalid value: "b": spec.closed.b in body is a forbidden property'],
  ["source", { url: "a" }],
  [
    "source",
    {},
    'FieldValueInvalid <nil>: Invalid value: "": "spec.source" must validate one and only one schema (oneOf). Found none valid',
    "FieldValueRequired spec.source.url: Required value",
  ],
  [
    "source",
    { url: "a", path: "b" },
    'FieldValueInvalid <nil>: Invalid value: "": "spec.source" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  ["source", { url: "a", legacy: "b" }, 'FieldValueInvalid <nil>: Invalid value: "": "spec.source" must not validate the schema (not)'],
  ["text", "abc", 'FieldValueInvalid <nil>: Invalid value: "": "spec.text" must not validate the schema (not)'],
  [
    "text",
    "zz",
    "FieldValueInvalid spec.text: Invalid value: \"zz\": spec.text in body should match '^a'",
    'FieldValueInvalid <nil>: Invalid value: "": "spec.text" must validate all the schemas (allOf)',
  ],
  ["number", 7],
  [
    "number",
    12,
    'FieldValueInvalid <nil>: Invalid value: "": "spec.number" must validate at least one schema (anyOf)',
    "FieldValueInvalid spec.number: Invalid value: 12: spec.number in body should be less than or equal to 3",
  ],
  [
    "host",
    "::1",
    'FieldValueInvalid <nil>: Invalid value: "": "spec.host" must validate one and only one schema (oneOf). Found 2 valid alternatives',
  ],
  [
    "host",
    "abcdef",
    'FieldValueInvalid <nil>: Invalid value: "": "spec.host" must validate one and only one schema (oneOf). Found none valid',
    'FieldValueTypeInvalid spec.host: Invalid value: "abcdef": spec.host in body must be of type ipv4: "abcdef"',
  ],
  ["template", { apiVersion: "apps/v1", kind: "Deployment" }],
  [
    "template",
    { kind: "" },
    "FieldValueRequired spec.template.apiVersion: Required value",
    'FieldValueInvalid spec.template.kind: Invalid value: "": must not be empty',
  ],
  [
    "template",
    { apiVersion: "a/b/c", kind: "Pod" },
    'FieldValueInvalid spec.template.apiVersion: Invalid value: "a/b/c": unexpected GroupVersion string: a/b/c',
  ],
  [
    "template",
    { apiVersion: "v1", kind: "po d" },
    `FieldValueInvalid spec.template.kind: Invalid value: "po d": may have mixed case, but should otherwise match: a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')`,
  ],
  // Kubernetes refuses the next two while decoding, with a 400 that has no causes.
  [
    "template",
    { apiVersion: 3, kind: 7 },
    "FieldValueInvalid spec.template.apiVersion: Invalid value: 3: must be a string",
    "FieldValueInvalid spec.template.kind: Invalid value: 7: must be a string",
  ],
  [
    "template",
    { apiVersion: "v1", kind: "Pod", metadata: 1 },
    'FieldValueTypeInvalid spec.template.metadata: Invalid value: "integer": spec.template.metadata in body must be of type object: "integer"',
  ],
])("%s: %o", (field, value, ...faults) => {
  expect(told({ [String(field)]: value })).toEqual(faults);
});

test("an object of another type than due, and what is required", () => {
  const whole = compileValidator({ type: "object", required: ["spec"], properties: { spec: { type: "object", required: ["a", "constructor"] } } });
  expect(whole({})).toEqual([{ reason: "FieldValueRequired", field: "spec", message: "Required value" }]);
  expect(whole({ spec: { a: undefined } }).map(({ field }) => field)).toEqual(["spec.a", "spec.constructor"]);
  expect(whole({ spec: [] })).toEqual([
    { reason: "FieldValueTypeInvalid", field: "spec", message: 'Invalid value: "array": spec in body must be of type object: "array"' },
  ]);
  expect(whole([])[0]).toMatchObject({ field: "<nil>", message: 'Invalid value: "array":  in body must be of type object: "array"' });
});

test("the path of a part stands before its fields and not in its sentences", () => {
  const status = compileValidator(t.object({ phase: t.string(), list: t.optional(t.set(t.string())), map: t.optional(t.record(t.string())) }));
  expect(status({ phase: 1, list: ["a", "a"], map: { k: 1 } }, undefined, "status").map(({ field, message }) => `${field}: ${message}`)).toEqual([
    'status.phase: Invalid value: "integer": phase in body must be of type string: "integer"',
    'status.map.k: Invalid value: "integer": map.k in body must be of type string: "integer"',
    'status.list[1]: Duplicate value: "a"',
  ]);
  expect(status(1, undefined, "status").map(({ field }) => field)).toEqual(["status"]);
  expect(compileValidator(t.record(t.string()))({ k: 1 })).toEqual([
    { reason: "FieldValueTypeInvalid", field: "k", message: 'Invalid value: "integer": .k in body must be of type string: "integer"' },
  ]);
  expect(compileValidator(t.array(t.string()))([1], undefined, "spec.list")[0]?.field).toBe("spec.list[0]");
});

test("one fault is told once, however many schemas find it", () => {
  const twice = compileValidator({ type: "string", maxLength: 1, allOf: [{ maxLength: 1 }, { maxLength: 1 }, {}] });
  expect(twice("ab", "a").map(({ message }) => message)).toEqual([
    "Too long: may not be more than 1 byte",
    'Invalid value: "": "" must validate all the schemas (allOf)',
  ]);
});

test("rules are not tried on objects with these faults", () => {
  const blocked = (field: keyof typeof schemas, value: unknown) => rulesNotChecked(validate({ spec: { [field]: value } })) !== undefined;
  expect(blocked("color", "pink") && blocked("size", "1") && blocked("one", "ab") && blocked("args", ["", "", ""]) && blocked("source", {})).toBe(
    true,
  );
  expect(blocked("color", "red") || blocked("size", 0) || blocked("tags", ["a", "a"]) || blocked("code", "A1")).toBe(false);
  expect(rulesNotChecked(validate({ spec: 1 }))).toEqual({
    reason: "FieldValueInvalid",
    field: "<nil>",
    message:
      "Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
  });
});

test("a million faults cost no more than a thousand do", () => {
  const faults = validate({ spec: { names: Array.from({ length: 1_000_000 }, () => 1) } });
  expect(faults).toHaveLength(1000);
  const long = "k".repeat(100_000);
  const maps = compileValidator(t.record(t.record(t.string())));
  const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`k${index}`, 1]));
  const texts = maps({ [long]: many }).map(({ field, message }) => field + message);
  expect(texts.join("").length).toBeLessThan(3_000_000);
});

// What took the square of the time would not be done within the limit.
test("duplicates and patterns cost time linear in their input", { timeout: 60_000 }, () => {
  const validator = compileValidator({ type: "object", properties: { set: schemas.tags, text: { type: "string", pattern: "^(a+)+$" } } });
  expect(validator({ set: Array.from({ length: 200_000 }, (_, index) => `${index}`) })).toEqual([]);
  expect(validator({ text: `${"a".repeat(200_000)}b` })).toHaveLength(1);
});
