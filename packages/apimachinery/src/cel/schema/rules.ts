import type { ValidationRule } from "../../schema/index.ts";
import type { SizeEstimator } from "../cost/model.ts";
import type { CelEnvironment } from "../environment.ts";
import { KUBERNETES_ENVIRONMENT } from "../kubernetes.ts";
import { type CelProgram, compileExpression } from "../program.ts";
import { BOOL, optionalType, STRING } from "../value/type.ts";
import { type DeclType, MAX_REQUEST_BYTES, namedType } from "./decl-type.ts";
import { sizeEstimator } from "./size-estimator.ts";

/** What all rules of one request may cost together. Source: apis/cel RuntimeCELCostBudget. */
export const RUNTIME_COST_BUDGET = 10_000_000;

/** What a rule, and what all rules of a kind may cost at the most, as estimated. Source: apiextensions validation StaticEstimatedCostLimit, StaticEstimatedCRDCostLimit. */
export const STATIC_ESTIMATED_COST_LIMIT = 10_000_000n;
export const STATIC_ESTIMATED_CRD_COST_LIMIT = 100_000_000n;

/** What became of a rule. Source: apiextensions CompilationResult. */
export interface RuleCompilation {
  /** Neither this nor an error: the rule is blank. */
  readonly program?: CelProgram;
  readonly error?: string;
  /** Whether the rule is about a change. */
  readonly usesOldSelf: boolean;
  /** The most that one evaluation may cost. */
  readonly maxCost: bigint;
  readonly messageProgram?: CelProgram;
  readonly messageError?: string;
  readonly maxMessageCost: bigint;
}

/**
 * Compiles the rules of a schema. Rules see `self`, and `oldSelf`, which is an optional where the rule says `optionalOldSelf`.
 *
 * @returns one result for each rule, in their order. Faults have Kubernetes' words.
 *
 * Source: apiextensions-apiserver pkg/apiserver/schema/cel/compilation.go.
 */
export function compileRules(rules: readonly ValidationRule[], declType: DeclType): readonly RuleCompilation[] {
  const { type, structs } = namedType(declType, "selfType");
  // Nullable elements are null, and a message has an oldSelf that is no optional, whatever the checker takes them for.
  const base = KUBERNETES_ENVIRONMENT.extend({ structs, hasUntrustedTypes: true });
  const plain = base.extend({ variables: { self: type, oldSelf: type } });
  const optional = base.extend({ variables: { self: type, oldSelf: optionalType(type) } });
  const sizes = sizeEstimator(declType);
  return rules.map((rule) => compileRule(rule, rule.optionalOldSelf === true ? optional : plain, sizes));
}

/** How often a value that takes so many bytes at the least may occur in one request. Source: apiextensions maxCardinality. */
export function maxCardinality(minSerializedSize: number): bigint {
  return BigInt(Math.trunc(MAX_REQUEST_BYTES / (minSerializedSize + 1)));
}

function compileRule(rule: ValidationRule, environment: CelEnvironment, sizes: SizeEstimator): RuleCompilation {
  const nothing: RuleCompilation = { usesOldSelf: false, maxCost: 0n, maxMessageCost: 0n };
  if (rule.rule.trim() === "") return nothing;
  const { program, fault } = compileExpression(environment, rule.rule, { resultType: BOOL, sizes });
  if (program === undefined) return { ...nothing, error: fault.startsWith("must evaluate") ? `cel expression ${fault}` : fault };
  const compiled = { ...nothing, program, usesOldSelf: program.references("oldSelf"), maxCost: program.maxCost };
  if (rule.messageExpression === undefined || rule.messageExpression === "") return compiled;
  const message = compileExpression(environment, rule.messageExpression, { resultType: STRING, sizes });
  if (message.program === undefined) return { ...compiled, messageError: messageFault(message.fault) };
  return { ...compiled, messageProgram: message.program, maxMessageCost: message.program.maxCost };
}

const messageFault = (fault: string): string => `messageExpression ${fault.replace(/^program instantiation/, "instantiation")}`;
