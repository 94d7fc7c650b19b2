import {
  type APIError,
  type FieldError,
  fieldError,
  forbidden,
  invalid,
  type KubernetesObject,
  rulesNotChecked,
  validateObjectMeta,
  validateObjectMetaUpdate,
} from "@annex/apimachinery";
import type { Invalid, Resource, ResourceVersion, WriteContext } from "../definition/resource.ts";

/**
 * Checks the form of an object.
 *
 * @param object in the version of the request.
 * @returns faults that leave the types as promised (a bound, a pattern): {@link checkRules} tells them with its own.
 * @throws {APIError} `Invalid` with every fault when one leaves the kind's own rules nothing to rely on; they are then not asked.
 */
export function checkForm(
  resource: Resource,
  version: ResourceVersion,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
): readonly FieldError[] {
  const faults = version.validate(object);
  if (faults.length === 0) return faults;
  const notChecked = rulesNotChecked(faults);
  if (notChecked === undefined) return faults;
  const causes = [...metadataFaults(resource, object, live), ...faults];
  throw invalid(resource, object.metadata.name ?? "", resource.hooks.validate === undefined ? causes : [...causes, notChecked]);
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
  formFaults: readonly FieldError[],
  context: WriteContext,
): void {
  const faults = [...formFaults];
  const complain: Invalid = (field, detail, options = {}) => {
    faults.push(complaint(field, detail, options.reason ?? "FieldValueInvalid", "value" in options ? options.value : valueAt(object, field)));
  };
  resource.hooks.validate?.({ object, previous, invalid: complain, ...context });
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
  // What a handler is asked need not have a name: reviews have none.
  const options = { isNamespaced: resource.isNamespaced, nameRule: resource.nameRule, isNameOptional: resource.isNameOptional };
  if (previous === undefined) return validateObjectMeta(metadata, options);
  // Objects of an author's handlers may have no resourceVersion at all.
  const next = previous.metadata.resourceVersion === undefined ? { ...metadata, resourceVersion: "0" } : metadata;
  return [...validateObjectMeta(metadata, options), ...validateObjectMetaUpdate(next, previous.metadata)];
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
