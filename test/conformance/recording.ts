import { isArray, isObject, type JSONObject, type JSONValue } from "./json.ts";
import type { StepAnswer } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";

/** The file of a scenario with the answers in place of the recorded ones; all else stays as it was written. */
export function recorded({ source }: Scenario, answers: readonly StepAnswer[]): JSONObject {
  const steps = isArray(source.steps) ? source.steps : [];
  return { ...source, steps: steps.map((step, index) => (isObject(step) ? withAnswer(step, answers[index]) : step)) };
}

function withAnswer({ expect: _old, ...step }: JSONObject, answer: StepAnswer): JSONObject {
  return answer === undefined ? step : { ...step, expect: ordered(answer) };
}

/** With the keys of all objects in the order of their characters: answers of the same content are the same text. */
function ordered(value: JSONValue): JSONValue {
  if (isArray(value)) return value.map(ordered);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, ordered(item)]),
  );
}
