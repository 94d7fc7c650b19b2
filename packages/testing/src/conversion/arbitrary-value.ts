import { compileValidator, type JSONObject, type JSONValue, jsonEquals, type Schema } from "@annex/apimachinery";
import fc from "fast-check";
import { stringArbitrary } from "./arbitrary-string.ts";

/** What stands at a field instead of what its schema would have there, by path: `spec.ttl`, `spec.items[*].name`, `spec.labels.*`. */
export type FieldValues = Readonly<Record<string, fc.Arbitrary<JSONValue>>>;

/** How many elements a list or map has beyond those that it must have. */
const MORE_ELEMENTS = 3;
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
  if (schema["x-kubernetes-int-or-string"] === true) return fc.oneof(fc.nat(100), fc.string({ maxLength: 8 }));
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
      return fc.double({ noNaN: true, noDefaultInfinity: true, min: schema.minimum ?? -1e15, max: schema.maximum ?? 1e15 });
    default:
      return anyJSON;
  }
}

// JSON has no -0, and __proto__ is not what object literals make of it.
const anyJSON = fc
  .jsonValue({ maxDepth: 2 })
  .map((value) => JSON.parse(JSON.stringify(value, (key, inner: unknown) => (key === "__proto__" ? undefined : inner))) as JSONValue);
const key = fc.stringMatching(/^[a-z][a-z0-9-]{0,6}$/);

function objectArbitrary(schema: Schema, path: string, values: FieldValues): fc.Arbitrary<JSONObject> {
  const { properties = {}, required = [], additionalProperties } = schema;
  const below = (name: string) => (path === "" ? name : `${path}.${name}`);
  if (typeof additionalProperties === "object") {
    const { minProperties: minKeys = 0, maxProperties: maxKeys = minKeys + MORE_ELEMENTS } = schema;
    return fc.dictionary(key, valueArbitrary(additionalProperties, below("*"), values), {
      noNullPrototype: true,
      minKeys,
      maxKeys: Math.min(maxKeys, minKeys + MORE_ELEMENTS),
    });
  }
  const model = Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, valueArbitrary(property, below(name), values)]));
  const named: fc.Arbitrary<JSONObject> = fc.record(model, { noNullPrototype: true, requiredKeys: required.filter((name) => name in model) });
  if (schema["x-kubernetes-embedded-resource"] === true) {
    const typeMeta = { apiVersion: "example.com/v1", kind: "Thing", metadata: { name: "a" } };
    return fc
      .tuple(named, fc.dictionary(key, anyJSON, { noNullPrototype: true, maxKeys: 2 }))
      .map(([own, more]) => ({ ...more, ...own, ...typeMeta }));
  }
  if (schema["x-kubernetes-preserve-unknown-fields"] !== true && additionalProperties !== true) return named;
  return fc
    .tuple(named, fc.dictionary(key, anyJSON, { noNullPrototype: true, maxKeys: MORE_ELEMENTS }))
    .map(([own, more]) => ({ ...Object.fromEntries(Object.entries(more).filter(([name]) => !(name in model))), ...own }));
}

function arrayArbitrary(schema: Schema, path: string, values: FieldValues): fc.Arbitrary<readonly JSONValue[]> {
  const { items = {}, minItems: minLength = 0, maxItems } = schema;
  const element = valueArbitrary(items, `${path}[*]`, values);
  const bounds = { minLength, maxLength: Math.min(maxItems ?? minLength + MORE_ELEMENTS, minLength + MORE_ELEMENTS) };
  const keys = schema["x-kubernetes-list-type"] === "map" ? schema["x-kubernetes-list-map-keys"] : undefined;
  if (keys !== undefined) {
    const keyOf = (item: JSONValue) => keys.map((name) => (item as JSONObject)[name] ?? items.properties?.[name]?.default ?? null);
    return fc.uniqueArray(element, { ...bounds, selector: keyOf, comparator: jsonEquals });
  }
  if (schema["x-kubernetes-list-type"] === "set" || schema.uniqueItems === true) {
    return fc.uniqueArray(element, { ...bounds, comparator: jsonEquals });
  }
  return fc.array(element, bounds);
}

/** Also beyond what a `number` holds exactly, where the schema has such. */
function integerArbitrary({ format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf = 1 }: Schema): fc.Arbitrary<JSONValue> {
  const [least, most] = format === "int32" ? [-(2 ** 31), 2 ** 31 - 1] : [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER];
  const min = Math.ceil((Math.max(least, minimum ?? least) + (exclusiveMinimum === true ? 1 : 0)) / multipleOf);
  const max = Math.floor((Math.min(most, maximum ?? most) - (exclusiveMaximum === true ? 1 : 0)) / multipleOf);
  const small = fc.integer({ min, max }).map((value) => value * multipleOf);
  if (format === "int32" || multipleOf !== 1 || maximum !== undefined) return small;
  const beyond = fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n });
  return fc.oneof({ weight: 3, arbitrary: small }, { weight: 1, arbitrary: beyond });
}

/** Those values that the schema accepts. */
function accepted(made: fc.Arbitrary<JSONValue>, schema: Schema, path: string): fc.Arbitrary<JSONValue> {
  const validate = compileValidator(schema);
  let misses = 0;
  return made.filter((value) => {
    if (validate(value, path).length === 0) {
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
