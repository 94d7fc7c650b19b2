// What a client selects by labels and fields: text in, predicate out. No objects are read here, so anyone may import it.
export * from "./field-selector.ts";
export {
  type LabelOperator,
  type LabelRequirement,
  type LabelSelector,
  MAX_LABEL_SELECTOR_LENGTH,
  MAX_SELECTOR_REQUIREMENTS,
  parseLabelSelector,
} from "./label-selector.ts";
export {
  LABEL_SELECTOR_REQUIREMENT_SCHEMA,
  LABEL_SELECTOR_SCHEMA,
  type LabelSelectorObject,
  type LabelSelectorRequirement,
  labelSelectorOf,
  validateLabelSelector,
  validateLabelSelectorRequirement,
} from "./label-selector-object.ts";
