import type { CelError } from "../value/error.ts";
import type { CelType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";

/**
 * What a function does. It is called with values of the types that its overload declares, and never with an error.
 * (Written as a method so that an implementation may name those types.)
 */
export type Implementation = { call(...args: CelValue[]): CelValue }["call"];

/** One signature of a function. */
export interface Overload {
  /** As cel-go names it: costs are told apart by it. */
  readonly id: string;
  readonly isMember: boolean;
  /** Of a member, the first one is that of the target. */
  readonly params: readonly CelType[];
  readonly result: CelType;
  /** Undefined where the function has one implementation for all, or the evaluator has its own. */
  readonly call: Implementation | undefined;
}

/** A function, method, or operator (`_+_`). */
export interface FunctionDeclaration {
  readonly name: string;
  readonly overloads: readonly Overload[];
  /** One implementation for all overloads, which looks at the values itself. It is never called with an error. */
  readonly implementation?: Implementation;
  /**
   * Prepares the function for arguments that are constants, the others being undefined: compiles a pattern, say.
   *
   * @returns the implementation for this call; undefined for the ordinary one; an error that refuses the program.
   */
  readonly compile?: (constants: readonly (CelValue | undefined)[]) => Implementation | CelError | undefined;
  /** The overloads look at their arguments themselves, with words of their own. */
  readonly checksItself?: boolean;
}

export const overload = (id: string, params: readonly CelType[], result: CelType, call?: Implementation): Overload => ({
  id,
  isMember: false,
  params,
  result,
  call,
});

export const member = (id: string, params: readonly CelType[], result: CelType, call?: Implementation): Overload => ({
  id,
  isMember: true,
  params,
  result,
  call,
});

/**
 * Joins what several libraries declare under one name, in their order.
 *
 * @throws {Error} when two overloads have one id: a mistake of whoever puts libraries together.
 */
export function mergeFunctions(first: FunctionDeclaration | undefined, second: FunctionDeclaration): FunctionDeclaration {
  if (first === undefined) return second;
  for (const { id } of second.overloads) {
    if (first.overloads.some((other) => other.id === id)) throw new Error(`overload ${id} of ${second.name} is declared twice`);
  }
  return { ...first, ...second, overloads: [...first.overloads, ...second.overloads] };
}
