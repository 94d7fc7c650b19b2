import { CelError } from "./error.ts";
import type { CelValue } from "./value.ts";
import { workOnText } from "./work.ts";

/** A value within the sentence of an error, as Go's `%v` writes it. */
export function showValue(value: CelValue): string {
  if (value === null) return "null";
  if (value instanceof CelError) return value.message;
  if (typeof value === "string") workOnText(value.length);
  if (!(value instanceof Uint8Array)) return value.toString();
  workOnText(value.length * 4);
  return `[${value.join(" ")}]`;
}
