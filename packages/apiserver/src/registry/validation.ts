import {
  type APIError,
  type CompiledRules,
  type FieldError,
  fieldError,
  forbidden,
  invalid,
  type JSONObject,
  type KubernetesObject,
  type ObjectMeta,
  type ObjectMetaValidationOptions,
  parseAPIVersion,
  rulesNotChecked,
  tryRules,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "@annex/apimachinery";
import type { Invalid, Resource, ResourceVersion, WriteContext } from "../definition/resource.ts";

/**
 * Checks the form of an object, and tries the rules in CEL of its schema.
 *
 * @param object in the version of the request.
 * @param live of an update, what is there, in the same version.
 * @param warn is told what rules have against values that are as they were: these are let through.
 * @returns faults that leave the types as promised (a bound, a pattern, a rule): {@link checkRules} tells them with its own.
 * @throws {APIError} `Invalid` with every fault when one leaves the kind's own rules nothing to rely on; they are then not asked.
 */
export function checkForm(
  resource: Resource,
  version: ResourceVersion,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  subresource: string,
  warn: (text: string) => void,
): readonly FieldError[] {
  const typeFaults = typeMetaFaults(resource, version, object);
  if (typeFaults.length > 0) {
    const faults = [...typeFaults, ...faultsBesideType(resource, version, object, live, subresource, warn)];
    throw ofAnotherType(resource, object, live, faults);
  }
  const faults = formFaults(resource, version, object, live, subresource);
  const { rules, numbers } = version;
  // Objects of the registry are JSON all through.
  if (meetsAuthorsCode(resource) && numbers?.isBroken(object as unknown as JSONObject) === true) {
    // As it was or not, in what is written or beside it.
    const all = version.validate(object, undefined, "");
    if (all.length > 0) throw invalid(resource, object.metadata.name ?? "", [...metadataFaults(resource, object, live), ...all]);
  }
  if (faults.length === 0 && rules === undefined) return faults;
  const causes = [...metadataFaults(resource, object, live), ...faults];
  // Rules in CEL are not tried when metadata is at fault, either.
  const notChecked = rulesNotChecked(rules === undefined ? faults : causes);
  if (notChecked === undefined) return rules === undefined ? faults : [...faults, ...ruleFaults(resource, rules, object, live, warn)];
  const { validate } = resource.hooks;
  throw invalid(resource, object.metadata.name ?? "", validate !== undefined || rules !== undefined ? [...causes, notChecked] : causes);
}

function ruleFaults(
  { isBuiltIn }: Resource,
  rules: CompiledRules,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  warn: (text: string) => void,
): readonly FieldError[] {
  // Objects of the registry are JSON all through.
  const outcome = tryRules(rules, object as unknown as JSONObject, live as unknown as JSONObject | undefined, !isBuiltIn);
  for (const { field, message } of outcome.warnings) warn(`${field}: ${message}`);
  return outcome.faults;
}

/**
 * What is wrong with the form of an object; in an update, with what changed. An author's code relies on types, also those of an object that was stored under
 * another schema: where such code follows, a fault that breaks them is told whether or not it is new.
 */
function formFaults(
  resource: Resource,
  version: ResourceVersion,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  subresource: string,
): readonly FieldError[] {
  const { hooks, isBuiltIn } = resource;
  if (!hasRulesInCode(resource) && !isBuiltIn) return version.validate(object, live, subresource);
  const all = version.validate(object, undefined, hooks.validate === undefined ? subresource : "");
  if (isBuiltIn || all.length === 0 || live === undefined || rulesNotChecked(all) !== undefined) return all;
  return version.validate(object, live, subresource);
}

function hasRulesInCode({ hooks }: Resource): boolean {
  return hooks.prepare !== undefined || hooks.validate !== undefined || hooks.admit !== undefined;
}

/** Whether code of the author's sees an object on its way to storage. */
function meetsAuthorsCode(resource: Resource): boolean {
  return hasRulesInCode(resource) || resource.definedVersions.some(({ toStorage, fromStorage }) => (toStorage ?? fromStorage) !== undefined);
}

/** Source: apiextensions-apiserver pkg/registry/customresource, ValidateTypeMeta. */
function typeMetaFaults({ kind }: Resource, { apiVersion }: ResourceVersion, object: KubernetesObject): FieldError[] {
  return [
    ...(object.kind === kind ? [] : [fieldError.invalid("kind", object.kind, `must be ${kind}`)]),
    ...(object.apiVersion === apiVersion ? [] : [fieldError.invalid("apiVersion", object.apiVersion, `must be ${apiVersion}`)]),
  ];
}

/**
 * What else is told of a custom resource that says it is something else: its values are not checked, but objects within it, its lists, and rules in CEL are.
 * Without defaults; and where a value has not the type that a rule is compiled for, no rule is tried.
 *
 * Source: apiextensions-apiserver pkg/registry/customresource, strategy Validate: what comes behind ValidateTypeMeta.
 */
function faultsBesideType(
  resource: Resource,
  version: ResourceVersion,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  subresource: string,
  warn: (text: string) => void,
): readonly FieldError[] {
  const { rules } = version;
  const inner = version.validateInner(object, live, subresource);
  if (rules === undefined) return inner;
  const notChecked = rulesNotChecked(inner);
  if (notChecked !== undefined) return [...inner, notChecked];
  const hasTypes = version.validate(object, undefined, "").every(({ reason }) => reason !== "FieldValueTypeInvalid");
  return hasTypes ? [...inner, ...ruleFaults(resource, rules, object, live, warn)] : inner;
}

/** The 422 of a custom resource that says it is something else, under the name of that. */
function ofAnotherType(resource: Resource, object: KubernetesObject, live: KubernetesObject | undefined, ownFaults: readonly FieldError[]): APIError {
  const { group = "" } = parseAPIVersion(object.apiVersion) ?? {};
  const { metadata } = object;
  // What is checked of any update. Source: k8s.io/apiserver registry/rest, validateCommonFields.
  const faults = live === undefined ? [] : [...validateObjectMeta(metadata, updateOptions(resource)), ...updateFaults(metadata, live.metadata)];
  return invalid({ group, kind: object.kind }, metadata.name ?? "", [...faults, ...ownFaults]);
}

/**
 * Checks metadata and the kind's own rules.
 *
 * @param object in the storage version, of a form that was checked.
 * @param formFaults what {@link checkForm} found.
 * @throws {APIError} `Invalid` with every fault.
 */
export function checkRules(
  resource: Resource,
  object: KubernetesObject,
  previous: KubernetesObject | undefined,
  subresource: string,
  formFaults: readonly FieldError[],
  context: WriteContext,
): void {
  const faults = [...formFaults];
  const complain: Invalid = (field, detail, options = {}) => {
    if (options.isWhole === true) faults.push({ reason: options.reason ?? "FieldValueInvalid", field, message: detail });
    else faults.push(complaint(field, detail, options.reason ?? "FieldValueInvalid", "value" in options ? options.value : valueAt(object, field)));
  };
  resource.hooks.validate?.({ object, previous, subresource, invalid: complain, ...context });
  // A kind whose names are mere path segments leaves metadata to the check of every kind, which comes after its own and only if that finds nothing.
  const isCheckedLast = resource.nameRule === "pathSegment" && previous === undefined && faults.length > 0;
  if (!isCheckedLast) faults.unshift(...metadataFaults(resource, object, previous));
  if (faults.length > 0) throw invalid(resource, object.metadata.name ?? "", faults);
}

function complaint(field: string, detail: string, reason: FieldError["reason"], value: unknown): FieldError {
  switch (reason) {
    case "FieldValueInvalid":
      return fieldError.invalid(field, value, detail);
    case "FieldValueRequired":
      return fieldError.required(field, detail);
    case "FieldValueForbidden":
      return fieldError.forbidden(field, detail);
    default:
      return { reason, field, message: detail };
  }
}

/** Gives the kind's own last word. @throws {APIError} what the author's `admit` threw. */
export async function checkAdmit(
  resource: Resource,
  operation: "CREATE" | "UPDATE" | "DELETE",
  object: KubernetesObject | undefined,
  previous: KubernetesObject | undefined,
  context: WriteContext,
): Promise<void> {
  const name = (object ?? previous)?.metadata.name ?? "";
  await resource.hooks.admit?.({ operation, object, previous, forbidden: (why) => forbidden(resource, name, why), ...context });
}

function metadataFaults(resource: Resource, object: KubernetesObject, previous: KubernetesObject | undefined): FieldError[] {
  const { metadata } = object;
  if (previous === undefined) return validateObjectMeta(metadata, metadataOptions(resource));
  const faults = validateObjectMeta(metadata, updateOptions(resource));
  const ofUpdate = updateFaults(metadata, previous.metadata);
  // All but the kinds whose names are mere path segments check metadata a second time, with their own rules.
  return resource.nameRule === "pathSegment" ? [...faults, ...ofUpdate] : [...faults, ...ofUpdate, ...ofUpdate];
}

function updateFaults(metadata: ObjectMeta, previous: ObjectMeta): FieldError[] {
  // Objects of an author's handlers may have no resourceVersion at all.
  return validateObjectMetaUpdate(previous.resourceVersion === undefined ? { ...metadata, resourceVersion: "0" } : metadata, previous);
}

function metadataOptions(resource: Resource): ObjectMetaValidationOptions {
  // What a handler is asked need not have a name: reviews have none.
  return { isNamespaced: resource.isNamespaced, nameRule: resource.nameRule, isNameOptional: resource.isNameOptional };
}

/** An object that is there has its name: what an update says beside it need be no name of the kind's. Source: k8s.io/apiserver registry/rest, validateCommonFields. */
function updateOptions(resource: Resource): ObjectMetaValidationOptions {
  return { ...metadataOptions(resource), nameRule: "pathSegment" };
}

/** The value at a path as messages have it: `spec.list[0].name`. */
function valueAt(object: KubernetesObject, field: string): unknown {
  let value: unknown = object;
  for (const step of field.split(/[.[\]]+/).filter((part) => part !== "")) {
    value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  }
  return value;
}

/** The answer to a PUT without a resourceVersion, of a kind that wants one. */
export function resourceVersionRequired(resource: Resource, name: string): APIError {
  const { group, resource: plural } = resource;
  return invalid({ group, kind: plural }, name, [fieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update")]);
}
