import { isJSONObject, type JSONValue } from "../meta/index.ts";
import { compareStrings, compareValues, formatName, formatPrinted, formatValue } from "./value.ts";

/** One field of the key that names an element of a `map` list. */
export interface KeyField {
  readonly name: string;
  readonly value: JSONValue;
}

/**
 * One step from a value into it: a field of an object, the element of a `map` list by its key fields (sorted by name), the element of a `set`
 * list by its value, or the element of a list by its index. `isRead` says that it was read from FieldsV1, where Go knows floats only: they are printed as such.
 *
 * Source: structured-merge-diff fieldpath.PathElement.
 */
export type PathElement =
  | { readonly kind: "field"; readonly name: string }
  | { readonly kind: "key"; readonly fields: readonly KeyField[]; readonly isRead?: boolean }
  | { readonly kind: "value"; readonly value: JSONValue; readonly isRead?: boolean }
  | { readonly kind: "index"; readonly index: number };

export type FieldPath = readonly PathElement[];

/** A text that is no path element, or FieldsV1 that is no set. The caller decides what the client is told. */
export class MalformedFieldsError extends Error {
  override readonly name = "MalformedFieldsError";
}

export const fieldElement = (name: string): PathElement => ({ kind: "field", name });
export const valueElement = (value: JSONValue): PathElement => ({ kind: "value", value });
export const indexElement = (index: number): PathElement => ({ kind: "index", index });

/** @param fields in any order; they are kept sorted by name, which is what makes two keys comparable. */
export function keyElement(fields: readonly KeyField[]): PathElement & { readonly kind: "key" } {
  return { kind: "key", fields: fields.length < 2 ? fields : fields.toSorted((a, b) => compareStrings(a.name, b.name)) };
}

const RANKS = { field: 0, key: 1, value: 2, index: 3 } as const satisfies Record<PathElement["kind"], number>;

/**
 * The canonical order of path elements: field names, keys, values, indexes. FieldsV1 is written in it.
 *
 * @returns negative, zero or positive.
 * Source: structured-merge-diff PathElement.Compare.
 */
export function comparePathElements(left: PathElement, right: PathElement): number {
  if (left === right) return 0;
  switch (left.kind) {
    case "field":
      return right.kind === "field" ? compareStrings(left.name, right.name) : -1;
    case "key":
      return right.kind === "key" ? compareKeys(left.fields, right.fields) : RANKS[left.kind] - RANKS[right.kind];
    case "value":
      return right.kind === "value" ? compareValues(left.value, right.value) : RANKS[left.kind] - RANKS[right.kind];
    case "index":
      return right.kind === "index" ? left.index - right.index : RANKS[left.kind] - RANKS[right.kind];
    default:
      return left satisfies never;
  }
}

function compareKeys(left: readonly KeyField[], right: readonly KeyField[]): number {
  for (let index = 0; index < left.length; index++) {
    const [field, other] = [left[index], right[index]];
    if (field === undefined || other === undefined) return 1;
    const order = compareStrings(field.name, other.name) || compareValues(field.value, other.value);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

/** A path element as FieldsV1 spells it: `f:spec`, `k:{"name":"a"}`, `v:"a"`, `i:0`. */
export function formatPathElement(element: PathElement): string {
  switch (element.kind) {
    case "field":
      return `f:${element.name}`;
    case "key":
      return `k:{${formatKey(element.fields)}}`;
    case "value":
      return `v:${formatValue(element.value)}`;
    case "index":
      return `i:${element.index}`;
    default:
      return element satisfies never;
  }
}

function formatKey(fields: readonly KeyField[]): string {
  let text = "";
  for (const { name, value } of fields) text += `${text === "" ? "" : ","}${formatName(name)}:${formatValue(value)}`;
  return text;
}

/** What a JSON string holds that has no escapes. */
const PLAIN_TEXT = /^[ !#-[\]-\uffff]*$/;
const INTEGER = /^[+-]?[0-9]+$/;

/**
 * Reads a path element as FieldsV1 spells it.
 *
 * @returns undefined for a type of element that is not known: a later version may know it, so it is left out and no fault.
 * @throws {MalformedFieldsError} if the text is shorter than two characters, has no colon, or its value is not JSON.
 * Source: structured-merge-diff DeserializePathElement.
 */
export function parsePathElement(text: string): PathElement | undefined {
  if (text.length < 2) throw new MalformedFieldsError("key must be 2 characters long:");
  if (text[1] !== ":") throw new MalformedFieldsError(`missing colon: ${text}`);
  const rest = text.slice(2);
  switch (text[0]) {
    case "f":
      return fieldElement(rest);
    case "v":
      return { kind: "value", value: parseValue(rest, text), isRead: true };
    case "k": {
      const plain = parsePlainKey(rest);
      if (plain !== undefined) return { kind: "key", fields: [plain] };
      const key = parseValue(rest, text);
      if (!isJSONObject(key) && key !== null) throw new MalformedFieldsError(`key must be an object: ${text}`);
      const { fields } = keyElement(Object.entries(key ?? {}).map(([name, value]) => ({ name, value: value ?? null })));
      return { kind: "key", fields, isRead: true };
    }
    case "i": {
      const index = Number(rest);
      if (!INTEGER.test(rest) || !Number.isSafeInteger(index)) throw new MalformedFieldsError(`invalid index: ${text}`);
      return indexElement(index);
    }
    default:
      return undefined;
  }
}

/** One key field that is a text without escapes, `{"name":"a"}`: what most keys are, and much faster to read so than any JSON. */
function parsePlainKey(json: string): KeyField | undefined {
  const separator = json.indexOf('":"');
  if (separator < 2 || !json.startsWith('{"') || !json.endsWith('"}')) return undefined;
  const [name, value] = [json.slice(2, separator), json.slice(separator + 3, -2)];
  return json.length >= separator + 5 && PLAIN_TEXT.test(name) && PLAIN_TEXT.test(value) ? { name, value } : undefined;
}

/** Numbers are floats here, as Go reads them: of an integer beyond 2^53 the last digits are lost. */
function parseValue(json: string, text: string): JSONValue {
  try {
    // JSON.parse yields `any`; what it returns is a JSON value by definition.
    return JSON.parse(json) as JSONValue;
  } catch (cause) {
    throw new MalformedFieldsError(`invalid JSON: ${text}`, { cause });
  }
}

/**
 * A path as messages and conflicts print it: `.spec.ports[port=80,protocol="TCP"].name`, `.metadata.finalizers[="a"]`, `.x[0]`.
 *
 * Source: structured-merge-diff Path.String.
 */
export function formatPath(path: FieldPath): string {
  return path.map(formatStep).join("");
}

function formatStep(element: PathElement): string {
  switch (element.kind) {
    case "field":
      return `.${element.name}`;
    case "key":
      return `[${element.fields.map(({ name, value }) => `${name}=${formatPrinted(value, element.isRead)}`).join(",")}]`;
    case "value":
      return `[=${formatPrinted(element.value, element.isRead)}]`;
    case "index":
      return `[${element.index}]`;
    default:
      return element satisfies never;
  }
}
