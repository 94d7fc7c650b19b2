import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const packageFolder = fileURLToPath(new URL("../..", import.meta.url));

/** Builds the package for child processes: what they run, and what is killed under them, is what users run. */
export async function buildPackage(): Promise<void> {
  const compiler = fileURLToPath(new URL("../../../node_modules/.bin/tsc", new URL("..", import.meta.url)));
  await promisify(execFile)(compiler, ["-b", packageFolder]);
}
