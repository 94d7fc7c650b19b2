import { quoteGo } from "../meta/go-quote.ts";
import { isJSONObject, type JSONObject } from "../meta/index.ts";
import { hasDuplicates, hasField, isWhole } from "./accepts.ts";
import type { Node } from "./compile.ts";
import type { Correlation } from "./correlation.ts";
import type { Faults } from "./faults.ts";
import { canonicalJSON, formatGoFloat, formatGoInteger } from "./go-format.ts";
import { exceedsMaximum, exceedsMinimum, isInRange, isInt64, isLongerThan, isMultipleOf, isShorterThan } from "./numbers.ts";

/**
 * Names every fault of a value in Kubernetes' words and order: type, combinations, string, format, number, array, enum, object; of an object first its
 * size, then its fields, then what is missing.
 *
 * @param correlation of an update, the value and what stood there before: faults of what is unchanged are not told. Schemas within `allOf`, `anyOf`, `oneOf` and
 *   `not` know nothing of that: their faults are let through with the whole value that they are about, or not at all.
 * @returns how many checks went well. Of several alternatives (`anyOf`, `oneOf`) that all fail, the faults of the one with most are told.
 * Source: k8s.io/kube-openapi/pkg/validation/validate, including how it counts; apiextensions-apiserver pkg/apiserver/validation/ratcheting.go.
 */
export function explain(node: Node, value: unknown, path: string, faults: Faults, correlation?: Correlation): number {
  const told = faults.list.length;
  const matched = explainValue(node, value, path, faults, correlation);
  if (faults.list.length > told && correlation?.isUnchanged === true) faults.forget(told);
  return matched;
}

function explainValue(node: Node, value: unknown, path: string, faults: Faults, correlation: Correlation | undefined): number {
  if (value === null) {
    const isFine = node.types.length === 0 || node.nullable;
    if (!isFine) typeFault(node.types.join(","), "null", path, faults);
    explainEnum(node, value, path, faults);
    return isFine ? 1 : 0;
  }
  // One for the schema, one for the enum check, which applies to everything.
  let matched = 2;
  if (node.types.length > 0 || node.format !== "") matched += 1 + explainType(node, value, path, faults);
  matched += 1 + explainCombinations(node, value, path, faults);
  if (typeof value === "string") {
    explainString(node, value, path, faults);
    matched += node.matchesFormat === undefined ? 1 : 2;
  } else if (typeof value === "number" || typeof value === "bigint") {
    explainNumber(node, value, path, faults);
    matched += 2;
  } else if (Array.isArray(value)) {
    matched += 2 + explainArray(node, value, path, faults, correlation);
  }
  explainEnum(node, value, path, faults);
  if (isJSONObject(value)) matched += 1 + explainObject(node, value, path, faults, correlation);
  return matched;
}

/** @param got the JSON type that was found, or the text that does not fit a format. */
function typeFault(wanted: string, got: string, path: string, faults: Faults): void {
  faults.add("FieldValueTypeInvalid", path, got, `${path} in body must be of type ${wanted}: ${quoteGo(got)}`);
}

function explainType({ types, format }: Node, value: unknown, path: string, faults: Faults): number {
  const found = jsonType(value);
  const fits =
    types.includes(found) ||
    (found === "integer" && types.includes("number")) ||
    (typeof value === "number" && types.includes("integer") && isWhole(value)) ||
    (types.length === 0 && (found === "string" || found === "array"));
  if (fits) return 1;
  // Against a format, Go names its own types of numbers and nothing for the others.
  if (format !== "" && found !== "string" && found !== "array") {
    typeFault(format, found === "integer" ? "int64" : found === "number" ? "float64" : "", path, faults);
  } else {
    typeFault(types.join(","), found, path, faults);
  }
  return 0;
}

function jsonType(value: unknown): string {
  if (typeof value === "number" || typeof value === "bigint") return isInt64(value) ? "integer" : "number";
  if (typeof value === "object") return Array.isArray(value) ? "array" : "object";
  return typeof value;
}

function explainCombinations(node: Node, value: unknown, path: string, faults: Faults): number {
  let matched = 1;
  const complain = (sentence: string) => faults.add("FieldValueInvalid", undefined, "", `${quoteGo(path)} ${sentence}`);
  if (node.anyOf.length > 0) {
    const { valid, best } = explainAlternatives(node.anyOf, value, path, faults, true);
    if (valid === 0) complain("must validate at least one schema (anyOf)");
    faults.merge(best.faults);
    matched += best.matched;
  }
  if (node.oneOf.length > 0) {
    const { valid, best } = explainAlternatives(node.oneOf, value, path, faults, false);
    if (valid !== 1) {
      complain(`must validate one and only one schema (oneOf). ${valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`}`);
    }
    faults.merge(best.faults);
    if (valid <= 1) matched += best.matched;
  }
  if (node.allOf.length > 0) {
    let valid = 0;
    for (const alternative of node.allOf) {
      const fork = faults.fork();
      matched += explain(alternative, value, path, fork);
      if (fork.list.length === 0) valid++;
      faults.merge(fork);
    }
    if (valid < node.allOf.length) complain(`must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
  }
  if (node.not !== undefined) {
    const fork = faults.fork();
    explain(node.not, value, path, fork);
    if (fork.list.length === 0) complain("must not validate the schema (not)");
  }
  return matched;
}

interface Outcome {
  readonly matched: number;
  readonly faults: Faults;
}

/** @returns how many hold, and of those the first; if none does, the one with most that went well. */
function explainAlternatives(alternatives: readonly Node[], value: unknown, path: string, faults: Faults, stopAtFirst: boolean) {
  let valid = 0;
  let best: Outcome = { matched: -1, faults: faults.fork() };
  for (const alternative of alternatives) {
    const fork = faults.fork();
    const matched = explain(alternative, value, path, fork);
    if (fork.list.length === 0) {
      if (valid++ === 0) best = { matched, faults: fork };
      if (stopAtFirst) break;
    } else if (valid === 0 && matched > best.matched) {
      best = { matched, faults: fork };
    }
  }
  return { valid, best };
}

/** The first of length and pattern that fails; and the format. */
function explainString({ schema, pattern, format, matchesFormat }: Node, value: string, path: string, faults: Faults): void {
  const { minLength, maxLength } = schema;
  if (maxLength !== undefined && isLongerThan(value, maxLength)) {
    // "bytes" is Kubernetes' word for it: characters are counted.
    faults.add("FieldValueTooLong", path, undefined, `may not be more than ${maxLength} ${maxLength === 1 ? "byte" : "bytes"}`);
  } else if (minLength !== undefined && isShorterThan(value, minLength)) {
    faults.add("FieldValueInvalid", path, value, `${path} in body should be at least ${minLength} chars long`);
  } else if (pattern !== undefined && !pattern.matches(value)) {
    faults.add("FieldValueInvalid", path, value, `${path} in body should match '${pattern.source}'`);
  }
  if (matchesFormat !== undefined && !matchesFormat(value)) typeFault(format, value, path, faults);
}

function explainNumber({ schema, types, format }: Node, value: number | bigint, path: string, faults: Faults): void {
  const type = types.length === 1 ? types[0] : undefined;
  if (!isInRange(value, type, format)) {
    const form = format === "" ? "(default format)" : `with format ${format}`;
    faults.add("FieldValueInvalid", undefined, "", `Checked value must be of type ${type} ${form} in ${path}`);
  }
  // A bound is printed in the kind of number that the value is.
  const print = (bound: number) => (isInt64(value) ? formatGoInteger(bound) : formatGoFloat(bound));
  const complain = (sentence: string) => faults.add("FieldValueInvalid", path, value, `${path} in body should be ${sentence}`);
  const { minimum, maximum, multipleOf, exclusiveMinimum = false, exclusiveMaximum = false } = schema;
  if (multipleOf !== undefined && !isMultipleOf(value, multipleOf)) complain(`a multiple of ${print(multipleOf)}`);
  if (minimum !== undefined && exceedsMinimum(value, minimum, exclusiveMinimum)) {
    complain(`greater than ${exclusiveMinimum ? "" : "or equal to "}${print(minimum)}`);
  }
  if (maximum !== undefined && exceedsMaximum(value, maximum, exclusiveMaximum)) {
    complain(`less than ${exclusiveMaximum ? "" : "or equal to "}${print(maximum)}`);
  }
}

function explainArray(
  { schema, items }: Node,
  value: readonly unknown[],
  path: string,
  faults: Faults,
  correlation: Correlation | undefined,
): number {
  let matched = 0;
  if (items !== undefined) {
    for (let index = 0; index < value.length && !faults.isFull; index++)
      matched += explain(items, value[index], `${path}[${index}]`, faults, correlation?.index(index));
  }
  const { minItems = 0, maxItems, uniqueItems = false } = schema;
  if (value.length < minItems) faults.add("FieldValueInvalid", path, value.length, `${path} in body should have at least ${minItems} items`);
  if (maxItems !== undefined && value.length > maxItems) tooMany(value.length, maxItems, path, faults);
  if (uniqueItems && hasDuplicates(value)) faults.add("FieldValueInvalid", path, "", `${path} in body shouldn't contain duplicates`);
  return matched;
}

function tooMany(count: number, max: number, path: string, faults: Faults): void {
  faults.add("FieldValueTooMany", path, count, `must have at most ${max} ${max === 1 ? "item" : "items"}`);
}

function explainEnum(node: Node, value: unknown, path: string, faults: Faults): void {
  if (node.enum === undefined || node.acceptsEnum(value)) return;
  const supported = node.enum.map((allowed) => quoteGo(typeof allowed === "string" ? allowed : canonicalJSON(allowed)));
  faults.add("FieldValueNotSupported", path, value, `supported values: ${supported.join(", ")}`);
}

function explainObject(
  { schema, properties, additional, required }: Node,
  value: JSONObject,
  path: string,
  faults: Faults,
  correlation: Correlation | undefined,
): number {
  const names = Object.keys(value).filter((name) => value[name] !== undefined);
  const { minProperties = 0, maxProperties } = schema;
  if (names.length < minProperties) {
    faults.add("FieldValueInvalid", path, names.length, `${path} in body should have at least ${minProperties} properties`);
  }
  if (maxProperties !== undefined && names.length > maxProperties) tooMany(names.length, maxProperties, path, faults);
  // The old object was converted to the version of the new one: of these two nobody knows whether they are unchanged.
  const former = (name: string) => (path === "" && (name === "apiVersion" || name === "kind") ? undefined : correlation?.key(name));
  let matched = 0;
  for (const name of names) {
    if (additional === true || properties.has(name) || faults.isFull) continue;
    if (additional === false) faults.add("FieldValueInvalid", path, name, `${path}.${name} in body is a forbidden property`);
    else matched += explain(additional, value[name], `${path}.${name}`, faults, former(name));
  }
  for (const [name, child] of properties) {
    if (hasField(value, name)) matched += explain(child, value[name], path === "" ? name : `${path}.${name}`, faults, former(name));
  }
  for (const name of required) if (!hasField(value, name)) faults.add("FieldValueRequired", `${path}.${name}`, undefined, "");
  return matched;
}
