// How a scenario went: step by step against what was recorded, and against what is listed to be otherwise.
import { differences } from "./difference.ts";
import { isSameJSON } from "./json.ts";
import type { Difference, ListedDifferences } from "./listed-differences.ts";
import type { StepAnswer } from "./run-scenario.ts";
import type { Scenario, Step } from "./scenario.ts";

/** What counts of a step. Steps without an answer (`close`, `wait`) are `recorded`. */
export type Outcome = "recorded" | "difference";

export interface Verdict {
  readonly scenario: Scenario;
  /** One a step. */
  readonly outcomes: readonly Outcome[];
  /** Lines for people; none when the scenario passes. */
  readonly problems: readonly string[];
}

/** The name under which the list knows a scenario. */
export function scenarioKey({ subject, name }: Scenario): string {
  return `${subject}/${name}`;
}

/**
 * Compares answers.
 *
 * A listed answer must be given exactly, and must not be the recorded one: so the list cannot outlive its reasons.
 */
export function judge(scenario: Scenario, answers: readonly StepAnswer[], list: ListedDifferences): Verdict {
  const listed = list.get(scenarioKey(scenario)) ?? new Map<string, Difference>();
  const outcomes: Outcome[] = [];
  const problems = unknownSteps(scenario, [...listed.keys()]);
  for (const [index, step] of scenario.steps.entries()) {
    const answer = answers[index];
    const difference = listed.get(step.id);
    outcomes.push(difference === undefined ? "recorded" : "difference");
    if (difference !== undefined) problems.push(...differenceProblems(step, answer, difference));
    else problems.push(...differences(step.expect, answer).map((line) => `${place(step)}: ${line}`));
  }
  return { scenario, outcomes, problems };
}

function unknownSteps({ steps }: Scenario, listed: readonly string[]): string[] {
  return listed.filter((id) => !steps.some((step) => step.id === id)).map((id) => `has no step ${id}, which is listed`);
}

function differenceProblems(step: Step, answer: StepAnswer, difference: Difference): string[] {
  if (isSameJSON(step.expect, difference.answer)) return [`${place(step)}: the listed difference is what was recorded`];
  return differences(difference.answer, answer).map((line) => `${place(step)}: not as listed: ${line}`);
}

function place(step: Step): string {
  const what = step.type === "request" || step.type === "watch" ? ` ${step.method} ${step.path}` : ` ${step.type}`;
  return `${step.id}${what}`;
}
