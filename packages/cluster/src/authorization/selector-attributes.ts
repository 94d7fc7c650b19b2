import type { FieldRequirement, LabelRequirement } from "@annex/apimachinery";

/** A condition in the words of authorization/v1. Source: meta/v1 FieldSelectorRequirement and LabelSelectorRequirement. */
interface SelectorRequirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

/** Source: authorization/v1 FieldSelectorAttributes and LabelSelectorAttributes. */
export interface SelectorAttributes {
  readonly requirements: readonly SelectorRequirement[];
}

/** What a review says of the fields that are selected; undefined for all objects. Source: k8s.io/apiserver plugin/pkg/authorizer/webhook, fieldSelectorToAuthorizationAPI. */
export function fieldSelectorAttributes(requirements: readonly FieldRequirement[] = []): SelectorAttributes | undefined {
  return attributesOf(
    requirements.map(({ field, operator, value }) => ({ key: field, operator: operator === "=" ? "In" : "NotIn", values: [value] })),
  );
}

/** As {@link fieldSelectorAttributes}. A review knows no numbers: a condition that compares them is left out, and more is asked for. Source: labelSelectorToAuthorizationAPI. */
export function labelSelectorAttributes(requirements: readonly LabelRequirement[] = []): SelectorAttributes | undefined {
  return attributesOf(
    requirements.flatMap(({ key, operator: sent, values }) => {
      const operator = OPERATORS[sent];
      return operator === undefined ? [] : [{ key, operator, ...(values.length === 0 ? {} : { values }) }];
    }),
  );
}

const OPERATORS: Readonly<Record<LabelRequirement["operator"], SelectorRequirement["operator"] | undefined>> = {
  "=": "In",
  "==": "In",
  in: "In",
  "!=": "NotIn",
  notin: "NotIn",
  exists: "Exists",
  "!": "DoesNotExist",
  gt: undefined,
  lt: undefined,
};

function attributesOf(requirements: readonly SelectorRequirement[]): SelectorAttributes | undefined {
  return requirements.length === 0 ? undefined : { requirements };
}
