// Programs that the suites start: each one ends with the test file at the latest, however its tests went.
import { spawn } from "node:child_process";
import { afterAll } from "vitest";

/** How a program ended, and all that it printed. */
export interface Finished {
  /** Undefined if a signal ended it. */
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that runs. */
export interface RunningProcess {
  readonly pid: number;
  /** Both streams so far, in the order in which they came. */
  output(): string;
  /** To the program alone; to the programs that it started, it is its own to pass on. */
  kill(signal: NodeJS.Signals): void;
  /** To the program and all that it started, as a terminal does on Ctrl-C. */
  killGroup(signal: NodeJS.Signals): void;
  readonly finished: Promise<Finished>;
  /**
   * Waits until the output holds what the pattern matches.
   *
   * @throws {Error} with the output so far, if the program ends or the time is over first.
   */
  waitFor(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>;
}

export interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** All of its standard input; empty by default. */
  readonly input?: string;
  /** As which user and group it runs; only root may choose. Default: as the tests. */
  readonly user?: number | undefined;
  /** After that many milliseconds the program is killed, which shows as `signal: "SIGKILL"`. No limit by default. */
  readonly timeoutMs?: number;
}

/** Process groups that are ours to end: a program and what it started. */
const groups = new Set<number>();

function killGroup(pid: number, signal: NodeJS.Signals = "SIGKILL"): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}

function killAll(): void {
  for (const pid of groups) killGroup(pid);
}

afterAll(killAll);
process.on("exit", killAll);

/** Starts a program, in a process group of its own so that nothing it starts outlives the tests. */
export function startProcess(command: string, args: readonly string[], { env, cwd, input = "", user, timeoutMs }: StartOptions = {}): RunningProcess {
  const identity = user === undefined ? {} : { uid: user, gid: user };
  const child = spawn(command, args, { env: { ...process.env, ...env }, cwd, detached: true, ...identity });
  const { pid } = child;
  if (pid === undefined) {
    // Why is told by an event later; without a listener that would end the whole run.
    child.on("error", () => undefined);
    throw new Error(`${command} could not be started`);
  }
  groups.add(pid);
  const printed = { stdout: "", stderr: "", all: "" };
  const listeners = new Set<() => void>();
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      printed[stream] += text;
      printed.all += text;
      for (const listener of listeners) listener();
    });
  }
  child.stdin.on("error", () => undefined).end(input); // a program may end without reading it
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => killGroup(pid), timeoutMs);
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      groups.delete(pid);
      resolve({ code: code ?? undefined, signal: signal ?? undefined, stdout: printed.stdout, stderr: printed.stderr });
      for (const listener of listeners) listener();
    });
  });
  const isRunning = () => groups.has(pid);
  return {
    pid,
    output: () => printed.all,
    kill: (signal) => child.kill(signal),
    killGroup: (signal) => killGroup(pid, signal),
    finished,
    waitFor: (pattern, timeout = 30_000) =>
      new Promise((resolve, reject) => {
        const check = () => {
          const match = printed.all.match(pattern);
          if (match !== null) settle(() => resolve(match));
          else if (!isRunning()) settle(() => reject(new Error(`${command} ended without printing ${pattern}:\n${printed.all}`)));
        };
        const expiry = setTimeout(
          () => settle(() => reject(new Error(`${command} did not print ${pattern} in ${timeout} ms:\n${printed.all}`))),
          timeout,
        );
        const settle = (then: () => void) => {
          clearTimeout(expiry);
          listeners.delete(check);
          then();
        };
        listeners.add(check);
        check();
      }),
  };
}

/** Runs a program to its end. */
export function runProcess(command: string, args: readonly string[], options: StartOptions = {}): Promise<Finished> {
  return startProcess(command, args, { timeoutMs: 60_000, ...options }).finished;
}
