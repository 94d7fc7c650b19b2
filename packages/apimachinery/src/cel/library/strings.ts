import { GO_ESCAPES } from "../../meta/go-quote.ts";
import { type FunctionDeclaration, member, overload } from "../check/declaration.ts";
import type { CelLibrary } from "../environment.ts";
import { CelError } from "../value/error.ts";
import { ArrayList, type CelList } from "../value/list.ts";
import type { CelInt } from "../value/number.ts";
import { showValue } from "../value/show.ts";
import { codePointCount, codePoints, sliceCodePoints } from "../value/text.ts";
import { DYN, INT, listType, STRING } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import { workOnText } from "../value/work.ts";
import { formatText } from "./format-text.ts";

const outOfRange = (index: CelInt): CelError => new CelError(`index out of range: ${index}`);

function charAt(text: string, index: CelInt): CelValue {
  const points = codePoints(text);
  if (index < 0 || index > points.length) return outOfRange(index);
  return points[Number(index)] ?? "";
}

function indexOf(text: string, part: string, offset: CelInt): CelValue {
  if (part === "") return offset;
  if (offset < 0) return outOfRange(offset);
  const points = codePoints(text);
  if (offset >= points.length) return -1;
  if (typeof points === "string") return points.indexOf(part, Number(offset));
  const found = text.indexOf(part, points.slice(0, Number(offset)).join("").length);
  return found < 0 ? -1 : codePointCount(text.slice(0, found));
}

function lastIndexOf(text: string, part: string): CelValue {
  const length = codePointCount(text);
  if (part === "") return length;
  return text.length < part.length ? -1 : lastIndexOfBefore(text, part, length - 1);
}

/** @param offset the last place at which the part may begin. */
function lastIndexOfBefore(text: string, part: string, offset: CelInt): CelValue {
  if (part === "") return offset;
  if (offset < 0) return outOfRange(offset);
  const points = codePoints(text);
  if (offset >= points.length) return -1;
  if (typeof points === "string") return points.lastIndexOf(part, Number(offset));
  const found = text.lastIndexOf(part, points.slice(0, Number(offset)).join("").length);
  return found < 0 ? -1 : codePointCount(text.slice(0, found));
}

const lowerASCII = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const upperASCII = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** A text with at most `limit` occurrences replaced; of nothing, before each code point and at the end. Source: strings.Replace. */
function replace(text: string, part: string, by: string, limit: CelInt): string {
  if (limit === 0 || part === by) return text;
  const most = limit < 0 ? Number.POSITIVE_INFINITY : Number(limit);
  workOnText(Math.min(most, occurrences(text, part)) * by.length);
  if (part !== "") return most === Number.POSITIVE_INFINITY ? text.replaceAll(part, () => by) : replaceSome(text, part, by, most);
  const points = Array.from(text);
  const places = Math.min(most, points.length + 1);
  const body = points.map((point, index) => (index < places ? by + point : point)).join("");
  return places > points.length ? body + by : body;
}

function occurrences(text: string, part: string): number {
  if (part === "") return text.length + 1;
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + part.length)) count++;
  return count;
}

function replaceSome(text: string, part: string, by: string, most: number): string {
  const pieces = text.split(part);
  const replaced = Math.min(most, pieces.length - 1);
  return [pieces.slice(0, replaced + 1).join(by), ...pieces.slice(replaced + 1)].join(part);
}

/** Source: strings.SplitN. */
function split(text: string, separator: string, limit: CelInt): CelValue {
  if (limit === 0) return new ArrayList([]);
  const pieces = separator === "" ? Array.from(text) : text.split(separator);
  const most = limit < 0 ? pieces.length : Math.min(Number(limit), pieces.length);
  if (most >= pieces.length) return new ArrayList(pieces);
  return new ArrayList([...pieces.slice(0, most - 1), pieces.slice(most - 1).join(separator)]);
}

function substring(text: string, start: CelInt): CelValue {
  const length = codePointCount(text);
  return start < 0 || start > length ? outOfRange(start) : sliceCodePoints(text, Number(start), length);
}

function substringRange(text: string, start: CelInt, end: CelInt): CelValue {
  const length = codePointCount(text);
  if (start > end) return new CelError(`invalid substring range. start: ${start}, end: ${end}`);
  if (start < 0 || start > length) return outOfRange(start);
  return end < 0 || end > length ? outOfRange(end) : sliceCodePoints(text, Number(start), Number(end));
}

/** What Go's unicode.IsSpace takes: not the byte order mark, which JavaScript's trim does. */
const SPACE = "[\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]+";
const LEADING_SPACE = new RegExp(`^${SPACE}`);
const SPACE_ONLY = new RegExp(`^${SPACE}$`);

function trim(text: string): string {
  const start = text.replace(LEADING_SPACE, "");
  let end = start.length;
  while (end > 0 && SPACE_ONLY.test(start[end - 1] ?? "")) end--;
  return start.slice(0, end);
}

function join(list: CelList, separator: string): CelValue {
  const texts: string[] = [];
  for (let index = 0; index < list.size; index++) {
    const element = list.at(index);
    // Go shows the number that null is there.
    if (typeof element !== "string") return new CelError(`join: invalid input: ${element === null ? "0" : showValue(element)}`);
    workOnText(element.length + separator.length);
    texts.push(element);
  }
  return texts.join(separator);
}

/** As Go's, but for what has no letter: that stays as it is. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is quoted
const quote = (text: string): string => `"${text.replace(/[\x07\b\f\n\r\t\v\\"]/g, (char) => GO_ESCAPES[char] ?? `\\${char}`)}"`;

const FUNCTIONS: readonly FunctionDeclaration[] = [
  { name: "charAt", overloads: [member("string_char_at_int", [STRING, INT], STRING, charAt)] },
  {
    name: "indexOf",
    overloads: [
      member("string_index_of_string", [STRING, STRING], INT, (text: string, part: string) => indexOf(text, part, 0)),
      member("string_index_of_string_int", [STRING, STRING, INT], INT, indexOf),
    ],
  },
  {
    name: "lastIndexOf",
    overloads: [
      member("string_last_index_of_string", [STRING, STRING], INT, lastIndexOf),
      member("string_last_index_of_string_int", [STRING, STRING, INT], INT, lastIndexOfBefore),
    ],
  },
  { name: "lowerAscii", overloads: [member("string_lower_ascii", [STRING], STRING, lowerASCII)] },
  {
    name: "replace",
    overloads: [
      member("string_replace_string_string", [STRING, STRING, STRING], STRING, (text: string, part: string, by: string) =>
        replace(text, part, by, -1),
      ),
      member("string_replace_string_string_int", [STRING, STRING, STRING, INT], STRING, replace),
    ],
  },
  {
    name: "split",
    overloads: [
      member("string_split_string", [STRING, STRING], listType(STRING), (text: string, separator: string) => split(text, separator, -1)),
      member("string_split_string_int", [STRING, STRING, INT], listType(STRING), split),
    ],
  },
  {
    name: "substring",
    overloads: [
      member("string_substring_int", [STRING, INT], STRING, substring),
      member("string_substring_int_int", [STRING, INT, INT], STRING, substringRange),
    ],
  },
  { name: "trim", overloads: [member("string_trim", [STRING], STRING, trim)] },
  { name: "upperAscii", overloads: [member("string_upper_ascii", [STRING], STRING, upperASCII)] },
  { name: "format", overloads: [member("string_format", [STRING, listType(DYN)], STRING, formatText)] },
  { name: "strings.quote", overloads: [overload("strings_quote", [STRING], STRING, quote)] },
  {
    name: "join",
    overloads: [
      member("list_join", [listType(STRING)], STRING, (list: CelList) => join(list, "")),
      member("list_join_string", [listType(STRING), STRING], STRING, join),
    ],
  },
];

/** Functions on texts, version 2. Source: cel-go ext/strings.go. */
export const STRING_LIBRARY: CelLibrary = { name: "cel.lib.ext.strings", functions: FUNCTIONS };
