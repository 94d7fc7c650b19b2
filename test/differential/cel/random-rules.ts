import { isJSONObject, type JSONObject, type JSONValue } from "@annex/apimachinery";
import { Random } from "../../e2e/hostile/random.ts";
import type { RulesQuestion } from "./corpus.ts";
import { randomObject, randomSchema, writeExpression } from "./random-expression.ts";

/** Rules that fit values of a type; with oldSelf they are refused where nothing correlates. */
const SIMPLE_RULES: Readonly<Record<string, readonly string[]>> = {
  integer: ["self > 0", "self >= oldSelf", "10 / self > 1", "self != 1"],
  string: ["self.size() < 3", "self == oldSelf", "self.matches('^[a-z]*$')", "int(self) > 1"],
  object: ["has(self.n)", "self.n > 0", "self == oldSelf", "self.n >= oldSelf.n"],
  array: ["self.size() < 2", "oldSelf.all(e, e in self)", "self[0] == self[1]"],
  number: ["self > 0.0", "self != oldSelf"],
  boolean: ["self", "self == oldSelf"],
};

/** Faults that are no faults of the expressions themselves. */
const FIELD_PATHS = [".i", ".object.s", ".map['a']", ".map.b", "['object']['n']", ".absent", ".nope", "i"];
const REASONS = ["FieldValueInvalid", "FieldValueForbidden", "FieldValueRequired", "FieldValueDuplicate"];

/**
 * A schema with rules and an object, sometimes with the one before, made of a seed. Half of the schemas have no bounds at some place, so that rules cost
 * too much there.
 *
 * @param number which one of the seed.
 */
export function randomRules(seed: number, number: number): RulesQuestion {
  const random = new Random(seed, number, 1);
  const isNullable = random.chance(0.4);
  const plain = isNullable ? withNullable(random, randomSchema(random)) : randomSchema(random);
  const schema = withRules(random, random.chance(0.1) ? withMisfit(random, plain) : plain, 0.12);
  const object = () => (isNullable ? withNulls(random, schema, randomObject(random)) : randomObject(random));
  const self = object();
  const rules = Array.from({ length: random.below(4) }, () => rootRule(random));
  return {
    op: "rules",
    schema: rules.length > 0 ? { ...schema, "x-kubernetes-validations": rules } : schema,
    self,
    ...(random.chance(0.5) ? { oldSelf: random.chance(0.3) ? self : { ...self, ...some(random, object()) } } : {}),
  };
}

/** The schema, nullable at half of the places below; seldom within sets and lists of type map, where this is refused. */
function withNullable(random: Random, schema: JSONObject, share = 0.5): JSONObject {
  const { properties, items, additionalProperties } = schema;
  const lower = schema["x-kubernetes-list-type"] === undefined ? share : 0.02;
  const below = (inner: JSONValue): JSONValue =>
    isJSONObject(inner) ? { ...withNullable(random, inner, lower), ...(random.chance(lower) ? { nullable: true } : {}) } : inner;
  return {
    ...schema,
    ...(isJSONObject(properties) ? { properties: mapMembers(properties, (_, inner) => below(inner)) } : {}),
    ...(items === undefined ? {} : { items: below(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: below(additionalProperties) }),
  };
}

/** The object, with null at some of the places whose schema lets it be. */
function withNulls(random: Random, schema: JSONObject, object: JSONObject): JSONObject {
  const { properties, additionalProperties } = schema;
  const replace = (inner: JSONValue | undefined, value: JSONValue): JSONValue => {
    if (!isJSONObject(inner)) return value;
    if (inner.nullable === true && random.chance(0.3)) return null;
    if (Array.isArray(value)) return value.map((element) => replace(inner.items, element));
    return isJSONObject(value) ? withNulls(random, inner, value) : value;
  };
  return mapMembers(object, (name, value) => replace(isJSONObject(properties) ? properties[name] : additionalProperties, value));
}

/** The schema, with rules at some of the places below. */
function withRules(random: Random, schema: JSONObject, share: number): JSONObject {
  const { properties, items, additionalProperties, type } = schema;
  const below = (value: JSONValue | undefined) => (isJSONObject(value) ? withRules(random, value, share) : value);
  const fitting = SIMPLE_RULES[String(type)];
  const rule = fitting !== undefined && random.chance(share) ? simpleRule(random, fitting) : undefined;
  return {
    ...schema,
    ...(isJSONObject(properties) ? { properties: mapMembers(properties, (_, inner) => below(inner) ?? null) } : {}),
    ...(items === undefined ? {} : { items: below(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: below(additionalProperties) }),
    ...(rule === undefined ? {} : { "x-kubernetes-validations": [rule] }),
  };
}

function simpleRule(random: Random, fitting: readonly string[]): JSONObject {
  const rule = random.pick(fitting);
  const optional =
    rule.includes("oldSelf") && random.chance(0.2) ? { rule: "!oldSelf.hasValue() || oldSelf.value() == self", optionalOldSelf: true } : {};
  return {
    rule,
    ...(random.chance(0.3) ? { message: "as it was told" } : {}),
    ...(random.chance(0.3) ? { reason: random.pick(REASONS) } : {}),
    ...optional,
  };
}

function rootRule(random: Random): JSONObject {
  return {
    rule: writeExpression(random, random.chance(0.95) ? "bool" : "int"),
    ...(random.chance(0.3) ? { message: random.pick(["told", " told with blanks ", "two\nlines", ""]) } : {}),
    ...(random.chance(0.3) ? { messageExpression: writeExpression(random, random.chance(0.9) ? "string" : "bool") } : {}),
    ...(random.chance(0.3) ? { reason: random.pick(REASONS) } : {}),
    ...(random.chance(0.2) ? { fieldPath: random.pick(FIELD_PATHS.slice(0, random.chance(0.1) ? FIELD_PATHS.length : 6)) } : {}),
  };
}

/** Keywords that do not go together with everything. */
const MISFITS: readonly JSONObject[] = [
  { uniqueItems: true },
  { type: "text" },
  { nullable: true, "x-kubernetes-list-type": "set" },
  { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["n"] },
  { "x-kubernetes-list-map-keys": ["s"] },
  { "x-kubernetes-map-type": "atomic" },
  { "x-kubernetes-map-type": "whole" },
  { "x-kubernetes-preserve-unknown-fields": true },
  { "x-kubernetes-embedded-resource": true },
  { additionalProperties: { type: "string", "x-kubernetes-validations": [{ rule: "self == ''" }] } },
  { pattern: "(" },
  { minimum: 5, maximum: 1 },
  { default: 3 },
];

/** The schema, with keywords that may not fit at one of the places below. */
function withMisfit(random: Random, schema: JSONObject): JSONObject {
  const { properties } = schema;
  if (!isJSONObject(properties)) return schema;
  const hit = random.pick(Object.keys(properties));
  const misfit = random.pick(MISFITS);
  const replace = (inner: JSONValue): JSONValue => {
    if (!isJSONObject(inner)) return inner;
    const { items } = inner;
    return isJSONObject(items) && random.chance(0.5) ? { ...inner, items: { ...items, ...misfit } } : { ...inner, ...misfit };
  };
  return { ...schema, properties: mapMembers(properties, (name, inner) => (name === hit ? replace(inner) : inner)) };
}

function mapMembers(object: JSONObject, map: (name: string, value: JSONValue) => JSONValue): JSONObject {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, map(name, value ?? null)]));
}

/** Some of the members. */
function some(random: Random, object: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(object).filter(() => random.chance(0.5)));
}
