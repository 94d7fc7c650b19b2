import { type Matcher, type RE2JS, RE2JSException } from "re2js";
import { compileRE2 } from "../../meta/re2.ts";
import type { Implementation } from "../check/declaration.ts";
import { CelError } from "../value/error.ts";
import type { CelValue } from "../value/value.ts";
import { work } from "../value/work.ts";

/** Patterns that are no constants, compiled: each evaluation would do it again. */
const COMPILED = new Map<string, RE2JS>();
const MAX_COMPILED = 100;
/** The steps of compiling a character of a pattern. */
const COMPILE_STEPS = 1000;
/** Longer ones are not kept. */
const MAX_KEPT_LENGTH = 1000;

/** A pattern of RE2's syntax, which is matched in linear time. @returns Go's sentence for what is none. */
export function compilePattern(pattern: string): RE2JS | CelError {
  const known = COMPILED.get(pattern);
  if (known !== undefined) return known;
  work(pattern.length * COMPILE_STEPS);
  try {
    const compiled = compileRE2(pattern);
    if (pattern.length <= MAX_KEPT_LENGTH) {
      if (COMPILED.size >= MAX_COMPILED) COMPILED.clear();
      COMPILED.set(pattern, compiled);
    }
    return compiled;
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    return new CelError(error.message);
  }
}

/** Looks for all places of a pattern in a text. */
export function matcherOf(pattern: RE2JS, text: string): Matcher {
  workOnMatch(pattern, text);
  return pattern.matcher(text);
}

/** Whether a pattern is found in a text. */
export function testPattern(pattern: RE2JS, text: string): boolean {
  workOnMatch(pattern, text);
  return pattern.test(text);
}

/**
 * The price of a match goes by the length of the pattern, whose program is longer than that when parts of it are repeated. An instruction for a
 * character takes up to 10 ns, and for the patterns that names are checked with much less.
 */
const workOnMatch = (pattern: RE2JS, text: string): void => work((text.length * pattern.programSize()) / 8);

/** The `compile` of a function whose argument at `index` is a pattern: a constant one is compiled with the program. */
export function compiledFor(
  index: number,
  use: (pattern: RE2JS) => Implementation,
): (constants: readonly (CelValue | undefined)[]) => Implementation | CelError | undefined {
  return (constants) => {
    const constant = constants[index];
    if (typeof constant !== "string") return undefined;
    const pattern = compilePattern(constant);
    return pattern instanceof CelError ? pattern : use(pattern);
  };
}
