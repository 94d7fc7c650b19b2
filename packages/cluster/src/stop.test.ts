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
async function run(start: Start, ...args: readonly string[]): Promise<number> {
  const program = { usage: "Usage: it", version: "It 1.2.3", options: {}, setup: () => ({ resources: [] }) };
  const kubeconfig = join(folder, "kubeconfig");
  await writeFile(kubeconfig, "{}");
  const stoppedSoon: Start = (...given) => {
    setTimeout(() => process.emit("SIGTERM"), 50);
    return start(...given);
  };
  return runInCluster(program, ["--service=a/b", `--kubeconfig=${kubeconfig}`, ...args], stoppedSoon);
}

test("what runs has as long behind the delay, however long the delay is", async () => {
  const stops: number[] = [];
  const stop = async (timeoutMs: number) => void stops.push(timeoutMs);
  const server = { url: "https://127.0.0.1:1", log: { info: () => undefined }, stop };
  // Nothing else of a server is asked for.
  const start: Start = async () => ({ server, work: Promise.resolve() }) as unknown as Awaited<ReturnType<Start>>;
  for (const delay of ["0s", "20s"]) expect(await run(start, `--shutdown-delay-duration=${delay}`)).toBe(0);
  expect(stops).toEqual([8_000, 8_000]);
});

test("a start that waits is given up at a signal", async () => {
  const start: Start = (_program, _options, _host, signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
  // Where nobody handles the signal, nothing happens, as in a container.
  expect(await run(start)).toBe(0);
});
