import { isMostlyIndentation } from "./indentation.ts";
import { resolvePlainScalar } from "./yaml-scalar.ts";

/** Lines are folded at the first space beyond this column. */
const BEST_WIDTH = 80;
const INDENT = 2;

/** Longer keys, in bytes of UTF-8, are written in the explicit form, after `? `. */
const MAX_SIMPLE_KEY_BYTES = 128;

type ScalarStyle = "plain" | "single-quoted" | "double-quoted" | "literal";

/** What the text of a scalar allows. */
interface ScalarAnalysis {
  readonly allowsPlain: boolean;
  readonly allowsSingleQuoted: boolean;
  readonly allowsLiteral: boolean;
}

/** What is double-quoted: what go-yaml does not take to be printable, as a tab and all beyond U+FFFF, and the breaks that are none in YAML 1.2. */
const UNPRINTABLE = /[^\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
/** What a plain scalar must not begin with. */
const INDICATOR_AT_START = /^(?:[#,[\]{}&*!|>'"%@`]|---|\.\.\.|[?:-](?: |$))/;
/** `: ` and a final colon, and `#` after a blank. */
const INDICATOR_INSIDE = /.:(?: |$)| #/s;

/** Source: yaml_emitter_analyze_scalar. */
function analyze(text: string): ScalarAnalysis {
  if (text === "") return { allowsPlain: true, allowsSingleQuoted: true, allowsLiteral: false };
  const isMultiline = text.includes("\n");
  const isSpecial = UNPRINTABLE.test(text) || text.includes(" \n");
  const startsBlank = text.startsWith(" ");
  const endsBlank = text.endsWith(" ");
  return {
    allowsPlain: !isMultiline && !isSpecial && !startsBlank && !endsBlank && !INDICATOR_AT_START.test(text) && !INDICATOR_INSIDE.test(text),
    allowsSingleQuoted: !isSpecial && !isMultiline,
    allowsLiteral: !isSpecial && !endsBlank,
  };
}

const BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Quotes what would not be read back as a string, by this reader or by one that knows numbers of base 60. Source: go-yaml's encoder, stringv. */
function chooseStyle(text: string, analysis: ScalarAnalysis, isSimpleKey: boolean): ScalarStyle {
  if (text.includes("\n")) return isSimpleKey || !analysis.allowsLiteral ? "double-quoted" : "literal";
  if (resolvePlainScalar(text).kind !== "string" || BASE_60.test(text)) return "double-quoted";
  if (isSimpleKey && text === "<<") return "double-quoted";
  if (analysis.allowsPlain) return "plain";
  return analysis.allowsSingleQuoted ? "single-quoted" : "double-quoted";
}

/** What is escaped between double quotes: the unprintable, breaks, the quote and the backslash. */
const ESCAPED = /[^\x20\x21\x23-\x5b\x5d-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/;
/** Go's emitter looks for it at the beginning of the text wherever it is, and so escapes all of a text that begins with one. */
const BYTE_ORDER_MARK = "\ufeff";

const ESCAPES: Readonly<Record<string, string>> = {
  "\u0000": "\\0",
  "\u0007": "\\a",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\v": "\\v",
  "\f": "\\f",
  "\r": "\\r",
  "\u001b": "\\e",
  '"': '\\"',
  "\\": "\\\\",
  "\u0085": "\\N",
  "\u00a0": "\\_",
  "\u2028": "\\L",
  "\u2029": "\\P",
};

function escape(character: string): string {
  const known = ESCAPES[character];
  if (known !== undefined) return known;
  const point = character.codePointAt(0) ?? 0;
  const hex = point.toString(16).toUpperCase();
  if (point <= 0xff) return `\\x${hex.padStart(2, "0")}`;
  return point <= 0xffff ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
}

/**
 * Writes the pieces of one YAML document in block style, as libyaml's emitter and its Go translation do: it knows the column, and whether only
 * indentation was written on this line.
 *
 * Source: go.yaml.in/yaml/v2, emitterc.go.
 */
export class YAMLEmitter {
  readonly #parts: string[] = [];
  #column = 0;
  /** How much was written: blanks before what stands on a line, and everything else. */
  #indentation = 0;
  #characters = 0;
  /** Whether the last thing written was a space, or an indicator that needs none behind it. */
  #isAfterSpace = true;
  /** Whether this line has nothing but indentation and the indicators `-`, `?` and `:`. */
  #isIndentation = true;

  toString(): string {
    return this.#parts.join("");
  }

  get isIndentation(): boolean {
    return this.#isIndentation;
  }

  /** Starts a line at a column, unless the position is there already. @throws {RangeError} when the document is little but blanks. */
  indent(column: number): void {
    if (!this.#isIndentation || this.#column > column || (this.#column === column && !this.#isAfterSpace)) this.#break();
    if (this.#column < column) this.#blanks(column - this.#column);
    this.#isAfterSpace = true;
    this.#isIndentation = true;
  }

  /** `-`, `?` and `:` of the explicit form: what follows may be on the same line, as if this were indentation. */
  blockIndicator(indicator: string): void {
    this.#indicator(indicator, true, true);
  }

  /** The colon after a simple key. */
  colon(): void {
    this.#indicator(":", false, false);
  }

  /** A word that is written as it is: a number, `true`, `null`, `{}`. */
  word(text: string): void {
    this.#indicator(text, true, false);
  }

  /**
   * A string.
   *
   * @param indent the column of the entries around it, -1 when there are none: further lines of it begin two columns behind.
   * @param isSimpleKey before a colon on one line: it is never folded.
   */
  string(text: string, indent: number, isSimpleKey: boolean): void {
    const column = indent < 0 ? INDENT : indent + INDENT;
    const style = chooseStyle(text, analyze(text), isSimpleKey);
    if (style === "literal") this.#literal(text, column);
    else if (style === "plain") this.#plain(text, column, !isSimpleKey);
    else if (style === "single-quoted") this.#singleQuoted(text, column, !isSimpleKey);
    else this.#doubleQuoted(text, column, !isSimpleKey);
  }

  #plain(text: string, column: number, folds: boolean): void {
    if (!this.#isAfterSpace) this.#write(" ", 1);
    this.#foldable(text, column, folds, 0, text.length);
    this.#isAfterSpace = false;
    this.#isIndentation = false;
  }

  #singleQuoted(text: string, column: number, folds: boolean): void {
    this.#indicator("'", true, false);
    const quoted = text.replaceAll("'", "''");
    this.#foldable(quoted, column, folds, 1, quoted.length - 1);
    this.#indicator("'", false, false);
    this.#isAfterSpace = false;
    this.#isIndentation = false;
  }

  /** Text of one line; a single space beyond the width, at a position from `first` to before `last`, becomes a line break. */
  #foldable(text: string, column: number, folds: boolean, first: number, last: number): void {
    let start = 0;
    for (let at = folds ? text.indexOf(" ") : -1; at !== -1; at = text.indexOf(" ", at + 1)) {
      const isSingle = text[at - 1] !== " " && text[at + 1] !== " ";
      if (!isSingle || at < first || at >= last) continue;
      const chunk = text.slice(start, at);
      if (this.#column + countCharacters(chunk) <= BEST_WIDTH) continue;
      this.#write(chunk, countCharacters(chunk));
      this.#isIndentation = false;
      this.indent(column);
      start = at + 1;
    }
    const rest = text.slice(start);
    this.#write(rest, countCharacters(rest));
  }

  #doubleQuoted(text: string, column: number, folds: boolean): void {
    this.#indicator('"', true, false);
    const characters = [...text];
    const escapesAll = text.startsWith(BYTE_ORDER_MARK);
    let isAfterSpace = false;
    characters.forEach((character, index) => {
      const isInside = index > 0 && index < characters.length - 1;
      if (character !== " " || escapesAll) {
        const written = escapesAll || ESCAPED.test(character) ? escape(character) : character;
        this.#write(written, written === character ? 1 : written.length);
        isAfterSpace = false;
      } else if (folds && !isAfterSpace && this.#column > BEST_WIDTH && isInside) {
        this.#isIndentation = false;
        this.indent(column);
        if (characters[index + 1] === " ") this.#write("\\", 1);
        isAfterSpace = true;
      } else {
        this.#write(" ", 1);
        isAfterSpace = true;
      }
    });
    this.#indicator('"', false, false);
    this.#isAfterSpace = false;
    this.#isIndentation = false;
  }

  #literal(text: string, column: number): void {
    this.#indicator("|", true, false);
    if (/^[ \n]/.test(text)) this.#indicator(String(INDENT), false, false);
    if (!text.endsWith("\n")) this.#indicator("-", false, false);
    else if (text === "\n" || text.endsWith("\n\n")) this.#indicator("+", false, false);
    this.#break();
    this.#isIndentation = true;
    this.#isAfterSpace = true;
    text.split("\n").forEach((line, index) => {
      if (index > 0) this.#breakLiteral();
      if (line === "") return;
      this.indent(column);
      this.#write(line, countCharacters(line));
      this.#isIndentation = false;
    });
  }

  #indicator(text: string, needsSpace: boolean, isIndentation: boolean): void {
    if (needsSpace && !this.#isAfterSpace) this.#write(" ", 1);
    this.#write(text, text.length);
    this.#isAfterSpace = false;
    this.#isIndentation = this.#isIndentation && isIndentation;
  }

  #blanks(count: number): void {
    this.#indentation += count;
    if (isMostlyIndentation(this.#indentation, this.#characters)) throw new RangeError("a YAML document would be little but indentation");
    this.#parts.push(" ".repeat(count));
    this.#column += count;
  }

  #write(text: string, width: number): void {
    this.#parts.push(text);
    this.#characters += text.length;
    this.#column += width;
  }

  #break(): void {
    this.#parts.push("\n");
    this.#column = 0;
  }

  #breakLiteral(): void {
    this.#break();
    this.#isIndentation = true;
  }
}

/** Whether a key can stand before its colon on one line. */
export function isSimpleKey(text: string): boolean {
  return !/[\n\r\x85]/.test(text) && utf8Length(text) <= MAX_SIMPLE_KEY_BYTES;
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  }
  return bytes;
}

/** Columns are characters: half a surrogate pair is none. */
function countCharacters(text: string): number {
  let count = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit >= 0xdc00 && unit <= 0xdfff) count--;
  }
  return count;
}
