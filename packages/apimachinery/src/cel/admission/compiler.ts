import type { CelEnvironment } from "../environment.ts";
import { type Compilation, compileExpression } from "../program.ts";
import { BOOL, type CelType, listType, NULL, STRING } from "../value/type.ts";
import { type AdmissionDeclarations, admissionEnvironment } from "./environment.ts";
import { APPLY_CONFIGURATION, JSON_PATCH } from "./patch-types.ts";
import { variableType, withVariables } from "./variable-types.ts";

/** The types that the expressions of policies and webhooks have to have. Source: their ReturnTypes. */
export const ADMISSION_RESULT_TYPES = {
  /** Of validations. */
  validation: [BOOL],
  matchCondition: [BOOL],
  messageExpression: [STRING],
  /** Of the valueExpression; null leaves the annotation out. */
  auditAnnotation: [STRING, NULL],
  jsonPatch: [listType(JSON_PATCH)],
  applyConfiguration: [APPLY_CONFIGURATION],
} as const satisfies Record<string, readonly CelType[]>;

/** An expression that was compiled, or why it cannot be. */
export interface AdmissionExpression {
  readonly text: string;
  /** The fault has Kubernetes' words: `compilation failed: ERROR: …`, `must evaluate to bool but got int`. */
  readonly compilation: Compilation;
}

/**
 * Compiles an expression without variables of a policy: a match condition of a webhook.
 *
 * @param resultTypes those of which it has to have one; any when undefined.
 */
export function compileAdmissionExpression(text: string, declarations: AdmissionDeclarations, resultTypes?: readonly CelType[]): AdmissionExpression {
  return compiled(admissionEnvironment(declarations), text, resultTypes);
}

const compiled = (environment: CelEnvironment, text: string, resultTypes: readonly CelType[] | undefined): AdmissionExpression => ({
  text,
  compilation: compileExpression(environment, text, resultTypes === undefined ? {} : { resultTypes }),
});

/**
 * Compiles the expressions of one policy, which may use its variables: `variables.name`, of the type that its expression has. A variable sees those
 * before it.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/composition.go CompositedCompiler.
 */
export class CompositedCompiler {
  readonly #variables = new Map<string, AdmissionExpression>();
  readonly #types = new Map<string, CelType>();

  /** The variables so far. */
  get variables(): ReadonlyMap<string, AdmissionExpression> {
    return this.#variables;
  }

  /**
   * Declares a variable. One that does not compile is dyn, and an error when it is evaluated.
   *
   * @throws {Error} when there is one of that name: a policy has been validated before it is compiled.
   */
  declareVariable(name: string, text: string, declarations: AdmissionDeclarations): AdmissionExpression {
    if (this.#variables.has(name)) throw new Error(`the variable ${name} is declared twice`);
    const variable = this.compile(text, declarations);
    this.#types.set(name, variableType(variable.compilation.program?.resultType));
    this.#variables.set(name, variable);
    return variable;
  }

  /** Compiles an expression that may use the variables so far. @param resultTypes those of which it has to have one; any when undefined. */
  compile(text: string, declarations: AdmissionDeclarations, resultTypes?: readonly CelType[]): AdmissionExpression {
    return compiled(withVariables(admissionEnvironment(declarations), this.#types), text, resultTypes);
  }
}
