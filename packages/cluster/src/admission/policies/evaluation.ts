import { AdmissionActivation, type AdmissionInput, RUNTIME_COST_BUDGET } from "@annex/apimachinery";
import type { ValidatingPolicy, Validation } from "./policy.ts";

/** What a validation came to; undefined where it holds. */
export type Denial = { readonly message: string; readonly reason: string } | undefined;

export interface PolicyEvaluation {
  readonly denials: readonly Denial[];
  /** Those that could not be evaluated: they deny, whatever the actions of the binding. */
  readonly annotationFaults: readonly string[];
  readonly annotations: readonly (readonly [string, string])[];
}

/** Source: k8s.io/apiserver/pkg/apis/cel, MaxEvaluatedMessageExpressionSizeBytes. */
const MAX_MESSAGE_BYTES = 5 * 1024;

/**
 * Evaluates a policy whose conditions hold: validations, then what explains those that do not hold, then annotations.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/validator.go.
 */
export async function evaluatePolicy(policy: ValidatingPolicy, input: AdmissionInput): Promise<PolicyEvaluation> {
  const failed = (message: string): Denial => (policy.failurePolicy === "Ignore" ? undefined : { message, reason: "" });
  const whole = (message: string): PolicyEvaluation => ({ denials: [failed(message)], annotationFaults: [], annotations: [] });
  const activation = new AdmissionActivation(input, policy.variables);
  const results: (string | boolean)[] = [];
  for (const { expression } of policy.validations) {
    const result = await activation.evaluate(expression);
    if (result.error !== undefined && result.isOutOfBudget) return whole(result.error);
    results.push(result.error ?? result.value === true);
  }
  const messages = await evaluateMessages(policy, input, activation.budget);
  const denials = results.map((result, index): Denial => {
    if (typeof result === "string") return failed(result);
    if (messages.error !== undefined) return failed(`failed messageExpression: ${messages.error}`);
    const validation = policy.validations[index];
    if (result || validation === undefined) return undefined;
    return { message: messages.texts[index] || messageOf(validation), reason: validation.reason };
  });
  const annotated = await annotate(policy, input);
  if (annotated.error !== undefined) return whole(annotated.error);
  return { denials, ...annotated };
}

function messageOf({ message, expression }: Validation): string {
  return message.trim() || `failed expression: ${expression.text.trim()}`;
}

/** The messages that expressions make; empty where there is none, or none that can be shown. */
async function evaluateMessages(
  { validations, variables }: ValidatingPolicy,
  { authorizer: _authorizer, ...input }: AdmissionInput,
  budget: number,
): Promise<{ readonly error?: string; readonly texts: readonly string[] }> {
  const texts: string[] = [];
  if (validations.every(({ messageExpression }) => messageExpression === undefined)) return { texts };
  const activation = new AdmissionActivation(input, variables, budget);
  for (const { messageExpression } of validations) {
    const result = messageExpression && (await activation.evaluate(messageExpression));
    if (result?.error !== undefined && result.isOutOfBudget) return { error: result.error, texts };
    const text = typeof result?.value === "string" ? result.value.trim() : "";
    texts.push(text.includes("\n") || Buffer.byteLength(text) > MAX_MESSAGE_BYTES ? "" : text);
  }
  return { texts };
}

async function annotate(
  { auditAnnotations, variables, failurePolicy }: ValidatingPolicy,
  input: AdmissionInput,
): Promise<Pick<PolicyEvaluation, "annotations" | "annotationFaults"> & { readonly error?: string }> {
  const annotations: (readonly [string, string])[] = [];
  const annotationFaults: string[] = [];
  const activation = new AdmissionActivation(input, variables, RUNTIME_COST_BUDGET);
  for (const { key, expression } of auditAnnotations) {
    const result = await activation.evaluate(expression);
    if (result.error !== undefined && result.isOutOfBudget) return { error: result.error, annotations, annotationFaults };
    if (result.error !== undefined && failurePolicy === "Fail") annotationFaults.push(result.error);
    const text = typeof result.value === "string" ? result.value.trim() : "";
    if (text !== "") annotations.push([key, text]);
  }
  return { annotations, annotationFaults };
}
