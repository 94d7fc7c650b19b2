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
  const schema = withRules(random, randomSchema(random), 0.12);
  const self = randomObject(random);
  const rules = Array.from({ length: random.below(4) }, () => rootRule(random));
  return {
    op: "rules",
    schema: rules.length > 0 ? { ...schema, "x-kubernetes-validations": rules } : schema,
    self,
    ...(random.chance(0.5) ? { oldSelf: random.chance(0.3) ? self : { ...self, ...some(random, randomObject(random)) } } : {}),
  };
}

/** The schema, with rules at some of the places below. */
function withRules(random: Random, schema: JSONObject, share: number): JSONObject {
  const { properties, items, additionalProperties, type } = schema;
  const below = (value: JSONValue | undefined) => (isJSONObject(value) ? withRules(random, value, share) : value);
  const fitting = SIMPLE_RULES[String(type)];
  const rule = fitting !== undefined && random.chance(share) ? simpleRule(random, fitting) : undefined;
  return {
    ...schema,
    ...(isJSONObject(properties) ? { properties: Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, below(inner)])) } : {}),
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

/** Some of the members. */
function some(random: Random, object: JSONObject): JSONObject {
  return Object.fromEntries(Object.entries(object).filter(() => random.chance(0.5)));
}
