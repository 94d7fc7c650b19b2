// What an author writes of a kind, and what the framework makes of it. Authors import it; everything behind reads it.

export * from "./crd/index.ts";
export { defaultAndPrune } from "./default-and-prune.ts";
export {
  type ColumnInput,
  type Converted,
  defineResource,
  type ObjectOf,
  type ResourceDefinition,
  type ResourceInput,
  type StorageVersionOf,
  type VersionInput,
  type VersionObject,
} from "./define-resource.ts";
export type * from "./handlers.ts";
export { rereadMetadata, rereadObject } from "./reread-object.ts";
export {
  definedVersionOf,
  type Invalid,
  inVersion,
  type Resource,
  type ResourceHooks,
  type ResourceServices,
  type ResourceVersion,
  type Subresource,
  versionOrder,
  type WriteContext,
} from "./resource.ts";
export { Scale } from "./scale.ts";
export type { ScalePaths } from "./scale-paths.ts";
export { scaleSubresource } from "./scale-subresource.ts";
