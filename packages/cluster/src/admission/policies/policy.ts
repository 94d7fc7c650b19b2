import { ADMISSION_RESULT_TYPES, type AdmissionExpression, CompositedCompiler, type KubernetesObject } from "@annex/apimachinery";
import { compileConditions, type FailurePolicy, type MatchCondition } from "../matching/match-conditions.ts";
import { type CompiledMatch, compileMatch, type MatchResources } from "../matching/match-resources.ts";
import type { ParamKind } from "./param-kinds.ts";
import type { ParamRef } from "./params.ts";

/** What validating and mutating policies have in common. Source: admissionregistration/v1. */
interface PolicySpec {
  readonly paramKind?: ParamKind;
  readonly matchConstraints?: MatchResources;
  readonly matchConditions?: readonly MatchCondition[];
  readonly failurePolicy?: string;
  readonly variables?: readonly { readonly name: string; readonly expression: string }[];
  readonly validations?: readonly ValidationSpec[];
  readonly auditAnnotations?: readonly { readonly key: string; readonly valueExpression: string }[];
  readonly mutations?: readonly MutationSpec[];
  readonly reinvocationPolicy?: string;
}

interface ValidationSpec {
  readonly expression: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
}

interface MutationSpec {
  readonly patchType: string;
  readonly applyConfiguration?: { readonly expression: string };
  readonly jsonPatch?: { readonly expression: string };
}

/** A policy, compiled. */
export interface Policy {
  readonly name: string;
  readonly paramKind: ParamKind | undefined;
  readonly match: CompiledMatch;
  readonly conditions: readonly AdmissionExpression[];
  readonly failurePolicy: FailurePolicy;
  readonly variables: ReadonlyMap<string, AdmissionExpression>;
}

export interface Validation {
  readonly expression: AdmissionExpression;
  readonly message: string;
  readonly messageExpression: AdmissionExpression | undefined;
  readonly reason: string;
}

export interface ValidatingPolicy extends Policy {
  readonly validations: readonly Validation[];
  readonly auditAnnotations: readonly { readonly key: string; readonly expression: AdmissionExpression }[];
}

export interface Mutation {
  readonly type: "ApplyConfiguration" | "JSONPatch";
  readonly expression: AdmissionExpression;
}

export interface MutatingPolicy extends Policy {
  readonly mutations: readonly Mutation[];
  readonly isReinvoked: boolean;
}

/** What makes a policy count: where, and with which params. Source: admissionregistration/v1 ValidatingAdmissionPolicyBinding. */
export interface Binding {
  readonly name: string;
  readonly policy: string;
  readonly paramRef: ParamRef | undefined;
  /** Undefined: wherever the policy is about. */
  readonly match: CompiledMatch | undefined;
  readonly actions: readonly string[];
}

/** Objects of the cluster, whose API has checked them. */
const specOf = <Spec>({ spec }: KubernetesObject): Spec => (spec ?? {}) as Spec;

export function compileBinding(object: KubernetesObject): Binding {
  const spec = specOf<{
    readonly policyName?: string;
    readonly paramRef?: ParamRef;
    readonly matchResources?: MatchResources;
    readonly validationActions?: readonly string[];
  }>(object);
  return {
    name: object.metadata.name ?? "",
    policy: spec.policyName ?? "",
    paramRef: spec.paramRef,
    match: spec.matchResources && compileMatch(spec.matchResources),
    actions: spec.validationActions ?? [],
  };
}

function compilePolicy(object: KubernetesObject, spec: PolicySpec) {
  const declarations = { hasParams: spec.paramKind !== undefined, hasAuthorizer: true };
  const compiler = new CompositedCompiler();
  for (const { name, expression } of spec.variables ?? []) compiler.declareVariable(name, expression, declarations);
  const policy: Policy = {
    name: object.metadata.name ?? "",
    paramKind: spec.paramKind,
    match: compileMatch(spec.matchConstraints ?? {}),
    conditions: compileConditions(spec.matchConditions, (text, types) => compiler.compile(text, declarations, types)),
    failurePolicy: spec.failurePolicy === "Ignore" ? "Ignore" : "Fail",
    variables: compiler.variables,
  };
  return { compiler, declarations, policy };
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/policy/validating/plugin.go, compilePolicy. */
export function compileValidatingPolicy(object: KubernetesObject): ValidatingPolicy {
  const spec = specOf<PolicySpec>(object);
  const { compiler, declarations, policy } = compilePolicy(object, spec);
  const { validation, messageExpression: message, auditAnnotation } = ADMISSION_RESULT_TYPES;
  return {
    ...policy,
    validations: (spec.validations ?? []).map((one) => ({
      expression: compiler.compile(one.expression, declarations, validation),
      message: one.message ?? "",
      // Whoever explains a refusal asks nobody.
      messageExpression: one.messageExpression
        ? compiler.compile(one.messageExpression, { ...declarations, hasAuthorizer: false }, message)
        : undefined,
      reason: one.reason || "Invalid",
    })),
    auditAnnotations: (spec.auditAnnotations ?? []).map(({ key, valueExpression }) => ({
      key,
      expression: compiler.compile(valueExpression, declarations, auditAnnotation),
    })),
  };
}

/** Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/compilation.go. */
export function compileMutatingPolicy(object: KubernetesObject): MutatingPolicy {
  const spec = specOf<PolicySpec>(object);
  const { compiler, declarations, policy } = compilePolicy(object, spec);
  const { jsonPatch, applyConfiguration } = ADMISSION_RESULT_TYPES;
  const patchTypes = { ...declarations, hasPatchTypes: true };
  return {
    ...policy,
    mutations: (spec.mutations ?? []).map((one) =>
      one.patchType === "JSONPatch"
        ? { type: "JSONPatch", expression: compiler.compile(one.jsonPatch?.expression ?? "", patchTypes, jsonPatch) }
        : { type: "ApplyConfiguration", expression: compiler.compile(one.applyConfiguration?.expression ?? "", patchTypes, applyConfiguration) },
    ),
    isReinvoked: spec.reinvocationPolicy === "IfNeeded",
  };
}
