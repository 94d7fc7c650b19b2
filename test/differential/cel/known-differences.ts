import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Differences that are there on purpose. */
interface KnownDifferences {
  readonly why: string;
  /** The names of the cases. */
  readonly cases: readonly string[];
}

/** Why each case of known-differences.json differs, by its name. */
export async function readKnownDifferences(): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(fileURLToPath(new URL("known-differences.json", import.meta.url)), "utf8");
  const groups = JSON.parse(text) as readonly KnownDifferences[]; // the file beside this one
  return new Map(groups.flatMap(({ why, cases }) => cases.map((name) => [name, why] as const)));
}

/** What a test has to say of a case: that it differs and is not listed, or is listed and does not differ any more. Undefined where all is well. */
export function judge(name: string, difference: string | undefined, known: ReadonlyMap<string, string>): string | undefined {
  if (difference === undefined) return known.has(name) ? `${name} agrees: take it off known-differences.json` : undefined;
  return known.has(name) ? undefined : `${name} → ${difference}`;
}
