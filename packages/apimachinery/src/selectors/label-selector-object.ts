import { type FieldError, fieldError, MAX_FAULTS } from "../meta/index.ts";
import { isValidLabelValue, validateLabelName, validateLabels } from "../meta/names.ts";
import { type Static, t } from "../schema/builder.ts";
import { compileLabelSelector, type LabelRequirement, type LabelSelector } from "./label-selector.ts";

/** One condition of a label selector. Source: meta/v1 LabelSelectorRequirement. */
export const LABEL_SELECTOR_REQUIREMENT_SCHEMA = t.object({
  key: t.string({ default: "", description: "The label that the condition is about." }),
  operator: t.string({ default: "", description: "How the label relates to the values: In, NotIn, Exists or DoesNotExist." }),
  values: t.optional(t.atomic(t.string(), { description: "What In and NotIn compare with; empty for the others." })),
});

/** A label selector as a field of an object has it. All of its conditions must hold; without any it selects everything. Source: meta/v1 LabelSelector. */
export const LABEL_SELECTOR_SCHEMA = t.object(
  {
    matchLabels: t.optional(t.record(t.string(), { description: "Labels that must be there with these values." })),
    matchExpressions: t.optional(t.atomic(LABEL_SELECTOR_REQUIREMENT_SCHEMA, { description: "Conditions, all of which must hold." })),
  },
  { description: "Selects objects by their labels.", "x-kubernetes-map-type": "atomic" },
);

export type LabelSelectorObject = Static<typeof LABEL_SELECTOR_SCHEMA>;
export type LabelSelectorRequirement = Static<typeof LABEL_SELECTOR_REQUIREMENT_SCHEMA>;

const OPERATORS = { In: "in", NotIn: "notin", Exists: "exists", DoesNotExist: "!" } as const satisfies Record<string, LabelRequirement["operator"]>;

/** The operator in the words of query parameters; undefined when there is none of that name. */
function operatorOf(text: string): LabelRequirement["operator"] | undefined {
  return Object.hasOwn(OPERATORS, text) ? OPERATORS[text as keyof typeof OPERATORS] : undefined; // `as`: one of its own keys
}

/**
 * Compiles a label selector of an object.
 *
 * @returns undefined when {@link validateLabelSelector} finds fault with it: what cannot be understood selects nothing, and is for the caller to tell.
 * Source: meta/v1 LabelSelectorAsSelector.
 */
export function labelSelectorOf(object: LabelSelectorObject): LabelSelector | undefined {
  if (validateLabelSelector(object, "").length > 0) return undefined;
  const requirements: LabelRequirement[] = Object.entries(object.matchLabels ?? {}).map(([key, value]) => ({ key, operator: "=", values: [value] }));
  for (const { key, operator: text, values = [] } of object.matchExpressions ?? []) {
    const operator = operatorOf(text);
    if (operator === undefined) return undefined;
    requirements.push({ key, operator, values: [...new Set(values)].sort() });
  }
  return compileLabelSelector(requirements);
}

/**
 * The faults of a label selector of an object.
 *
 * @param path where it stands; `""` when nobody is told.
 * Source: meta/v1/validation ValidateLabelSelector.
 */
export function validateLabelSelector({ matchLabels, matchExpressions = [] }: LabelSelectorObject, path: string): readonly FieldError[] {
  const faults = validateLabels(matchLabels, `${path}.matchLabels`);
  for (const [index, expression] of matchExpressions.entries()) {
    if (faults.length >= MAX_FAULTS) break;
    for (const fault of validateLabelSelectorRequirement(expression, `${path}.matchExpressions[${index}]`)) faults.push(fault);
  }
  return faults;
}

/**
 * The faults of one condition of a label selector.
 *
 * @param allowsUnknownOperators for conditions that may be of a newer client, and are then passed over.
 * Source: meta/v1/validation ValidateLabelSelectorRequirement.
 */
export function validateLabelSelectorRequirement(
  { key, operator: text, values = [] }: LabelSelectorRequirement,
  path: string,
  { allowsUnknownOperators = false }: { readonly allowsUnknownOperators?: boolean } = {},
): readonly FieldError[] {
  const faults: FieldError[] = [];
  const operator = operatorOf(text);
  if (operator === undefined) {
    if (!allowsUnknownOperators) faults.push(fieldError.invalid(`${path}.operator`, text, "not a valid selector operator"));
  } else if (operator === "in" || operator === "notin") {
    if (values.length === 0) faults.push(fieldError.required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
  } else if (values.length > 0) {
    faults.push(fieldError.forbidden(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
  }
  faults.push(...validateLabelName(key, `${path}.key`));
  for (const [place, value] of values.entries()) {
    if (faults.length >= MAX_FAULTS) break;
    for (const complaint of isValidLabelValue(value)) faults.push(fieldError.invalid(`${path}.values[${place}]`, value, complaint));
  }
  return faults;
}
