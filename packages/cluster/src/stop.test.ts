import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { runInCluster } from "./run.ts";
import type { startInCluster } from "./start.ts";

type Start = typeof startInCluster<Record<never, never>>;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "stop-"));
  vi.spyOn(process.stdout, "write").mockImplementation(() => true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

/** A program that is told to stop soon after its start. */
function run(start: Start, ...args: readonly string[]): Promise<number> {
  const stoppedSoon: Start = (...given) => {
    setTimeout(() => process.emit("SIGTERM"), 50);
    return start(...given);
  };
  return runUntold(stoppedSoon, ...args);
}

/** A program that nobody tells to stop. */
async function runUntold(start: Start, ...args: readonly string[]): Promise<number> {
  const program = { usage: "Usage: it", version: "It 1.2.3", options: {}, setup: () => ({ resources: [] }) };
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, "{}");
  return runInCluster(program, ["--service=a/b", `--kubeconfig=${kubeconfig}`, ...args], start);
}

test("what runs has as long behind the delay, however long the delay is", async () => {
  const stops: number[] = [];
  const stop = async (timeoutMs: number) => void stops.push(timeoutMs);
  const server = { url: "https://127.0.0.1:1", log: { info: () => undefined }, stop };
  // Nothing else of a server is asked for.
  const start: Start = async () =>
    ({ server, work: { failed: new Promise(() => undefined), ended: Promise.resolve(true) } }) as unknown as Awaited<ReturnType<Start>>;
  for (const delay of ["0s", "20s"]) expect(await run(start, `--shutdown-delay-duration=${delay}`)).toBe(0);
  expect(stops).toEqual([8_000, 8_000]);
});

test("work that fails stops the server in good order, with 1", async () => {
  const done: string[] = [];
  let aborted = new AbortController().signal;
  const stop = async () => void done.push(`stopped, its work ${aborted.aborted ? "ended" : "going on"}`);
  const server = { url: "https://127.0.0.1:1", log: { info: () => undefined }, stop };
  const start: Start = async (_program, _options, _host, signal) => {
    aborted = signal;
    return { server, work: { failed: Promise.resolve(), ended: Promise.resolve(false) } } as unknown as Awaited<ReturnType<Start>>; // as above
  };
  expect(await runUntold(start)).toBe(1);
  expect([done, aborted.aborted]).toEqual([["stopped, its work going on"], true]);
});

test("a start that waits is given up at a signal", async () => {
  const start: Start = (_program, _options, _host, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  // Where nobody handles the signal, nothing happens, as in a container.
  expect(await run(start)).toBe(0);
});
