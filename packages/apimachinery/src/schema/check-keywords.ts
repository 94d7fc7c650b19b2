import { type FieldError, fieldError } from "../meta/index.ts";
import { MAX_SCHEMA_DEPTH } from "./decode-schema.ts";
import { findFieldPath } from "./field-path.ts";
import type { Schema, ValidationRule } from "./schema.ts";

/** Where defaults may stand. */
interface DefaultPolicy {
  /** Why none may stand here; undefined where one may. */
  readonly forbidden: string | undefined;
  /** Whether the place is within the type or metadata of an object. */
  readonly isInMetadata: boolean;
}

const ANYWHERE: DefaultPolicy = { forbidden: undefined, isInMetadata: false };

const TYPES = ["array", "boolean", "integer", "number", "object", "string"];
const METADATA: ReadonlySet<string> = new Set(["metadata", "kind", "apiVersion"]);

/**
 * Checks which keywords go together, in every schema there is, those of value validations too. Internal to schema/.
 *
 * @returns the paths of the schemas that have faults.
 */
export function checkKeywords(schema: Schema, path: string, isRoot: boolean, faults: FieldError[]): Set<string> {
  const faulty = new Set<string>();
  walk(schema, path, ANYWHERE, isRoot, 0, { faults, faulty });
  return faulty;
}

interface Findings {
  readonly faults: FieldError[];
  readonly faulty: Set<string>;
}

function walk(schema: Schema, path: string, policy: DefaultPolicy, isRoot: boolean, depth: number, findings: Findings): void {
  if (depth > MAX_SCHEMA_DEPTH) return; // told by the walk through the structure
  const before = findings.faults.length;
  checkNode(schema, path, policy, findings.faults);
  if (findings.faults.length > before) findings.faulty.add(path);
  const { properties = {}, additionalProperties, items, not } = schema;
  const inner = (one: Schema, at: string, under = policy) => walk(one, `${path}.${at}`, under, false, depth + 1, findings);
  if (typeof additionalProperties === "object") {
    const why = "must not be set inside additionalProperties applying to object metadata";
    inner(additionalProperties, "additionalProperties", policy.isInMetadata ? { ...policy, forbidden: why } : policy);
  }
  for (const [name, property] of Object.entries(properties)) {
    const isMetadata = (isRoot || schema["x-kubernetes-embedded-resource"] === true) && METADATA.has(name);
    const forbidden = isMetadata && isRoot ? `must not be set in top-level ${name}` : policy.forbidden;
    inner(property, `properties[${name}]`, isMetadata ? { forbidden, isInMetadata: true } : policy);
  }
  if (not !== undefined) inner(not, "not");
  for (const keyword of ["allOf", "oneOf", "anyOf"] as const) {
    for (const [index, one] of (schema[keyword] ?? []).entries()) inner(one, `${keyword}[${index}]`);
  }
  if (items !== undefined) inner(items, "items");
}

function checkNode(schema: Schema, path: string, { forbidden, isInMetadata }: DefaultPolicy, faults: FieldError[]): void {
  const { type, properties = {}, additionalProperties } = schema;
  const mapType = schema["x-kubernetes-map-type"];
  if (type !== undefined && !TYPES.includes(type)) {
    faults.push(fieldError.notSupported(`${path}.type`, type, TYPES));
    // A schema from outside may have any type.
    if ((type as string) === "null") faults.push(fieldError.forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative"));
  }
  if (schema.default !== undefined && schema.default !== null && forbidden !== undefined)
    faults.push(fieldError.forbidden(`${path}.default`, forbidden));
  if (isInMetadata && schema["x-kubernetes-embedded-resource"] === true)
    faults.push(fieldError.forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta"));
  if (schema.uniqueItems === true) {
    const why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic";
    faults.push(fieldError.forbidden(`${path}.uniqueItems`, why));
  }
  if (additionalProperties !== undefined && additionalProperties !== true && Object.keys(properties).length > 0)
    faults.push(fieldError.forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive"));
  if (schema["x-kubernetes-preserve-unknown-fields"] === false)
    faults.push(fieldError.invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined"));
  if (mapType !== undefined) {
    requireType(schema, "object", "x-kubernetes-map-type", path, faults);
    checkOneOf(mapType, ["atomic", "granular"], `${path}.x-kubernetes-map-type`, faults);
  }
  checkList(schema, path, faults);
  for (const [index, rule] of (schema["x-kubernetes-validations"] ?? []).entries())
    checkRule(rule, schema, `${path}.x-kubernetes-validations[${index}]`, faults);
}

function requireType({ type }: Schema, wanted: string, keyword: string, path: string, faults: FieldError[]): void {
  const why = `must be ${wanted} if ${keyword} is specified`;
  if (type === undefined) faults.push(fieldError.required(`${path}.type`, why));
  else if (type !== wanted) faults.push(fieldError.invalid(`${path}.type`, type, why));
}

function checkOneOf(value: string, supported: readonly string[], path: string, faults: FieldError[]): void {
  if (!supported.includes(value)) faults.push(fieldError.notSupported(path, value, supported));
}

function checkList(schema: Schema, path: string, faults: FieldError[]): void {
  const listType = schema["x-kubernetes-list-type"];
  const keys = schema["x-kubernetes-list-map-keys"] ?? [];
  if (keys.length > 0 && listType !== "map") {
    const why = "must be map if x-kubernetes-list-map-keys is non-empty";
    const at = `${path}.x-kubernetes-list-type`;
    faults.push(listType === undefined ? fieldError.required(at, why) : fieldError.invalid(at, listType, why));
  }
  if (listType === undefined) return;
  requireType(schema, "array", "x-kubernetes-list-type", path, faults);
  checkOneOf(listType, ["atomic", "set", "map"], `${path}.x-kubernetes-list-type`, faults);
  const { items } = schema;
  if ((listType === "set" || listType === "map") && items?.nullable === true)
    faults.push(fieldError.forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${listType}`));
  if (listType === "set" && items !== undefined) checkSetItems(items, `${path}.items`, faults);
  if (listType === "map") checkListMap(items, keys, path, faults);
}

/** An element of a set is told apart as a whole, so nobody may own a part of it. */
function checkSetItems(items: Schema, path: string, faults: FieldError[]): void {
  const why = "must be atomic as item of a list with x-kubernetes-list-type=set";
  const listType = items["x-kubernetes-list-type"] ?? "atomic";
  if (items.type === "array" && listType !== "atomic") faults.push(fieldError.invalid(`${path}.x-kubernetes-list-type`, listType, why));
  // Go shows the type of list here, too.
  if (items.type === "object" && items["x-kubernetes-map-type"] !== "atomic")
    faults.push(fieldError.invalid(`${path}.x-kubernetes-map-type`, items["x-kubernetes-list-type"] ?? null, why));
}

function checkListMap(items: Schema | undefined, keys: readonly string[], path: string, faults: FieldError[]): void {
  const keysPath = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) faults.push(fieldError.required(keysPath, "must not be empty if x-kubernetes-list-type is map"));
  if (items === undefined) {
    faults.push(fieldError.required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map"));
    return;
  }
  if (items.type !== "object")
    faults.push(fieldError.invalid(`${path}.items.type`, items.type ?? "", "must be object if parent array's x-kubernetes-list-type is map"));
  for (const [index, key] of keys.entries()) {
    const property = Object.hasOwn(items.properties ?? {}, key) ? items.properties?.[key] : undefined;
    if (keys.indexOf(key) < index) faults.push(fieldError.invalid(keysPath, keys, "must not contain duplicate entries"));
    if (property !== undefined) checkKey(property, items.required?.includes(key) === true, `${path}.items.properties[${key}]`, faults);
    else if (items.type === "object") faults.push(fieldError.invalid(keysPath, keys, "entries must all be names of item properties"));
  }
}

function checkKey(property: Schema, isRequired: boolean, path: string, faults: FieldError[]): void {
  const { type } = property;
  if (type === "array" || type === "object")
    faults.push(fieldError.invalid(`${path}.type`, type, "must be a scalar type if parent array's x-kubernetes-list-type is map"));
  if (!isRequired && (property.default === undefined || property.default === null)) {
    const why = "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property";
    faults.push(fieldError.required(`${path}.default`, why));
  }
  if (property.nullable === true)
    faults.push(fieldError.forbidden(`${path}.nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable"));
}

const REASONS = ["FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"];

/** Checks what a rule says beside its expressions: `compileSchemaRules` looks at these. */
function checkRule(given: ValidationRule, schema: Schema, path: string, faults: FieldError[]): void {
  // What was read from a file may lack it.
  const { rule = "", message = "", messageExpression = "", reason, fieldPath = "" }: Partial<ValidationRule> = given;
  const [trimmedRule, trimmedMessage] = [rule.trim(), message.trim()];
  if (trimmedRule === "") faults.push(fieldError.required(`${path}.rule`, "rule is not specified"));
  else if (message !== "" && trimmedMessage === "") faults.push(fieldError.invalid(`${path}.message`, message, "must be non-empty if specified"));
  else if (hasLineBreaks(trimmedMessage)) faults.push(fieldError.invalid(`${path}.message`, message, "must not contain line breaks"));
  else if (hasLineBreaks(trimmedRule) && trimmedMessage === "")
    faults.push(fieldError.required(`${path}.message`, "message must be specified if rule contains line breaks"));
  if (messageExpression !== "" && messageExpression.trim() === "")
    faults.push(fieldError.required(`${path}.messageExpression`, "messageExpression must be non-empty if specified"));
  if (reason !== undefined) checkOneOf(reason, REASONS, `${path}.reason`, faults);
  if (fieldPath !== "" && fieldPath.trim() === "") faults.push(fieldError.invalid(`${path}.fieldPath`, fieldPath, "must be non-empty if specified"));
  if (hasLineBreaks(fieldPath)) faults.push(fieldError.invalid(`${path}.fieldPath`, fieldPath, "must not contain line breaks"));
  if (fieldPath !== "" && findFieldPath(fieldPath, schema).fault !== undefined)
    faults.push(fieldError.invalid(`${path}.fieldPath`, fieldPath, "must be a valid path"));
}

const hasLineBreaks = (text: string): boolean => /[\n\r]/.test(text);
