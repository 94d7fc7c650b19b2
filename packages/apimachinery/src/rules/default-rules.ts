import { RUNTIME_COST_BUDGET } from "../cel/index.ts";
import type { FieldError } from "../meta/index.ts";
import type { Schema } from "../schema/schema.ts";
import type { CompiledRules, RuleNode } from "./compile-rules.ts";
import { tryNode } from "./try-rules.ts";

/**
 * Tries the rules of a schema on its own defaults: as new values, and as values that stay as they are.
 *
 * @param schema what the rules were compiled of.
 * @param path of the schema, which begins that of each fault.
 * Source: apiextensions-apiserver pkg/apiserver/schema/defaulting, ValidateDefaults.
 */
export function checkDefaultsByRules(schema: Schema, { root }: CompiledRules, path: string): FieldError[] {
  const faults: FieldError[] = [];
  checkNode(schema, root, path, RUNTIME_COST_BUDGET, faults);
  return faults;
}

/** @returns what is left of the budget. */
function checkNode(schema: Schema, rules: RuleNode | undefined, path: string, budget: number, faults: FieldError[]): number {
  if (rules === undefined || budget < 0) return budget;
  let left = checkDefault(schema, rules, path, budget, faults);
  const { items, properties = {} } = schema;
  if (items !== undefined) left = checkNode(items, rules.items, `${path}.items`, left, faults);
  for (const [name, property] of Object.entries(properties))
    left = checkNode(property, rules.properties.get(name), `${path}.properties[${name}]`, left, faults);
  return left;
}

function checkDefault({ default: value }: Schema, rules: RuleNode, path: string, budget: number, faults: FieldError[]): number {
  if (value === undefined || value === null) return budget;
  const options = { path: `${path}.default`, budget };
  const kept = tryNode(rules, value, value, options);
  faults.push(...kept.faults);
  if (kept.faults.length > 0) return kept.budget;
  const created = tryNode(rules, value, undefined, options);
  faults.push(...created.faults);
  return Math.min(kept.budget, created.budget);
}
