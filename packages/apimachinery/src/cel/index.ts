// Expressions in CEL, as kube-apiserver configures cel-go: read, checked, costed and evaluated. No I/O; every evaluation ends, by its cost.
export * from "./admission/index.ts";
export { type FunctionDeclaration, type Implementation, member, type Overload, overload } from "./check/declaration.ts";
export type { CallEstimate, CostModel, CostNode, EstimatedCall, FunctionCost, SizeEstimator } from "./cost/model.ts";
export type { Range as CostRange } from "./cost/range.ts";
export { CelEnvironment, type CelLibrary, type EnvironmentOptions, type StructType } from "./environment.ts";
export { KUBERNETES_ENVIRONMENT } from "./kubernetes.ts";
export { type CelProgram, type Compilation, type CompileOptions, compileExpression, type Evaluation, PER_CALL_LIMIT } from "./program.ts";
export { type DeclType, declTypeOf, namedType } from "./schema/decl-type.ts";
export { escapeFieldName, unescapeFieldName } from "./schema/escape.ts";
export { jsonValue } from "./schema/json-value.ts";
export {
  compileRules,
  maxCardinality,
  RUNTIME_COST_BUDGET,
  type RuleCompilation,
  STATIC_ESTIMATED_COST_LIMIT,
  STATIC_ESTIMATED_CRD_COST_LIMIT,
} from "./schema/rules.ts";
export { type ValueAdapter, valueAdapter } from "./schema/schema-value.ts";
export { sizeEstimator } from "./schema/size-estimator.ts";
export { CelError } from "./value/error.ts";
export { CelList } from "./value/list.ts";
export { CelMap } from "./value/map.ts";
export { CelDouble, type CelInt, CelUint } from "./value/number.ts";
export { CelOpaque } from "./value/opaque.ts";
export { CelOptional, OPTIONAL_NONE, optionalOf } from "./value/optional.ts";
export { CelDuration, CelTimestamp } from "./value/time.ts";
export type { CelType } from "./value/type.ts";
export * as celTypes from "./value/type.ts";
export { typeOf } from "./value/type-of.ts";
export type { CelValue } from "./value/value.ts";
