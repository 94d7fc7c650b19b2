// One schema value: static type, OpenAPI, validation, defaulting, pruning. Pure.
export type * from "./schema.ts";
