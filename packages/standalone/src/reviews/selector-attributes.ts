import {
  APIError,
  type FieldError,
  fieldError,
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

/**
 * Says which selectors of a valid review could not be understood, and were passed over for that, as a whole or in part.
 *
 * @returns `""` when all could.
 * Source: kubernetes pkg/registry/authorization/util, BuildEvaluationError.
 */
export function selectorProblems({ fieldSelector, labelSelector }: ResourceAttributes): string {
  const field = problemOf(fieldSelector, (text) => parseFieldSelector(text, ANY_FIELD), isFieldRequirement);
  const label = problemOf(labelSelector, parseLabelSelector, (requirement) => labelSelectorOf({ matchExpressions: [requirement] }) !== undefined);
  return [field === undefined ? "" : `${PATH}.fieldSelector ${field}`, label === undefined ? "" : `${PATH}.labelSelector ${label}`]
    .filter((problem) => problem !== "")
    .join("; ");
}

function problemOf(
  selector: SelectorAttributes | undefined,
  parse: (text: string) => unknown,
  isUnderstood: (requirement: Requirement) => boolean,
): string | undefined {
  const { rawSelector = "", requirements = [] } = selector ?? {};
  if (rawSelector !== "") return parses(rawSelector, parse) ? undefined : "ignored due to parse error";
  const understood = requirements.filter(isUnderstood).length;
  if (understood === requirements.length) return undefined;
  return understood > 0 ? "partially ignored due to parse error" : "ignored due to parse error";
}

function parses(text: string, parse: (text: string) => unknown): boolean {
  try {
    parse(text);
    return true;
  } catch (error) {
    if (!APIError.is(error)) throw error;
    return false;
  }
}

/** Field selectors know equality with one value. */
function isFieldRequirement({ operator, values = [] }: Requirement): boolean {
  return (operator === "In" || operator === "NotIn") && values.length === 1;
}
