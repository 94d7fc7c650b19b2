// JSON as the recordings need it: numbers that JavaScript would write otherwise keep their text.

/** A JSON value. Objects and arrays are never changed in place. */
export type JSONValue = null | boolean | number | string | NumberText | readonly JSONValue[] | JSONObject;
export interface JSONObject {
  readonly [key: string]: JSONValue;
}

/** A number whose text JavaScript would not give back: `1.0`, `9007199254740993`. */
export class NumberText {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What stands for a number's text between the two steps of {@link parseJSON}: followed by it, in a string. Free use in Unicode, so nobody sends it. */
const MARK = "\uE000number\uE000";
const STRING_OR_NUMBER = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

export function isObject(value: JSONValue | undefined): value is JSONObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof NumberText);
}

export function isArray(value: JSONValue | undefined): value is readonly JSONValue[] {
  return Array.isArray(value);
}

/** @returns undefined for what is no JSON. The last of equal keys counts. */
export function parseJSON(text: string): JSONValue | undefined {
  try {
    const plain = JSON.parse(text) as JSONValue; // JSON.parse yields nothing else
    let isExact = true;
    const marked = text.replace(STRING_OR_NUMBER, (token) => {
      if (token.startsWith('"') || String(Number(token)) === token) return token;
      isExact = false;
      return `"${MARK}${token}"`;
    });
    if (isExact) return plain;
    return JSON.parse(marked, (_key, value: JSONValue) =>
      typeof value === "string" && value.startsWith(MARK) ? new NumberText(value.slice(MARK.length)) : value,
    ) as JSONValue;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** How {@link formatJSON} writes. */
export interface JSONForm {
  /** Spaces a level, one member a line. Default: one line, with `, ` and `: `. */
  readonly indent?: number;
  /** Keys in the order of their characters. Default: as they are. */
  readonly sorted?: boolean;
  /** Everything beyond ASCII as `\uXXXX`. */
  readonly ascii?: boolean;
}

/** Writes JSON as Python's `json.dumps` does: the recordings' order of lists that have none of their own is the order of such texts. */
export function formatJSON(value: JSONValue, form: JSONForm = {}, depth = 0): string {
  if (value instanceof NumberText) return value.text;
  if (isArray(value)) {
    return enclose(
      "[]",
      value.map((item) => formatJSON(item, form, depth + 1)),
      form,
      depth,
    );
  }
  if (isObject(value)) {
    const keys = form.sorted === true ? Object.keys(value).sort() : Object.keys(value);
    const members = keys.map((key) => `${text(key, form)}: ${formatJSON(value[key] ?? null, form, depth + 1)}`);
    return enclose("{}", members, form, depth);
  }
  return typeof value === "string" ? text(value, form) : JSON.stringify(value);
}

function enclose(brackets: "[]" | "{}", members: readonly string[], { indent }: JSONForm, depth: number): string {
  const [open, close] = [brackets.charAt(0), brackets.charAt(1)];
  if (members.length === 0) return brackets;
  if (indent === undefined) return `${open}${members.join(", ")}${close}`;
  const line = (level: number) => `\n${" ".repeat(indent * level)}`;
  return `${open}${line(depth + 1)}${members.join(`,${line(depth + 1)}`)}${line(depth)}${close}`;
}

function text(value: string, { ascii }: JSONForm): string {
  const quoted = JSON.stringify(value);
  return ascii === true ? quoted.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`) : quoted;
}

/** By value: `5`, `5.0` and `5e0` are one number. */
export function isSameNumber(left: number | NumberText, right: number | NumberText): boolean {
  const [a, b] = [left, right].map((number) => (number instanceof NumberText ? number.text : String(number)));
  if (a === undefined || b === undefined || a === b) return true;
  const isWhole = (digits: string) => /^-?\d+$/.test(digits);
  return isWhole(a) && isWhole(b) ? BigInt(a) === BigInt(b) : Number(a) === Number(b);
}

/** Whether two values say the same: the keys of objects have no order, numbers count by value. */
export function isSameJSON(left: JSONValue | undefined, right: JSONValue | undefined): boolean {
  if (isNumber(left) && isNumber(right)) return isSameNumber(left, right);
  if (isArray(left) && isArray(right)) return left.length === right.length && left.every((item, index) => isSameJSON(item, right[index]));
  if (isObject(left) && isObject(right)) {
    const keys = Object.keys(left);
    return keys.length === Object.keys(right).length && keys.every((key) => Object.hasOwn(right, key) && isSameJSON(left[key], right[key]));
  }
  return left === right;
}

export function isNumber(value: JSONValue | undefined): value is number | NumberText {
  return typeof value === "number" || value instanceof NumberText;
}
