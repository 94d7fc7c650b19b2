import {
  APIError,
  type FieldError,
  type FieldRequirement,
  fieldError,
  type LabelRequirement,
  labelSelectorOf,
  MAX_FAULTS,
  parseFieldSelector,
  parseLabelSelector,
  validateLabelSelectorRequirement,
} from "@annex/apimachinery";
import type { ResourceAttributes, SelectorAttributes } from "./access-attributes.ts";

const PATH = "spec.resourceAttributes";
const ANY_FIELD = () => true;

/**
 * The faults of the selectors of a review. Operators that nobody knows are none: they may be a newer client's.
 *
 * Source: kubernetes pkg/apis/authorization/validation, validateResourceAttributes.
 */
export function validateSelectors({ fieldSelector, labelSelector }: ResourceAttributes): readonly FieldError[] {
  return [
    ...validateSelector(fieldSelector, `${PATH}.fieldSelector`, fieldRequirementFaults),
    ...validateSelector(labelSelector, `${PATH}.labelSelector`, (requirement, path) =>
      validateLabelSelectorRequirement(requirement, path, { allowsUnknownOperators: true }),
    ),
  ];
}

type Requirement = NonNullable<SelectorAttributes["requirements"]>[number];

function validateSelector(
  selector: SelectorAttributes | undefined,
  path: string,
  faultsOf: (requirement: Requirement, path: string) => readonly FieldError[],
): readonly FieldError[] {
  if (selector === undefined) return [];
  const { rawSelector = "", requirements = [] } = selector;
  const faults: FieldError[] = [];
  if (rawSelector !== "" && requirements.length > 0) {
    faults.push(fieldError.invalid(`${path}.rawSelector`, rawSelector, "may not specified at the same time as requirements"));
  }
  if (rawSelector === "" && requirements.length === 0) {
    faults.push(fieldError.required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`));
  }
  for (const [index, requirement] of requirements.entries()) {
    if (faults.length >= MAX_FAULTS) break;
    for (const fault of faultsOf(requirement, `${path}.requirements[${index}]`)) faults.push(fault);
  }
  return faults;
}

/** Source: meta/v1/validation ValidateFieldSelectorRequirement. */
function fieldRequirementFaults({ key, operator, values = [] }: Requirement, path: string): readonly FieldError[] {
  const faults: FieldError[] = key === "" ? [fieldError.required(`${path}.key`, "must be specified")] : [];
  if ((operator === "In" || operator === "NotIn") && values.length === 0) {
    faults.push(fieldError.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  }
  if ((operator === "Exists" || operator === "DoesNotExist") && values.length > 0) {
    faults.push(fieldError.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
  return faults;
}

/** What the selectors of a review limit the access to, and what of them could not be understood. */
export interface SelectedAccess {
  readonly selection: { readonly fieldSelector?: readonly FieldRequirement[]; readonly labelSelector?: readonly LabelRequirement[] };
  /** Which selectors were passed over, as a whole or in part: more is then asked for, not less. `""` when all were understood. */
  readonly problems: string;
}

/**
 * Reads the selectors of a valid review.
 *
 * Source: kubernetes pkg/registry/authorization/util, ResourceAttributesFrom and BuildEvaluationError.
 */
export function readSelectors({ fieldSelector, labelSelector }: ResourceAttributes): SelectedAccess {
  const fields = readSelector(fieldSelector, (text) => parseFieldSelector(text, ANY_FIELD), fieldRequirementOf);
  const labels = readSelector(labelSelector, parseLabelSelector, labelRequirementOf);
  const problems = [
    ["fieldSelector", fields.problem],
    ["labelSelector", labels.problem],
  ] as const;
  return {
    selection: {
      ...(fields.requirements.length === 0 ? {} : { fieldSelector: fields.requirements }),
      ...(labels.requirements.length === 0 ? {} : { labelSelector: labels.requirements }),
    },
    problems: problems
      .filter(([, problem]) => problem !== "")
      .map(([name, problem]) => `${PATH}.${name} ${problem}`)
      .join("; "),
  };
}

interface ReadSelector<Read> {
  readonly requirements: readonly Read[];
  readonly problem: "" | "ignored due to parse error" | "partially ignored due to parse error";
}

function readSelector<Read>(
  selector: SelectorAttributes | undefined,
  parse: (text: string) => { readonly requirements: readonly Read[] },
  requirementOf: (requirement: Requirement) => Read | undefined,
): ReadSelector<Read> {
  const { rawSelector = "", requirements: sent = [] } = selector ?? {};
  if (rawSelector !== "") return parsed(rawSelector, parse);
  const requirements = sent.map(requirementOf).filter((requirement) => requirement !== undefined);
  if (requirements.length === sent.length) return { requirements, problem: "" };
  return { requirements, problem: requirements.length > 0 ? "partially ignored due to parse error" : "ignored due to parse error" };
}

function parsed<Read>(text: string, parse: (text: string) => { readonly requirements: readonly Read[] }): ReadSelector<Read> {
  try {
    return { requirements: parse(text).requirements, problem: "" };
  } catch (error) {
    if (!APIError.is(error)) throw error;
    return { requirements: [], problem: "ignored due to parse error" };
  }
}

/** Field selectors know equality with one value. */
function fieldRequirementOf({ key, operator, values: [value, ...more] = [] }: Requirement): FieldRequirement | undefined {
  if ((operator !== "In" && operator !== "NotIn") || value === undefined || more.length > 0) return undefined;
  return { field: key, operator: operator === "In" ? "=" : "!=", value };
}

function labelRequirementOf(requirement: Requirement): LabelRequirement | undefined {
  return labelSelectorOf({ matchExpressions: [requirement] })?.requirements[0];
}
