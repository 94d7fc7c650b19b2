// Structural schemas that look random and follow from a seed: of every keyword there is, mostly ones that a kube-apiserver takes.
import type { Random } from "../hostile/random.ts";

/** A schema as a CustomResourceDefinition has it. */
export interface SchemaJSON {
  readonly type?: string;
  readonly format?: string;
  readonly properties?: Readonly<Record<string, SchemaJSON>>;
  readonly additionalProperties?: SchemaJSON;
  readonly items?: SchemaJSON;
  readonly enum?: readonly unknown[];
  readonly nullable?: boolean;
  readonly [keyword: string]: unknown;
}

const MAX_DEPTH = 3;
const NAMES = ["a", "b", "c", "d-e", "f_g", "constructor", "kind", "x/y"];

export const PATTERNS: readonly string[] = [
  ...["^[a-z]+$", "a|b", "^\\d{2,4}$", "(?i)^AB", "\\bfoo\\b", "^\\p{L}+$", "[[:alpha:]]+", "^(?:a|b)*$", "\\Aab\\z", "(?P<x>a)b", "^.{3}$", "x*?"],
  ...["\\Q.+\\E", "(?s)^.$", "(?m)^b$", "^\\x{1F600}", "(?<name>a)", "[^a]", "^$", "\\PN", "(?U)a+", "a{2}{3}", "^[\\w.-]+$", "\\S", "é"],
];
const BAD_PATTERNS: readonly string[] = ["a{1001}", "(?=a)", "[", "(", "\\1", "a**", "(?P<x", "\\C", "*"];

export const FORMATS: readonly string[] = [
  ...["bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5", "isbn", "isbn10", "isbn13"],
  ...[
    "creditcard",
    "ssn",
    "hexcolor",
    "rgbcolor",
    "byte",
    "password",
    "date",
    "duration",
    "datetime",
    "date-time",
    "k8s-short-name",
    "k8s-long-name",
  ],
  ...["made-up", "int32", "u-r-i"],
];

/** @param isTold whether a value has one that it was before: not within plain lists. */
export function randomSchema(random: Random, depth = 0, isTold = true): SchemaJSON {
  const schema = { ...randomStructure(random, depth, isTold), ...(random.chance(0.15) ? { nullable: true } : {}) };
  const combined = random.chance(0.15) ? { ...schema, ...randomCombination(random, schema) } : schema;
  return random.chance(0.15) ? { ...combined, ...randomRules(random, combined, isTold) } : combined;
}

/** Rules by the type of `self`. Some fail on what is written, some cannot be tried on it, some are about a change. */
const RULES: Readonly<Record<string, readonly string[]>> = {
  string: [
    ...[
      "self.size() < 4",
      "self != 'a'",
      "self == oldSelf",
      "self.startsWith('a') || oldSelf == 'b'",
      "self.matches('^[a-z]*$')",
      "self in ['a', 'b', 'abc']",
    ],
    ...["!self.contains('\\n')", "oldSelf.orValue('a') == self", "int(self) > 0"],
  ],
  integer: [
    "self > 0",
    "self >= oldSelf",
    "self % 2 == 0",
    "100 / self > 1",
    "self < 10 || self == 81",
    "!oldSelf.hasValue() || oldSelf.value() < self",
  ],
  number: ["self > 0.0", "self >= oldSelf", "self < 1e6", "double(int(self)) == self"],
  boolean: ["self", "self || !oldSelf"],
  array: [
    "self.size() < 3",
    "self == oldSelf",
    "self.all(x, self.exists_one(y, x == y))",
    "self.exists(x, true)",
    "self.size() >= oldSelf.size()",
    "size(self) != 1",
  ],
  map: ["size(self) < 3", "self.all(k, k != 'k')", "self == oldSelf", "'k' in self"],
  object: ["self == oldSelf", "has(self.NAME) || has(self.OTHER)", "!has(self.NAME) || has(self.OTHER)", "has(self.NAME) == has(oldSelf.NAME)"],
  any: ["type(self) == int", "self == oldSelf", "self > 0"],
};
const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  string: ["'not ' + self", "self + self", "self.size() > 5 ? 'long' : ''"],
  integer: ["'not ' + string(self)", "string(100 / self)"],
};
const REASONS = ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];
/** What keeps rules from costing too much. */
const BOUNDS: Readonly<Record<string, object>> = { string: { maxLength: 12 }, array: { maxItems: 5 }, map: { maxProperties: 5 } };

function randomRules(random: Random, schema: SchemaJSON, isTold: boolean): object {
  const type = schema.additionalProperties !== undefined ? "map" : (schema.type ?? "any");
  const names = Object.keys(schema.properties ?? {}).filter((name) => /^[a-z_]+$/.test(name));
  const known = (RULES[type] ?? []).filter((rule) => (isTold || !rule.includes("oldSelf")) && (names.length > 0 || !rule.includes("NAME")));
  if (known.length === 0 || schema["x-kubernetes-preserve-unknown-fields"] === true) return {};
  const rules = Array.from({ length: 1 + random.below(2) }, () => {
    const rule = random
      .pick(known)
      .replaceAll("NAME", names[0] ?? "")
      .replaceAll("OTHER", names.at(-1) ?? "");
    const messages = MESSAGES[type];
    const [name] = Object.keys(schema.properties ?? {});
    return {
      rule,
      ...maybe(random, 0.3, { message: " told so " }),
      ...(messages !== undefined && random.chance(0.4) ? { messageExpression: random.pick(messages) } : {}),
      ...maybe(random, 0.3, { reason: random.pick(REASONS) }),
      ...(name !== undefined && random.chance(0.4) ? { fieldPath: /^\w+$/.test(name) ? `.${name}` : `['${name}']` } : {}),
      ...(/oldSelf\.(orValue|hasValue)/.test(rule) || random.chance(0.02) ? { optionalOldSelf: true } : {}),
    };
  });
  return { ...BOUNDS[type], "x-kubernetes-validations": rules };
}

function randomStructure(random: Random, depth: number, isTold: boolean): SchemaJSON {
  const isDeep = depth >= MAX_DEPTH;
  switch (random.below(isDeep ? 5 : 12)) {
    case 0:
    case 1:
      return { type: "string", ...stringRules(random) };
    case 2:
      return { type: "integer", ...numberRules(random, true) };
    case 3:
      return { type: "number", ...numberRules(random, false) };
    case 4:
      return random.chance(0.5) ? { type: "boolean", ...maybe(random, 0.1, { enum: [true] }) } : { "x-kubernetes-int-or-string": true };
    case 5:
      return { type: "object", additionalProperties: randomSchema(random, depth + 1, isTold), ...objectRules(random) };
    case 6:
      return {
        type: "object",
        "x-kubernetes-preserve-unknown-fields": true,
        ...maybe(random, 0.5, { properties: randomProperties(random, depth, isTold) }),
      };
    case 7:
      return { type: "array", items: randomSchema(random, depth + 1, false), ...arrayRules(random) };
    case 8:
      return { type: "array", items: { type: "string", ...stringRules(random) }, "x-kubernetes-list-type": "set", ...arrayRules(random) };
    case 9:
      return listMap(random, depth, isTold);
    case 10:
      return { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true };
    default:
      return randomObject(random, depth, isTold);
  }
}

export function randomObject(random: Random, depth: number, isTold = true): SchemaJSON {
  const properties = randomProperties(random, depth, isTold);
  const required = Object.keys(properties).filter(() => random.chance(0.25));
  return { type: "object", properties, ...objectRules(random), ...(required.length === 0 ? {} : { required }) };
}

function randomProperties(random: Random, depth: number, isTold: boolean): Record<string, SchemaJSON> {
  const names = NAMES.filter(() => random.chance(0.35));
  return Object.fromEntries(names.map((name) => [name, randomSchema(random, depth + 1, isTold)]));
}

function listMap(random: Random, depth: number, isTold: boolean): SchemaJSON {
  const keys = random.chance(0.5) ? ["name"] : ["name", "port"];
  const properties = {
    ...randomProperties(random, depth + 1, isTold),
    name: { type: "string", ...maybe(random, 0.3, { maxLength: 3 }) },
    port: { type: "integer", default: 80 },
  };
  const items = { type: "object", properties, required: ["name"], ...maybe(random, 0.2, { "x-kubernetes-map-type": "atomic" }) };
  return { type: "array", items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys, ...arrayRules(random) };
}

const maybe = (random: Random, probability: number, rules: object): object => (random.chance(probability) ? rules : {});

function stringRules(random: Random): object {
  return {
    ...maybe(random, 0.15, { minLength: random.below(3) }),
    ...maybe(random, 0.2, { maxLength: 2 + random.below(9) }),
    ...maybe(random, 0.1, { pattern: random.pick(random.chance(0.04) ? BAD_PATTERNS : PATTERNS) }),
    ...maybe(random, 0.15, { format: random.pick(FORMATS) }),
    ...maybe(random, 0.15, { enum: ["a", "", "😀"] }),
  };
}

function numberRules(random: Random, isInteger: boolean): object {
  // Whole bounds: Go cuts others to whole numbers for whole values (docs/differences.md).
  const low = random.below(200) - 150;
  const high = low + random.below(150);
  const formats = isInteger ? ["int32", "int64", "float"] : ["float", "double", "int32"];
  return {
    ...maybe(random, 0.2, { format: random.pick(formats) }),
    ...maybe(random, 0.25, { minimum: low, ...maybe(random, 0.3, { exclusiveMinimum: true }) }),
    ...maybe(random, 0.25, { maximum: high, ...maybe(random, 0.3, { exclusiveMaximum: true }) }),
    ...maybe(random, 0.1, { multipleOf: isInteger ? 1 + random.below(9) : 1 }),
    ...maybe(random, 0.1, { enum: isInteger ? [1, 5, -7] : [1, 2.5] }),
  };
}

function objectRules(random: Random): object {
  return {
    ...maybe(random, 0.1, { minProperties: random.below(3) }),
    ...maybe(random, 0.1, { maxProperties: 1 + random.below(4) }),
    ...maybe(random, 0.15, { "x-kubernetes-map-type": random.pick(["atomic", "granular"]) }),
  };
}

function arrayRules(random: Random): object {
  return { ...maybe(random, 0.2, { minItems: random.below(3) }), ...maybe(random, 0.2, { maxItems: 1 + random.below(4) }) };
}

/** Value validations for what a schema describes. */
function randomCombination(random: Random, schema: SchemaJSON): object {
  const some = () => Array.from({ length: 1 + random.below(3) }, () => valueRules(random, schema));
  switch (random.below(4)) {
    case 0:
      return { allOf: some() };
    case 1:
      return { anyOf: some() };
    case 2:
      return { oneOf: some() };
    default:
      return { not: valueRules(random, schema) };
  }
}

function valueRules(random: Random, schema: SchemaJSON, depth = 0): SchemaJSON {
  if (random.chance(0.1) && depth < 2) return { anyOf: [valueRules(random, schema, depth + 1), valueRules(random, schema, depth + 1)] };
  switch (schema.type) {
    case "string":
      return { ...stringRules(random) };
    case "integer":
    case "number":
      return { ...numberRules(random, schema.type === "integer") };
    case "array":
      return {
        ...arrayRules(random),
        ...(schema.items === undefined || random.chance(0.5) ? {} : { items: valueRules(random, schema.items, depth + 1) }),
      };
    case "object":
      return { ...objectValueRules(random, schema, depth) };
    default:
      return random.chance(0.5) ? { enum: [true, "a", 1] } : {};
  }
}

function objectValueRules(random: Random, { properties = {} }: SchemaJSON, depth: number): object {
  const { "x-kubernetes-map-type": _mapType, ...rules } = objectRules(random) as SchemaJSON;
  const names = Object.keys(properties).filter(() => random.chance(0.5));
  if (names.length === 0) return rules;
  const inner = Object.fromEntries(names.map((name) => [name, valueRules(random, properties[name] ?? {}, depth + 1)]));
  return { ...rules, ...(random.chance(0.6) ? { properties: inner } : {}), ...(random.chance(0.6) ? { required: names } : {}) };
}
