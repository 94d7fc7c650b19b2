/** A piece of a label selector: `word` is an identifier or one of `in` and `notin`, `symbol` an operator, parenthesis or comma. */
export interface LabelToken {
  readonly kind: "word" | "symbol" | "end";
  readonly text: string;
}

// A NUL ends the token before it and is swallowed with it; one that stands alone ends the text. So it is in Go, whose lexer takes it for the end.
const TOKEN = /[ \t\r\n]*(?:(!=|==|[=!(),<>])|([^ \t\r\n=!(),<>\0]+))\0?/y;

/**
 * Cuts a label selector into tokens, the last of which is `end`.
 *
 * Source: the Lexer of k8s.io/apimachinery pkg/labels.
 */
export function tokenizeLabelSelector(text: string): LabelToken[] {
  const tokens: LabelToken[] = [];
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [, symbol, word] = match;
    tokens.push(symbol === undefined ? { kind: "word", text: word ?? "" } : { kind: "symbol", text: symbol });
  }
  tokens.push({ kind: "end", text: "" });
  return tokens;
}
