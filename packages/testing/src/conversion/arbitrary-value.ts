import {
  applyDefaults,
  compileSchemaRules,
  compileValidator,
  type JSONObject,
  type JSONValue,
  jsonEquals,
  type Schema,
  tryRules,
} from "@annex/apimachinery";
import fc from "fast-check";
import { anyJSON, embeddedMeta, mapKey } from "./arbitrary-json.ts";
import { integerArbitrary, numberArbitrary } from "./arbitrary-number.ts";
import { stringArbitrary } from "./arbitrary-string.ts";

/** What stands at a field instead of what its schema would have there, by path: `spec.ttl`, `spec.items[*].name`, `spec.labels.*`. */
export type FieldValues = Readonly<Record<string, fc.Arbitrary<JSONValue>>>;

/** How many elements a list or map has beyond those that it must have: mostly, and now and then. */
const MORE_ELEMENTS = 3;
const MANY_ELEMENTS = 12;
/** How often a value is made anew because its schema refuses it, before that is told. */
const MAX_MISSES = 5_000;

/**
 * Values that a schema describes, the smallest first when a failure is cut down to what matters.
 *
 * @param path of the value, for `values` and for messages.
 * @throws {Error} from the arbitrary, when hardly any value that it makes satisfies the schema: such a field needs one of `values`.
 */
export function valueArbitrary(schema: Schema, path: string, values: FieldValues): fc.Arbitrary<JSONValue> {
  const given = values[path];
  if (given !== undefined) return given;
  const made = schema.enum === undefined ? ofType(schema, path, values) : fc.constantFrom(...schema.enum);
  const nullable = schema.nullable === true && schema.enum === undefined ? fc.option(made, { nil: null }) : made;
  return accepted(nullable, schema, path);
}

function ofType(schema: Schema, path: string, values: FieldValues): fc.Arbitrary<JSONValue> {
  if (schema["x-kubernetes-int-or-string"] === true) {
    return fc.oneof(fc.nat(100), integerArbitrary(schema), fc.stringMatching(/^[0-9]{1,3}%?$/), stringArbitrary(schema));
  }
  switch (schema.type) {
    case "object":
      return objectArbitrary(schema, path, values);
    case "array":
      return arrayArbitrary(schema, path, values);
    case "string":
      return stringArbitrary(schema);
    case "boolean":
      return fc.boolean();
    case "integer":
      return integerArbitrary(schema);
    case "number":
      return numberArbitrary(schema);
    default:
      return anyJSON;
  }
}

function objectArbitrary(schema: Schema, path: string, values: FieldValues): fc.Arbitrary<JSONObject> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (typeof additionalProperties === "object") {
    const element = valueArbitrary(additionalProperties, below("*"), values);
    return sized(schema.minProperties, schema.maxProperties, (minKeys, maxKeys) =>
      fc.dictionary(mapKey, element, { noNullPrototype: true, minKeys, maxKeys, size: "max" }),
    );
  }
  const model = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, valueArbitrary(property, below(name), values)]));
  const named: fc.Arbitrary<JSONObject> = fc.record(model, { noNullPrototype: true, requiredKeys: required.filter((name) => name in model) });
  if (schema["x-kubernetes-embedded-resource"] === true) {
    return fc
      .tuple(named, fc.dictionary(mapKey, anyJSON, { noNullPrototype: true, maxKeys: 2 }), embeddedMeta)
      .map(([own, more, meta]) => ({ ...more, ...own, ...meta }));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] !== true && additionalProperties !== true) return named;
  return fc
    .tuple(named, fc.dictionary(mapKey, anyJSON, { noNullPrototype: true, maxKeys: MORE_ELEMENTS }))
    .map(([own, more]) => ({ ...Object.fromEntries(Object.entries(more).filter(([name]) => !Object.hasOwn(model, name))), ...own }));
}

function arrayArbitrary(schema: Schema, path: string, values: FieldValues): fc.Arbitrary<readonly JSONValue[]> {
  const { items = {} } = schema;
  const element = valueArbitrary(items, `${path}[*]`, values);
  const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
  return sized(schema.minItems, schema.maxItems, (minLength, maxLength) => {
    const bounds = { minLength, maxLength, size: "max" } as const;
    if (keys !== undefined) {
      const keyOf = (item: JSONValue) => keys.map((name) => (item as JSONObject)[name] ?? items.properties?.[name]?.default ?? null);
      return fc.uniqueArray(element, { ...bounds, selector: keyOf, comparator: jsonEquals });
    }
    if (schema["x-kubernetes-list-type"] === "set" || schema.uniqueItems === true) {
      return fc.uniqueArray(element, { ...bounds, comparator: jsonEquals });
    }
    return fc.array(element, bounds);
  });
}

/** Lists and maps mostly of a few elements, as they may have more lists within, and now and then of many. */
function sized<T>(min = 0, max = Number.POSITIVE_INFINITY, ofSize: (min: number, max: number) => fc.Arbitrary<T>): fc.Arbitrary<T> {
  const few = ofSize(min, Math.min(max, min + MORE_ELEMENTS));
  if (max <= min + MORE_ELEMENTS) return few;
  return fc.oneof({ weight: 7, arbitrary: few }, { weight: 1, arbitrary: ofSize(min, Math.min(max, min + MANY_ELEMENTS)) });
}

/** Those values that the schema accepts, with its rules in CEL. */
function accepted(made: fc.Arbitrary<JSONValue>, schema: Schema, path: string): fc.Arbitrary<JSONValue> {
  const validate = compileValidator(schema);
  const satisfiesRules = rulesOf(schema);
  let misses = 0;
  return made.filter((value) => {
    if (validate(value, path).length === 0 && satisfiesRules(value)) {
      misses = 0;
      return true;
    }
    misses++;
    if (misses < MAX_MISSES) return false;
    throw new Error(
      `${MAX_MISSES} values of ${path === "" ? "the object" : path} were made and none satisfies its schema: give an arbitrary in \`values\``,
    );
  });
}

/** Whether a value satisfies the rules of its schema. Those of fields and elements alone are left to where these are made. */
function rulesOf(schema: Schema): (value: JSONValue) => boolean {
  if ((schema["x-kubernetes-validations"] ?? []).length === 0) return () => true;
  // As a field: a whole object has metadata.
  const field: Schema = { type: "object", properties: { value: schema } };
  const { rules } = compileSchemaRules(field, "");
  return (value) => rules === undefined || tryRules(rules, applyDefaults({ value }, field), undefined, false).faults.length === 0;
}
