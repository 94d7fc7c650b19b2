// One schema value: static type, OpenAPI, validation, defaulting, pruning. Pure.
export * from "./builder.ts";
export { checkSchema } from "./check-schema.ts";
export { applyDefaults } from "./default.ts";
export { OBJECT_META_SCHEMA } from "./object-meta.ts";
export { type Pruned, type PruneOptions, pruneUnknown } from "./prune.ts";
export type * from "./schema.ts";
export { compileValidator, rulesNotChecked, type Validator } from "./validate.ts";
