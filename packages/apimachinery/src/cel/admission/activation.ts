import type { JSONObject } from "../../meta/index.ts";
import { authorizerValue, type CheckedResource, requestResourceValue } from "../library/authorizer.ts";
import { jsonValue } from "../schema/json-value.ts";
import { RUNTIME_COST_BUDGET } from "../schema/rules.ts";
import type { CelValue } from "../value/value.ts";
import { type AuthorizationAnswers, DecisionPending } from "./authorization-check.ts";
import type { AdmissionExpression } from "./compiler.ts";
import { type AdmissionRequest, requestObject, visibleNamespace } from "./request.ts";
import { BudgetExceeded, LazyVariables } from "./variables.ts";

/** What all match conditions of a webhook or policy may cost together. Source: apis/cel RuntimeCELCostBudgetMatchConditions. */
export const MATCH_CONDITIONS_COST_BUDGET = 2_500_000;

/** What expressions are evaluated for. */
export interface AdmissionInput {
  readonly request: AdmissionRequest;
  /** Null where the operation has none. */
  readonly object: JSONObject | null;
  readonly oldObject: JSONObject | null;
  /** Null where there are none. */
  readonly params?: JSONObject | null;
  /** Null for requests that are in no namespace. */
  readonly namespaceObject?: JSONObject | null;
  /** Who decides on what `authorizer` is asked: one for all expressions of a request. Needed by expressions that were compiled with it. */
  readonly authorizer?: AuthorizationAnswers;
}

/** What an expression came to. */
export type AdmissionResult =
  | { readonly value: CelValue; readonly error?: undefined }
  /** `isOutOfBudget`: nothing more can be evaluated. */
  | { readonly error: string; readonly isOutOfBudget: boolean; readonly value?: undefined };

const OUT_OF_BUDGET: AdmissionResult = {
  error: "validation failed due to running out of cost budget, no further validation rules will be run",
  isOutOfBudget: true,
};

/**
 * Evaluates expressions for one request, one after the other, with one budget. Each variable is evaluated when it is first asked for, and then kept,
 * also when it is an error.
 *
 * Source: k8s.io/apiserver/pkg/admission/plugin/cel/activation.go evaluationActivation, condition.go ForInput.
 */
export class AdmissionActivation {
  readonly #bindings: Readonly<Record<string, CelValue>>;
  readonly #variables: LazyVariables;

  /**
   * @param variables those of the policy.
   * @param budget what all expressions and variables may cost together.
   */
  constructor(input: AdmissionInput, variables: ReadonlyMap<string, AdmissionExpression> = new Map(), budget = RUNTIME_COST_BUDGET) {
    this.#variables = new LazyVariables(variables, () => this.#bindings, budget);
    this.#bindings = { ...bindingsOf(input), variables: this.#variables };
  }

  /** What is left; less than nothing when it did not suffice. */
  get budget(): number {
    return this.#variables.budget;
  }

  /**
   * Evaluates an expression. It waits where the authorizer does, and begins anew when the decision is there; what it cost up to there is not counted.
   *
   * @returns the result; without a promise where every decision was known at once. One at a time.
   */
  evaluate(expression: AdmissionExpression): AdmissionResult | Promise<AdmissionResult> {
    try {
      return this.#evaluate(expression);
    } catch (error) {
      if (error instanceof DecisionPending) return error.answered.then(() => this.evaluate(expression));
      if (!(error instanceof BudgetExceeded)) throw error;
      this.#variables.budget = -1;
      return OUT_OF_BUDGET;
    }
  }

  #evaluate({ text, compilation }: AdmissionExpression): AdmissionResult {
    if (this.budget < 0) return OUT_OF_BUDGET;
    const { program, fault } = compilation;
    if (program === undefined) return { error: `compilation error: ${fault}`, isOutOfBudget: false };
    const { cost, value, error } = program.evaluate(this.#bindings);
    this.#variables.spend(cost);
    return error === undefined ? { value } : { error: `expression '${text}' resulted in error: ${error}`, isOutOfBudget: false };
  }
}

function bindingsOf({ request, object, oldObject, params = null, namespaceObject = null, authorizer }: AdmissionInput): Record<string, CelValue> {
  const bindings: Record<string, CelValue> = {
    object: jsonValue(object),
    oldObject: jsonValue(oldObject),
    params: jsonValue(params),
    request: jsonValue(requestObject(request)),
    namespaceObject: jsonValue(namespaceObject === null ? null : visibleNamespace(namespaceObject)),
  };
  if (authorizer === undefined) return bindings;
  const decide = authorizer.decide.bind(authorizer);
  const { user } = request;
  return {
    ...bindings,
    authorizer: authorizerValue(user, decide),
    "authorizer.requestResource": requestResourceValue(user, decide, requestedResource(request)),
  };
}

function requestedResource({ requestResource: { group, resource }, subResource, namespace, name }: AdmissionRequest): CheckedResource {
  return { group, resource, subresource: subResource, namespace, name };
}
