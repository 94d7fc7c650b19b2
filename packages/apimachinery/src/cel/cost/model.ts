import type { Expression } from "../syntax/expression.ts";
import type { CelType } from "../value/type.ts";
import type { CelValue } from "../value/value.ts";
import type { CostPath } from "./cost-path.ts";
import type { Range } from "./range.ts";

/** A node of an expression as estimators see it. */
export interface CostNode {
  /** Empty for what is not reached from a variable. */
  readonly path: CostPath;
  readonly type: CelType;
  readonly expression: Expression | undefined;
  /** Code points, bytes, elements or entries, where the expression itself tells. */
  readonly size: Range | undefined;
}

export interface CallEstimate {
  readonly cost: Range;
  readonly resultSize?: Range | undefined;
}

/** The size of a node that the expression does not tell: of a variable, and of what is reached from it. */
export type SizeEstimator = (node: CostNode) => Range | undefined;

/** What the calls of one function cost. */
export interface FunctionCost {
  /** What a call takes, told from its arguments before it is made; undefined to leave it to cel-go's own costs. */
  readonly actual?: (args: readonly CelValue[], overloadId: string) => number | undefined;
  /** The same, where only the result tells. */
  readonly actualOfResult?: (result: CelValue) => number;
  /** Whether a call of which the checker left several overloads has cel-go's own costs. */
  readonly isOfOverload?: boolean;
  /** What a call may take, without its arguments; undefined as above. */
  readonly estimate: (call: EstimatedCall) => CallEstimate | undefined;
}

export interface EstimatedCall {
  readonly overloadId: string;
  readonly target: CostNode | undefined;
  readonly args: readonly CostNode[];
  /** The size of a node: told by the expression, or estimated, or unknown. */
  readonly sizeOf: (node: CostNode) => Range;
}

/** What calls cost, by the names of functions. Source: cel-go's ActualCostEstimator and CostEstimator. */
export type CostModel = ReadonlyMap<string, FunctionCost>;
