/** What an escape of one letter stands for. */
const SIMPLE: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
  "`": "`",
  "?": "?",
};

const ESCAPE = /\\(?:([abfnrtv\\'"`?])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/g;

/** An escape that the lexer lets through and that has no meaning: half a surrogate pair, a code point beyond Unicode, `\u` in bytes. */
export class EscapeError extends Error {
  override readonly name = "EscapeError";
}

/**
 * The value of a string literal with its quotes and prefix.
 *
 * @throws {EscapeError}
 *
 * Source: cel-go parser/unescape.go.
 */
export function unquoteString(literal: string): string {
  const { body, isRaw } = split(literal);
  if (isRaw) return body;
  return body.replace(ESCAPE, (_escape, simple?: string, hex?: string, short?: string, long?: string, octal?: string) => {
    if (simple !== undefined) return SIMPLE[simple] ?? "";
    if (octal !== undefined) return String.fromCodePoint(Number.parseInt(octal, 8));
    return codePoint(Number.parseInt(hex ?? short ?? long ?? "", 16));
  });
}

/**
 * The value of a bytes literal with its quotes and prefix: text as UTF-8, `\x` and octal escapes as bytes.
 *
 * @throws {EscapeError}
 */
export function unquoteBytes(literal: string): Uint8Array {
  const { body, isRaw } = split(literal.slice(1));
  const encoder = new TextEncoder();
  if (isRaw) return encoder.encode(body);
  const bytes: number[] = [];
  let end = 0;
  for (const match of body.matchAll(ESCAPE)) {
    bytes.push(...encoder.encode(body.slice(end, match.index)));
    end = match.index + match[0].length;
    const [, simple, hex, short, long, octal] = match;
    if (short !== undefined || long !== undefined) throw new EscapeError("unable to unescape string");
    if (simple !== undefined) bytes.push(...encoder.encode(SIMPLE[simple]));
    else bytes.push(hex === undefined ? Number.parseInt(octal ?? "", 8) : Number.parseInt(hex, 16));
  }
  bytes.push(...encoder.encode(body.slice(end)));
  return Uint8Array.from(bytes);
}

function split(literal: string): { readonly body: string; readonly isRaw: boolean } {
  const isRaw = literal.startsWith("r") || literal.startsWith("R");
  const quoted = isRaw ? literal.slice(1) : literal;
  const isTriple = quoted.length >= 6 && (quoted.startsWith('"""') || quoted.startsWith("'''"));
  const body = isTriple ? quoted.slice(3, -3) : quoted.slice(1, -1);
  return { body: body.replaceAll("\r\n", "\n").replaceAll("\r", "\n"), isRaw };
}

function codePoint(code: number): string {
  if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new EscapeError("invalid unicode code point");
  return String.fromCodePoint(code);
}
