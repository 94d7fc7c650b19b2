import type { JSONValue, Schema } from "@annex/apimachinery";
import type { Random } from "../../e2e/hostile/random.ts";
import { FIELDS, shuffled, text } from "./alphabet.ts";

export interface SchemaRules {
  /** How many objects and lists may lie in each other. */
  readonly depth: number;
  /**
   * Whether the schema may say what CustomResourceDefinitions may not: no type, patch strategies, `additionalProperties` as a boolean or beside properties, a map
   * list without objects.
   */
  readonly isFree: boolean;
}

/** A schema of any form. */
export function randomSchema(random: Random, rules: SchemaRules): Schema {
  if (rules.depth <= 0) return random.chance(0.9) ? scalarSchema(random) : openSchema(random, rules);
  const dice = random.below(100);
  if (dice < 20) return scalarSchema(random);
  if (dice < 45) return structSchema(random, rules);
  if (dice < 58) return mapSchema(random, rules);
  if (dice < 68) return setSchema(random, rules);
  if (dice < 85) return mapListSchema(random, rules);
  if (dice < 92) return listSchema(random, rules);
  return openSchema(random, rules);
}

function scalarSchema(random: Random): Schema {
  const nullable = random.chance(0.15) ? { nullable: true } : {};
  switch (random.below(6)) {
    case 0:
    case 1:
      return { type: "string", ...nullable };
    case 2:
      return { type: "integer", ...nullable };
    case 3:
      return { type: random.pick(["boolean", "number"]), ...nullable };
    case 4:
      return { "x-kubernetes-int-or-string": true, ...nullable };
    default:
      return { type: "string", format: random.pick(["byte", "date-time", "int-or-string", "uuid"]), ...nullable };
  }
}

/** An object with named fields. */
export function structSchema(random: Random, rules: SchemaRules): Schema {
  const deeper = { ...rules, depth: rules.depth - 1 };
  const names = shuffled(random, FIELDS).slice(0, 1 + random.below(FIELDS.length));
  return {
    type: "object",
    properties: Object.fromEntries(names.map((name) => [name, withDefault(random, randomSchema(random, deeper), 0.08)])),
    ...(random.chance(0.12) ? { "x-kubernetes-preserve-unknown-fields": true } : {}),
    ...mapType(random),
    ...(rules.isFree && random.chance(0.1) ? { additionalProperties: random.chance(0.5) ? random.chance(0.5) : randomSchema(random, deeper) } : {}),
  };
}

function mapSchema(random: Random, rules: SchemaRules): Schema {
  return { type: "object", additionalProperties: randomSchema(random, { ...rules, depth: rules.depth - 1 }), ...mapType(random) };
}

function mapType(random: Random): Schema {
  const dice = random.below(10);
  return dice < 2 ? { "x-kubernetes-map-type": "atomic" } : dice < 3 ? { "x-kubernetes-map-type": "granular" } : {};
}

function setSchema(random: Random, rules: SchemaRules): Schema {
  const items = rules.isFree && random.chance(0.1) ? randomSchema(random, { ...rules, depth: rules.depth - 1 }) : scalarSchema(random);
  if (rules.isFree && random.chance(0.2))
    return { type: "array", items, "x-kubernetes-patch-strategy": random.pick(["merge", "merge,retainKeys", "retainKeys"]) };
  return { type: "array", items, "x-kubernetes-list-type": "set" };
}

/** A list of objects that one or two of their fields tell apart. */
function mapListSchema(random: Random, rules: SchemaRules): Schema {
  const keys = shuffled(random, ["k", "l"]).slice(0, 1 + random.below(2));
  const fields = Object.fromEntries(keys.map((key) => [key, withDefault(random, keySchema(random), 0.3)]));
  const struct = structSchema(random, { ...rules, depth: rules.depth - 1 });
  const items: Schema = { ...struct, properties: { ...struct.properties, ...fields } };
  const [first = "k"] = keys;
  if (rules.isFree && random.chance(0.2)) {
    return { type: "array", items, "x-kubernetes-patch-strategy": "merge", "x-kubernetes-patch-merge-key": first };
  }
  return { type: "array", items, "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys };
}

function keySchema(random: Random): Schema {
  return random.pick<Schema>([
    { type: "string" },
    { type: "integer" },
    { type: "boolean" },
    { "x-kubernetes-int-or-string": true },
    { type: "string", nullable: true },
  ]);
}

function listSchema(random: Random, rules: SchemaRules): Schema {
  const items = randomSchema(random, { ...rules, depth: rules.depth - 1 });
  return { type: "array", items, ...(random.chance(0.5) ? { "x-kubernetes-list-type": "atomic" } : {}) };
}

/** What is not described. */
function openSchema(random: Random, rules: SchemaRules): Schema {
  switch (random.below(rules.isFree ? 5 : 4)) {
    case 0:
      return { type: "object" };
    case 1:
      return { "x-kubernetes-preserve-unknown-fields": true };
    case 2:
      return { type: "object", "x-kubernetes-preserve-unknown-fields": true, ...mapType(random) };
    case 3:
      if (rules.isFree) return {};
      // Only what makes documents of CustomResourceDefinitions knows of these.
      return { type: "object", "x-kubernetes-embedded-resource": true, "x-kubernetes-preserve-unknown-fields": true };
    default:
      return { items: randomSchema(random, { ...rules, depth: rules.depth - 1 }), "x-kubernetes-list-type": random.pick(["set", "atomic"]) };
  }
}

function withDefault(random: Random, schema: Schema, probability: number): Schema {
  if (!random.chance(probability)) return schema;
  const value = defaultOf(random, schema);
  return value === undefined ? schema : { ...schema, default: value };
}

function defaultOf(random: Random, { type }: Schema): JSONValue | undefined {
  switch (type) {
    case "string":
      return text(random);
    case "integer":
      return random.below(4);
    case "boolean":
      return random.chance(0.5);
    case "object":
      return {};
    default:
      return undefined;
  }
}
