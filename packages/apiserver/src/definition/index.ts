// What an author writes of a kind, and what the framework makes of it. Authors import it; everything behind reads it.
export {
  type ColumnInput,
  defineResource,
  type ObjectOf,
  type ResourceDefinition,
  type ResourceInput,
  type StorageVersionOf,
  type VersionInput,
  type VersionObject,
} from "./define-resource.ts";
export type * from "./handlers.ts";
export type { Invalid, Resource, ResourceHooks, ResourceServices, ResourceVersion, WriteContext } from "./resource.ts";
