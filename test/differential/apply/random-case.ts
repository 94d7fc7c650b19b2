import {
  FieldSet,
  fieldSetOf,
  type JSONObject,
  type JSONValue,
  type ManagedFieldsEntry,
  type Schema,
  SchemaMismatchError,
  structuralType,
} from "@annex/apimachinery";
import { Random } from "../../e2e/hostile/random.ts";
import { some } from "./alphabet.ts";
import { apiVersionOf, type Case, type ScaleCase, type SetsCase, type TypedCase, type TypedOp } from "./cases.ts";
import { elementText, randomFields, someFields } from "./random-fields.ts";
import { randomManagedCase } from "./random-managed.ts";
import { randomSchema, structSchema } from "./random-schema.ts";
import { changedValue, type Mischief, randomValue } from "./random-value.ts";

/** The case of this number in the sequence of this seed: it follows from the two alone. */
export function randomCase(seed: number, number: number): Case {
  const random = new Random(seed, number);
  const dice = random.below(100);
  // A case of sets or of a scale is one operation, the others are many.
  if (dice < 60) return randomSetsCase(random);
  if (dice < 68) return randomScaleCase(random);
  return dice < 86 ? randomTypedCase(random) : randomManagedCase(random);
}

function randomSetsCase(random: Random): SetsCase {
  const mischief = random.chance(0.15) ? 0.1 : 0;
  const left = randomFields(random, 3, mischief);
  const right = random.chance(0.3) ? changedFields(random, left) : randomFields(random, 3, mischief);
  return { kind: "sets", left, right, paths: [...pathsOf(random, left), ...some(random, 3, () => some(random, 3, () => elementText(random)))] };
}

function changedFields(random: Random, fields: JSONObject): JSONObject {
  const kept = Object.entries(fields).filter(() => random.chance(0.8));
  return { ...Object.fromEntries(kept), ...randomFields(random, 1, 0) };
}

/** Some of the paths that lead into FieldsV1, members or not. */
function pathsOf(random: Random, fields: JSONValue | undefined): (readonly string[])[] {
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) return [];
  return Object.entries(fields as JSONObject)
    .filter(([name]) => name !== "." && random.chance(0.5))
    .flatMap(([name, below]) => [[name], ...pathsOf(random, below).map((path) => [name, ...path])]);
}

/** As often as there is something to get wrong. */
const TYPED_OPS = [
  ...(["validate", "toFieldSet", "compare", "compare", "compare"] as const),
  ...(["merge", "merge", "merge", "remove", "remove", "extract"] as const),
] as const satisfies readonly TypedOp["op"][];

function randomTypedCase(random: Random): TypedCase {
  const rules = { depth: 1 + random.below(3), isFree: true };
  const schema = random.chance(0.7) ? structSchema(random, rules) : randomSchema(random, rules);
  const mischief = random.pick([0, 0, 0.01, 0.05, 0.2]);
  const values = randomValues(random, schema, mischief);
  const sets = values.map((value) => someFields(random, fieldsOf(value, schema)));
  const place = () => random.below(values.length);
  const ops = Array.from({ length: 20 }, (): TypedOp => {
    const op = random.pick(TYPED_OPS);
    switch (op) {
      case "validate":
        return { op, value: place(), allowsDuplicates: random.chance(0.5) };
      case "toFieldSet":
        return { op, value: place() };
      case "compare":
      case "merge":
        return { op, value: place(), other: place() };
      default:
        return { op, value: place(), set: place() };
    }
  });
  return { kind: "typed", schema, values, sets, ops };
}

/** Values that differ from each other in little, and some that have nothing to do with them. */
function randomValues(random: Random, schema: Schema, mischief: Mischief): JSONValue[] {
  const values = [randomValue(random, schema, mischief)];
  while (values.length < 5)
    values.push(random.chance(0.8) ? changedValue(random, random.pick(values), schema, mischief) : randomValue(random, schema, mischief));
  return values;
}

function fieldsOf(value: JSONValue, schema: Schema): FieldSet {
  try {
    return fieldSetOf(value, structuralType(schema));
  } catch (error) {
    if (error instanceof SchemaMismatchError) return FieldSet.empty;
    throw error;
  }
}

const REPLICAS = { v1: ["spec", "replicas"], v2: ["spec", "count"], v3: null } as const;

function randomScaleCase(random: Random): ScaleCase {
  const paths = Object.fromEntries(Object.entries(REPLICAS).map(([version, path]) => [apiVersionOf(version), path]));
  const parent = some(random, 5, () => {
    const version = random.pick(["v1", "v1", "v2", "v3", "v4"]);
    return randomEntry(random, apiVersionOf(version), version === "v2" ? { "f:count": {} } : { "f:replicas": {} });
  });
  const scale = some(random, 4, () => randomEntry(random, "autoscaling/v1", { "f:replicas": {} }));
  return { kind: "scale", parent, scale, apiVersion: apiVersionOf("v1"), paths };
}

function randomEntry(random: Random, apiVersion: string, replicas: JSONObject): ManagedFieldsEntry {
  const spec = random.chance(0.6) ? { "f:spec": random.chance(0.5) ? replicas : { ...replicas, "f:a": {} } } : {};
  const other = random.chance(0.5) ? { "f:metadata": { "f:labels": { "f:x": {} } } } : {};
  return {
    manager: random.pick(["m", "n"]),
    operation: random.pick(["Apply", "Update"]),
    apiVersion,
    // Without times Go writes two entries of one manager in a random order.
    time: `2000-01-01T00:00:0${random.below(3)}Z`,
    fieldsType: "FieldsV1",
    fieldsV1: { ...spec, ...other },
    ...(random.chance(0.3) ? { subresource: random.pick(["scale", "status"]) } : {}),
  };
}
