import { type Checked, checkExpression } from "./check/checker.ts";
import { validateExpression } from "./check/validators.ts";
import { estimateCost } from "./cost/estimate.ts";
import type { SizeEstimator } from "./cost/model.ts";
import type { CelEnvironment } from "./environment.ts";
import { Frame } from "./evaluate/frame.ts";
import { PlanError, planExpression } from "./evaluate/planner.ts";
import { parseExpression } from "./syntax/parser.ts";
import { CelError } from "./value/error.ts";
import type { CelType } from "./value/type.ts";
import { ERROR, typeText } from "./value/type.ts";
import type { CelValue } from "./value/value.ts";
import { beginWork, CostLimitExceeded, endWork } from "./value/work.ts";

/** What one evaluation may cost, in cel-go's units. Source: k8s.io/apiserver/pkg/apis/cel PerCallLimit. */
export const PER_CALL_LIMIT = 1_000_000;

/** What an evaluation came to: a value or the text of an error, and in either case what it has cost. */
export type Evaluation =
  | { readonly cost: number; readonly value: CelValue; readonly error?: undefined }
  | { readonly cost: number; readonly error: string; readonly value?: undefined };

/** An expression that has been read, checked and made ready. */
export interface CelProgram {
  readonly resultType: CelType;
  /** The most that an evaluation may cost, as estimated from the sizes of the variables; 2^64 − 1 stands for anything beyond. */
  readonly maxCost: bigint;
  readonly minCost: bigint;
  /** Whether the expression names a variable. */
  references(variable: string): boolean;
  /**
   * Evaluates the expression. Whatever goes wrong is an error in cel-go's words, and too much work ends as one.
   *
   * @param bindings the values of the variables.
   * @throws only what a value of a binding throws: {@link DecisionPending}.
   */
  evaluate(bindings: Readonly<Record<string, CelValue>>): Evaluation;
}

export interface CompileOptions {
  /** The type that the expression must have, told in the words of apiextensions. */
  readonly resultType?: CelType;
  /** The types of which the expression must have one, told in the words of admission policies. */
  readonly resultTypes?: readonly CelType[];
  /** The sizes of what variables lead to, for the estimate of cost; without, they are unknown. */
  readonly sizes?: SizeEstimator;
  /** In cel-go's units; {@link PER_CALL_LIMIT} by default. */
  readonly costLimit?: number;
}

/** A program, or why there is none: in the words of Kubernetes, with cel-go's below them. */
export type Compilation = { readonly program: CelProgram; readonly fault?: undefined } | { readonly fault: string; readonly program?: undefined };

const NO_SIZES: SizeEstimator = () => undefined;

/**
 * Compiles an expression.
 *
 * Source: cel-go Env.Compile, Env.Program and Env.EstimateCost, as apiextensions calls them.
 */
export function compileExpression(environment: CelEnvironment, text: string, options: CompileOptions = {}): Compilation {
  const { checked, faults } = readAndCheck(environment, text);
  if (checked === undefined) return { fault: `compilation failed: ${faults}` };
  const resultType = typeOfChecked(checked);
  const wrong = resultFault(resultType, options);
  if (wrong !== undefined) return { fault: wrong };
  try {
    const { step, slotCount } = planExpression(environment, checked);
    const limit = options.costLimit ?? PER_CALL_LIMIT;
    const { min, max } = estimateCost(checked, environment.cost, options.sizes ?? NO_SIZES);
    return {
      program: {
        resultType,
        minCost: min,
        maxCost: max,
        references: (variable) => checked.names.has(variable),
        evaluate: (bindings) => evaluate(new Frame(bindings, slotCount, limit), limit, step),
      },
    };
  } catch (error) {
    if (!(error instanceof PlanError)) throw error;
    return { fault: `program instantiation failed: ${error.message}` };
  }
}

/** The type of an expression, or its faults as cel-go shows them: nothing is made ready to be evaluated. */
export function checkTypes(
  environment: CelEnvironment,
  text: string,
): { readonly type: CelType; readonly faults?: undefined } | { readonly faults: string; readonly type?: undefined } {
  const { checked, faults } = readAndCheck(environment, text);
  return checked === undefined ? { faults } : { type: typeOfChecked(checked) };
}

const typeOfChecked = ({ types, expression }: Checked): CelType => types.get(expression.id) ?? ERROR;

function readAndCheck(
  environment: CelEnvironment,
  text: string,
): { readonly checked: Checked; readonly faults?: undefined } | { readonly faults: string; readonly checked?: undefined } {
  const { faults: syntax, source, expression, positions } = parseExpression(text, environment.macros);
  if (syntax.length > 0) return { faults: source.display(syntax) };
  const checked = checkExpression(environment, expression, positions);
  const faults = checked.faults.length > 0 ? checked.faults : validateExpression(environment, checked, positions);
  return faults.length > 0 ? { faults: source.display(faults) } : { checked };
}

/** Source: apiextensions-apiserver compilation.go compileRule; k8s.io/apiserver/pkg/admission/plugin/cel/compile.go CompileCELExpression. */
function resultFault(found: CelType, { resultType, resultTypes }: CompileOptions): string | undefined {
  if (resultType !== undefined && !found.isExactly(resultType)) return `must evaluate to a ${resultType.name}`;
  if (resultTypes === undefined || resultTypes.some((type) => type.isExactly(found))) return undefined;
  const names = resultTypes.map(typeText);
  return `must evaluate to ${names.length === 1 ? names[0] : `one of [${names.join(" ")}]`} but got ${typeText(found)}`;
}

/** Errors may quote texts of the object, as often as an expression has put them together. */
const MAX_ERROR_LENGTH = 65_536;

/** Whether an evaluation was ended by its limit, or by those of JavaScript: a text, a list or a stack that is too large. */
const isOutOfBounds = (error: unknown): boolean => error instanceof CostLimitExceeded || error instanceof RangeError;

function evaluate(frame: Frame, limit: number, step: (frame: Frame) => CelValue): Evaluation {
  const outer = beginWork(limit);
  let outcome: { readonly value: CelValue } | { readonly error: string };
  try {
    const value = step(frame);
    outcome = value instanceof CelError ? { error: value.message.slice(0, MAX_ERROR_LENGTH) } : { value };
  } catch (error) {
    if (!isOutOfBounds(error)) throw error;
    outcome = { error: new CostLimitExceeded().message };
  } finally {
    frame.atLeast(Math.min(endWork(outer), limit + 1));
  }
  return { cost: frame.cost, ...outcome };
}
