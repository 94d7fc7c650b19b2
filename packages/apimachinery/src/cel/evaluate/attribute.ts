import type { FieldReader } from "../environment.ts";
import { CelError, noSuchOverload } from "../value/error.ts";
import { CelList, listIndex } from "../value/list.ts";
import { CelMap } from "../value/map.ts";
import { CelDouble, CelUint, isInt } from "../value/number.ts";
import { CelOptional, OPTIONAL_NONE, optionalOf } from "../value/optional.ts";
import { showValue } from "../value/show.ts";
import { CelStruct } from "../value/struct.ts";
import type { CelValue } from "../value/value.ts";
import type { Frame, Step } from "./frame.ts";
import { goTypeName } from "./go-type.ts";

/** What a field or index is asked for. */
export interface Qualifier {
  /** The name or index; an error when it cannot be told. Its cost is without the one of the access. */
  readonly key: CelValue | Step;
  /** `.?field`, `[?index]`. */
  readonly isOptional: boolean;
  /** `has(operand.field)`. */
  readonly isTest: boolean;
  /** Reads the field of an object that an expression made; the key is then its name. */
  readonly read?: FieldReader | undefined;
}

/**
 * A variable or value, and what is reached from it by fields and indexes. cel-go evaluates such a chain as one, which is what its costs follow:
 * one for each access, and one for the chain.
 *
 * Source: cel-go interpreter/attributes.go.
 */
export type Attribute = ChainAttribute | ConditionalAttribute;

export interface ChainAttribute {
  readonly kind: "chain";
  readonly root: Step;
  readonly qualifiers: readonly Qualifier[];
}

/** `condition ? yes : no`, whose branches are chains or are taken for ones without accesses. */
export interface ConditionalAttribute {
  readonly kind: "conditional";
  readonly condition: Step;
  readonly yes: Attribute;
  readonly no: Attribute;
  /** Whether has() asks for a field of the whole; it may as well be asked within a branch. */
  readonly isTest?: boolean;
}

/** The attribute with one more access at its end; of a conditional, at the end of both branches. */
export function qualified(attribute: Attribute, qualifier: Qualifier): Attribute {
  if (attribute.kind === "chain") return { ...attribute, qualifiers: [...attribute.qualifiers, qualifier] };
  return { ...attribute, yes: qualified(attribute.yes, qualifier), no: qualified(attribute.no, qualifier), isTest: qualifier.isTest };
}

/** Evaluates an attribute, with its own cost. */
export function attributeStep(attribute: Attribute): Step {
  const resolve = resolver(attribute);
  // A chain costs 1, a conditional nothing by itself, and has() one less than either: of a conditional it gives one back.
  const cost = (attribute.kind === "chain" ? 1 : 0) - (isTest(attribute) ? 1 : 0);
  if (cost === 0) return resolve;
  return (frame) => {
    const value = resolve(frame);
    frame.charge(cost);
    return value;
  };
}

function isTest(attribute: Attribute): boolean {
  return (attribute.kind === "conditional" ? attribute.isTest : attribute.qualifiers.at(-1)?.isTest) === true;
}

/** Evaluates an attribute without the cost of the attribute itself: as a branch of a conditional, or as an index. */
export function resolver(attribute: Attribute): Step {
  if (attribute.kind === "conditional") return conditionalResolver(attribute);
  const { root, qualifiers } = attribute;
  if (qualifiers.length === 0) return (frame) => wholeValue(root(frame));
  const fields = qualifiers.map(({ key, isOptional, isTest, read }) => (isOptional || isTest || read !== undefined ? undefined : key));
  if (fields.every((key) => typeof key === "string")) return fieldResolver(root, fields);
  return (frame) => applyQualifiers(frame, root(frame), qualifiers);
}

function conditionalResolver({ condition, yes, no }: ConditionalAttribute): Step {
  const yesResolver = resolver(yes);
  const noResolver = resolver(no);
  return (frame) => {
    const value = condition(frame);
    if (value === true) return yesResolver(frame);
    return value === false ? noResolver(frame) : noSuchOverload(value);
  };
}

/** `variable.field.field`, which most rules are made of. */
function fieldResolver(root: Step, fields: readonly string[]): Step {
  const qualifiers = fields.map((key): Qualifier => ({ key, isOptional: false, isTest: false }));
  return (frame) => {
    let value = root(frame);
    if (value instanceof CelOptional) return applyQualifiers(frame, value, qualifiers);
    if (value instanceof CelError) return value;
    for (const field of fields) {
      frame.charge(1);
      value = accessed(value, field);
      if (value instanceof CelError) return value;
    }
    return value;
  };
}

const missingKey = (key: CelValue): CelError => new CelError(`no such key: ${showValue(key)}`);

function applyQualifiers(frame: Frame, root: CelValue, qualifiers: readonly Qualifier[]): CelValue {
  const isTested = qualifiers.at(-1)?.isTest === true;
  let value = root;
  let isOptional = false;
  if (root instanceof CelOptional) {
    if (root.value === undefined) return isTested ? false : root;
    value = nativeValue(root.value);
    isOptional = true;
  }
  if (value instanceof CelError) return value;
  for (const qualifier of qualifiers) {
    isOptional ||= qualifier.isOptional;
    const next: CelValue | undefined = isOptional ? ifPresent(frame, value, qualifier) : access(frame, value, qualifier);
    if (next === undefined) return isTested ? false : OPTIONAL_NONE;
    if (next instanceof CelError) return next;
    value = next;
  }
  return isOptional && !isTested ? optionalOf(value) : value;
}

/** A value that nothing is asked of. An optional is taken apart and put together again, as if something were. */
function wholeValue(value: CelValue): CelValue {
  if (!(value instanceof CelOptional) || value.value === undefined) return value;
  const native = nativeValue(value.value);
  return native === value.value ? value : optionalOf(native);
}

/** Go takes the value out of an optional as plain data, and forgets its schema. */
function nativeValue(value: CelValue): CelValue {
  return value instanceof CelMap || value instanceof CelList ? value.native() : value;
}

function access(frame: Frame, value: CelValue, { key, isTest, read }: Qualifier): CelValue {
  const at = typeof key === "function" ? asKey(key(frame)) : key;
  if (read !== undefined) {
    frame.charge(1);
    const field = read(value, String(at));
    return isTest ? field !== undefined : (field ?? null);
  }
  const found = at instanceof CelError ? at : isTest ? isPresent(value, at) : accessed(value, at);
  frame.charge(1);
  return found;
}

/** @returns undefined when it is not there. Only what is there costs something. */
function ifPresent(frame: Frame, value: CelValue, { key, isTest, read }: Qualifier): CelValue | undefined {
  const at = typeof key === "function" ? asKey(key(frame)) : key;
  const found = at instanceof CelError ? at : read === undefined ? find(value, at) : read(value, String(at));
  if (found === undefined || found instanceof CelError) return found;
  frame.charge(1);
  return isTest ? true : found;
}

function isPresent(value: CelValue, key: CelValue): CelValue {
  const found = find(value, key);
  return found instanceof CelError ? found : found !== undefined;
}

/** The value of a key or index; undefined where there is none, also of values that have none at all. Source: cel-go refQualify. */
function find(value: CelValue, key: CelValue): CelValue | undefined {
  if (value instanceof CelMap) return value.find(key);
  if (value instanceof CelStruct) return value.find(key);
  if (!(value instanceof CelList)) return undefined;
  const index = listIndex(key);
  if (index instanceof CelError) return index;
  return value.has(index) ? value.at(Number(index)) : undefined;
}

function accessed(value: CelValue, key: CelValue): CelValue {
  if (!(value instanceof CelMap) && value instanceof CelStruct) return value.get(key); // most are maps
  const found = find(value, key);
  if (found !== undefined) return found;
  return value instanceof CelList ? new CelError(`index out of bounds: ${showValue(key)}`) : missingKey(key);
}

/** What an expression yields as a key. */
export function asKey(key: CelValue): CelValue {
  if (typeof key === "string" || typeof key === "boolean" || isInt(key)) return key;
  if (key instanceof CelUint || key instanceof CelDouble || key instanceof CelError) return key;
  return new CelError(`invalid qualifier type: ${goTypeName(key)}`);
}
