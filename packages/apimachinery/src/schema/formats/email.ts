import { isDottedQuad, isIPv6Address } from "./network.ts";

/**
 * One RFC 5322 address: `a@example.com`, `"A. B" <a@example.com>`, with comments; also a group of one.
 *
 * Source: net/mail.ParseAddress. Unlike it, this one does not look at encoded words within comments.
 */
export function isEmailAddress(text: string): boolean {
  const reader = new Reader(text);
  return readAddresses(reader, true) === 1 && reader.skipComments() && reader.atEnd();
}

/** @returns how many addresses were read, undefined for a fault. */
function readAddresses(reader: Reader, mayBeGroup: boolean): number | undefined {
  reader.skipSpace();
  const start = reader.position;
  if (readAddrSpec(reader)) return 1;
  reader.position = start;
  if (reader.peek() !== "<" && !readPhrase(reader)) return undefined;
  reader.skipSpace();
  if (mayBeGroup && reader.take(":")) return readGroup(reader);
  return reader.take("<") && readAddrSpec(reader) && reader.take(">") ? 1 : undefined;
}

function readGroup(reader: Reader): number | undefined {
  reader.skipSpace();
  if (reader.take(";")) return 0;
  for (let count = 1; ; count++) {
    if (readAddresses(reader, false) === undefined || !reader.skipComments()) return undefined;
    if (reader.take(";")) return count;
    if (!reader.take(",")) return undefined;
  }
}

class Reader {
  position = 0;
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  atEnd(): boolean {
    return this.position >= this.text.length;
  }

  peek(): string {
    return this.text[this.position] ?? "";
  }

  take(char: string): boolean {
    if (this.peek() !== char) return false;
    this.position++;
    return true;
  }

  /** @param pattern sticky. @returns the match, possibly empty. */
  match(pattern: RegExp): string {
    pattern.lastIndex = this.position;
    const found = pattern.exec(this.text)?.[0] ?? "";
    this.position += found.length;
    return found;
  }

  skipSpace(): void {
    while (this.peek() === " " || this.peek() === "\t") this.position++;
  }

  /** Comments nest. @returns false when one is not closed. */
  skipComments(): boolean {
    this.skipSpace();
    while (this.take("(")) {
      let depth = 1;
      while (depth > 0) {
        if (this.atEnd()) return false;
        if (this.peek() === "\\" && this.position + 1 < this.text.length) this.position++;
        else if (this.peek() === "(") depth++;
        else if (this.peek() === ")") depth--;
        this.position++;
      }
      this.skipSpace();
    }
    return true;
  }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: whatever is beyond ASCII counts as text
const DOT_ATOM = /(?:[A-Za-z0-9.!#$%&'*+\-/=?^_`{|}~]|[^\x00-\x7f])*/uy;
// biome-ignore lint/suspicious/noControlCharactersInRegex: whatever is beyond ASCII counts as text
const QUOTED = /"((?:[\t \x21\x23-\x5b\x5d-\x7e]|[^\x00-\x7f]|\\(?:[\t\x20-\x7e]|[^\x00-\x7f]))*)"/uy;

function readAddrSpec(reader: Reader): boolean {
  reader.skipSpace();
  if (reader.peek() === '"') {
    if (reader.match(QUOTED).length <= 2) return false;
  } else if (!readDotAtom(reader)) return false;
  if (!reader.take("@")) return false;
  reader.skipSpace();
  if (reader.peek() !== "[") return readDotAtom(reader);
  const literal = reader.match(/\[[\x21-\x5a\x5e-\x7e]*\]/y).slice(1, -1);
  return isDottedQuad(literal, false) || isIPv6Address(literal);
}

function readDotAtom(reader: Reader): boolean {
  const atom = reader.match(DOT_ATOM);
  return atom !== "" && !atom.startsWith(".") && !atom.endsWith(".") && !atom.includes("..");
}

/** A display name: words, quoted strings, encoded words. What follows the last one is left to the caller. */
function readPhrase(reader: Reader): boolean {
  let hasEncoded = false;
  for (let words = 0; ; ) {
    // As in Go, an encoded word alone does not make way for a comment.
    if (words > 0 && !reader.skipComments()) return false;
    reader.skipSpace();
    const isQuoted = reader.peek() === '"';
    const word = reader.match(isQuoted ? QUOTED : DOT_ATOM);
    const charset = isQuoted ? undefined : encodedCharset(word);
    if (word === "" || (charset !== undefined && !CHARSETS.has(charset))) return words > 0 || hasEncoded;
    if (charset === undefined) words++;
    else hasEncoded = true;
  }
}

const CHARSETS: ReadonlySet<string> = new Set(["utf-8", "iso-8859-1", "us-ascii"]);
const ENCODED_WORD = /^=\?([^?]+)\?(?:[qQ]\?(?:=[0-9a-fA-F]{2}|[!-<>@-~])*|[bB]\?(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)\?=$/;

/** The charset of an RFC 2047 encoded word, in lower case; undefined for a plain word, which an ill-formed one is, too. */
const encodedCharset = (word: string): string | undefined => ENCODED_WORD.exec(word)?.[1]?.toLowerCase();
