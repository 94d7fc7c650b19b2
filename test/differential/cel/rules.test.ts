// Whole schemas with x-kubernetes-validations: what is wrong with the definition, and what its rules say of objects, as apiextensions says it.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readCases } from "./cases.ts";
import { readRules } from "./corpus.ts";
import { ruleDifferenceOf } from "./differences.ts";
import { judge, readKnownDifferences } from "./known-differences.ts";
import { answerRules } from "./our-rules.ts";
import { parseRecording, RECORDING, type RulesAnswer } from "./recording.ts";

const rules = await readRules();
const recorded = parseRecording(await readFile(RECORDING, "utf8"), await readCases());
const known = await readKnownDifferences();

describe("rules are answered as apiextensions answers them", () => {
  test.each(rules)("$name", ({ name, question }) => {
    const difference = ruleDifferenceOf(recorded.get(name) as RulesAnswer, answerRules(question));
    expect(judge(name, difference, known)).toBeUndefined();
  });
});
