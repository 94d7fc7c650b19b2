// One schema value: static type, OpenAPI, validation, defaulting, pruning. Pure.
export * from "./builder.ts";
export { checkDefaults, type DefaultOptions } from "./check-default.ts";
export { checkSchema } from "./check-schema.ts";
export { checkStructural } from "./check-structural.ts";
export { type Condition, conditionList, isConditionTrue, withCondition } from "./conditions.ts";
export { decodeSchema } from "./decode-schema.ts";
export { applyDefaults } from "./default.ts";
export { type FindFieldOptions, type FoundField, findFieldPath } from "./field-path.ts";
export { formatGoValue } from "./go-format.ts";
export { OBJECT_META_SCHEMA } from "./object-meta.ts";
export { type Pruned, type PruneOptions, pruneUnknown } from "./prune.ts";
export type * from "./schema.ts";
export { type Check, compileChecks, compileValidator, rulesNotChecked, type SchemaChecks } from "./validate.ts";
