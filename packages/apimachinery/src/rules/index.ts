// Rules in CEL on the values of a schema (`x-kubernetes-validations`): checked and compiled with a definition, tried on every write. Pure.
export { type CompiledRules, compileSchemaRules } from "./compile-rules.ts";
export { checkDefaultsByRules } from "./default-rules.ts";
export { type RuleOutcome, tryRules } from "./try-rules.ts";
