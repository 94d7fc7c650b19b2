/** What Go names by a letter, within quotes of either kind. */
export const GO_ESCAPES: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** What Go's strconv.IsPrint takes: letters, marks, numbers, punctuation, symbols, and the space of ASCII. */
const PRINTABLE = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;

/** What stands within double quotes as it is, for the most part of texts. */
const PLAIN = /^[ !#-[\]-~]*$/;

/** A text in double quotes as Go's `%q` writes it: what is not printable is escaped, other Unicode is kept. Source: strconv.Quote. */
export function quoteGo(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  let quoted = '"';
  for (const point of text) quoted += point === '"' ? '\\"' : (GO_ESCAPES[point] ?? (PRINTABLE.test(point) ? point : escaped(point)));
  return `${quoted}"`;
}

function escaped(point: string): string {
  const code = point.codePointAt(0) ?? 0;
  // Go's strings are UTF-8, which has no surrogates.
  if (code >= 0xd800 && code <= 0xdfff) return "\ufffd";
  const hex = code.toString(16);
  if (code < 0x80) return `\\x${hex.padStart(2, "0")}`;
  return code > 0xffff ? `\\U${hex.padStart(8, "0")}` : `\\u${hex.padStart(4, "0")}`;
}
