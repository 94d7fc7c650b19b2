import { isJSONObject, type JSONObject } from "../meta/index.ts";
import type { Node } from "./compile.ts";
import { canonicalJSON } from "./go-format.ts";
import { exceedsMaximum, exceedsMinimum, isInRange, isInt64, isLongerThan, isMultipleOf, isNearlyWhole, isShorterThan } from "./numbers.ts";

/** Says whether a value is valid, and nothing else. */
export type Accepts = (value: unknown) => boolean;

/**
 * Compiles a node into closures that allocate nothing on the way through a valid value (but for `uniqueItems` and enums of objects). They
 * agree with `explain`, which names the faults of what is refused here.
 */
export function compileAccepts(node: Node): Accepts {
  const acceptsNull = (node.types.length === 0 || node.nullable) && node.enum === undefined;
  const acceptsType = compileType(node);
  const acceptsEnum = node.enum === undefined ? undefined : node.acceptsEnum;
  const checks = [compileCombinations(node), acceptsEnum, compileString(node), compileNumber(node), compileArray(node), compileObject(node)];
  const more = checks.filter((check) => check !== undefined);
  return (value) => {
    if (value === null) return acceptsNull;
    if (!acceptsType(value)) return false;
    for (let index = 0; index < more.length; index++) if (more[index]?.(value) === false) return false;
    return true;
  };
}

function compileType({ types, format }: Node): Accepts {
  if (types.length === 0) return format === "" ? () => true : (value) => typeof value === "string" || Array.isArray(value);
  const wants = (type: string) => types.includes(type);
  const [strings, booleans, objects, arrays] = [wants("string"), wants("boolean"), wants("object"), wants("array")];
  const [numbers, integers] = [wants("number"), wants("integer")];
  return (value) => {
    switch (typeof value) {
      case "string":
        return strings;
      case "number":
      case "bigint":
        return numbers || (integers && isWhole(value));
      case "boolean":
        return booleans;
      default:
        return Array.isArray(value) ? arrays : objects;
    }
  };
}

/** Whether a number will do for an integer. A bigint of more than 64 bits is a float to Go, and too large a one. */
export const isWhole = (value: number | bigint): boolean => isInt64(value) || (typeof value === "number" && isNearlyWhole(value));

function compileCombinations({ allOf, anyOf, oneOf, not }: Node): Accepts | undefined {
  if (allOf.length + anyOf.length + oneOf.length === 0 && not === undefined) return undefined;
  const [all, any, one] = [allOf.map(compileAccepts), anyOf.map(compileAccepts), oneOf.map(compileAccepts)];
  const refused = not === undefined ? undefined : compileAccepts(not);
  return (value) => {
    if (any.length > 0 && !any.some((accepts) => accepts(value))) return false;
    if (one.length > 0) {
      let valid = 0;
      for (const accepts of one) if (accepts(value)) valid++;
      if (valid !== 1) return false;
    }
    return all.every((accepts) => accepts(value)) && refused?.(value) !== true;
  };
}

function compileString({ schema, pattern, matchesFormat }: Node): Accepts | undefined {
  const { minLength = 0, maxLength = Number.POSITIVE_INFINITY } = schema;
  if (minLength === 0 && maxLength === Number.POSITIVE_INFINITY && pattern === undefined && matchesFormat === undefined) return undefined;
  return (value) => {
    if (typeof value !== "string") return true;
    if (isLongerThan(value, maxLength) || isShorterThan(value, minLength)) return false;
    return pattern?.matches(value) !== false && matchesFormat?.(value) !== false;
  };
}

function compileNumber({ schema, types, format }: Node): Accepts | undefined {
  const { minimum, maximum, multipleOf, exclusiveMinimum = false, exclusiveMaximum = false } = schema;
  const type = types.length === 1 ? types[0] : undefined;
  const ranged = type === "integer" || format === "float";
  if (!ranged && minimum === undefined && maximum === undefined && multipleOf === undefined) return undefined;
  return (value) => {
    if (typeof value !== "number" && typeof value !== "bigint") return true;
    if (ranged && !isInRange(value, type, format)) return false;
    if (minimum !== undefined && exceedsMinimum(value, minimum, exclusiveMinimum)) return false;
    if (maximum !== undefined && exceedsMaximum(value, maximum, exclusiveMaximum)) return false;
    return multipleOf === undefined || isMultipleOf(value, multipleOf);
  };
}

function compileArray({ schema, items }: Node): Accepts | undefined {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, uniqueItems = false } = schema;
  if (items === undefined && minItems === 0 && maxItems === Number.POSITIVE_INFINITY && !uniqueItems) return undefined;
  const accepts = items === undefined ? undefined : compileAccepts(items);
  return (value) => {
    if (!Array.isArray(value)) return true;
    if (value.length < minItems || value.length > maxItems) return false;
    if (accepts !== undefined) for (let index = 0; index < value.length; index++) if (!accepts(value[index])) return false;
    return !uniqueItems || !hasDuplicates(value);
  };
}

/** In linear time, unlike Kubernetes, which for that reason forbids `uniqueItems` in CustomResourceDefinitions. */
export const hasDuplicates = (list: readonly unknown[]): boolean => new Set(list.map(canonicalJSON)).size < list.length;

function compileObject({ schema, properties, additional, required }: Node): Accepts | undefined {
  const { minProperties = 0, maxProperties = Number.POSITIVE_INFINITY } = schema;
  const counted = minProperties > 0 || maxProperties < Number.POSITIVE_INFINITY;
  if (properties.size === 0 && additional === true && required.length === 0 && !counted) return undefined;
  const children = new Map([...properties].map(([name, child]) => [name, compileAccepts(child)]));
  const acceptsOther = typeof additional === "object" ? compileAccepts(additional) : () => additional;
  return (value) => {
    if (!isJSONObject(value)) return true;
    let count = 0;
    for (const name in value) {
      const field = value[name];
      if (field === undefined) continue;
      count++;
      if (!(children.get(name) ?? acceptsOther)(field)) return false;
    }
    if (counted && (count < minProperties || count > maxProperties)) return false;
    for (let index = 0; index < required.length; index++) if (!hasField(value, required[index] ?? "")) return false;
    return true;
  };
}

/** Whether a field is there. One that is `undefined` counts as absent; what every object inherits is not a field. */
export const hasField = (object: JSONObject, name: string): boolean => Object.hasOwn(object, name) && object[name] !== undefined;
