// Programs in other languages: built with their own tools, run to their end, and judged by what they say last.
import { access, constants, mkdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Finished, runProcess } from "../process.ts";

/** Where the sources of the programs are. */
export const SOURCES = fileURLToPath(new URL(".", import.meta.url));
const CACHE = fileURLToPath(new URL("../../../.cache/clients/", import.meta.url));

/** A program that must be on the PATH, and what to say where it is not. */
export interface Tool {
  readonly command: string;
  /** What to install: `Go 1.26 or newer`. */
  readonly install: string;
}

/** @throws {Error} of one line, which names every tool that is missing and what to install. */
export async function requireTools(tools: readonly Tool[]): Promise<void> {
  const missing: string[] = [];
  for (const { command, install } of tools) if (!(await isOnPath(command))) missing.push(`there is no ${command} on the PATH: install ${install}`);
  if (missing.length > 0) throw new Error(missing.join("; "));
}

async function isOnPath(command: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const isThere = await access(join(folder, command), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}

/** The folder for what is built of a client, which stays between runs. */
export async function cacheFolder(name: string): Promise<string> {
  const folder = join(CACHE, name);
  await mkdir(folder, { recursive: true });
  return folder;
}

/** A command line in a folder. */
export interface Step {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** @throws {Error} with the end of what it printed, unless it exits with 0 within the time. */
export async function runStep({ command, args, cwd, env = {} }: Step, timeoutMs: number): Promise<Finished> {
  const finished = await runProcess(command, args, { cwd, env, timeoutMs });
  if (finished.code !== 0) {
    const how = finished.signal === undefined ? `ended with ${finished.code}` : `was ended by ${finished.signal} (the limit is ${timeoutMs} ms)`;
    throw new Error(`${command} ${args.join(" ")} ${how}:\n${lastLines(finished.stdout)}\n${lastLines(finished.stderr)}`);
  }
  return finished;
}

function lastLines(text: string, count = 40): string {
  return text.trimEnd().split("\n").slice(-count).join("\n");
}
