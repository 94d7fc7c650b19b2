// Each expression of the corpus, answered by the port as cel-go answered with Kubernetes' environment: value and type, errors to the letter, costs.
import { readFile } from "node:fs/promises";
import { describe, expect, test } from "vitest";
import { readCases } from "./cases.ts";
import { readExpressions } from "./corpus.ts";
import { differenceOf } from "./differences.ts";
import { judge, readKnownDifferences } from "./known-differences.ts";
import { answerExpression } from "./our-answers.ts";
import { type ExpressionAnswer, parseRecording, RECORDING } from "./recording.ts";

/** The corpus is not to shrink unnoticed. */
const LEAST_EXPRESSIONS = 2300;
const LEAST_OF_A_LIBRARY = 15;

const expressions = await readExpressions();
const recorded = parseRecording(await readFile(RECORDING, "utf8"), await readCases());
const known = await readKnownDifferences();

const groupOf = (name: string) => name.slice(0, name.indexOf(": "));
const libraryOf = (name: string) => name.slice(0, name.indexOf("/"));
const groups = [...new Set(expressions.map(({ name }) => groupOf(name)))];

describe("expressions are answered as cel-go answers them", () => {
  test.each(groups)("%s", (group) => {
    const problems = expressions
      .filter(({ name }) => groupOf(name) === group)
      .map(({ name, question }) => judge(name, differenceOf(recorded.get(name) as ExpressionAnswer, answerExpression(question)), known));
    expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
  });
});

describe("the corpus", () => {
  test("has many expressions of each library", () => {
    expect(expressions.length).toBeGreaterThanOrEqual(LEAST_EXPRESSIONS);
    const libraries = [...new Set(expressions.map(({ name }) => libraryOf(name)))];
    const sizes = libraries.map((library) => expressions.filter(({ name }) => libraryOf(name) === library).length);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(LEAST_OF_A_LIBRARY);
  });

  test("has what is listed as known", () => {
    expect([...known.keys()].filter((name) => !recorded.has(name))).toEqual([]);
  });
});
