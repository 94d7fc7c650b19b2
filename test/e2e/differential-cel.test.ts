// CEL beside Kubernetes' own: cel-go with the environment of apiextensions, which a Go program of test/controlplane answers for.
//
// FUZZ_SEED (default 1) and CEL_EXPRESSIONS (default 20,000) choose the random expressions; a twentieth as many schemas with rules are asked. `npm run differential:record` writes recorded.jsonl anew.
import type { JSONValue } from "@annex/apimachinery";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BUILD_LIMIT_MS, buildOracle } from "../controlplane/build.ts";
import { runCampaign, runRulesCampaign } from "../differential/cel/campaign.ts";
import { readCases } from "../differential/cel/cases.ts";
import { readExpressions } from "../differential/cel/corpus.ts";
import { formatRecording, RECORDING } from "../differential/cel/recording.ts";
import { numberOf } from "../differential/number-of.ts";
import { type Oracle, startOracle } from "../differential/oracle.ts";

const SEED = numberOf("FUZZ_SEED", 1);
const EXPRESSIONS = numberOf("CEL_EXPRESSIONS", 20_000);
const SCHEMAS = Math.ceil(EXPRESSIONS / 20);
const MOST_DIFFERENCES = 5;
const TIME_LIMIT_MS = 15 * 60_000;

let oracle: Oracle;
beforeAll(async () => {
  oracle = startOracle(await buildOracle("cel", console.log));
}, BUILD_LIMIT_MS);
afterAll(() => oracle?.close());

test("the recorded answers are what Go answers, of stored expressions as of new ones", { timeout: TIME_LIMIT_MS }, async () => {
  const expressions = await readExpressions();
  const cases = await readCases();
  const answers = await oracle.ask(cases.map(({ question }) => question));
  await expect(formatRecording(cases, answers.map(readJSON))).toMatchFileSnapshot(RECORDING);
  const stored = await oracle.ask(expressions.map(({ question }) => ({ ...question, stored: true })));
  expect(stored).toEqual(answers.slice(0, expressions.length));
});

// Of the program's own making.
const readJSON = (text: string) => JSON.parse(text) as JSONValue;

test(`${EXPRESSIONS} random expressions are answered alike, FUZZ_SEED=${SEED}`, { timeout: TIME_LIMIT_MS }, async () => {
  const started = performance.now();
  const campaign = { seed: SEED, expressions: EXPRESSIONS, mostDifferences: MOST_DIFFERENCES };
  const { values, errors, refused, panics, differences } = await runCampaign(campaign, oracle);
  const seconds = Math.round((performance.now() - started) / 1000);
  console.log(`${values} values, ${errors} errors, ${refused} refused, ${panics} panics in Go; ${seconds} s`);
  expect(differences.join("\n\n")).toBe("");
  // Most random expressions have to mean something.
  expect(values).toBeGreaterThan(EXPRESSIONS / 2);
});

test(`${SCHEMAS} random schemas with rules are answered alike, FUZZ_SEED=${SEED}`, { timeout: TIME_LIMIT_MS }, async () => {
  const differences = await runRulesCampaign(SEED, SCHEMAS, MOST_DIFFERENCES, oracle);
  expect(differences.join("\n\n")).toBe("");
});
