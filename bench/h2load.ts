// h2load of nghttp2 as the load generator: it costs a tenth of what it measures.
import { spawn } from "node:child_process";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { percentile } from "./statistics.ts";

export interface Load {
  readonly path: string;
  readonly requests: number;
  readonly connections: number;
  /** At a time, on each connection. */
  readonly streams: number;
  /** Makes it a POST of JSON. */
  readonly body?: string;
}

export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Fails early, and says what to do. @throws {Error} */
export async function requireH2load(): Promise<string> {
  try {
    return (await run(["--version"])).trim();
  } catch {
    throw new Error("h2load is missing. On Debian and Ubuntu: apt-get install nghttp2-client");
  }
}

/** Sends requests to a Unix socket, as fast as they are answered. @throws {Error} unless every one is answered with success. */
export async function load(socket: string, folder: string, { path, requests, connections, streams, body }: Load): Promise<LoadResult> {
  const [log, data] = [join(folder, "h2load.log"), join(folder, "body.json")];
  await rm(log, { force: true });
  if (body !== undefined) await writeFile(data, body);
  const started = performance.now();
  const output = await run([
    ...["--threads=1", `--clients=${connections}`, `--max-concurrent-streams=${streams}`, `--requests=${requests}`],
    // No window of the client's may be what is measured: 4 MiB a stream, as clients in Go, and a connection that holds all of them.
    ...["--window-bits=22", "--connection-window-bits=26"],
    ...["--no-tls-proto=h2c", `--base-uri=unix:${socket}`, `--log-file=${log}`, "--header=accept: application/json"],
    ...(body === undefined ? [] : [`--data=${data}`, "--header=content-type: application/json"]),
    `http://127.0.0.1${path}`,
  ]);
  const seconds = (performance.now() - started) / 1000;
  const succeeded = Number(/(\d+) succeeded/.exec(output)?.[1] ?? 0);
  const good = Number(/status codes: (\d+) 2xx/.exec(output)?.[1] ?? 0);
  if (succeeded !== requests || good !== requests) throw new Error(`${good} of ${requests} requests succeeded:\n${output}`);
  // Start, status and duration of each request; times in microseconds.
  const micros = (await readFile(log, "latin1")).split("\n").flatMap((line) => (line === "" ? [] : [Number(line.split("\t")[2])]));
  return {
    perSecond: Number(/finished in [^,]+, ([\d.]+) req\/s/.exec(output)?.[1] ?? requests / seconds),
    p50Ms: percentile(micros, 50) / 1000,
    p99Ms: percentile(micros, 99) / 1000,
  };
}

function run(args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn("h2load", args, { stdio: ["ignore", "pipe", "inherit"] });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => {
      output += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => (code === 0 ? resolve(output) : reject(new Error(`h2load ended with code ${code}:\n${output}`))));
  });
}
