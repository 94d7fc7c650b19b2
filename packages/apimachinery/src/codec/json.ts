import type { JSONValue } from "../meta/index.ts";
import { LONG_NUMBER, parseCompactJSON } from "./compact-json.ts";
import { isMostlyIndentation } from "./indentation.ts";
import { JSONParser, JSONSyntaxError } from "./json-parser.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Deeper than what a decoder lets in; keeps a value that contains itself from being written for ever. */
const MAX_ENCODE_DEPTH = 20_000;

/**
 * Reads stored bytes, which this server wrote itself: a key that occurs twice is not looked for.
 *
 * @returns the value; integers beyond 2^53 as bigint.
 * @throws {JSONSyntaxError} when the bytes are not UTF-8 or no JSON.
 */
export function decodeJSON(bytes: Uint8Array): JSONValue {
  const text = decodeUTF8(bytes);
  if (LONG_NUMBER.test(text)) return new JSONParser(text).parse();
  try {
    // JSON.parse yields `any`; what it returns is a JSON value by definition.
    return JSON.parse(text) as JSONValue;
  } catch {
    return new JSONParser(text).parse(); // for Go's sentence
  }
}

export interface DecodedJSON {
  readonly value: JSONValue;
  /** The fields that were there more than once, as `spec.list[0].name`; each once, at most 100, in the order of the text. The last one won. */
  readonly duplicates: readonly string[];
}

/**
 * Reads the body of a request.
 *
 * Keys are case-sensitive and `__proto__` is one of them; nesting is at most 10,000 deep; half a surrogate pair becomes U+FFFD.
 * Integers beyond 2^53 are bigint up to 64 bits with a sign and doubles beyond that, `5.0` and `1e1` are the numbers 5 and 10.
 *
 * @param bytes UTF-8, without a byte order mark. (Go replaces what is not UTF-8 by U+FFFD; here it is an error.)
 * @throws {JSONSyntaxError} with Go's sentence for the same text; also for numbers beyond the range of a double.
 *
 * Source: sigs.k8s.io/json UnmarshalStrict.
 */
export function decodeStrictJSON(bytes: Uint8Array): DecodedJSON {
  const text = decodeUTF8(bytes);
  const compact = parseCompactJSON(text);
  if (compact !== undefined) return { value: compact, duplicates: [] };
  const parser = new JSONParser(text);
  const value = parser.parse();
  return { value, duplicates: parser.duplicates };
}

/** How long a text is whose faults are told in its order: it is read a second time for that, and the path of a key is as long as the nesting is deep. */
const MAX_ORDERED_TEXT = 64 * 1024;

/**
 * Tells the strict decoding faults of a text in the order in which they stand in it, as Go's decoder of compiled-in kinds does.
 *
 * @param bytes what {@link decodeStrictJSON} read, with `duplicates` as it told them.
 * @param unknown paths of fields that are not known, in the order of the text.
 * @returns `duplicate field "a.b"` and `unknown field "c"`; of a text beyond 64 KiB the duplicates first.
 * Source: sigs.k8s.io/json, decodeState.object.
 */
export function strictFaults(bytes: Uint8Array, duplicates: readonly string[], unknown: readonly string[]): readonly string[] {
  // What is not known is told as that alone, however often it stands there, and nothing within it is.
  const isWithinUnknown = (path: string) => unknown.some((field) => path === field || path.startsWith(`${field}.`) || path.startsWith(`${field}[`));
  const known = unknown.length === 0 ? duplicates : duplicates.filter((path) => !isWithinUnknown(path));
  const duplicateFaults = known.map((path) => `duplicate field ${JSON.stringify(path)}`);
  const unknownFaults = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (known.length === 0 || unknown.length === 0 || bytes.length > MAX_ORDERED_TEXT) return [...duplicateFaults, ...unknownFaults];
  const pending = new Set(unknown);
  const seen = new Set<string>();
  const lastSegments = new Set([...known, ...unknown].map((path) => path.slice(path.lastIndexOf(".") + 1)));
  const faults: string[] = [];
  const parser = new JSONParser(decodeUTF8(bytes), (key, path) => {
    // A key may have dots itself: what it ends in is what the path ends in.
    if (!lastSegments.has(key.slice(key.lastIndexOf(".") + 1))) return;
    const at = path();
    if (pending.delete(at)) faults.push(`unknown field ${JSON.stringify(at)}`);
    else if (seen.has(at) && !isWithinUnknown(at)) faults.push(`duplicate field ${JSON.stringify(at)}`);
    seen.add(at);
  });
  parser.parse();
  const told = new Set(faults);
  return [...told, ...[...duplicateFaults, ...unknownFaults].filter((fault) => !told.has(fault))];
}

/** Text as UTF-8. @throws {JSONSyntaxError} when it is not. */
function decodeUTF8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new JSONSyntaxError("invalid UTF-8 in JSON input");
  }
}

/**
 * Writes a value as JSON without spaces or a final newline. Properties that are `undefined` are left out; bigint is written with all its digits.
 * Go writes `<`, `>`, `&`, U+2028 and U+2029 as `\u003c` …; here they stand for themselves, which is the same JSON value.
 */
export function encodeJSONText(value: unknown): string {
  return stringify(value, 0);
}

/** {@link encodeJSONText} as UTF-8. */
export function encodeJSON(value: unknown): Uint8Array {
  return encoder.encode(stringify(value, 0));
}

/**
 * Writes a value as `pretty=true` asks for it: two spaces a level, no final newline; without spaces, what would be little but spaces. Source: the json serializer of
 * k8s.io/apimachinery.
 */
export function encodePrettyJSON(value: unknown): Uint8Array {
  const text = stringify(value, 0);
  return encoder.encode(isMostlyIndentation(indentationOf(text), text.length) ? text : stringify(value, 2));
}

/** How many characters the indentation of a JSON text would have at the most, two a level. */
function indentationOf(text: string): number {
  let [depth, indentation] = [0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 34 /* " */) at = endOfString(text, at);
    else if (code === 123 /* { */ || code === 91 /* [ */) indentation += 2 * ++depth;
    else if (code === 125 /* } */ || code === 93 /* ] */) indentation += 2 * --depth;
    else if (code === 44 /* , */) indentation += 2 * depth;
  }
  return indentation;
}

/** Where the string that begins at a position ends. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 92 /* \\ */) at++;
    else if (code === 34 /* " */) return at;
  }
  return text.length;
}

function stringify(value: unknown, indent: number): string {
  try {
    // The library's types hide that JSON.stringify answers undefined for what JSON has no word for.
    const text = JSON.stringify(value, undefined, indent) as string | undefined;
    return text ?? "null";
  } catch {
    // A bigint, or nesting that exhausts the stack of JSON.stringify: neither is worth a check of every value beforehand.
    return new JSONWriter(indent).write(value);
  }
}

/** One container that is being written: what is still to come of it. */
interface OpenContainer {
  readonly entries: Iterator<readonly [key: string | number, value: unknown]>;
  readonly isArray: boolean;
  isEmpty: boolean;
}

/** JSON.stringify with bigint, and with its stack on the heap. */
class JSONWriter {
  readonly #indent: number;
  readonly #parts: string[] = [];
  readonly #open: OpenContainer[] = [];

  constructor(indent: number) {
    this.#indent = indent;
  }

  write(value: unknown): string {
    this.#value(value);
    for (let top = this.#open.at(-1); top !== undefined; top = this.#open.at(-1)) {
      const next = top.entries.next();
      if (next.done === true) {
        this.#open.pop();
        if (!top.isEmpty) this.#newLine();
        this.#parts.push(top.isArray ? "]" : "}");
        continue;
      }
      this.#entry(top, next.value[0], next.value[1]);
    }
    return this.#parts.join("");
  }

  #entry(top: OpenContainer, key: string | number, value: unknown): void {
    if (!top.isArray && isUnwritable(value)) return;
    if (!top.isEmpty) this.#parts.push(",");
    top.isEmpty = false;
    this.#newLine();
    if (!top.isArray) this.#parts.push(JSON.stringify(String(key)), this.#indent === 0 ? ":" : ": ");
    this.#value(value);
  }

  #value(value: unknown): void {
    if (typeof value === "bigint") {
      this.#parts.push(value.toString());
    } else if (typeof value !== "object" || value === null) {
      this.#parts.push(isUnwritable(value) ? "null" : JSON.stringify(value));
    } else {
      if (this.#open.length >= MAX_ENCODE_DEPTH) throw new RangeError(`a JSON value nests deeper than ${MAX_ENCODE_DEPTH}`);
      const isArray = Array.isArray(value);
      this.#parts.push(isArray ? "[" : "{");
      this.#open.push({ entries: isArray ? value.entries() : Object.entries(value).values(), isArray, isEmpty: true });
    }
  }

  #newLine(): void {
    if (this.#indent > 0) this.#parts.push("\n", " ".repeat(this.#indent * this.#open.length));
  }
}

/** What JSON has no word for: left out of objects, null elsewhere. */
function isUnwritable(value: unknown): boolean {
  return value === undefined || typeof value === "function" || typeof value === "symbol";
}
