import { type FieldError, fieldError, findFieldPath, type Schema } from "@annex/apimachinery";

/** Source: apiextensions-apiserver pkg/apis/apiextensions/validation, MaxSelectableFields. */
const MAX_SELECTABLE_FIELDS = 8;
const TYPES: ReadonlySet<Schema["type"]> = new Set(["string", "boolean", "integer"] as const);

/**
 * Checks the fields that a field selector may name.
 *
 * @param jsonPaths as in the definition: `.spec.color`.
 * @param path of the list, which begins that of each fault.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/validation, ValidateCustomResourceSelectableFields; pkg/apiserver/schema/cel, ValidFieldPath.
 */
export function validateSelectableFields(jsonPaths: readonly string[], schema: Schema, path: string): FieldError[] {
  const faults: FieldError[] = [];
  const seen = new Set<string>();
  for (const [index, jsonPath] of jsonPaths.entries()) {
    const at = `${path}[${index}].jsonPath`;
    const found = jsonPath === "" ? undefined : findFieldPath(jsonPath, schema, { allowsBrackets: false });
    if (found === undefined) faults.push(fieldError.required(at));
    else if (found.fault !== undefined) faults.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${found.fault}`));
    else {
      const { type } = found.schema;
      const isMetadata = jsonPath.split(".")[1] === "metadata";
      if (isMetadata) faults.push(fieldError.invalid(at, jsonPath, "must not point to fields in metadata"));
      if (!TYPES.has(type)) {
        const why = "must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.";
        faults.push(fieldError.invalid(at, jsonPath, why));
      }
      if (seen.has(jsonPath)) faults.push(fieldError.duplicate(at, jsonPath));
      seen.add(jsonPath);
    }
  }
  if (seen.size > MAX_SELECTABLE_FIELDS) faults.push(fieldError.tooMany(path, seen.size, MAX_SELECTABLE_FIELDS));
  return faults;
}
