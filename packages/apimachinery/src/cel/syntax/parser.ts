import { CelDouble, CelUint, intFromBigInt } from "../value/number.ts";
import type { CelValue } from "../value/value.ts";
import type { CreateList, Expression, MapEntry, StructField } from "./expression.ts";
import { type Token, type TokenKind, tokenize } from "./lexer.ts";
import { unquoteBytes, unquoteString } from "./literal.ts";
import { type Macro, MacroError } from "./macro.ts";
import { type Fault, NO_LOCATION, Source } from "./source.ts";
import { EXPRESSION_START, SyntaxStop, TokenReader } from "./token-reader.ts";
import { BoundError, macroBuilder, TreePositions } from "./tree-builder.ts";

/** Bounds of an expression, in code points and in nested rules of the grammar. Source: cel-go parser.NewParser. */
const MAX_CODE_POINTS = 100_000;
const MAX_DEPTH = 250;

export interface Parsed {
  readonly source: Source;
  readonly positions: TreePositions;
  /** Of use only without faults. */
  readonly expression: Expression;
  readonly faults: readonly Fault[];
}

/**
 * Reads an expression, expanding macros.
 *
 * At most 100,000 code points, nested at most 250 deep, of at most 250,000 parts, so that neither time nor stack nor memory can be exhausted.
 *
 * @returns the faults in cel-go's words; of those of syntax, what comes after the first that ANTLR cannot mend by a token is not told.
 *
 * Source: cel-go parser/parser.go, parser/gen/CEL.g4.
 */
export function parseExpression(text: string, macros: ReadonlyMap<string, Macro>): Parsed {
  const source = new Source(text);
  const positions = new TreePositions(source);
  const faults: Fault[] = [];
  const missing: Expression = { kind: "missing", id: 0 };
  if (source.points.length > MAX_CODE_POINTS) {
    const message = `expression code point size exceeds limit: size: ${source.points.length}, limit ${MAX_CODE_POINTS}`;
    return { source, positions, expression: missing, faults: [{ location: NO_LOCATION, message }] };
  }
  try {
    const parser = new Parser(new TokenReader(tokenize(source, faults), source, faults), positions, macros, faults);
    return { source, positions, expression: parser.start(), faults };
  } catch (error) {
    if (error instanceof BoundError) faults.push({ location: NO_LOCATION, message: error.message });
    else if (!(error instanceof SyntaxStop)) throw error;
    return { source, positions, expression: missing, faults };
  }
}

/** The key under which a macro is looked for. */
export const macroKey = (name: string, argumentCount: number, isReceiver: boolean): string => `${name}:${argumentCount}:${isReceiver}`;

/** Words that no identifier may be. Source: cel-go parser.reservedIds. */
const RESERVED: ReadonlySet<string> = new Set(
  "as break const continue else false for function if import in let loop package namespace null return true var void while".split(" "),
);

type Operators = Partial<Record<TokenKind, { readonly name: string; readonly precedence: number }>>;

const RELATIONS: Operators = {
  "<": { name: "_<_", precedence: 0 },
  "<=": { name: "_<=_", precedence: 0 },
  ">=": { name: "_>=_", precedence: 0 },
  ">": { name: "_>_", precedence: 0 },
  "==": { name: "_==_", precedence: 0 },
  "!=": { name: "_!=_", precedence: 0 },
  in: { name: "@in", precedence: 0 },
};
const CALCULATIONS: Operators = {
  "+": { name: "_+_", precedence: 0 },
  "-": { name: "_-_", precedence: 0 },
  "*": { name: "_*_", precedence: 1 },
  "/": { name: "_/_", precedence: 1 },
  "%": { name: "_%_", precedence: 1 },
};

type Rule = "expr" | "relation" | "calc" | "member";

class Parser {
  readonly #tokens: TokenReader;
  readonly #positions: TreePositions;
  readonly #macros: ReadonlyMap<string, Macro>;
  readonly #faults: Fault[];
  readonly #depths: Record<Rule, number> = { expr: 0, relation: 0, calc: 0, member: 0 };
  /** How deep cel-go's visitor goes below a node. */
  readonly #heights = new WeakMap<Expression, number>();

  constructor(tokens: TokenReader, positions: TreePositions, macros: ReadonlyMap<string, Macro>, faults: Fault[]) {
    this.#tokens = tokens;
    this.#positions = positions;
    this.#macros = macros;
    this.#faults = faults;
  }

  start(): Expression {
    const expression = this.#expr();
    const end = this.#tokens.peek();
    if (end.kind !== "end") this.#tokens.expect("end");
    return expression;
  }

  /** expr: conditionalOr ('?' conditionalOr ':' expr)? */
  #expr(): Expression {
    this.#enter("expr");
    let expression = this.#or();
    const operator = this.#tokens.take("?");
    if (operator !== undefined) {
      const id = this.#positions.next(operator.offset);
      const yes = this.#tokens.within([":"], () => this.#or());
      this.#tokens.expect(":");
      expression = this.#call(id, "_?_:_", undefined, [expression, yes, this.#expr()], 1);
    }
    this.#depths.expr--;
    return expression;
  }

  #or(): Expression {
    return this.#logic("||", "_||_", () => this.#and());
  }

  #and(): Expression {
    return this.#logic("&&", "_&&_", () => this.#relation());
  }

  /** Terms that are joined by one operator become a balanced tree. Source: cel-go parser/helper.go logicManager. */
  #logic(kind: TokenKind, name: string, term: () => Expression): Expression {
    const terms = [term()];
    const ids: number[] = [];
    for (let operator = this.#tokens.take(kind); operator !== undefined; operator = this.#tokens.take(kind)) {
      terms.push(term());
      ids.push(this.#positions.next(operator.offset));
    }
    const balance = (low: number, high: number): Expression => {
      const middle = (low + high + 1) >> 1;
      const left = middle === low ? terms[middle] : balance(low, middle - 1);
      const right = middle === high ? terms[middle + 1] : balance(middle + 1, high);
      return { kind: "call", id: ids[middle] ?? 0, function: name, target: undefined, args: [left, right] as Expression[] };
    };
    const [first] = terms;
    if (ids.length === 0 && first !== undefined) return first;
    const tree = balance(0, ids.length - 1);
    this.#heights.set(tree, Math.max(...terms.map((each) => this.#height(each))));
    return tree;
  }

  #relation(): Expression {
    return this.#leftAssociative("relation", RELATIONS, 0, () => this.#calc(0));
  }

  #calc(precedence: number): Expression {
    return this.#leftAssociative("calc", CALCULATIONS, precedence, () => this.#unary());
  }

  /** ANTLR enters the rule once for each operand, and once more for each operator; it leaves them all at the end. */
  #leftAssociative(rule: "relation" | "calc", operators: Operators, minimum: number, operand: () => Expression): Expression {
    const depth = this.#depths[rule];
    this.#enter(rule);
    let expression = operand();
    for (;;) {
      const operator = operators[this.#tokens.peek().kind];
      if (operator === undefined || operator.precedence < minimum) break;
      this.#enter(rule);
      const id = this.#positions.next(this.#tokens.next().offset);
      const right = this.#leftAssociative(rule, operators, operator.precedence + 1, operand);
      expression = this.#call(id, operator.name, undefined, [expression, right], 1);
    }
    this.#depths[rule] = depth;
    return expression;
  }

  /** unary: member | '!'+ member | '-'+ member, where `-1` is a literal. */
  #unary(): Expression {
    this.#tokens.sync(EXPRESSION_START);
    const first = this.#tokens.peek();
    if ((first.kind !== "!" && first.kind !== "-") || (first.kind === "-" && this.#isNumber(1))) return this.#member();
    if (first.kind === "-" && (this.#tokens.peek(1).kind === "!" || !EXPRESSION_START.includes(this.#tokens.peek(1).kind))) {
      this.#tokens.next();
      return this.#tokens.noViable(first);
    }
    let count = 0;
    while (this.#tokens.take(first.kind) !== undefined) {
      count++;
      this.#tokens.syncInLoop(EXPRESSION_START);
    }
    if (count % 2 === 0) return this.#member();
    const id = this.#positions.next(first.offset);
    const operand = this.#member();
    return this.#call(id, first.kind === "!" ? "!_" : "-_", undefined, [operand], 0);
  }

  #isNumber(distance: number): boolean {
    const { kind } = this.#tokens.peek(distance);
    return kind === "int" || kind === "double";
  }

  #member(): Expression {
    const depth = this.#depths.member;
    this.#enter("member");
    let expression = this.#primary();
    for (;;) {
      if (this.#tokens.peek().kind === ".") expression = this.#afterDot(expression);
      else if (this.#tokens.peek().kind === "[") expression = this.#index(expression);
      else break;
      this.#enter("member");
    }
    this.#depths.member = depth;
    return expression;
  }

  #afterDot(operand: Expression): Expression {
    const dot = this.#tokens.next();
    const isOptional = this.#tokens.take("?") !== undefined;
    if (isOptional) this.#tokens.sync(["identifier", "escaped"]);
    const name = this.#tokens.peek();
    if (name.kind !== "identifier" && name.kind !== "escaped") return this.#tokens.noViable(dot);
    this.#tokens.next();
    const open = isOptional || name.kind === "escaped" ? undefined : this.#tokens.take("(");
    if (open !== undefined) {
      const id = this.#positions.next(open.offset);
      return this.#call(id, name.text, operand, this.#arguments(), 1);
    }
    if (name.kind === "escaped") this.#report(name.offset, "unsupported syntax: '`'");
    if (isOptional) {
      const field: Expression = { kind: "literal", id: this.#positions.next(name.offset), value: name.text };
      return this.#call(this.#positions.next(dot.offset), "_?._", undefined, [operand, field], 1);
    }
    return this.#grown({ kind: "select", id: this.#positions.next(dot.offset), operand, field: name.text, isTest: false }, [operand], 1);
  }

  #index(operand: Expression): Expression {
    const open = this.#tokens.next();
    const id = this.#positions.next(open.offset);
    this.#tokens.sync([...EXPRESSION_START, "?"]);
    const isOptional = this.#tokens.take("?") !== undefined;
    const index = this.#tokens.within(["]", "?"], () => this.#expr());
    this.#tokens.expect("]");
    return this.#call(id, isOptional ? "_[?_]" : "_[_]", undefined, [operand, index], 1);
  }

  /** exprList? ')' */
  #arguments(): Expression[] {
    const args: Expression[] = [];
    this.#tokens.sync([...EXPRESSION_START, ")"]);
    if (this.#tokens.take(")") !== undefined) return args;
    do args.push(this.#tokens.within([",", ")", "?"], () => this.#expr()));
    while (this.#tokens.take(",") !== undefined);
    this.#tokens.expect(")");
    return args;
  }

  #primary(): Expression {
    this.#tokens.sync(EXPRESSION_START);
    const token = this.#tokens.peek();
    switch (token.kind) {
      case "(": {
        this.#tokens.next();
        const inner = this.#tokens.within([")", "?"], () => this.#expr());
        this.#tokens.expect(")");
        return inner;
      }
      case "[":
        return this.#list();
      case "{":
        return this.#map();
      case ".":
      case "identifier":
        return this.#name();
      case "-":
        this.#tokens.next();
        if (!this.#isNumber(0)) return this.#tokens.noViable(token);
        return this.#literal(this.#tokens.next(), token);
      case "!":
        return this.#tokens.noViable(token);
      default:
        return this.#literal(this.#tokens.next(), undefined);
    }
  }

  /** An identifier, the call of a function, or `type.name{…}`. */
  #name(): Expression {
    const start = this.#tokens.peek();
    const dot = this.#tokens.take(".");
    const name = this.#tokens.peek();
    if (name.kind !== "identifier") return this.#tokens.noViable(start);
    if (this.#isStruct()) return this.#struct(dot !== undefined);
    this.#tokens.next();
    const open = this.#tokens.take("(");
    const text = `${dot === undefined ? "" : "."}${name.text}`;
    const isReserved = RESERVED.has(name.text);
    if (open === undefined) {
      if (isReserved) return this.#report(start.offset, `reserved identifier: ${name.text}`);
      return { kind: "identifier", id: this.#positions.next(name.offset), name: text };
    }
    const id = isReserved ? 0 : this.#positions.next(open.offset);
    const args = this.#arguments();
    if (isReserved) return this.#report(start.offset, `reserved identifier: ${name.text}`);
    return this.#call(id, text, undefined, args, 0);
  }

  /** Whether `name(.name)*{` comes next. */
  #isStruct(): boolean {
    let distance = 1;
    while (this.#tokens.peek(distance).kind === "." && this.#tokens.peek(distance + 1).kind === "identifier") distance += 2;
    return this.#tokens.peek(distance).kind === "{";
  }

  #struct(hasLeadingDot: boolean): Expression {
    const names = [this.#tokens.next().text];
    while (this.#tokens.take(".") !== undefined) names.push(this.#tokens.next().text);
    const open = this.#tokens.next();
    const id = this.#positions.next(open.offset);
    const fields: StructField[] = [];
    this.#tokens.sync(["}", ",", "?", "identifier", "escaped"]);
    while (this.#tokens.peek().kind !== "}" && this.#tokens.peek().kind !== ",") {
      const isOptional = this.#tokens.take("?") !== undefined;
      const name = this.#tokens.peek();
      if (name.kind === "escaped") this.#report(name.offset, "unsupported syntax: '`'");
      else if (name.kind !== "identifier") this.#tokens.mismatch(["identifier", "escaped"]);
      this.#tokens.next();
      const colon = this.#tokens.expect(":");
      const fieldId = this.#positions.next(colon.offset);
      fields.push({ id: fieldId, name: name.text, value: this.#tokens.within([",", "}", "?"], () => this.#expr()), isOptional });
      if (!this.#goesOn(["?", "identifier", "escaped"])) break;
    }
    this.#close("}");
    const typeName = `${hasLeadingDot ? "." : ""}${names.join(".")}`;
    return this.#grown(
      { kind: "struct", id, typeName, fields },
      fields.map(({ value }) => value),
      0,
    );
  }

  #list(): Expression {
    const id = this.#positions.next(this.#tokens.next().offset);
    const elements: Expression[] = [];
    const optionals = new Set<number>();
    this.#tokens.sync([...EXPRESSION_START, "]", ",", "?"]);
    while (this.#tokens.peek().kind !== "]" && this.#tokens.peek().kind !== ",") {
      if (this.#tokens.take("?") !== undefined) optionals.add(elements.length);
      elements.push(this.#tokens.within([",", "]", "?"], () => this.#expr()));
      if (!this.#goesOn([...EXPRESSION_START, "?"])) break;
    }
    this.#close("]");
    const list: CreateList = { kind: "list", id, elements, optionals };
    return this.#grown(list, elements, 0);
  }

  #map(): Expression {
    const id = this.#positions.next(this.#tokens.next().offset);
    const entries: MapEntry[] = [];
    this.#tokens.sync([...EXPRESSION_START, "}", ",", "?"]);
    while (this.#tokens.peek().kind !== "}" && this.#tokens.peek().kind !== ",") {
      const isOptional = this.#tokens.take("?") !== undefined;
      const key = this.#tokens.within([":", "?"], () => this.#expr());
      const colon = this.#tokens.expect(":");
      const entryId = this.#positions.next(colon.offset);
      entries.push({ id: entryId, key, value: this.#tokens.within([",", "}", "?"], () => this.#expr()), isOptional });
      if (!this.#goesOn([...EXPRESSION_START, "?"])) break;
    }
    this.#close("}");
    return this.#grown(
      { kind: "map", id, entries },
      entries.flatMap(({ key, value }) => [key, value]),
      0,
    );
  }

  /** Whether a comma and another element come next; a comma alone is left to {@link #close}. */
  #goesOn(start: readonly TokenKind[]): boolean {
    if (this.#tokens.peek().kind !== "," || !start.includes(this.#tokens.peek(1).kind)) return false;
    this.#tokens.next();
    return true;
  }

  #close(kind: "]" | "}"): void {
    this.#tokens.sync([",", kind]);
    this.#tokens.take(",");
    this.#tokens.expect(kind);
  }

  #literal(token: Token, sign: Token | undefined): Expression {
    const offset = (sign ?? token).offset;
    try {
      return { kind: "literal", id: this.#positions.next(offset), value: literalValue(token, sign !== undefined) };
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      return this.#report(offset, error.message);
    }
  }

  /** A call, or what the macro of its name makes of it. @param step how much deeper cel-go's visitor goes for it. */
  #call(id: number, name: string, target: Expression | undefined, args: Expression[], step: number): Expression {
    const below = target === undefined ? args : [target, ...args];
    const macro = this.#macros.get(macroKey(name, args.length, target !== undefined));
    if (macro === undefined) return this.#grown({ kind: "call", id, function: name, target, args }, below, step);
    try {
      return this.#grown(macro.expand(macroBuilder(this.#positions, id), args, target ?? { kind: "missing", id }), below, step);
    } catch (error) {
      if (!(error instanceof MacroError)) throw error;
      return this.#report(this.#positions.offset(error.id), error.message);
    }
  }

  #height(expression: Expression): number {
    return this.#heights.get(expression) ?? 0;
  }

  #grown(expression: Expression, below: readonly Expression[], step: number): Expression {
    let height = 0;
    for (const child of below) height = Math.max(height, this.#height(child));
    if (height + step > MAX_DEPTH) throw new BoundError("max recursion depth exceeded");
    this.#heights.set(expression, height + step);
    return expression;
  }

  #enter(rule: Rule): void {
    if (++this.#depths[rule] > MAX_DEPTH) throw new BoundError(`expression recursion limit exceeded: ${MAX_DEPTH}`);
  }

  #report(offset: number, message: string): Expression {
    const id = this.#positions.next(offset);
    this.#faults.push({ location: this.#positions.location(id), message });
    return { kind: "missing", id };
  }
}

/** @throws {Error} with cel-go's sentence. */
function literalValue(token: Token, isNegative: boolean): CelValue {
  const text = token.text;
  switch (token.kind) {
    case "true":
      return true;
    case "false":
      return false;
    case "null":
      return null;
    case "string":
      return unquoteString(text);
    case "bytes":
      return unquoteBytes(text);
    case "double": {
      const value = Number(isNegative ? `-${text}` : text);
      if (!Number.isFinite(value)) throw new Error("invalid double literal");
      return new CelDouble(value);
    }
    case "uint": {
      const value = BigInt(text.slice(0, -1));
      if (value > 0xffff_ffff_ffff_ffffn) throw new Error("invalid uint literal");
      return new CelUint(value);
    }
    default: {
      const value = isNegative ? -BigInt(text) : BigInt(text);
      if (BigInt.asIntN(64, value) !== value) throw new Error("invalid int literal");
      return intFromBigInt(value);
    }
  }
}
