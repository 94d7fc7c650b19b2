import { readAdmission, readTypechecks } from "./admission-corpus.ts";
import { type Case, readExpressions, readRules } from "./corpus.ts";

/** Everything that is recorded, in its order. */
export async function readCases(): Promise<readonly Case<object>[]> {
  return [...(await readExpressions()), ...(await readRules()), ...(await readAdmission()), ...(await readTypechecks())];
}
