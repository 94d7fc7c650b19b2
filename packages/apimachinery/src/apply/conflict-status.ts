import { quoteGo } from "../meta/go-quote.ts";
import { APIError, MAX_FAULTS } from "../meta/index.ts";
import { formatPath } from "./field-path.ts";
import type { Manager, Managers } from "./managed-fields.ts";
import type { Conflict } from "./updater.ts";
import { compareStrings } from "./value.ts";

/**
 * The 409 of an apply that would change what others own: one cause for each field and owner, at most `MAX_FAULTS` of them.
 *
 * @param managers the owners by the keys that the conflicts name.
 * Source: managedfields NewConflictError; apimachinery errors.NewApplyConflict.
 */
export function applyConflict(conflicts: readonly Conflict[], managers: Managers): APIError {
  const told = conflicts
    .slice(0, MAX_FAULTS)
    .map(({ owner, path }) => ({ owner, sentence: sentenceOf(managers.get(owner)), field: formatPath(path) }));
  const causes = told.map(({ sentence, field }) => ({ reason: "FieldManagerConflict", message: `conflict with ${sentence}`, field }) as const);
  return new APIError("Conflict", `Apply failed with ${conflicts.length} ${list(told)}`, { details: { causes } });
}

interface Told {
  readonly owner: string;
  readonly sentence: string;
  readonly field: string;
}

function list(told: readonly Told[]): string {
  const [first] = told;
  if (told.length === 1 && first !== undefined) return `conflict: conflict with ${first.sentence}: ${first.field}`;
  const byOwner = new Map<string, Told[]>();
  for (const one of told) byOwner.set(one.owner, [...(byOwner.get(one.owner) ?? []), one]);
  const lines = [...byOwner.keys()].sort(compareStrings).flatMap((owner) => {
    const fields = byOwner.get(owner) ?? [];
    return [`conflicts with ${fields[0]?.sentence}:`, ...fields.map(({ field }) => `- ${field}`)];
  });
  return `conflicts: ${lines.join("\n")}`;
}

/** Whose it is, as messages name them: an applier by name, who updates by version, too. */
function sentenceOf(manager: Manager | undefined): string {
  if (manager === undefined) return quoteGo("");
  const { manager: name, subresource, operation, apiVersion } = manager;
  const through = subresource === "" ? "" : ` with subresource ${quoteGo(subresource)}`;
  return `${quoteGo(name)}${through}${operation === "Update" ? ` using ${apiVersion}` : ""}`;
}
