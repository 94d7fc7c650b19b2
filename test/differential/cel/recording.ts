// What cel-go answered: one line of JSON a case, with the question's hash, so that a changed question is not compared with an old answer.
import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import { encodeJSONText, type JSONValue } from "@annex/apimachinery";
import type { Case } from "./corpus.ts";

/** The answers to all expressions and rules. `npm run differential:record` writes it anew. */
export const RECORDING = fileURLToPath(new URL("recorded.jsonl", import.meta.url));

/** An answer to an expression, as the program of test/controlplane/cel gives it; expression.go and value.go say what each member means. */
export interface ExpressionAnswer {
  readonly compile?: string;
  readonly type?: string;
  readonly estimate?: readonly [min: string, max: string];
  readonly value?: JSONValue;
  readonly error?: string;
  readonly cost?: number;
}

/** An answer to expressions of a policy, as the program gives it; admission.go and authorizer.go say what each member means. */
export interface AdmissionAnswer {
  readonly results: readonly {
    readonly type?: string;
    readonly estimate?: readonly [min: string, max: string];
    readonly value?: JSONValue;
    readonly patch?: JSONValue;
    readonly error?: string;
  }[];
  readonly stopped?: string;
  readonly remaining?: number;
  readonly checks?: readonly AskedCheck[];
}

/** An answer to a check of types; typecheck.go says what its member means. */
export interface TypecheckAnswer {
  readonly warning?: string;
}

export interface AskedCheck {
  readonly user: string;
  readonly uid?: string;
  readonly groups?: readonly string[];
  readonly verb: string;
  readonly isResource: boolean;
  readonly path?: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly fieldSelector?: readonly string[];
  readonly fieldError?: string;
  readonly labelSelector?: readonly string[];
  readonly labelError?: string;
}

/** An answer to rules; rules.go says what each member means. */
export interface RulesAnswer {
  readonly definition?: readonly Fault[];
  readonly errors?: readonly Fault[];
  readonly warnings?: readonly string[];
  readonly remaining?: number;
}

export interface Fault {
  readonly path: string;
  readonly reason: string;
  readonly message: string;
}

/** A line of the recording. */
export interface RecordedAnswer {
  readonly case: string;
  readonly asked: string;
  readonly answer: JSONValue;
}

/** The text of a recording. Answers are in the order of the questions. */
export function formatRecording(cases: readonly Case<object>[], answers: readonly JSONValue[]): string {
  const lines = cases.map(({ name, question }, index) => {
    const line: RecordedAnswer = { case: name, asked: hashOf(question), answer: answers[index] ?? null };
    return encodeJSONText(line);
  });
  return `${lines.join("\n")}\n`;
}

/**
 * The answers by the names of their cases.
 *
 * @throws {Error} when a case has no answer, or one to another question: the corpus was changed and not recorded anew.
 */
export function parseRecording(text: string, cases: readonly Case<object>[]): ReadonlyMap<string, JSONValue> {
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as RecordedAnswer); // written by formatRecording
  const recorded = new Map(lines.map((line) => [line.case, line]));
  for (const { name, question } of cases)
    if (recorded.get(name)?.asked !== hashOf(question)) throw new Error(`no answer is recorded to ${name}: npm run differential:record`);
  if (recorded.size !== cases.length) throw new Error("answers are recorded to what is not asked: npm run differential:record");
  return new Map(lines.map((line) => [line.case, line.answer]));
}

function hashOf(question: object): string {
  return createHash("sha256").update(encodeJSONText(question)).digest("hex").slice(0, 8);
}
