import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { formatJSON, type JSONObject, parseJSON } from "./json.ts";
import { parseScenario, type Scenario } from "./scenario.ts";

/** A scenario and where it lies. */
export interface ScenarioFile {
  readonly path: string;
  readonly scenario: Scenario;
}

/**
 * Reads the scenarios of some folders, in the order of their names.
 *
 * @param only those whose name, area or path contains this.
 * @throws {TypeError} for a file that is no scenario, or whose name is not that of its scenario.
 */
export async function readScenarios(folders: readonly string[], only = ""): Promise<ScenarioFile[]> {
  const found: ScenarioFile[] = [];
  for (const folder of folders) {
    for (const name of (await readdir(folder)).filter((file) => file.endsWith(".json")).sort()) {
      const path = join(folder, name);
      const scenario = parseScenario(parseJSON(await readFile(path, "utf8")), path);
      if (`${scenario.name}.json` !== name) throw new TypeError(`${path}: the scenario is named ${scenario.name}`);
      if ([scenario.name, scenario.area, path].some((text) => text.includes(only))) found.push({ path, scenario });
    }
  }
  return found;
}

/** Whether a scenario can run beside others: it touches no Fischers, which are cluster scoped and may ban Flunders of any namespace. */
export function sharesNothing({ scenario }: ScenarioFile): boolean {
  return !scenario.steps.some((step) => "path" in step && step.path.includes("fischers"));
}

/** Writes a scenario in the one form that recordings have, so that a second recording of the same answers changes nothing. */
export async function writeScenario(path: string, source: JSONObject): Promise<void> {
  await writeFile(path, `${formatJSON(source, { indent: 2 })}\n`);
}
