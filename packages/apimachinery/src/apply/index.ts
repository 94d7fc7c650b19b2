// Who owns which field of an object: field sets, comparison under a schema, managedFields. Pure. For the endpoints that write.
export { type Comparison, compare, excludeFields } from "./compare.ts";
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
export { objectType, type StructuralType, structuralType } from "./structural-type.ts";
export { checkForm, SchemaMismatchError } from "./typed.ts";
export { keepManagedFieldsTimes, type ManagedFieldsUpdate, updateManagedFields, type VersionedObject } from "./update.ts";
