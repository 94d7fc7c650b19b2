// Cases with Go's answers, for machines without Go: recorded.jsonl has a case and its answer a line. `npm run differential:record` writes it anew.
import { decodeJSON, encodeJSONText } from "@annex/apimachinery";
import type { Case } from "./cases.ts";
import { randomCase } from "./random-case.ts";

/** No seed that campaigns begin with, so that the two are not the same. */
const SEED = 0;
/** How many cases of each kind, and how many operations each at most: enough to notice what breaks, little enough to keep. */
const MOST_CASES = { sets: 200, typed: 100, managed: 80, scale: 80 } as const satisfies Record<Case["kind"], number>;
const MOST_OPERATIONS = 6;

export interface RecordedCase {
  readonly asked: Case;
  /** What the Go program answered, as text of JSON. */
  readonly answer: string;
}

/** The cases that are recorded. */
export function casesToRecord(): readonly Case[] {
  const left: Record<Case["kind"], number> = { ...MOST_CASES };
  const chosen: Case[] = [];
  for (let number = 0; Object.values(left).some((count) => count > 0); number++) {
    const next = randomCase(SEED, number);
    if (left[next.kind]-- > 0) chosen.push(next.kind === "typed" || next.kind === "managed" ? shortened(next) : next);
  }
  return chosen;
}

function shortened<T extends Extract<Case, { readonly ops: readonly unknown[] }>>(asked: T): T {
  return { ...asked, ops: asked.ops.slice(0, MOST_OPERATIONS) };
}

/** Why a value does not fit is told in a random order; nothing compares it. */
const REASONS = /"message":"(failed to[^"\\(:]*(?:\([^)]*\)[^":]*)?):(?:[^"\\]|\\.)*"/g;

export function formatRecording(cases: readonly Case[], answers: readonly string[]): string {
  return cases.map((asked, index) => `{"asked":${encodeJSONText(asked)},"answer":${answers[index]?.replace(REASONS, '"message":"$1"')}}\n`).join("");
}

/** @param text what {@link formatRecording} made. */
export function parseRecording(text: string): readonly RecordedCase[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      // `as`: the file is ours.
      const { asked, answer } = decodeJSON(new TextEncoder().encode(line)) as unknown as { asked: Case; answer: unknown };
      return { asked, answer: encodeJSONText(answer) };
    });
}
