import type { Fault, Source } from "./source.ts";

/**
 * What a token is. Punctuation, `in`, `true`, `false` and `null` are their own text; `end` is the end of the expression.
 */
export type TokenKind = Punctuation | "identifier" | "escaped" | "int" | "uint" | "double" | "string" | "bytes" | "end";

const PUNCTUATION = [
  "==",
  "!=",
  "<=",
  ">=",
  "&&",
  "||",
  "<",
  ">",
  "[",
  "]",
  "{",
  "}",
  "(",
  ")",
  ".",
  ",",
  "-",
  "!",
  "?",
  ":",
  "+",
  "*",
  "/",
  "%",
] as const;
const WORDS = ["in", "true", "false", "null"] as const;
type Punctuation = (typeof PUNCTUATION)[number] | (typeof WORDS)[number];

export interface Token {
  readonly kind: TokenKind;
  readonly text: string;
  /** Blanks and comments before it. */
  readonly leading: string;
  /** In code points. */
  readonly offset: number;
}

/** Points that are tokens only when they are there twice. */
const HALVES = ["=", "&", "|"];

const DIGIT = /[0-9]/;
const HEX_DIGIT = /[0-9a-fA-F]/;
const LETTER = /[A-Za-z_]/;
const WORD = /[A-Za-z0-9_]/;
const ESCAPED_WORD = /[A-Za-z0-9_.\-/ ]/;
const SPACE = /[\t \r\n\f]/;

/**
 * Splits an expression into tokens. What is no token is a fault, and is skipped.
 *
 * Source: cel-go parser/gen/CEL.g4, lexer rules.
 */
export function tokenize(source: Source, faults: Fault[]): readonly Token[] {
  return new Lexer(source, faults).run();
}

class Lexer {
  readonly #source: Source;
  readonly #points: readonly string[];
  readonly #faults: Fault[];
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(source: Source, faults: Fault[]) {
    this.#source = source;
    this.#points = source.points;
    this.#faults = faults;
  }

  run(): readonly Token[] {
    let leading = "";
    for (;;) {
      const before = this.#at;
      this.#skipSpace();
      leading += this.#source.slice(before, this.#at);
      if (this.#at >= this.#points.length) break;
      const start = this.#at;
      const kind = this.#read();
      if (kind === undefined) {
        this.#unknown(start);
        continue;
      }
      this.#tokens.push({ kind, text: this.#source.slice(start, this.#at), leading, offset: start });
      leading = "";
    }
    this.#tokens.push({ kind: "end", text: "<EOF>", leading, offset: this.#points.length });
    return this.#tokens;
  }

  #skipSpace(): void {
    for (;;) {
      while (this.#is(SPACE, this.#at)) this.#at++;
      if (this.#points[this.#at] !== "/" || this.#points[this.#at + 1] !== "/") return;
      while (this.#at < this.#points.length && this.#points[this.#at] !== "\n") this.#at++;
    }
  }

  /** @returns undefined when no token begins here; `#at` is then behind the point at which that was clear, which ANTLR skips as well. */
  #read(): TokenKind | undefined {
    const string = this.#readString();
    if (string !== undefined) return string === "fault" ? undefined : string;
    if (this.#is(LETTER, this.#at)) return this.#readWord();
    if (this.#is(DIGIT, this.#at) || (this.#points[this.#at] === "." && this.#is(DIGIT, this.#at + 1))) return this.#readNumber();
    if (this.#points[this.#at] === "`") return this.#readEscaped();
    const two = `${this.#points[this.#at]}${this.#points[this.#at + 1] ?? ""}`;
    for (const text of PUNCTUATION) {
      if (text !== (text.length === 2 ? two : this.#points[this.#at])) continue;
      this.#at += text.length;
      return text;
    }
    this.#giveUpAt(HALVES.includes(this.#points[this.#at] ?? "") ? this.#at + 1 : this.#at);
    return undefined;
  }

  /** The point at an offset fits no token that began before it. */
  #giveUpAt(offset: number): void {
    this.#at = Math.min(offset + 1, this.#points.length);
  }

  #readWord(): TokenKind {
    const start = this.#at;
    while (this.#is(WORD, this.#at)) this.#at++;
    const text = this.#source.slice(start, this.#at);
    return WORDS.find((word) => word === text) ?? "identifier";
  }

  #readEscaped(): TokenKind | undefined {
    const start = this.#at++;
    while (this.#is(ESCAPED_WORD, this.#at)) this.#at++;
    if (this.#points[this.#at] === "`" && this.#at > start + 1) {
      this.#at++;
      return "escaped";
    }
    this.#giveUpAt(this.#at);
    return undefined;
  }

  #readNumber(): TokenKind {
    if (this.#points[this.#at] === "0" && this.#points[this.#at + 1] === "x" && this.#is(HEX_DIGIT, this.#at + 2)) {
      this.#at += 2;
      this.#skip(HEX_DIGIT);
      return this.#takeUintSuffix() ? "uint" : "int";
    }
    this.#skip(DIGIT);
    let isDouble = false;
    if (this.#points[this.#at] === "." && this.#is(DIGIT, this.#at + 1)) {
      isDouble = true;
      this.#at++;
      this.#skip(DIGIT);
    }
    if (this.#takeExponent()) isDouble = true;
    if (isDouble) return "double";
    return this.#takeUintSuffix() ? "uint" : "int";
  }

  #takeUintSuffix(): boolean {
    if (this.#points[this.#at] !== "u" && this.#points[this.#at] !== "U") return false;
    this.#at++;
    return true;
  }

  #takeExponent(): boolean {
    if (this.#points[this.#at] !== "e" && this.#points[this.#at] !== "E") return false;
    const sign = this.#points[this.#at + 1];
    const digits = this.#at + (sign === "+" || sign === "-" ? 2 : 1);
    if (!this.#is(DIGIT, digits)) return false;
    this.#at = digits;
    this.#skip(DIGIT);
    return true;
  }

  /** @returns undefined when no string begins here. */
  #readString(): "string" | "bytes" | "fault" | undefined {
    let at = this.#at;
    const isBytes = this.#points[at] === "b" || this.#points[at] === "B";
    if (isBytes) at++;
    const isRaw = this.#points[at] === "r" || this.#points[at] === "R";
    if (isRaw) at++;
    const quote = this.#points[at];
    if (quote !== '"' && quote !== "'") return undefined;
    const isTriple = this.#points[at + 1] === quote && this.#points[at + 2] === quote;
    const end = (isTriple ? this.#endOfString(at + 3, quote.repeat(3), isRaw) : undefined) ?? this.#endOfString(at + 1, quote, isRaw);
    if (end !== undefined) {
      this.#at = end;
      return isBytes ? "bytes" : "string";
    }
    if (isBytes || isRaw) return undefined; // `b` and `r` are then words of their own, and the quote is the fault
    this.#giveUpAt(this.#breakOfString(at + 1));
    return "fault";
  }

  /** @returns the offset behind the closing quote; undefined when the string is not closed, or has an escape that there is not. */
  #endOfString(start: number, close: string, isRaw: boolean): number | undefined {
    const quote = close[0];
    for (let at = start; at < this.#points.length; at++) {
      const point = this.#points[at];
      if (point === quote && (close.length === 1 || (this.#points[at + 1] === quote && this.#points[at + 2] === quote))) return at + close.length;
      if (close.length === 1 && (point === "\n" || point === "\r")) return undefined;
      if (point !== "\\" || isRaw) continue;
      const length = this.#escapeLength(at);
      if (length === 0) return undefined;
      at += length - 1;
    }
    return undefined;
  }

  /** @returns where a string cannot go on: at a line break, within an escape that there is not, at the end. */
  #breakOfString(start: number): number {
    let at = start;
    while (at < this.#points.length && this.#points[at] !== "\n" && this.#points[at] !== "\r") {
      const length = this.#points[at] === "\\" ? this.#escapeLength(at) : 1;
      if (length === 0) return this.#breakOfEscape(at);
      at += length;
    }
    return at;
  }

  #breakOfEscape(start: number): number {
    const digits = start + 2 + this.#source.slice(start + 2, start + 10).search(/[^0-9a-fA-F]|$/);
    switch (this.#points[start + 1]) {
      case "x":
      case "X":
      case "u":
      case "U":
        return digits;
      case "0":
      case "1":
      case "2":
      case "3":
        return start + 2 + this.#source.slice(start + 2, start + 4).search(/[^0-7]|$/);
      default:
        return start + 1;
    }
  }

  /** @returns 0 when there is no such escape. */
  #escapeLength(at: number): number {
    const kind = this.#points[at + 1] ?? "";
    if ("abfnrtv\"'\\?`".includes(kind) && kind !== "") return 2;
    const hex = kind === "x" || kind === "X" ? 2 : kind === "u" ? 4 : kind === "U" ? 8 : 0;
    if (hex > 0)
      return this.#points.slice(at + 2, at + 2 + hex).every((point) => HEX_DIGIT.test(point)) && at + 2 + hex <= this.#points.length ? 2 + hex : 0;
    return /^[0-3][0-7][0-7]$/.test(this.#source.slice(at + 1, at + 4)) ? 4 : 0;
  }

  #unknown(start: number): void {
    const text = this.#source.slice(start, this.#at);
    this.#faults.push({ location: this.#source.location(start), message: `Syntax error: token recognition error at: '${text}'` });
  }

  #skip(kind: RegExp): void {
    while (this.#is(kind, this.#at)) this.#at++;
  }

  #is(kind: RegExp, at: number): boolean {
    const point = this.#points[at];
    return point !== undefined && kind.test(point);
  }
}
