import {
  ADMISSION_RESULT_TYPES,
  AdmissionActivation,
  type AdmissionExpression,
  type AdmissionInput,
  MATCH_CONDITIONS_COST_BUDGET,
} from "@annex/apimachinery";

/** Source: admissionregistration/v1 MatchCondition. */
export interface MatchCondition {
  readonly name?: string;
  readonly expression?: string;
}

export type FailurePolicy = "Fail" | "Ignore";

/** Whether all conditions hold; an error where that cannot be told and the failure policy is to fail. */
export type ConditionsResult = { readonly matches: boolean; readonly error?: undefined } | { readonly error: string; readonly matches?: undefined };

/** Compiles the conditions. @param compile by the rules of whoever has them: a policy's may speak of its params. */
export function compileConditions(
  conditions: readonly MatchCondition[] | undefined,
  compile: (text: string, resultTypes: typeof ADMISSION_RESULT_TYPES.matchCondition) => AdmissionExpression,
): readonly AdmissionExpression[] {
  return (conditions ?? []).map(({ expression }) => compile(expression ?? "", ADMISSION_RESULT_TYPES.matchCondition));
}

/**
 * Evaluates conditions, all of them with one budget: one that is false counts more than one that fails.
 *
 * @param variables those of the policy that has the conditions.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/matchconditions/matcher.go.
 */
export async function conditionsMatch(
  conditions: readonly AdmissionExpression[],
  failurePolicy: FailurePolicy,
  input: AdmissionInput,
  variables?: ReadonlyMap<string, AdmissionExpression>,
): Promise<ConditionsResult> {
  if (conditions.length === 0) return { matches: true };
  const activation = new AdmissionActivation(input, variables, MATCH_CONDITIONS_COST_BUDGET);
  const failed = (error: string): ConditionsResult => (failurePolicy === "Fail" ? { error } : { matches: false });
  const errors: string[] = [];
  let isFalse = false;
  for (const condition of conditions) {
    const result = await activation.evaluate(condition);
    if (result.error === undefined) isFalse ||= result.value === false;
    else if (result.isOutOfBudget) return failed(result.error);
    else errors.push(result.error);
  }
  if (isFalse) return { matches: false };
  return errors.length === 0 ? { matches: true } : failed(aggregate(errors));
}

/** Several errors as one. Source: apimachinery util/errors, NewAggregate. */
export function aggregate(errors: readonly string[]): string {
  const told = [...new Set(errors)];
  return told.length === 1 ? (told[0] ?? "") : `[${told.join(", ")}]`;
}
