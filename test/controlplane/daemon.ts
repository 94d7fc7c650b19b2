// Programs that may outlive the one that started them: known by a file with their pid, stopped by whoever has the folder.
import { spawn } from "node:child_process";
import { open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A program of a folder that runs in the background. */
export interface Daemon {
  readonly name: string;
  readonly pid: number;
  /** Whether it ended by itself, or was ended. */
  hasEnded(): boolean;
  /** What it printed, both streams. */
  log(): Promise<string>;
}

/** How long a program may take to end after SIGTERM before it is killed, in milliseconds. */
const STOP_LIMIT_MS = 15_000;
const POLL_MS = 50;

/**
 * Starts a program in a process group of its own. `FOLDER/NAME.log` gets what it prints, `FOLDER/NAME.pid` its pid. One of its arguments must
 * name the folder: {@link stopDaemons} recognizes it by that.
 *
 * @throws {Error} if it cannot be started.
 */
export async function startDaemon(folder: string, name: string, command: string, args: readonly string[]): Promise<Daemon> {
  const path = join(folder, `${name}.log`);
  const output = await open(path, "a", 0o600);
  try {
    const child = spawn(command, args, { cwd: folder, detached: true, stdio: ["ignore", output.fd, output.fd] });
    const pid = await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", () => resolve(child.pid ?? 0));
    });
    await writeFile(join(folder, `${name}.pid`), `${pid}\n`, { mode: 0o600 });
    child.unref();
    return { name, pid, hasEnded: () => child.exitCode !== null || child.signalCode !== null, log: () => readFile(path, "utf8") };
  } finally {
    await output.close();
  }
}

/**
 * Stops the programs whose pid files a folder holds: SIGTERM, and SIGKILL to what still runs after 15 s. A pid that belongs to another program by
 * now is left alone.
 *
 * @param order their names; one is stopped when the one before it has ended.
 */
export async function stopDaemons(folder: string, order: readonly string[]): Promise<void> {
  const names = (await readdir(folder)).filter((file) => file.endsWith(".pid")).map((file) => file.slice(0, -".pid".length));
  for (const name of order.filter((name) => names.includes(name))) {
    const path = join(folder, `${name}.pid`);
    await stopProcess(Number(await readFile(path, "utf8")), folder);
    await rm(path);
  }
}

/**
 * Stops a program and starts it again with the same arguments.
 *
 * @param meanwhile is done while it does not run.
 */
export async function restartDaemon(folder: string, name: string, meanwhile: () => Promise<void>): Promise<Daemon> {
  const pid = Number(await readFile(join(folder, `${name}.pid`), "utf8"));
  if (!(await isOurs(pid, folder))) throw new Error(`${name} does not run in ${folder}`);
  const [command = "", ...args] = (await readFile(`/proc/${pid}/cmdline`, "utf8")).split("\0").slice(0, -1);
  await stopDaemons(folder, [name]);
  await meanwhile();
  return startDaemon(folder, name, command, args);
}

async function stopProcess(pid: number, folder: string): Promise<void> {
  const deadline = performance.now() + STOP_LIMIT_MS;
  if (await isOurs(pid, folder)) signal(pid, "SIGTERM");
  while (await isOurs(pid, folder)) {
    if (performance.now() > deadline) signal(pid, "SIGKILL");
    await sleep(POLL_MS);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended meanwhile.
  }
}

/** Whether a process runs whose command line names the folder. */
async function isOurs(pid: number, folder: string): Promise<boolean> {
  if (!Number.isSafeInteger(pid) || pid <= 1) return false;
  // Of a process that has ended and waits for its parent the file is there and empty.
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine.split("\0").some((argument) => argument.includes(`${folder}/`));
}
