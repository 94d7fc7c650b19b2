import { isJSONObject, type JSONObject, type JSONValue, type Schema } from "@annex/apimachinery";

/**
 * What the types of an author's kind promise of its numbers. JSON is read with whole numbers of 64 bits as `bigint` where a `number` would not be exact;
 * `t.number()`, `t.integer()` and `t.intOrString()` promise a `number`.
 */
export interface PromisedNumbers {
  /** The object with the nearest `number` where the schema has `type: number`, as Go reads a float64. @returns the same reference when nothing was to be done. */
  plain(object: JSONObject): JSONObject;
  /** Whether a whole number stands where only a `number` may that it is too large for; its bounds are at fault then, too. */
  isBroken(object: JSONObject): boolean;
}

/** Where of a schema numbers are. */
interface Place {
  readonly kind: "number" | "whole" | "none";
  readonly properties: ReadonlyMap<string, Place>;
  readonly additional: Place | undefined;
  readonly items: Place | undefined;
}

/** @param schema of whole objects: their own metadata is not looked at. @returns undefined where it has no numbers. */
export function promisedNumbers({ properties: { metadata: _metadata, ...properties } = {}, ...schema }: Schema): PromisedNumbers | undefined {
  const root = placeOf({ ...schema, properties });
  if (root === undefined) return undefined;
  const hasNumbers = holdsNumbers(root);
  return {
    plain: (object) => (hasNumbers ? (plain(object, root) as JSONObject) : object), // an object stays one
    isBroken: (object) => isBroken(object, root),
  };
}

const LEAF: Place = { kind: "number", properties: new Map(), additional: undefined, items: undefined };
/** Of an object within the object: what metadata has of 64 bits nobody counts that far. */
const METADATA: Place = {
  kind: "none",
  properties: new Map([
    ["generation", LEAF],
    ["deletionGracePeriodSeconds", LEAF],
  ]),
  additional: undefined,
  items: undefined,
};

function placeOf(schema: Schema): Place | undefined {
  const { properties = {}, additionalProperties, items } = schema;
  const inner = new Map<string, Place>();
  for (const [name, property] of Object.entries(properties)) {
    const place = placeOf(property);
    if (place !== undefined) inner.set(name, place);
  }
  if (schema["x-kubernetes-embedded-resource"] === true) inner.set("metadata", METADATA);
  const additional = typeof additionalProperties === "object" ? placeOf(additionalProperties) : undefined;
  const elements = items && placeOf(items);
  const kind = kindOf(schema);
  if (kind === "none" && inner.size === 0 && additional === undefined && elements === undefined) return undefined;
  return { kind, properties: inner, additional, items: elements };
}

function holdsNumbers({ kind, properties, additional, items }: Place): boolean {
  return kind === "number" || [...properties.values(), additional, items].some((inner) => inner !== undefined && holdsNumbers(inner));
}

/** An integer that is bounded so promises a `number`, whatever its format. */
function kindOf({ type, minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY, ...schema }: Schema): Place["kind"] {
  if (type === "number") return "number";
  const isBounded = schema.format === "int32" || (minimum >= Number.MIN_SAFE_INTEGER && maximum <= Number.MAX_SAFE_INTEGER);
  return (type === "integer" && isBounded) || schema["x-kubernetes-int-or-string"] === true ? "whole" : "none";
}

function plain(value: JSONValue, place: Place): JSONValue {
  if (typeof value === "bigint") return place.kind === "number" ? Number(value) : value;
  if (Array.isArray(value)) {
    const { items } = place;
    if (items === undefined) return value;
    const elements = value.map((element) => plain(element, items));
    return elements.every((element, index) => element === value[index]) ? value : elements;
  }
  if (!isJSONObject(value)) return value;
  let changed: Record<string, JSONValue | undefined> | undefined;
  for (const [name, inner] of members(value, place)) {
    const member = value[name];
    if (member === undefined) continue;
    const result = plain(member, inner);
    if (result === member) continue;
    changed ??= { ...value };
    changed[name] = result; // an own property by the spread, whatever its name
  }
  return changed ?? value;
}

function isBroken(value: JSONValue | undefined, place: Place): boolean {
  if (typeof value === "bigint") return place.kind === "whole";
  if (Array.isArray(value)) {
    const { items } = place;
    return items !== undefined && value.some((element: JSONValue) => isBroken(element, items));
  }
  if (!isJSONObject(value)) return false;
  for (const [name, inner] of members(value, place)) if (isBroken(value[name], inner)) return true;
  return false;
}

function* members(value: JSONObject, { properties, additional }: Place): Generator<readonly [string, Place]> {
  for (const entry of properties) if (Object.hasOwn(value, entry[0])) yield entry;
  if (additional !== undefined) for (const name of Object.keys(value)) if (!properties.has(name)) yield [name, additional];
}
