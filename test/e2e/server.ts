// The server as its users start it: a program with a data folder of its own, on a port that it chooses.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { type Client, type ClusterAccess, type Credential, createClient, readKubeconfig } from "./client.ts";
import { type Finished, type RunningProcess, runProcess, startProcess } from "./process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MAIN = join(ROOT, "apps", "ranchertokens", "dist", "main.js");
/** The built programs, and how npm starts each. */
const PROGRAMS = {
  ranchertokens: { main: MAIN, npm: ["start"] },
  wardle: { main: join(ROOT, "examples", "wardle", "dist", "main.js"), npm: ["run", "wardle"] },
} as const;

/** How long a server may take to end after a signal, in milliseconds. */
const STOP_LIMIT_MS = 10_000;

export interface ServerOptions {
  /** Default: the token API server. A path is a file that Node runs. */
  readonly program?: keyof typeof PROGRAMS | { readonly main: string };
  /** A new folder by default. */
  readonly dataDir?: string;
  /** A port that the server chooses by default. */
  readonly port?: number;
  readonly args?: readonly string[];
  /** Through the literal `npm start -- …` instead of the program itself. */
  readonly throughNpm?: boolean;
}

/** A server that is ready. */
export interface TestServer {
  readonly url: string;
  readonly port: number;
  readonly kubeconfig: string;
  readonly dataDir: string;
  readonly access: ClusterAccess;
  readonly process: RunningProcess;
  /** All that it printed so far. */
  output(): string;
  client(credential?: Credential): Client;
  /**
   * Asks it to stop, and waits until it has.
   *
   * @throws {Error} with what it printed, unless it exits with 0 within 10 s.
   */
  stop(signal?: "SIGTERM" | "SIGINT"): Promise<Finished>;
}

/** Starts a server and waits until it is ready. It ends with the test file at the latest. */
export async function startServer({
  program = "ranchertokens",
  dataDir,
  port = 0,
  args = [],
  throughNpm = false,
}: ServerOptions = {}): Promise<TestServer> {
  const folder = dataDir ?? (await temporaryFolder());
  const options = [`--secure-port=${port}`, `--data-dir=${folder}`, ...args];
  const { main, npm } = typeof program === "string" ? PROGRAMS[program] : { ...program, npm: undefined };
  const running =
    throughNpm && npm !== undefined
      ? startProcess("npm", [...npm, "--", ...options], { cwd: ROOT })
      : startProcess(process.execPath, [main, ...options], { cwd: ROOT });
  const [, url = ""] = await running.waitFor(/^Serving (https:\/\/\S+)$/m, 60_000);
  const kubeconfig = join(folder, "admin.kubeconfig");
  const access = await readKubeconfig(kubeconfig);
  await createClient(url, access)
    .request("GET", "/readyz")
    .then(({ status, text }) => {
      if (status !== 200) throw new Error(`the server says that it serves, and is not ready: ${text}`);
    });
  return {
    url,
    port: Number(new URL(url).port),
    kubeconfig,
    dataDir: folder,
    access,
    process: running,
    output: running.output,
    client: (credential) => createClient(url, access, credential),
    stop: (signal = "SIGTERM") => stop(running, signal),
  };
}

async function stop(running: RunningProcess, signal: "SIGTERM" | "SIGINT"): Promise<Finished> {
  running.kill(signal);
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), STOP_LIMIT_MS);
  });
  const finished = await Promise.race([running.finished, late]);
  clearTimeout(timer);
  if (finished === undefined) throw new Error(`still running ${STOP_LIMIT_MS} ms after ${signal}:\n${running.output()}`);
  if (finished.code !== 0) throw new Error(`ended with ${finished.code ?? finished.signal} after ${signal}:\n${running.output()}`);
  return finished;
}

/** Runs the program to its end, for command lines with which it does not serve. Killed after 20 s. */
export function runServer(args: readonly string[]): Promise<Finished> {
  return runProcess(process.execPath, [MAIN, ...args], { cwd: ROOT, timeoutMs: 20_000 });
}

const folders: string[] = [];
afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A new folder, removed after the test file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "annex-e2e-"));
  folders.push(folder);
  return folder;
}

/** A kubeconfig of a user with a bearer token. kubectl reads JSON as it reads YAML. */
export async function tokenKubeconfig({ url, access }: TestServer, bearer: string): Promise<string> {
  const path = join(await temporaryFolder(), "kubeconfig");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "c", cluster: { server: url, "certificate-authority-data": Buffer.from(access.ca).toString("base64") } }],
    users: [{ name: "u", user: { token: bearer } }],
    contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
    "current-context": "x",
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}
