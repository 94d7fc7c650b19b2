import { encodeJSONText, isJSONObject, type JSONValue } from "@annex/apimachinery";
import type { Oracle } from "../oracle.ts";
import type { ExpressionQuestion } from "./corpus.ts";
import { differenceOf, ruleDifferenceOf } from "./differences.ts";
import { answerExpression } from "./our-answers.ts";
import { answerRules } from "./our-rules.ts";
import { randomExpression } from "./random-expression.ts";
import { randomRules } from "./random-rules.ts";
import type { ExpressionAnswer, RulesAnswer } from "./recording.ts";

/** Asked at a time: enough to keep both sides busy, and little enough to hold. */
const BATCH = 500;
/** How often Go is asked again where it differs: it visits the entries of a map in an order of its own each time. */
const MORE_CHANCES = 12;

export interface Campaign {
  readonly seed: number;
  readonly expressions: number;
  /** It ends early after as many differences. */
  readonly mostDifferences: number;
}

export interface CampaignResult {
  /** How the expressions ended in Go. */
  readonly values: number;
  readonly errors: number;
  readonly refused: number;
  /** By a panic in cel-go: these are not compared. */
  readonly panics: number;
  /** For people: the question, and what differs. */
  readonly differences: readonly string[];
}

/** Asks the port and Go the same, expression after expression of a seed. */
export async function runCampaign({ seed, expressions, mostDifferences }: Campaign, oracle: Oracle): Promise<CampaignResult> {
  const counts = { values: 0, errors: 0, refused: 0, panics: 0 };
  const differences: string[] = [];
  for (let first = 0; first < expressions && differences.length < mostDifferences; first += BATCH) {
    const questions = Array.from({ length: Math.min(BATCH, expressions - first) }, (_, index) => randomExpression(seed, first + index));
    const answers = (await oracle.ask(questions)).map(readAnswer);
    for (const [index, question] of questions.entries()) {
      const theirs = answers[index] ?? {};
      const end = endOf(theirs);
      counts[end]++;
      if (end === "panics") continue;
      const difference = await lastingDifference(question, theirs, oracle);
      if (difference !== undefined && differences.length < mostDifferences)
        differences.push(`seed ${seed}, expression ${first + index}:\n${encodeJSONText(question)}\n${difference}`);
    }
  }
  return { ...counts, differences };
}

function endOf({ compile, error }: ExpressionAnswer): "values" | "errors" | "refused" | "panics" {
  if (compile !== undefined) return "refused";
  if (error === undefined) return "values";
  return error.startsWith(PANIC) ? "panics" : "errors";
}

/** How cel-go tells of a panic of its own. */
const PANIC = "internal error: ";

/** As {@link runCampaign}, of schemas with rules and objects for them; not compared where a rule makes cel-go panic. @returns the differences. */
export async function runRulesCampaign(seed: number, schemas: number, mostDifferences: number, oracle: Oracle): Promise<readonly string[]> {
  const differences: string[] = [];
  for (let number = 0; number < schemas && differences.length < mostDifferences; number++) {
    const question = randomRules(seed, number);
    const ours = answerRules(question);
    const compare = (text: string | undefined) => (tellsOfPanic(text) ? undefined : ruleDifferenceOf(JSON.parse(text ?? "{}") as RulesAnswer, ours));
    const difference = compare((await oracle.ask([question]))[0]);
    if (difference === undefined) continue;
    // Of what befell an expression of a message nothing is told.
    if (tellsOfPanic((await oracle.ask([{ ...question, schema: messagesAsRules(question.schema) }]))[0])) continue;
    const others = await oracle.ask(Array.from({ length: MORE_CHANCES }, () => question));
    if (others.every((other) => compare(other) !== undefined))
      differences.push(`seed ${seed}, schema ${number}:\n${encodeJSONText(question)}\n${difference}`);
  }
  return differences;
}

/** A difference from whatever Go answers: undefined when the port's answer is one of Go's. */
async function lastingDifference(question: ExpressionQuestion, theirs: ExpressionAnswer, oracle: Oracle): Promise<string | undefined> {
  const ours = answerExpression(question);
  const difference = differenceOf(theirs, ours);
  if (difference === undefined) return undefined;
  const others = await oracle.ask(Array.from({ length: MORE_CHANCES }, () => question));
  return others.some((other) => differenceOf(readAnswer(other), ours) === undefined) ? undefined : difference;
}

// The program's answers have this form.
const readAnswer = (text: string) => JSON.parse(text) as ExpressionAnswer;

function tellsOfPanic(answer = "{}"): boolean {
  const { errors = [] } = JSON.parse(answer) as RulesAnswer;
  return errors.some(({ message }) => message.includes(`: ${PANIC}`));
}

/** The schema with a rule for each expression of a message, which evaluates it. */
function messagesAsRules(schema: JSONValue): JSONValue {
  if (Array.isArray(schema)) return schema.map(messagesAsRules);
  if (!isJSONObject(schema)) return schema;
  const { messageExpression } = schema;
  if (typeof messageExpression === "string") return { rule: `(${messageExpression}) == ''` };
  return Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, messagesAsRules(member ?? null)]));
}
