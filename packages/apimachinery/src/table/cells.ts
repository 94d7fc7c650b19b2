import type { JSONValue } from "../meta/index.ts";
import { formatGoValue } from "../schema/go-format.ts";
import { formatAge } from "./age.ts";

/** What stands in a row under a column. */
export type TableCell = string | number | bigint | boolean | null;

/** The type of a column, which says how a value found in the object is shown. Source: apiextensions/v1 CustomResourceColumnDefinition. */
export type ColumnType = "string" | "integer" | "number" | "boolean" | "date";

/**
 * Shows a value in a column of a type, as kube-apiserver does for custom resources: texts of any value in `string` columns (objects and arrays as JSON,
 * an explicit null as `<no value>`), whole numbers cut towards zero, ages of timestamps. What is not of the column's type is null.
 *
 * @param now milliseconds since the epoch.
 * Source: k8s.io/apiextensions-apiserver, tableconvertor.go cellForJSONValue; client-go jsonpath PrintResults.
 */
export function formatCell(type: ColumnType, value: JSONValue, now: number): TableCell {
  switch (type) {
    case "string":
      if (typeof value === "string") return value;
      return value === null ? "<no value>" : formatGoValue(value);
    case "integer":
      return integerCell(value);
    case "number":
      return typeof value === "bigint" ? Number(value) : typeof value === "number" ? value : null;
    case "boolean":
      return typeof value === "boolean" ? value : null;
    case "date":
      return typeof value === "string" ? formatAge(value, now) : null;
    default:
      return type satisfies never;
  }
}

const INT64_LIMIT = 2 ** 63;

/** Beyond 64 bits the Go server shows whatever its processor makes of the conversion; here nothing. */
function integerCell(value: JSONValue): TableCell {
  if (typeof value === "bigint") return value;
  if (typeof value !== "number" || value >= INT64_LIMIT || value < -INT64_LIMIT) return null;
  const integer = Math.trunc(value);
  return Object.is(integer, -0) ? 0 : integer;
}
