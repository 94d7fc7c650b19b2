import { applyDefaults } from "./default.ts";
import { pruneUnknown } from "./prune.ts";
import type { Schema } from "./schema.ts";
import { compileValidator } from "./validate.ts";

/** Tries each default against the schema that has it, from the inside out; where an inner one is wrong the outer ones are not tried. Internal to schema/. */
export function checkDefault(schema: Schema, path: string, complaints: string[]): void {
  const before = complaints.length;
  for (const [name, property] of Object.entries(schema.properties ?? {})) checkDefault(property, `${path}.properties[${name}]`, complaints);
  if (typeof schema.additionalProperties === "object") checkDefault(schema.additionalProperties, `${path}.additionalProperties`, complaints);
  if (schema.items !== undefined) checkDefault(schema.items, `${path}.items`, complaints);
  if (schema.default === undefined || schema.default === null || complaints.length > before) return;
  const { unknown } = pruneUnknown(schema.default, schema);
  for (const field of unknown) complaints.push(`${path}.default: Invalid value: unknown field "${field}"`);
  for (const { field, message } of compileValidator(schema)(applyDefaults(schema.default, schema))) {
    complaints.push(`${path}.default${field === "<nil>" ? "" : `.${field}`}: ${message}`);
  }
}
