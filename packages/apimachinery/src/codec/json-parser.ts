import { GO_ESCAPES } from "../meta/go-quote.ts";
import { type JSONArray, type JSONObject, type JSONValue, setOwn } from "../meta/index.ts";

/** The text is no JSON. The message is the one that Go's encoding/json has for the same text. */
export class JSONSyntaxError extends Error {
  override readonly name = "JSONSyntaxError";
}

/** How deep arrays and objects may nest. Go's encoding/json allows 10,000; what comes after the parser goes down by recursion, and this is what the stack holds for certain. */
export const MAX_JSON_DEPTH = 2_000;

/** How many duplicate fields are told. Source: saveStrictError of sigs.k8s.io/json. */
const MAX_DUPLICATES = 100;

const MIN_INT64 = -(2n ** 63n);
const MAX_INT64 = 2n ** 63n - 1n;

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

const LITERALS: Readonly<Record<string, { readonly text: string; readonly value: boolean | null }>> = {
  t: { text: "true", value: true },
  f: { text: "false", value: false },
  n: { text: "null", value: null },
};

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Where no blank may stand: within literals, numbers and escapes. Source: encoding/json, scanner.eof. */
const NO_BLANKS = /literal (?:true|false|null) |numeric literal$|escape/;

type MutableObject = Record<string, JSONValue | undefined>;

/** A container that is not closed yet. For an array `object` and `key` mean nothing, for an object `array` doesn't. */
interface Frame {
  readonly array: JSONValue[] | undefined;
  readonly object: MutableObject;
  key: string;
}

/** Called with each key as it is met, also with one that was there before. `path` makes a text as long as the nesting is deep: to be called where it matters. */
type KeyObserver = (key: string, path: () => string) => void;

/**
 * Reads one JSON text in one pass, without recursion, so that no depth of nesting can exhaust the stack.
 *
 * Kubernetes' rules: keys are case-sensitive, the last of several equal keys wins and the others are told as field paths;
 * `__proto__` is a key like any other. Integers that a double cannot hold become bigint up to 64 bits, other numbers are doubles.
 *
 * Source: sigs.k8s.io/json UnmarshalStrict.
 */
export class JSONParser {
  readonly duplicates: string[] = [];
  readonly #text: string;
  readonly #stack: Frame[] = [];
  #at = 0;
  /** Whether a value comes next; else what follows one. */
  #expectsValue = true;
  readonly #observe: KeyObserver | undefined;

  constructor(text: string, observe?: KeyObserver) {
    this.#text = text;
    this.#observe = observe;
  }

  /** @throws {JSONSyntaxError} when the text is not exactly one JSON value, nests too deep, or has a number that a double cannot hold. */
  parse(): JSONValue {
    let done: { readonly value: JSONValue } | undefined;
    while (done === undefined) done = this.#expectsValue ? this.#begin() : this.#next();
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("after top-level value");
    return done.value;
  }

  /** Goes on after a value inside a container. @returns the whole value when the outermost container was closed. */
  #next(): { readonly value: JSONValue } | undefined {
    const frame = this.#stack[this.#stack.length - 1];
    if (frame === undefined) throw new Error("JSON parser: no container is open");
    this.#skipSpace();
    const code = this.#text.charCodeAt(this.#at);
    if (code === 44 /* , */) {
      this.#at++;
      if (frame.array === undefined) this.#readKey(frame);
      this.#expectsValue = true;
      return undefined;
    }
    if (frame.array === undefined ? code === 125 /* } */ : code === 93 /* ] */) return this.#close(frame);
    return this.#fail(frame.array === undefined ? "after object key:value pair" : "after array element");
  }

  /** Reads a scalar, or opens a container. @returns the whole value when nothing is open afterwards. */
  #begin(): { readonly value: JSONValue } | undefined {
    this.#expectsValue = false;
    this.#skipSpace();
    const code = this.#text.charCodeAt(this.#at);
    if (code === 34 /* " */) return this.#put(this.#readString());
    if (code === 123 /* { */) return this.#openObject();
    if (code === 91 /* [ */) return this.#openArray();
    if (code === 45 /* - */ || (code >= 48 && code <= 57)) return this.#put(this.#readNumber());
    if (code === 116 || code === 102 || code === 110 /* t f n */) return this.#put(this.#readLiteral());
    return this.#fail("looking for beginning of value");
  }

  #openObject(): { readonly value: JSONValue } | undefined {
    const frame = this.#push({ array: undefined, object: {}, key: "" });
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) === 125 /* } */) return this.#close(frame);
    this.#readKey(frame);
    this.#expectsValue = true;
    return undefined;
  }

  #openArray(): { readonly value: JSONValue } | undefined {
    const frame = this.#push({ array: [], object: {}, key: "" });
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) === 93 /* ] */) return this.#close(frame);
    this.#expectsValue = true;
    return undefined;
  }

  #push(frame: Frame): Frame {
    if (this.#stack.length >= MAX_JSON_DEPTH) this.#fail("exceeded max depth");
    this.#at++;
    this.#stack.push(frame);
    return frame;
  }

  #close(frame: Frame): { readonly value: JSONValue } | undefined {
    this.#at++;
    this.#stack.pop();
    const value: JSONArray | JSONObject = frame.array ?? frame.object;
    return this.#put(value);
  }

  #put(value: JSONValue): { readonly value: JSONValue } | undefined {
    const frame = this.#stack[this.#stack.length - 1];
    if (frame === undefined) return { value };
    if (frame.array !== undefined) frame.array.push(value);
    else setOwn(frame.object, frame.key, value);
    return undefined;
  }

  #readKey(frame: Frame): void {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== 34 /* " */) this.#fail("looking for beginning of object key string");
    frame.key = this.#readString();
    if (Object.hasOwn(frame.object, frame.key)) this.#noteDuplicate();
    this.#observe?.(frame.key, this.#path);
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== 58 /* : */) this.#fail("after object key");
    this.#at++;
  }

  #noteDuplicate(): void {
    if (this.duplicates.length >= MAX_DUPLICATES) return;
    const path = this.#path();
    if (!this.duplicates.includes(path)) this.duplicates.push(path);
  }

  /** Of the key that is being read. */
  readonly #path = (): string => {
    let path = "";
    for (const { array, key } of this.#stack) path += array !== undefined ? `[${array.length}]` : path === "" ? key : `.${key}`;
    return path;
  };

  #readString(): string {
    const text = this.#text;
    const start = ++this.#at;
    for (let at = start; ; at++) {
      const code = text.charCodeAt(at);
      if (code === 34 /* " */) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === 92 /* \ */ || !(code >= 32)) {
        this.#at = at;
        return this.#readEscaped(text.slice(start, at));
      }
    }
  }

  /** The rest of a string from its first escape on; also where a control character or the end of the text is met. */
  #readEscaped(head: string): string {
    const text = this.#text;
    const parts = [head];
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code === 34 /* " */) break;
      if (code === 92 /* \ */) {
        parts.push(this.#readEscape());
        continue;
      }
      const start = this.#at;
      while (text.charCodeAt(this.#at) >= 32 && text.charCodeAt(this.#at) !== 34 && text.charCodeAt(this.#at) !== 92) this.#at++;
      if (this.#at === start) this.#fail("in string literal");
      parts.push(text.slice(start, this.#at));
    }
    this.#at++;
    // Half a surrogate pair has no UTF-8: it becomes U+FFFD, as in Go, and not only when the value is written again.
    return parts.join("").replace(/\p{Surrogate}/gu, "\ufffd");
  }

  #readEscape(): string {
    const letter = this.#text[++this.#at];
    const simple = letter === undefined ? undefined : SIMPLE_ESCAPES[letter];
    if (simple !== undefined) {
      this.#at++;
      return simple;
    }
    if (letter !== "u") return this.#fail("in string escape code");
    this.#at++;
    const start = this.#at;
    for (; this.#at < start + 4; this.#at++) {
      if (!/^[0-9a-fA-F]$/.test(this.#text[this.#at] ?? "")) this.#fail("in \\u hexadecimal character escape");
    }
    return String.fromCharCode(Number.parseInt(this.#text.slice(start, this.#at), 16));
  }

  #readNumber(): number | bigint {
    NUMBER.lastIndex = this.#at;
    const source = NUMBER.exec(this.#text)?.[0] ?? "";
    const start = this.#at;
    this.#at += source === "" ? 1 : source.length;
    this.#checkNumberEnd(source);
    const number = Number(source);
    if (!Number.isFinite(number)) {
      // Go's own sentence ends in the name of a Go type.
      throw new JSONSyntaxError(
        `json: cannot unmarshal number ${this.#text.slice(start, Math.min(this.#at, start + 64))} into a value: out of range`,
      );
    }
    return exactNumber(source, number);
  }

  /** What is left behind a number and looks like more of it is a fault inside the number. */
  #checkNumberEnd(source: string): void {
    const code = this.#text[this.#at];
    if (source === "") this.#fail("in numeric literal");
    if (code === "." && !/[.eE]/.test(source)) {
      this.#at++;
      this.#fail("after decimal point in numeric literal");
    }
    if ((code === "e" || code === "E") && !/[eE]/.test(source)) {
      this.#at++;
      if (this.#text[this.#at] === "+" || this.#text[this.#at] === "-") this.#at++;
      this.#fail("in exponent of numeric literal");
    }
  }

  #readLiteral(): boolean | null {
    const literal = LITERALS[this.#text[this.#at] ?? ""];
    if (literal === undefined) return this.#fail("looking for beginning of value");
    for (const letter of literal.text) {
      if (this.#text[this.#at] !== letter) this.#fail(`in literal ${literal.text} (expecting '${letter}')`);
      this.#at++;
    }
    return literal.value;
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      const code = text.charCodeAt(this.#at);
      if (code > 32 || (code !== 32 && code !== 10 && code !== 13 && code !== 9)) return;
      this.#at++;
    }
  }

  #fail(context: string): never {
    const isEnd = this.#at >= this.#text.length;
    // Go looks whether a blank could follow.
    if (isEnd && NO_BLANKS.test(context)) throw new JSONSyntaxError(`invalid character ' ' ${context}`);
    if (isEnd) throw new JSONSyntaxError("unexpected end of JSON input");
    throw new JSONSyntaxError(`invalid character ${quoteCharacter(this.#text, this.#at)} ${context}`);
  }
}

/**
 * The value of a number as written.
 *
 * @returns bigint for an integer beyond 2^53 that fits in 64 bits with a sign; Kubernetes reads larger ones as doubles, and
 *   an unbounded bigint would let a client make us multiply megabytes of digits.
 */
export function exactNumber(source: string, number = Number(source)): number | bigint {
  if (Number.isSafeInteger(number) || source.length > 20 || !/^-?\d+$/.test(source)) return number === 0 ? 0 : number;
  const exact = BigInt(source);
  return exact >= MIN_INT64 && exact <= MAX_INT64 ? exact : number;
}

/** Go looks at bytes: of a character beyond ASCII it names the first byte, as if that were Latin-1. */
function quoteCharacter(text: string, at: number): string {
  const point = text.codePointAt(at) ?? 0;
  const byte = point < 0x80 ? point : point < 0x800 ? 0xc0 | (point >> 6) : point < 0x10000 ? 0xe0 | (point >> 12) : 0xf0 | (point >> 18);
  const letter = String.fromCharCode(byte);
  const escaped = letter === "'" ? "\\'" : GO_ESCAPES[letter];
  if (escaped !== undefined) return `'${escaped}'`;
  if (byte < 32 || byte === 127) return `'\\x${byte.toString(16).padStart(2, "0")}'`;
  return `'${letter}'`;
}
