// What our code answers to a case, in the form of the Go program's answers.
import {
  checkForm,
  compare,
  decodeManagedFields,
  extractItems,
  type FieldPath,
  FieldSet,
  fieldElement,
  fieldSetOf,
  formatPath,
  type JSONObject,
  type JSONValue,
  MalformedFieldsError,
  type ManagedFieldsEntry,
  merge,
  type PathElement,
  parentManagedFields,
  parsePathElement,
  type ReplicasPaths,
  removeItems,
  SchemaMismatchError,
  type StructuralType,
  scaleManagedFields,
  structuralType,
} from "@annex/apimachinery";
import type { Case, ScaleCase, SetsCase, TypedCase, TypedOp } from "./cases.ts";
import { answerManaged } from "./our-object.ts";

/** @returns JSON; what Go leaves out is undefined. */
export function ourAnswer(asked: Case): unknown {
  switch (asked.kind) {
    case "sets":
      return answerSets(asked);
    case "typed": {
      const type = structuralType(asked.schema);
      return asked.ops.map((op) => orNothing(() => answerTyped(asked, op, type)));
    }
    case "managed":
      return answerManaged(asked);
    case "scale":
      return answerScale(asked);
    default:
      return asked satisfies never;
  }
}

function answerSets({ left: leftFields, right: rightFields, paths }: SetsCase): unknown {
  const left = readSet(leftFields);
  const right = readSet(rightFields);
  const sides = { left: left?.toFieldsV1() ?? null, right: right?.toFieldsV1() ?? null };
  if (left === undefined || right === undefined) return { ...sides, equals: false, size: 0 };
  return {
    ...sides,
    union: left.union(right).toFieldsV1(),
    intersection: left.intersection(right).toFieldsV1(),
    difference: left.difference(right).toFieldsV1(),
    recursiveDifference: left.recursiveDifference(right).toFieldsV1(),
    leaves: left.leaves().toFieldsV1(),
    equals: left.equals(right),
    size: left.size,
    members: [...left.paths()].map(formatPath),
    paths: paths.map((texts) => {
      const path = readPath(texts);
      return path === undefined ? null : { has: left.has(path), string: formatPath(path) };
    }),
  };
}

function readSet(fields: JSONObject): FieldSet | undefined {
  return unlessMalformed(() => FieldSet.fromFieldsV1(fields));
}

function readPath(texts: readonly string[]): FieldPath | undefined {
  return unlessMalformed(() => {
    const path: PathElement[] = [];
    for (const text of texts) {
      const element = parsePathElement(text);
      if (element === undefined) return undefined;
      path.push(element);
    }
    return path;
  });
}

function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedFieldsError) return undefined;
    throw error;
  }
}

function answerTyped({ values, sets }: TypedCase, op: TypedOp, type: StructuralType): unknown {
  const value = values[op.value] ?? null;
  if (op.op === "validate") return { isValid: isValid(value, type, op.allowsDuplicates) };
  checkForm(value, type, { allowsDuplicates: true });
  switch (op.op) {
    case "toFieldSet":
      return { set: fieldSetOf(value, type).toFieldsV1() };
    case "compare": {
      const { added, modified, removed } = compare(value, checked(values[op.other], type, true), type);
      return { added: added.toFieldsV1(), modified: modified.toFieldsV1(), removed: removed.toFieldsV1() };
    }
    case "merge":
      return valueAnswer(merge(value, checked(values[op.other], type, false), type));
    case "remove":
      return valueAnswer(removeItems(value, FieldSet.fromFieldsV1(sets[op.set] ?? {}), type));
    case "extract":
      return valueAnswer(extractItems(value, FieldSet.fromFieldsV1(sets[op.set] ?? {}), type));
    default:
      return op satisfies never;
  }
}

function checked(value: JSONValue = null, type: StructuralType, allowsDuplicates: boolean): JSONValue {
  checkForm(value, type, { allowsDuplicates });
  return value;
}

/** A value that is null is left out. */
function valueAnswer(value: JSONValue): unknown {
  return value === null ? { hasValue: true } : { value, hasValue: true };
}

function isValid(value: JSONValue, type: StructuralType, allowsDuplicates: boolean): boolean {
  return orNothing(() => checkForm(value, type, { allowsDuplicates }) === undefined) === true;
}

/** The answer to an operation on a value that has not the form of its schema has nothing in it. */
function orNothing<T>(answer: () => T): T | Record<string, never> {
  try {
    return answer();
  } catch (error) {
    if (error instanceof SchemaMismatchError) return {};
    throw error;
  }
}

function answerScale({ parent, scale, apiVersion, paths }: ScaleCase): unknown {
  const replicas: ReplicasPaths = new Map(Object.entries(paths).map(([version, names]) => [version, names?.map(fieldElement)]));
  const canRead = (entries: readonly ManagedFieldsEntry[]) => decodeManagedFields(entries, true) !== undefined;
  return {
    toScale: canRead(parent) ? scaleManagedFields(parent, replicas) : null,
    toParent: canRead(parent) && canRead(scale) ? parentManagedFields(parent, scale, apiVersion, replicas) : null,
  };
}
