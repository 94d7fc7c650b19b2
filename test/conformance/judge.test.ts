import { describe, expect, test } from "vitest";
import { judge } from "./judge.ts";
import { parseDifferences } from "./listed-differences.ts";
import { parseScenario } from "./scenario.ts";

const scenario = parseScenario(
  {
    name: "a",
    subject: "s",
    area: "get",
    description: "",
    steps: [
      { path: "/1", expect: { status: 200 } },
      { id: "two", path: "/2", expect: { status: 500 } },
    ],
  },
  "a.json",
);
const difference = (step: string, status: number) => [{ rule: 4, reason: "bad input", answers: [{ scenario: "s/a", step, answer: { status } }] }];
const judged = (statuses: readonly number[], differences: unknown = []) =>
  judge(
    scenario,
    statuses.map((status) => ({ status })),
    parseDifferences(differences as never),
  );

test("as recorded", () => expect(judged([200, 500])).toMatchObject({ outcomes: ["recorded", "recorded"], problems: [] }));

test("otherwise", () => expect(judged([200, 400]).problems).toEqual(["two GET /2: status: expected 500, got 400"]));

describe("a listed difference", () => {
  test("is given exactly", () => {
    expect(judged([200, 400], difference("two", 400))).toMatchObject({ outcomes: ["recorded", "difference"], problems: [] });
  });

  test.each([
    ["drifted", [200, 422], difference("two", 400), "two GET /2: not as listed: status: expected 400, got 422"],
    ["is mended", [200, 500], difference("two", 400), "two GET /2: not as listed: status: expected 400, got 500"],
    ["is what was recorded", [200, 500], difference("two", 500), "two GET /2: the listed difference is what was recorded"],
    ["names no step", [200, 500], difference("three", 400), "has no step three, which is listed"],
  ])("that %s fails", (_, statuses, differences, problem) => expect(judged(statuses, differences).problems).toEqual([problem]));
});

test.each([
  ["no rule", [{ reason: "x", answers: [] }]],
  ["an unknown rule", [{ rule: 9, reason: "x", answers: [] }]],
  ["no reason", [{ rule: 1, answers: [] }]],
  ["a key that nobody reads", [{ rule: 1, reason: "x", answers: [], note: "y" }]],
  ["a step twice", [...difference("two", 400), ...difference("two", 401)]],
])("a list with %s is refused", (_, differences) => expect(() => parseDifferences(differences as never)).toThrow(TypeError));
