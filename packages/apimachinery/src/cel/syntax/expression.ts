import type { CelValue } from "../value/value.ts";

/**
 * The tree of an expression. Ids are those that cel-go gives: they tell nodes apart, and macros may use one node twice.
 * The checker writes into it: it replaces a qualified name by one identifier, and the target of a namespaced function by nothing.
 *
 * Source: cel-go common/ast.
 */
export type Expression = Literal | Identifier | Select | Call | CreateList | CreateMap | CreateStruct | Comprehension | Missing;

export interface Literal {
  readonly kind: "literal";
  readonly id: number;
  readonly value: CelValue;
}

export interface Identifier {
  readonly kind: "identifier";
  readonly id: number;
  readonly name: string;
}

/** `operand.field`, or `has(operand.field)`. */
export interface Select {
  readonly kind: "select";
  readonly id: number;
  operand: Expression;
  readonly field: string;
  readonly isTest: boolean;
}

/** A call of a function, a method, or an operator (`_+_`). */
export interface Call {
  readonly kind: "call";
  readonly id: number;
  function: string;
  target: Expression | undefined;
  readonly args: Expression[];
}

export interface CreateList {
  readonly kind: "list";
  readonly id: number;
  readonly elements: Expression[];
  /** The indexes of the elements that are written `?element`. */
  readonly optionals: ReadonlySet<number>;
}

export interface MapEntry {
  readonly id: number;
  key: Expression;
  value: Expression;
  readonly isOptional: boolean;
}

export interface CreateMap {
  readonly kind: "map";
  readonly id: number;
  readonly entries: readonly MapEntry[];
}

export interface StructField {
  readonly id: number;
  readonly name: string;
  value: Expression;
  readonly isOptional: boolean;
}

export interface CreateStruct {
  readonly kind: "struct";
  readonly id: number;
  typeName: string;
  readonly fields: readonly StructField[];
}

/**
 * A fold over a list or map: `accuVar` begins as `accuInit` and becomes `step` for each element while `condition` holds; then `result` is evaluated.
 * `iterVar` is the element of a list or the key of a map; with `iterVar2`, the index or key, and `iterVar2` the element or value.
 */
export interface Comprehension {
  readonly kind: "comprehension";
  readonly id: number;
  range: Expression;
  readonly iterVar: string;
  readonly iterVar2: string | undefined;
  readonly accuVar: string;
  accuInit: Expression;
  condition: Expression;
  step: Expression;
  result: Expression;
}

/** Stands where a fault was. */
export interface Missing {
  readonly kind: "missing";
  readonly id: number;
}

/** The accumulator of the macros: a name that nobody can write. Source: cel-go parser.HiddenAccumulatorName. */
export const ACCUMULATOR = "@result";

/** The name that `a.b.c` spells, undefined for anything else. */
export function qualifiedName(expression: Expression): string | undefined {
  if (expression.kind === "identifier") return expression.name;
  if (expression.kind !== "select" || expression.isTest) return undefined;
  const prefix = qualifiedName(expression.operand);
  return prefix === undefined ? undefined : `${prefix}.${expression.field}`;
}

/** Calls `visit` with a node and all below it, parents first. */
export function walk(expression: Expression, visit: (expression: Expression) => void): void {
  visit(expression);
  for (const child of children(expression)) walk(child, visit);
}

function children(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case "literal":
    case "identifier":
    case "missing":
      return [];
    case "select":
      return [expression.operand];
    case "call":
      return expression.target === undefined ? expression.args : [expression.target, ...expression.args];
    case "list":
      return expression.elements;
    case "map":
      return expression.entries.flatMap(({ key, value }) => [key, value]);
    case "struct":
      return expression.fields.map(({ value }) => value);
    case "comprehension":
      return [expression.range, expression.accuInit, expression.condition, expression.step, expression.result];
    default:
      return expression satisfies never;
  }
}
