import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

export const packageFolder = fileURLToPath(new URL("../..", import.meta.url));

/** tsc's exit code where it found fault with types and wrote its output all the same. */
const OUTPUT_WITH_ERRORS = 2;

/** Builds the package for child processes: what they run, and what is killed under them, is what users run. Types are not judged here. */
export async function buildPackage(): Promise<void> {
  try {
    await promisify(execFile)(fileURLToPath(new URL("../../../../node_modules/.bin/tsc", import.meta.url)), ["-b", packageFolder]);
  } catch (error) {
    if (!(error instanceof Error) || !("code" in error) || error.code !== OUTPUT_WITH_ERRORS) throw error;
  }
}
