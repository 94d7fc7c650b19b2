import { quoteGo } from "../meta/go-quote.ts";
import { isJSONObject, type JSONArray, type JSONObject, type JSONValue } from "../meta/index.ts";
import { formatGoFloat, formatGoNumber } from "../schema/go-format.ts";

/**
 * Orders two strings as Go does: by the bytes of their UTF-8. It differs from JavaScript's own order only where a surrogate pair (a character
 * beyond U+FFFF) meets a character of U+E000 to U+FFFF.
 *
 * @returns negative, zero or positive.
 */
export function compareStrings(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return bytewise(a) - bytewise(b);
  }
  return left.length - right.length;
}

/** A UTF-16 code unit moved to where UTF-8 sorts it: surrogates (D800 to DFFF) after everything else. */
function bytewise(unit: number): number {
  return unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/** The place of each kind of value among the others. */
function rank(value: JSONValue): number {
  switch (typeof value) {
    case "number":
    case "bigint":
      return 0;
    case "string":
      return 1;
    case "boolean":
      return 2;
    default:
      return value === null ? 5 : Array.isArray(value) ? 3 : 4;
  }
}

/**
 * A total order of JSON values: numbers, strings, booleans, lists, objects, null; within each the natural one. `1` and `1.0` are equal.
 *
 * @returns negative, zero or positive.
 * Source: structured-merge-diff value.Compare.
 */
export function compareValues(left: JSONValue, right: JSONValue): number {
  const order = rank(left) - rank(right);
  if (order !== 0) return order;
  if (typeof left === "string" && typeof right === "string") return compareStrings(left, right);
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left, right);
  if (typeof left === "boolean") return Number(left) - Number(right);
  if (Array.isArray(left) && Array.isArray(right)) return compareLists(left, right);
  if (isJSONObject(left) && isJSONObject(right)) return compareObjects(left, right);
  return 0;
}

/**
 * Whether two values are the same to structured merge: an integer too large for a number equals the number that it rounds to.
 *
 * Source: structured-merge-diff value.Equals.
 */
export function equalValues(left: JSONValue, right: JSONValue): boolean {
  if (left === right) return true;
  if (isNumeric(left) && isNumeric(right)) return compareNumbers(left, right) === 0;
  if (Array.isArray(left)) {
    return Array.isArray(right) && equalLists(left, right);
  }
  if (!isJSONObject(left) || !isJSONObject(right)) return false;
  let common = 0;
  for (const key in left) {
    const value = left[key];
    if (value === undefined) continue;
    common++;
    // No value of JSON is what an object inherits: the same is its own.
    if (right[key] === value) continue;
    const other = Object.hasOwn(right, key) ? right[key] : undefined;
    if (other === undefined || !equalValues(value, other)) return false;
  }
  for (const key in right) if (right[key] !== undefined) common--;
  return common === 0;
}

function equalLists(left: JSONArray, right: JSONArray): boolean {
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (!equalValues(left[index] ?? null, right[index] ?? null)) return false;
  return true;
}

function isNumeric(value: JSONValue): value is number | bigint {
  return typeof value === "number" || typeof value === "bigint";
}

function compareNumbers(left: number | bigint, right: number | bigint): number {
  // An integer too large for a number may meet its rounded self, read from the text of a path element: Go compares these as floats too.
  if (typeof left !== typeof right) return compareNumbers(Number(left), Number(right));
  return left < right ? -1 : left > right ? 1 : 0;
}

function compareLists(left: JSONArray, right: JSONArray): number {
  for (const [index, value] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    const order = compareValues(value, other);
    if (order !== 0) return order;
  }
  return left.length - right.length;
}

function compareObjects(left: JSONObject, right: JSONObject): number {
  const leftKeys = Object.keys(left).sort(compareStrings);
  const rightKeys = Object.keys(right).sort(compareStrings);
  for (const [index, key] of leftKeys.entries()) {
    const other = rightKeys[index];
    if (other === undefined) return 1;
    const order = compareStrings(key, other) || compareValues(left[key] ?? null, right[other] ?? null);
    if (order !== 0) return order;
  }
  return leftKeys.length - rightKeys.length;
}

/** Without what any spelling escapes: names and most values, which then need no second look. */
const PLAIN = /^[ !#-%'-;=?-[\]-\u2027\u202a-\uffff]*$/;
// The last class is what sorts before the space: control characters.
const UNSAFE = /["\\]|[^ -\uffff]/g;
const HTML_UNSAFE = /["\\<>&\u2028\u2029]|[^ -\uffff]/g;
const SHORT_ESCAPES: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };

function escapeCharacter(character: string): string {
  return SHORT_ESCAPES[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A JSON string as Go writes names: only what JSON itself demands is escaped, control characters as `\u00XX`. */
export function formatName(name: string): string {
  return PLAIN.test(name) ? `"${name}"` : `"${name.replace(UNSAFE, escapeCharacter)}"`;
}

/**
 * A value as Go's JSON writes it within path elements and manager identifiers: no blanks, object keys sorted, `<`, `>`, `&` and the two
 * separators U+2028 and U+2029 escaped too, exponents of two digits.
 */
export function formatValue(value: JSONValue): string {
  return formatJSON(value, JSONITER);
}

/** A value as Go's encoding/json writes it: as {@link formatValue}, but for exponents that are no longer than they must be, and `\b` and `\f`. */
export function formatEncoded(value: JSONValue): string {
  return formatJSON(value, ENCODING_JSON);
}

interface Spelling {
  readonly escape: (character: string) => string;
  readonly number: (value: number) => string;
}

const JSONITER: Spelling = { escape: escapeCharacter, number: (value) => String(value).replace(/e([+-])(\d)$/, "e$10$2") };
const ENCODING_JSON: Spelling = {
  escape: (character) => (character === "\b" ? "\\b" : character === "\f" ? "\\f" : escapeCharacter(character)),
  number: String,
};

function formatJSON(value: JSONValue, spelling: Spelling): string {
  if (typeof value === "string") return PLAIN.test(value) ? `"${value}"` : `"${value.replace(HTML_UNSAFE, spelling.escape)}"`;
  if (typeof value === "number") return spelling.number(value);
  if (Array.isArray(value)) return `[${value.map((element: JSONValue) => formatJSON(element, spelling)).join(",")}]`;
  if (!isJSONObject(value)) return String(value);
  const fields = Object.keys(value).sort(compareStrings);
  return `{${fields.map((name) => `${formatJSON(name, spelling)}:${formatJSON(value[name] ?? null, spelling)}`).join(",")}}`;
}

/**
 * A value as Go prints it in messages: strings quoted, floats from a million on with an exponent.
 *
 * @param isRead whether it was read from FieldsV1, where every number is a float. Default false: a whole one has all its digits.
 * Source: structured-merge-diff value.ToString.
 */
export function formatPrinted(value: JSONValue, isRead = false): string {
  if (typeof value === "string") return quoteGo(value);
  if (typeof value === "bigint") return isRead ? formatGoFloat(Number(value)) : String(value);
  if (typeof value === "number") return isRead ? formatGoFloat(value) : formatGoNumber(value);
  if (Array.isArray(value)) return `[${value.map((element: JSONValue) => formatPrinted(element, isRead)).join(",")}]`;
  if (!isJSONObject(value)) return String(value);
  return Object.keys(value)
    .sort(compareStrings)
    .map((name) => `${name}=${formatPrinted(value[name] ?? null, isRead)}`)
    .join("");
}
