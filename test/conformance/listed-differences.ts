// What is not as recorded, and why: differences that POLICY.md allows.
import { isArray, isObject, type JSONObject, type JSONValue } from "./json.ts";
import { Fields } from "./scenario.ts";

/** The exact answer of ours to a step that Go answers otherwise. */
export interface Difference {
  /** Of POLICY.md. */
  readonly rule: number;
  readonly reason: string;
  readonly answer: JSONObject;
}

/** By scenario (`wardle/get-accept`), then by the id of the step. */
export type ListedDifferences = ReadonlyMap<string, ReadonlyMap<string, Difference>>;

/** The numbers of the rules in POLICY.md. */
const RULES = new Set([1, 2, 3, 4, 5]);

/**
 * Reads the list.
 *
 * @param value the content of differences.json: groups of answers with one reason.
 * @throws {TypeError} for an entry that is incomplete, names no rule, or says a second time what another said.
 */
export function parseDifferences(value: JSONValue | undefined): ListedDifferences {
  const found = new Map<string, Map<string, Difference>>();
  for (const group of objectsOf(value, "differences")) {
    const fields = new Fields(group, "differences");
    const rule = fields.number("rule") ?? 0;
    const reason = fields.required("reason");
    const answers = fields.objects("answers");
    fields.end();
    if (!RULES.has(rule)) throw new TypeError(`differences: POLICY.md has no rule ${rule}`);
    for (const entry of answers) {
      const answer = new Fields(entry, "differences");
      const scenario = answer.required("scenario");
      const steps = found.get(scenario) ?? new Map<string, Difference>();
      const step = answer.required("step");
      if (steps.has(step)) throw new TypeError(`differences: ${scenario} ${step} is there twice`);
      found.set(scenario, steps.set(step, { rule, reason, answer: answer.object("answer") ?? {} }));
      answer.end();
    }
  }
  return found;
}

function objectsOf(value: JSONValue | undefined, what: string): readonly JSONObject[] {
  if (isArray(value) && value.every((entry) => isObject(entry))) return value;
  throw new TypeError(`${what} must be a list of objects`);
}
