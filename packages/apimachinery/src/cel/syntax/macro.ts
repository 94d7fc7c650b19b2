import type { CelValue } from "../value/value.ts";
import { ACCUMULATOR, type Comprehension, type Expression } from "./expression.ts";

/** What a macro makes of a call that looks like it. */
export interface Macro {
  readonly name: string;
  readonly isReceiver: boolean;
  readonly argumentCount: number;
  /** @throws {MacroError} */
  readonly expand: (build: MacroBuilder, args: readonly Expression[], target: Expression) => Expression;
}

/** The arguments of a macro are not of the form that it needs. */
export class MacroError extends Error {
  override readonly name = "MacroError";
  /** The argument. */
  readonly id: number;
  constructor(id: number, message: string) {
    super(message);
    this.id = id;
  }
}

/** What a macro makes its expression of; each node gets an id of its own, and the place of the macro's call. */
export interface MacroBuilder {
  literal(value: CelValue): Expression;
  identifier(name: string): Expression;
  accumulator(): Expression;
  list(...elements: Expression[]): Expression;
  emptyMap(): Expression;
  call(name: string, ...args: Expression[]): Expression;
  memberCall(name: string, target: Expression, ...args: Expression[]): Expression;
  presenceTest(operand: Expression, field: string): Expression;
  comprehension(
    parts: Omit<Comprehension, "kind" | "id" | "accuVar" | "iterVar2"> & { readonly accuVar?: string; readonly iterVar2?: string },
  ): Expression;
  /** The same expression with ids of its own. */
  copy(expression: Expression): Expression;
}

/** The name of a variable in the arguments of a macro. */
export function variableName(argument: Expression | undefined, message: string): string {
  const name = identifierOf(argument, message);
  if (name === ACCUMULATOR || name === "__result__") throw new MacroError(argument?.id ?? 0, "iteration variable overwrites accumulator variable");
  return name;
}

export function identifierOf(argument: Expression | undefined, message: string): string {
  if (argument?.kind !== "identifier") throw new MacroError(argument?.id ?? 0, message);
  return argument.name;
}

/** The argument at a place; macros are matched by how many there are. */
export function argument(args: readonly Expression[], index: number): Expression {
  const found = args[index];
  if (found === undefined) throw new MacroError(0, "missing argument");
  return found;
}

const SIMPLE_NAME = "argument must be a simple name";
const IDENTIFIER = "argument is not an identifier";

type Quantifier = "all" | "exists" | "existsOne";

/** What a quantifier folds, whether it has one variable or two. */
export function quantifierParts(
  build: MacroBuilder,
  kind: Quantifier,
  predicate: Expression,
): Pick<Comprehension, "accuInit" | "condition" | "step" | "result"> {
  switch (kind) {
    case "all":
      return {
        accuInit: build.literal(true),
        condition: build.call("@not_strictly_false", build.accumulator()),
        step: build.call("_&&_", build.accumulator(), predicate),
        result: build.accumulator(),
      };
    case "exists":
      return {
        accuInit: build.literal(false),
        condition: build.call("@not_strictly_false", build.call("!_", build.accumulator())),
        step: build.call("_||_", build.accumulator(), predicate),
        result: build.accumulator(),
      };
    case "existsOne":
      return {
        accuInit: build.literal(0),
        condition: build.literal(true),
        step: build.call("_?_:_", predicate, build.call("_+_", build.accumulator(), build.literal(1)), build.accumulator()),
        result: build.call("_==_", build.accumulator(), build.literal(1)),
      };
    default:
      return kind satisfies never;
  }
}

function quantifier(name: string, kind: Quantifier): Macro {
  return {
    name,
    isReceiver: true,
    argumentCount: 2,
    expand: (build, args, range) => {
      const iterVar = variableName(args[0], SIMPLE_NAME);
      return build.comprehension({ range, iterVar, ...quantifierParts(build, kind, argument(args, 1)) });
    },
  };
}

/** A list of `transform` for each element that passes `filter`. */
export function collectParts(
  build: MacroBuilder,
  filter: Expression | undefined,
  transform: Expression,
): Pick<Comprehension, "accuInit" | "condition" | "step" | "result"> {
  const accuInit = build.list();
  const condition = build.literal(true);
  const append = build.call("_+_", build.accumulator(), build.list(transform));
  const step = filter === undefined ? append : build.call("_?_:_", filter, append, build.accumulator());
  return { accuInit, condition, step, result: build.accumulator() };
}

/** The macros of CEL itself. Source: cel-go parser/macro.go AllMacros. */
export const STANDARD_MACROS: readonly Macro[] = [
  {
    name: "has",
    isReceiver: false,
    argumentCount: 1,
    expand: (build, args) => {
      const select = argument(args, 0);
      if (select.kind !== "select") throw new MacroError(select.id, "invalid argument to has() macro");
      return build.presenceTest(select.operand, select.field);
    },
  },
  quantifier("all", "all"),
  quantifier("exists", "exists"),
  quantifier("exists_one", "existsOne"),
  {
    name: "map",
    isReceiver: true,
    argumentCount: 2,
    expand: (build, args, range) => {
      const iterVar = variableName(args[0], IDENTIFIER);
      return build.comprehension({ range, iterVar, ...collectParts(build, undefined, argument(args, 1)) });
    },
  },
  {
    name: "map",
    isReceiver: true,
    argumentCount: 3,
    expand: (build, args, range) => {
      const iterVar = variableName(args[0], IDENTIFIER);
      return build.comprehension({ range, iterVar, ...collectParts(build, argument(args, 1), argument(args, 2)) });
    },
  },
  {
    name: "filter",
    isReceiver: true,
    argumentCount: 2,
    expand: (build, args, range) => {
      const iterVar = variableName(args[0], IDENTIFIER);
      return build.comprehension({ range, iterVar, ...collectParts(build, argument(args, 1), argument(args, 0)) });
    },
  },
];
