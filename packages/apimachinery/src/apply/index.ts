// Who owns which field of an object: field sets, comparison and merge under a schema, managedFields, server-side apply. Pure. For the endpoints that write.
export { applyConfiguration, type ConfigurationApply } from "./apply.ts";
export { type Comparison, compare, excludeFields } from "./compare.ts";
export type { FieldManagement, VersionedObject } from "./field-management.ts";
export { managerFromUserAgent } from "./field-manager.ts";
export {
  comparePathElements,
  type FieldPath,
  fieldElement,
  formatPath,
  formatPathElement,
  indexElement,
  type KeyField,
  keyElement,
  MalformedFieldsError,
  type PathElement,
  parsePathElement,
  valueElement,
} from "./field-path.ts";
export { FieldSet } from "./field-set.ts";
export { fieldSetOf } from "./field-set-of.ts";
export {
  capUpdateManagers,
  decodeManagedFields,
  encodeManagedFields,
  type Manager,
  type Managers,
  managerIdentifier,
} from "./managed-fields.ts";
export { merge } from "./merge.ts";
export { reconcileFieldSet, withNamedFields } from "./reconcile.ts";
export { extractItems, removeItems } from "./remove.ts";
export { parentManagedFields, type ReplicasPaths, scaleManagedFields } from "./scale-managers.ts";
export { objectType, type StructuralType, structuralType } from "./structural-type.ts";
export { checkForm, SchemaMismatchError } from "./typed.ts";
export { keepManagedFieldsTimes, type ManagedFieldsUpdate, updateManagedFields } from "./update.ts";
export {
  applyOwners,
  type Conflict,
  ConflictError,
  type FieldOwners,
  type OwnedFields,
  type TypedValue,
  type Updater,
  updateOwners,
} from "./updater.ts";
