import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readScenarios } from "./files.ts";
import { formatJSON, parseJSON } from "./json.ts";
import { recorded } from "./recording.ts";
import { parseScenario } from "./scenario.ts";

const scenario = { name: "a", subject: "s", area: "x", description: "d", steps: [{ path: "/" }] };

test("what a step leaves out has its default", () => {
  expect(
    parseScenario({ ...scenario, steps: [{ path: "/" }, { watch: "w", path: "/w" }, { read: "w" }, { close: "w" }, { wait: 0.5 }] }, "a").steps,
  ).toMatchObject([
    { type: "request", id: "step1", method: "GET", as: "admin" },
    { type: "watch", id: "step2", watch: "w" },
    { type: "read", id: "step3", count: 1, timeoutMs: 5000 },
    { type: "close", close: "w" },
    { type: "wait", waitMs: 500 },
  ]);
});

test.each([
  ["no object", [], /no JSON object/],
  ["a missing key", { ...scenario, area: undefined }, /area must be there/],
  ["an unknown key of the scenario", { ...scenario, note: "" }, /unknown note/],
  ["an unknown key of a step", { ...scenario, steps: [{ path: "/", unorderd: true }] }, /step 1: unknown unorderd/],
  ["a key of another step", { ...scenario, steps: [{ read: "w", path: "/" }] }, /step 1: unknown path/],
  ["a wrong type", { ...scenario, steps: [{ path: "/", ignore: "a" }] }, /ignore must be a list of texts/],
])("%s is refused", (_, value, message) => expect(() => parseScenario(parseJSON(JSON.stringify(value)), "a")).toThrow(message));

describe.each(["wardle", "widgets", "gadgets"])("the files of %s", async (subject) => {
  const folder = fileURLToPath(new URL(subject, import.meta.url));
  const files = await readScenarios([folder]);

  test("are all read, and belong here", async () => {
    expect(files.map(({ scenario }) => `${scenario.name}.json`)).toEqual((await readdir(folder)).sort());
    expect(new Set(files.map(({ scenario }) => scenario.subject))).toEqual(new Set([subject]));
  });

  test("have an answer for each step that asks", () => {
    const missing = files.flatMap(({ scenario }) =>
      scenario.steps
        .filter(({ type, expect: answer }) => (answer === undefined) !== (type === "close" || type === "wait"))
        .map(({ id }) => `${scenario.name} ${id}`),
    );
    expect(missing).toEqual([]);
  });

  // So that a new recording shows in `git diff` what has changed, and nothing else.
  test("are what a recording of the same answers writes, byte for byte", async () => {
    for (const { path, scenario } of files) {
      const answers = scenario.steps.map((step) => step.expect as ReturnType<typeof recorded> | undefined);
      expect(`${formatJSON(recorded(scenario, answers), { indent: 2 })}\n`).toBe(await readFile(path, "utf8"));
    }
  });
});
