// Expressions of admission policies, answered by the port as the admission plugins of Kubernetes answered: compiled, evaluated, costed, and with the
// same checks asked of the authorizer in the same order.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readAdmission, readTypechecks } from "./admission-corpus.ts";
import { readCases } from "./cases.ts";
import { admissionDifferenceOf } from "./differences.ts";
import { judge, readKnownDifferences } from "./known-differences.ts";
import { answerAdmission, answerTypecheck } from "./our-admission.ts";
import { type AdmissionAnswer, parseRecording, RECORDING, type TypecheckAnswer } from "./recording.ts";

/** The corpus is not to shrink unnoticed. */
const LEAST_CASES = 200;

const cases = await readAdmission();
const typechecks = await readTypechecks();
const recorded = parseRecording(await readFile(RECORDING, "utf8"), await readCases());
const known = await readKnownDifferences();

// Written by differential:record of the program's answers.
const answerOf = (name: string) => recorded.get(name) as unknown as AdmissionAnswer;

describe("expressions of policies are answered as Kubernetes answers them", () => {
  test.each(cases)("$name", async ({ name, question }) => {
    const theirs = answerOf(name);
    expect(judge(name, admissionDifferenceOf(theirs, await answerAdmission(question, "at once")), known)).toBeUndefined();
  });
});

describe("answers that come later change nothing", () => {
  test.each(cases.filter(({ question }) => question.authorizer === true))("$name", async ({ name, question }) => {
    const theirs = answerOf(name);
    expect(judge(name, admissionDifferenceOf(theirs, await answerAdmission(question, "later")), known)).toBeUndefined();
  });
});

describe("expressions are checked against schemas as Kubernetes checks them", () => {
  test.each(typechecks)("$name", ({ name, question }) => {
    const { warning } = recorded.get(name) as TypecheckAnswer;
    const ours = answerTypecheck(question).warning;
    expect(judge(name, ours === warning ? undefined : `Go ${warning}, ours ${ours}`, known)).toBeUndefined();
  });
});

test("the corpus has many cases", () => expect(cases.length).toBeGreaterThanOrEqual(LEAST_CASES));
