import { APIError, forbidden, type StatusReason } from "@annex/apimachinery";
import { type AdmissionAttributes, type AdmissionContext, type AdmissionPlugin, type Authorizer, type Logger, refusedName } from "@annex/apiserver";
import { logAnnotations } from "../audit.ts";
import { isExempt } from "../exempt.ts";
import { conditionsMatch } from "../matching/match-conditions.ts";
import type { NamespaceReader } from "../matching/selectors.ts";
import { evaluatePolicy, type PolicyEvaluation } from "./evaluation.ts";
import type { ValidatingPolicy } from "./policy.ts";
import { PolicyInput } from "./policy-input.ts";
import type { PolicyInvocation, PolicySet } from "./policy-set.ts";

export interface PoliciesOptions<Set> {
  readonly set: Set;
  readonly namespaces: NamespaceReader;
  readonly authorizer: Authorizer;
  readonly log: Logger;
}

interface Refusal {
  readonly policy: string;
  readonly binding: string | undefined;
  readonly message: string;
  readonly reason: string;
}

/** What a policy's reasons are answered with. Source: validating/policy_decision.go, reasonToCode. */
const CODES: Readonly<Record<string, number>> = { Forbidden: 403, Unauthorized: 401, RequestEntityTooLarge: 413 };
const INVALID_CODE = 422;
const MAX_ANNOTATION_BYTES = 10 * 1024;

/**
 * Evaluates the cluster's ValidatingAdmissionPolicies.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/dispatcher.go.
 */
export function validatingPolicies({ set, namespaces, authorizer, log }: PoliciesOptions<PolicySet<ValidatingPolicy>>): AdmissionPlugin {
  return {
    name: "ValidatingAdmissionPolicy",
    async validate(attributes, context) {
      if (isExempt(attributes.resource)) return;
      await set.whenReady(attributes, context.signal);
      const { invocations, faults } = await set.invocations(attributes, context);
      const refusals: Refusal[] = faults
        .filter(({ policy }) => policy.failurePolicy === "Fail")
        .map(({ policy, binding, message }) => ({ policy: policy.name, binding: binding?.name, message, reason: "" }));
      if (invocations.length > 0) {
        const input = await PolicyInput.of(attributes, context, namespaces, authorizer);
        for (const invocation of invocations) {
          const evaluation = await evaluated(invocation, attributes, input);
          if (evaluation !== undefined) refusals.push(...acted(invocation, evaluation, attributes, context, log));
        }
      }
      const [first] = refusals;
      if (first !== undefined) throw refusalError(attributes, first);
    },
  };
}

/** @returns undefined where the policy's conditions do not hold. */
async function evaluated(
  { policy, version, params }: PolicyInvocation<ValidatingPolicy>,
  { object }: AdmissionAttributes,
  input: PolicyInput,
): Promise<PolicyEvaluation | undefined> {
  const { matches, error } = await conditionsMatch(
    policy.conditions,
    policy.failurePolicy,
    input.forConditions(version, object, params),
    policy.variables,
  );
  if (error !== undefined) return { denials: [{ message: error, reason: "" }], annotationFaults: [], annotations: [] };
  return matches ? evaluatePolicy(policy, input.in(version, object, params)) : undefined;
}

/** Does what a binding says is to be done about what a policy denies. @returns the refusals. */
function acted(
  { policy, binding }: PolicyInvocation<ValidatingPolicy>,
  { denials, annotations, annotationFaults }: PolicyEvaluation,
  attributes: AdmissionAttributes,
  { warn }: AdmissionContext,
  log: Logger,
): Refusal[] {
  const refusals: Refusal[] = [];
  for (const [expressionIndex, denial] of denials.entries()) {
    if (denial === undefined) continue;
    const { message } = denial;
    for (const action of binding.actions) {
      if (action === "Deny") refusals.push({ policy: policy.name, binding: binding.name, ...denial });
      else if (action === "Warn") warn(`Validation failed for ValidatingAdmissionPolicy '${policy.name}' with binding '${binding.name}': ${message}`);
      else {
        const failure = [{ message, policy: policy.name, binding: binding.name, expressionIndex, validationActions: binding.actions }];
        logAnnotations(log, attributes, "validation.policy.admission.k8s.io", [["validation_failure", JSON.stringify(failure)]]);
      }
    }
  }
  logAnnotations(
    log,
    attributes,
    policy.name,
    annotations.map(([key, value]) => [key, value.slice(0, MAX_ANNOTATION_BYTES)]),
  );
  return [...refusals, ...annotationFaults.map((message) => ({ policy: policy.name, binding: binding.name, message, reason: "" }))];
}

function refusalError({ resource, name, object }: AdmissionAttributes, refusal: Refusal): APIError {
  const by = refusal.binding === undefined ? "" : ` with binding '${refusal.binding}'`;
  const message = `ValidatingAdmissionPolicy '${refusal.policy}'${by} denied request: ${refusal.message}`;
  const whole = forbidden(resource, refusedName({ name, object }), message);
  const reason = refusal.reason || "Invalid";
  return new APIError(reason as StatusReason, whole.message, {
    code: CODES[reason] ?? INVALID_CODE,
    statedReason: reason,
    details: { ...whole.details, causes: [{ message }] },
  });
}
