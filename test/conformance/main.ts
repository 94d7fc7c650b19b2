// `npm run conformance:record` and `npm run conformance:check`: the recorded scenarios against a server that runs.
// Exits 0 when everything was as recorded, or was recorded; 1 when something differs or could not be asked; 2 when called wrongly.
import { fileURLToPath } from "node:url";
import { type Arguments, parseArguments, USAGE } from "./arguments.ts";
import { differences } from "./difference.ts";
import { readScenarios, type ScenarioFile, writeScenario } from "./files.ts";
import { recorded } from "./recording.ts";
import { runScenario, type Target } from "./run-scenario.ts";

const MAX_LINES = 12;
const FOLDERS = ["wardle", "widgets", "gadgets"].map((subject) => fileURLToPath(new URL(`../${subject}`, import.meta.url)));

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let parsed: Arguments;
  try {
    parsed = await parseArguments(args, FOLDERS);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    return 2;
  }
  const { command, target, only, folders } = parsed;
  let files: readonly ScenarioFile[];
  try {
    files = await readScenarios(folders, only);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  let failed = 0;
  for (const file of files) {
    const problems = await (command === "record" ? record(file, target) : check(file, target));
    if (problems.length > 0) failed++;
    const word = command === "record" ? "recorded" : "ok";
    process.stdout.write(`${problems.length === 0 ? word : "FAILED"} ${file.scenario.subject}/${file.scenario.name}\n`);
    for (const line of problems) process.stdout.write(`    ${line}\n`);
  }
  process.stdout.write(`${files.length - failed} passed, ${failed} failed\n`);
  return failed === 0 && files.length > 0 ? 0 : 1;
}

/** @returns what could not be asked. Such a scenario is not written. */
async function record({ path, scenario }: ScenarioFile, target: Target): Promise<string[]> {
  const answers = await runScenario(scenario, target).catch((error: unknown) => [{ error: String(error) }]);
  const errors = answers.flatMap((answer, index) => (answer?.error === undefined ? [] : [`step ${index + 1}: ${String(answer.error)}`]));
  if (errors.length === 0) await writeScenario(path, recorded(scenario, answers));
  return errors;
}

/** @returns where the answers differ from the recorded ones. */
async function check({ scenario }: ScenarioFile, target: Target): Promise<string[]> {
  const answers = await runScenario(scenario, target).catch((error: unknown) => [{ error: String(error) }]);
  return scenario.steps.flatMap((step, index) => {
    const found = differences(step.expect, answers[index]);
    const more = found.length > MAX_LINES ? [`  … ${found.length - MAX_LINES} more`] : [];
    return found.length === 0 ? [] : [`step ${index + 1} (${step.id})`, ...found.slice(0, MAX_LINES).map((line) => `  ${line}`), ...more];
  });
}
