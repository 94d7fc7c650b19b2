import type { Token, TokenKind } from "./lexer.ts";
import type { Fault, Source } from "./source.ts";

/** How ANTLR names tokens in its sentences, in the order in which it lists them. */
const TOKEN_NAMES: readonly (readonly [TokenKind, string])[] = [
  ["end", "<EOF>"],
  ["[", "'['"],
  ["]", "']'"],
  ["{", "'{'"],
  ["}", "'}'"],
  ["(", "'('"],
  [")", "')'"],
  [".", "'.'"],
  [",", "','"],
  ["-", "'-'"],
  ["!", "'!'"],
  ["?", "'?'"],
  [":", "':'"],
  ["true", "'true'"],
  ["false", "'false'"],
  ["null", "'null'"],
  ["double", "NUM_FLOAT"],
  ["int", "NUM_INT"],
  ["uint", "NUM_UINT"],
  ["string", "STRING"],
  ["bytes", "BYTES"],
  ["identifier", "IDENTIFIER"],
  ["escaped", "ESC_IDENTIFIER"],
];

/** The tokens with which an expression begins. */
export const EXPRESSION_START: readonly TokenKind[] = [
  "[",
  "{",
  "(",
  ".",
  "-",
  "!",
  "true",
  "false",
  "null",
  "double",
  "int",
  "uint",
  "string",
  "bytes",
  "identifier",
];

/** The tokens with which an expression goes on behind a closing bracket, wherever it stands; `?` does only where a whole one may. */
const CONTINUATIONS: readonly TokenKind[] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "in", "[", ".", "-", "+", "*", "/", "%"];

/** Ends the reading of an expression that has a fault of syntax: what would follow is a guess. */
export class SyntaxStop extends Error {
  override readonly name = "SyntaxStop";
}

/** The tokens of an expression, one after the other, with ANTLR's sentences for those that do not fit. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  readonly #source: Source;
  readonly #faults: Fault[];
  #at = 0;
  /** What may come behind each construct that is open, the innermost last. */
  readonly #following: (readonly TokenKind[])[] = [["end", "?"]];
  /** Between a fault and the next token that fits nothing more is told. */
  #isRecovering = false;

  constructor(tokens: readonly Token[], source: Source, faults: Fault[]) {
    this.#tokens = tokens;
    this.#source = source;
    this.#faults = faults;
  }

  /** The token at a distance; beyond the last one, the last. */
  peek(distance = 0): Token {
    return this.#tokens[this.#at + distance] ?? this.#last();
  }

  next(): Token {
    const token = this.peek();
    this.#isRecovering = false;
    if (token.kind !== "end") this.#at++;
    return token;
  }

  take(kind: TokenKind): Token | undefined {
    return this.peek().kind === kind ? this.next() : undefined;
  }

  /** Reads a construct, behind which one of some tokens has to come. */
  within<Result>(following: readonly TokenKind[], read: () => Result): Result {
    this.#following.push(following);
    const result = read();
    this.#following.pop();
    return result;
  }

  /**
   * The next token, which has to be of a kind.
   *
   * @param expected what else could have stood here.
   * @throws {SyntaxStop} after telling the fault, unless it is one token too many, or a bracket or colon too few.
   */
  expect(kind: TokenKind, expected: readonly TokenKind[] = [kind]): Token {
    const token = this.peek();
    if (token.kind === kind) return this.next();
    if (this.peek(1).kind === kind && token.kind !== "end") {
      this.#fault(token, `extraneous input '${token.text}' expecting ${names(expected)}`);
      this.#at++;
      return this.next();
    }
    if (expected.length === 1 && this.#mayFollow(kind, token.kind)) {
      this.#fault(token, `missing ${names([kind])} at '${token.text}'`);
      return { kind, text: kind, leading: "", offset: token.offset };
    }
    return this.mismatch(expected);
  }

  #mayFollow(kind: TokenKind, next: TokenKind): boolean {
    if (kind === ":") return EXPRESSION_START.includes(next);
    if (kind !== ")" && kind !== "]" && kind !== "}") return false;
    return CONTINUATIONS.includes(next) || this.#following[this.#following.length - 1]?.includes(next) === true;
  }

  /**
   * Makes sure that one of several tokens comes next, skipping one that is too many.
   *
   * @throws {SyntaxStop}
   */
  sync(expected: readonly TokenKind[]): void {
    const token = this.peek();
    if (expected.includes(token.kind) || this.#isRecovering) return;
    if (token.kind === "end" || !expected.includes(this.peek(1).kind)) this.mismatch(expected);
    this.#fault(token, `extraneous input '${token.text}' expecting ${names(expected)}`);
    this.#at++;
  }

  /** Makes sure that one of several tokens comes next, within a list of which any number may come. @throws {SyntaxStop} */
  syncInLoop(expected: readonly TokenKind[]): void {
    const token = this.peek();
    if (expected.includes(token.kind) || this.#isRecovering) return;
    this.#fault(token, `extraneous input '${token.text}' expecting ${names(expected)}`);
    throw new SyntaxStop();
  }

  /** @throws {SyntaxStop} */
  mismatch(expected: readonly TokenKind[]): never {
    const token = this.peek();
    this.#fault(token, `mismatched input '${token.text}' expecting ${names(expected)}`);
    throw new SyntaxStop();
  }

  /**
   * No rule of the grammar goes on from here.
   *
   * @throws {SyntaxStop}
   *
   * Source: cel-go parser.SyntaxError, which has another sentence for a word of CEL behind a dot.
   */
  noViable(start: Token): never {
    const token = this.peek();
    const text = token === start ? token.text : `${start.text}${token.leading}${token.kind === "end" ? "" : token.text}`;
    const isWord = /^\.(?:true|false|null)$/.test(text);
    this.#fault(token, isWord ? `mismatched input '${token.text}' expecting IDENTIFIER` : `no viable alternative at input '${text}'`);
    throw new SyntaxStop();
  }

  #fault(token: Token, message: string): void {
    if (this.#isRecovering) return;
    this.#isRecovering = true;
    this.#faults.push({ location: this.#source.location(token.offset), message: `Syntax error: ${message}` });
  }

  #last(): Token {
    return this.#tokens[this.#tokens.length - 1] ?? { kind: "end", text: "<EOF>", leading: "", offset: 0 };
  }
}

function names(expected: readonly TokenKind[]): string {
  const found = TOKEN_NAMES.filter(([kind]) => expected.includes(kind)).map(([, name]) => name);
  return found.length === 1 ? (found[0] ?? "") : `{${found.join(", ")}}`;
}
