// The comparison with live servers (test/conformance/runner.py) is a Python program of the standard library alone.
import { fileURLToPath } from "node:url";
import { type Finished, runProcess } from "./process.ts";

const RUNNER = fileURLToPath(new URL("../conformance/runner.py", import.meta.url));
const OLDEST_PYTHON = [3, 9] as const;

/**
 * Runs the comparison to its end.
 *
 * @throws {Error} that says what to install, where there is no Python that is new enough.
 */
export async function runComparison(args: readonly string[], timeoutMs: number): Promise<Finished> {
  await checkPython();
  return runProcess("python3", [RUNNER, ...args], { timeoutMs });
}

async function checkPython(): Promise<void> {
  const wanted = OLDEST_PYTHON.join(".");
  const { stdout } = await runProcess("python3", ["--version"]).catch((error: unknown) => {
    throw new Error(`the comparison with the Go servers needs python3, ${wanted} or newer, on the PATH`, { cause: error });
  });
  const [, major = "0", minor = "0"] = stdout.match(/Python (\d+)\.(\d+)/) ?? [];
  if (Number(major) < OLDEST_PYTHON[0] || (Number(major) === OLDEST_PYTHON[0] && Number(minor) < OLDEST_PYTHON[1]))
    throw new Error(`${stdout.trim()} is too old for the comparison with the Go servers: it needs ${wanted} or newer`);
}
