// Every recorded scenario, in process: one test each. The page that says how they went is compared at the end.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { readScenarios } from "./files.ts";
import { SUBJECTS, startSubject } from "./in-process-subjects.ts";
import { parseJSON } from "./json.ts";
import { judge, scenarioKey, type Verdict } from "./judge.ts";
import { parseDifferences } from "./listed-differences.ts";
import { runScenario } from "./run-scenario.ts";
import { conformancePage, shareOfDifferences } from "./table.ts";

/** Of the steps, as POLICY.md has it. */
const MAX_SHARE_OF_DIFFERENCES = 0.05;

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const readJSON = async (name: string) => parseJSON(await readFile(here(name), "utf8"));
const listed = parseDifferences(await readJSON("differences.json"));
const verdicts = new Map<string, Verdict>();
const keys: string[] = [];

for (const [name, subject] of Object.entries(SUBJECTS)) {
  const files = await readScenarios([here(name)]);
  keys.push(...files.map(({ scenario }) => scenarioKey(scenario)));
  describe(name, () => {
    test.concurrent.for(files)("$scenario.name", { timeout: 60_000 }, async ({ scenario }) => {
      await using target = await startSubject(subject);
      const verdict = judge(scenario, await runScenario(scenario, target), listed);
      verdicts.set(scenarioKey(scenario), verdict);
      expect(verdict.problems).toEqual([]);
    });
  });
}

describe("all scenarios", () => {
  const sorted = () => [...verdicts.values()].sort((a, b) => (scenarioKey(a.scenario) < scenarioKey(b.scenario) ? -1 : 1));

  test("what is listed is there", () => {
    expect([...listed.keys()].filter((key) => !keys.includes(key))).toEqual([]);
  });

  test("differences are few", (context) => {
    context.skip(verdicts.size < keys.length, "not every scenario ran");
    expect(shareOfDifferences(sorted())).toBeLessThanOrEqual(MAX_SHARE_OF_DIFFERENCES);
  });

  test("docs/differences.md tells people of each", async () => {
    const page = await readFile(here("../../docs/differences.md"), "utf8");
    expect([...listed.keys()].filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
  });

  test("docs/conformance.md is what this run makes (npm run conformance:table)", async (context) => {
    context.skip(verdicts.size < keys.length, "not every scenario ran");
    await expect(conformancePage(sorted(), listed)).toMatchFileSnapshot(here("../../docs/conformance.md"));
  });
});
