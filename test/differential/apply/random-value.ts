import { isJSONObject, type JSONArray, type JSONObject, type JSONValue, jsonEquals, type Schema } from "@annex/apimachinery";
import type { Random } from "../../e2e/hostile/random.ts";
import { anyNumber, anything, FIELDS, mapKey, scalar, shuffled, some, text, wholeNumber } from "./alphabet.ts";

/** How often, at each place, a value has what its schema forbids: a wrong type, null, an unknown field, an element twice, an element without a key. */
export type Mischief = number;

/** A value of a schema: with a field here and there, and few elements in lists. */
export function randomValue(random: Random, schema: Schema, mischief: Mischief): JSONValue {
  if (random.chance(mischief)) return anything(random, 2);
  if (schema.nullable === true && random.chance(0.2)) return null;
  if (schema["x-kubernetes-int-or-string"] === true) return random.chance(0.5) ? wholeNumber(random) : text(random);
  switch (schema.type) {
    case "object":
      return randomObject(random, schema, mischief);
    case "array":
      return randomList(random, schema, mischief);
    case "string":
      return schema.format === "int-or-string" ? scalar(random) : text(random);
    case "integer":
      return wholeNumber(random);
    case "number":
      return anyNumber(random);
    case "boolean":
      return random.chance(0.5);
    case undefined:
      return anything(random, 3);
    default:
      return schema.type satisfies never;
  }
}

function randomObject(random: Random, schema: Schema, mischief: Mischief): JSONObject {
  const named = Object.entries(schema.properties ?? {}).filter(() => random.chance(0.6));
  const fields = named.map(([name, property]) => [name, randomValue(random, property, mischief)] as const);
  if (schema["x-kubernetes-embedded-resource"] === true) fields.push(...typeAndMetadata(random));
  return Object.fromEntries([...fields, ...some(random, random.chance(0.7) ? 2 : 4, () => otherField(random, schema, mischief)).flat()]);
}

/** A field that the schema does not name, if it may be there. */
function otherField(random: Random, schema: Schema, mischief: Mischief): readonly (readonly [string, JSONValue])[] {
  const { additionalProperties, properties } = schema;
  if (typeof additionalProperties === "object") return [[mapKey(random), randomValue(random, additionalProperties, mischief)]];
  const isOpen = additionalProperties === true || schema["x-kubernetes-preserve-unknown-fields"] === true || properties === undefined;
  if (!isOpen && !random.chance(mischief)) return [];
  return [[random.chance(0.7) ? mapKey(random) : random.pick(FIELDS), anything(random, 2)]];
}

function typeAndMetadata(random: Random): readonly (readonly [string, JSONValue])[] {
  return [
    ["apiVersion", "v1"],
    ["kind", "Inner"],
    ["metadata", { name: text(random), labels: { [mapKey(random)]: text(random) }, finalizers: some(random, 2, () => random.pick(["f", "g"])) }],
  ];
}

function randomList(random: Random, schema: Schema, mischief: Mischief): JSONArray {
  const items = some(random, 4, () => randomItem(random, schema, mischief));
  return withoutDuplicates(random, items, schema, mischief);
}

function randomItem(random: Random, { items = {}, ...schema }: Schema, mischief: Mischief): JSONValue {
  const item = randomValue(random, items, mischief);
  const keys =
    schema["x-kubernetes-list-map-keys"] ?? (schema["x-kubernetes-patch-merge-key"] === undefined ? [] : [schema["x-kubernetes-patch-merge-key"]]);
  if (keys.length === 0 || !isJSONObject(item)) return item;
  // Keys are there more often than other fields are: without any, an element is refused.
  const given = keys.filter((key) => random.chance(items.properties?.[key]?.default === undefined ? 1 - mischief : 0.6));
  return { ...item, ...Object.fromEntries(given.map((key) => [key, randomValue(random, items.properties?.[key] ?? {}, mischief)])) };
}

/** Most lists do not have an element twice. */
function withoutDuplicates(random: Random, items: JSONArray, schema: Schema, mischief: Mischief): JSONArray {
  const keys = schema["x-kubernetes-list-map-keys"];
  const isSet = schema["x-kubernetes-list-type"] === "set" || schema["x-kubernetes-patch-strategy"] !== undefined;
  if ((keys === undefined && !isSet) || random.chance(mischief * 2)) return items;
  const identity = (item: JSONValue) =>
    keys === undefined || !isJSONObject(item) ? item : keys.map((key) => item[key] ?? schema.items?.properties?.[key]?.default ?? null);
  return items.filter((item, index) => !items.slice(0, index).some((earlier) => jsonEquals(identity(earlier), identity(item))));
}

/** A value that differs from another one of the schema in a few places. */
export function changedValue(random: Random, value: JSONValue | undefined, schema: Schema, mischief: Mischief): JSONValue {
  if (value === undefined || random.chance(0.12)) return randomValue(random, schema, mischief);
  if (Array.isArray(value)) return changedList(random, value, schema, mischief);
  if (isJSONObject(value)) return changedObject(random, value, schema, mischief);
  return random.chance(0.5) ? value : randomValue(random, schema, mischief);
}

function changedObject(random: Random, value: JSONObject, schema: Schema, mischief: Mischief): JSONObject {
  const changed = Object.entries(value).flatMap(([name, child = null]) => {
    if (random.chance(0.15)) return [];
    return [[name, random.chance(0.3) ? changedValue(random, child, fieldSchema(schema, name), mischief) : child] as const];
  });
  const extra = random.chance(0.35) ? Object.entries(randomObject(random, schema, mischief)).slice(0, 1 + random.below(2)) : [];
  return Object.fromEntries([...changed, ...extra]);
}

export function fieldSchema({ properties = {}, additionalProperties }: Schema, name: string): Schema {
  const named = Object.hasOwn(properties, name) ? properties[name] : undefined;
  return named ?? (typeof additionalProperties === "object" ? additionalProperties : {});
}

function changedList(random: Random, value: JSONArray, schema: Schema, mischief: Mischief): JSONArray {
  const kept = value
    .filter(() => !random.chance(0.2))
    .map((item) => (random.chance(0.25) ? changedValue(random, item, schema.items ?? {}, mischief) : item));
  const items = [...kept, ...(random.chance(0.4) ? [randomItem(random, schema, mischief)] : [])];
  return withoutDuplicates(random, random.chance(0.3) ? shuffled(random, items) : items, schema, mischief);
}
