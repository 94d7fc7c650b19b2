import { ACCUMULATOR, type Expression } from "./expression.ts";
import type { MacroBuilder } from "./macro.ts";
import type { Location, Source } from "./source.ts";

/** Says which bound an expression goes beyond. */
export class BoundError extends Error {
  override readonly name = "BoundError";
}

/** Macros that repeat their target make twice as much of each in a chain of them; cel-go has no bound. */
const MAX_PARTS = 250_000;

/** Gives out ids, and remembers where in the text each stands. Source: cel-go parser/helper.go. */
export class TreePositions {
  readonly #source: Source;
  readonly #offsets: number[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  /** A new id for what stands at an offset. @throws {BoundError} */
  next(offset: number): number {
    if (this.#offsets.length >= MAX_PARTS) throw new BoundError(`expression has more than ${MAX_PARTS} parts with its macros expanded`);
    return this.#offsets.push(offset);
  }

  offset(id: number): number {
    return this.#offsets[id - 1] ?? 0;
  }

  location(id: number): Location {
    return this.#source.location(this.offset(id));
  }
}

/** The builder for the macro whose call has an id. */
export function macroBuilder(positions: TreePositions, callId: number): MacroBuilder {
  const next = () => positions.next(positions.offset(callId));
  const identifier = (name: string): Expression => ({ kind: "identifier", id: next(), name });
  return {
    literal: (value) => ({ kind: "literal", id: next(), value }),
    identifier,
    accumulator: () => identifier(ACCUMULATOR),
    list: (...elements) => ({ kind: "list", id: next(), elements, optionals: new Set() }),
    emptyMap: () => ({ kind: "map", id: next(), entries: [] }),
    call: (name, ...args) => ({ kind: "call", id: next(), function: name, target: undefined, args }),
    memberCall: (name, target, ...args) => ({ kind: "call", id: next(), function: name, target, args }),
    presenceTest: (operand, field) => ({ kind: "select", id: next(), operand, field, isTest: true }),
    comprehension: ({ iterVar2, accuVar = ACCUMULATOR, ...parts }) => ({ kind: "comprehension", id: next(), iterVar2, accuVar, ...parts }),
    copy: (expression) => copy(expression, positions, next),
  };
}

/** @param next gives an id at the place of the macro, which entries of maps get. */
function copy(expression: Expression, positions: TreePositions, next: () => number): Expression {
  const id = positions.next(positions.offset(expression.id));
  const again = (child: Expression) => copy(child, positions, next);
  switch (expression.kind) {
    case "literal":
    case "identifier":
    case "missing":
      return { ...expression, id };
    case "select":
      return { ...expression, id, operand: again(expression.operand) };
    case "call": {
      const args = expression.args.map(again);
      return { ...expression, id, args, target: expression.target === undefined ? undefined : again(expression.target) };
    }
    case "list":
      return { ...expression, id, elements: expression.elements.map(again) };
    case "map":
      return {
        ...expression,
        id,
        entries: expression.entries.map((entry) => ({ ...entry, id: next(), key: again(entry.key), value: again(entry.value) })),
      };
    case "struct":
      return { ...expression, id, fields: expression.fields.map((field) => ({ ...field, id: next(), value: again(field.value) })) };
    case "comprehension":
      return {
        ...expression,
        id,
        range: again(expression.range),
        accuInit: again(expression.accuInit),
        condition: again(expression.condition),
        step: again(expression.step),
        result: again(expression.result),
      };
    default:
      return expression satisfies never;
  }
}
