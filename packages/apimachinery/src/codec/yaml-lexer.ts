import { Lexer } from "yaml";

type Steps<Result> = Generator<string, Result>;

/** What is changed of the lexer, and what that needs. It is private there: the version of the library is fixed. */
interface LexerParts {
  /** How far a line has to be indented to go on with what the line before it began. */
  indentNext: number;
  readonly flowLevel: number;
  charAt(ahead: number): string | undefined;
  parseQuotedScalar(): Steps<string | null>;
  parseFlowCollection(): Steps<string>;
  pushIndicators(): Steps<number>;
}

const FLOW_SIGN = /[,[\]{}]/;

/**
 * A lexer that reads as Go's scanner does where YAML 1.2 is stricter: within quotes and brackets no indentation counts, and a `-` before a comma or
 * bracket is a text.
 *
 * Source: go.yaml.in/yaml/v2, yaml_parser_scan_flow_scalar, yaml_parser_unroll_indent, yaml_parser_fetch_next_token.
 */
export function createLexer(): Lexer {
  const lexer = new Lexer();
  const parts = lexer as unknown as LexerParts;
  const { parseQuotedScalar, parseFlowCollection, pushIndicators } = parts;
  parts.parseQuotedScalar = () => unindented(parts, parseQuotedScalar);
  parts.parseFlowCollection = () => unindented(parts, parseFlowCollection);
  parts.pushIndicators = () => withoutDashText(parts, pushIndicators);
  return lexer;
}

/** @returns how many characters were read: none of a `-` that is a text, with which the lexer then goes on. */
function* withoutDashText(parts: LexerParts, steps: (this: LexerParts) => Steps<number>): Steps<number> {
  let read = 0;
  for (const lexeme of steps.call(parts)) {
    if (lexeme === "-" && parts.flowLevel > 0 && FLOW_SIGN.test(parts.charAt(1) ?? "")) break;
    yield lexeme;
    read += lexeme.length;
  }
  return read;
}

function* unindented<Result>(parts: LexerParts, steps: (this: LexerParts) => Steps<Result>): Steps<Result> {
  const { indentNext } = parts;
  parts.indentNext = 0;
  const next = yield* steps.call(parts);
  parts.indentNext = indentNext;
  return next;
}
