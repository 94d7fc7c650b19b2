import { encodeJSONText, isJSONObject } from "@annex/apimachinery";
import type { AdmissionAnswer, ExpressionAnswer, RulesAnswer } from "./recording.ts";

/** The members of an answer that are not Go's, each with both sides; undefined where all are. */
export function differenceOf(theirs: ExpressionAnswer, ours: ExpressionAnswer): string | undefined {
  if (theirs.compile !== undefined && ours.compile !== undefined && isToldAlike(theirs.compile, ours.compile)) return undefined;
  const members =
    theirs.compile === undefined && ours.compile === undefined ? (["type", "estimate", "value", "error", "cost"] as const) : (["compile"] as const);
  const different = members.filter((member) => textOf(theirs[member]) !== textOf(ours[member]));
  if (different.length === 0) return undefined;
  return different.map((member) => `${member}: Go ${textOf(theirs[member])}, ours ${textOf(ours[member] ?? ours)}`).join("; ");
}

/**
 * After a fault of syntax that is more than one token, ANTLR guesses how to go on, tells what it finds then, and cel-go looks for literals and
 * macros in what was guessed. The port ends there: what it tells of the syntax has to be what Go tells, to the letter, but it may be less.
 */
function isToldAlike(theirs: string, ours: string): boolean {
  if (!theirs.includes(SYNTAX)) return theirs === ours;
  const told = faultsOf(theirs);
  const ourFaults = faultsOf(ours).filter((fault) => fault.includes(SYNTAX));
  return ourFaults.length > 0 && ourFaults.every((fault) => told.includes(fault));
}

const SYNTAX = "Syntax error: ";
const faultsOf = (text: string): readonly string[] => text.split(/\n(?=ERROR: <input>:)/);

function textOf(member: unknown): string {
  return member === undefined ? "none" : encodeJSONText(member);
}

/** As {@link differenceOf}, of expressions of a policy. */
export function admissionDifferenceOf(theirs: AdmissionAnswer, ours: AdmissionAnswer): string | undefined {
  const members = ["results", "stopped", "remaining", "checks"] as const;
  const different = members.filter((member) => sortedText(theirs[member]) !== sortedText(ours[member]));
  if (different.length === 0) return undefined;
  return different.map((member) => `${member}:\n  Go ${textOf(theirs[member])}\nours ${textOf(ours[member])}`).join("\n");
}

/** With the members of objects sorted: neither side has an order of them. */
function sortedText(value: unknown): string {
  return (
    JSON.stringify(value, (_key, member: unknown) =>
      isJSONObject(member) ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1))) : member,
    ) ?? "none"
  );
}

/** As {@link differenceOf}, of rules. */
export function ruleDifferenceOf(theirs: RulesAnswer, ours: RulesAnswer): string | undefined {
  const members = ["definition", "errors", "warnings", "remaining"] as const;
  const different = members.filter((member) => textOf(theirs[member]) !== textOf(ours[member]));
  if (different.length === 0) return undefined;
  return different.map((member) => `${member}:\n  Go ${textOf(theirs[member])}\nours ${textOf(ours[member])}`).join("\n");
}
