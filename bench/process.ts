// Processes of our own: started, waited for, watched over in /proc, and ended.
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Clock ticks a second in /proc/PID/stat: the same on every Linux that Node runs on. */
const USER_HZ = 100;
const START_TIMEOUT_MS = 60_000;
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

export interface Started {
  /** CPU time so far, user and system, all threads, in microseconds. */
  cpuMicros(): number;
  /** Resident memory in bytes. */
  residentBytes(): number;
  stop(): Promise<void>;
}

/** Starts a Node program, and waits until it says `Serving …` on its standard output. @throws {Error} when it ends before, or takes a minute. */
export async function startNode(script: string, args: readonly string[], nodeOptions: readonly string[] = []): Promise<Started> {
  const child = spawn(process.execPath, [...nodeOptions, script, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  running.add(child);
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => {
      running.delete(child);
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${script} did not start in time`)), START_TIMEOUT_MS);
    child.once("exit", (code) => reject(new Error(`${script} ended with code ${code}`)));
    child.stdout.on("data", (chunk: Buffer) => {
      if (!chunk.includes("Serving")) return;
      clearTimeout(timer);
      resolve();
    });
  });
  const { pid } = child;
  return {
    cpuMicros: () => {
      // The second field is the program's name in parentheses, which may hold spaces.
      const fields = readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ") ?? [];
      return ((Number(fields[11]) + Number(fields[12])) * 1_000_000) / USER_HZ;
    },
    residentBytes: () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1] ?? 0) * 1024,
    stop: async () => {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
