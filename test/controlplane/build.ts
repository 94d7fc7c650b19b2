// Builds the Go programs of a control plane out of the modules that etcd/go.mod and kube/go.mod pin, and the oracles: programs of our own around
// Kubernetes' libraries, one a folder. Needs a Go of 1.21 or newer: the one that the modules ask for is then fetched from the Go module proxy like
// any other module.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

// Compiled for the command, this file lies in dist/controlplane.
const HERE = fileURLToPath(new URL(import.meta.url.includes("/dist/") ? "../../" : "./", import.meta.url));
const CACHE = join(HERE, "..", "..", ".cache", "controlplane");
const KUBERNETES_VERSION = "1.36.3";

/** What each module's folder is built into: packages whose last element, but for the version, is the program's name. */
const MODULES = {
  etcd: { etcd: "go.etcd.io/etcd/server/v3" },
  kube: {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    kubectl: "k8s.io/kubernetes/cmd/kubectl",
    "sample-apiserver": "k8s.io/sample-apiserver",
  },
} as const;

/** The paths of the programs. */
export interface ControlPlaneBinaries {
  readonly etcd: string;
  readonly "kube-apiserver": string;
  readonly "kube-controller-manager": string;
  readonly kubectl: string;
  readonly "sample-apiserver": string;
}

/** The first Go that fetches the one a module asks for. */
const OLDEST_GO = [1, 21] as const;
const HOW_TO_GET_GO = `Install any Go from ${OLDEST_GO.join(".")} on (https://go.dev/dl, or your system's package \`golang\` where it is new enough) and have \`go\` on the PATH.`;
/** How long a build may take, in milliseconds. On two cores, with every module to fetch and nothing cached, it takes about six minutes. */
export const BUILD_LIMIT_MS = 30 * 60_000;

const run = promisify(execFile);

/**
 * Builds etcd, kube-apiserver, kube-controller-manager, kubectl and sample-apiserver, unless the cache folder holds them already, built of the
 * same versions. Several may build at a time: the programs come into place whole.
 *
 * @param log is told when a build begins and ends; it takes about six minutes when Go's own caches are empty.
 * @throws {Error} where there is no Go, it is too old, or the build fails; the message says what to do, or what Go said.
 */
export async function buildControlPlane(log: (line: string) => void = () => undefined): Promise<ControlPlaneBinaries> {
  const folder = await built("the control plane of Go modules; about six minutes when nothing of it is cached", await contentHash(), PROGRAMS, log);
  const path = (name: string) => join(folder, name);
  return {
    etcd: path("etcd"),
    "kube-apiserver": path("kube-apiserver"),
    "kube-controller-manager": path("kube-controller-manager"),
    kubectl: path("kubectl"),
    "sample-apiserver": path("sample-apiserver"),
  };
}

/** Programs that answer, a line of JSON for a line of JSON, what Kubernetes' own code answers. Each has its folder beside this file. */
export type Oracle = "apply" | "cel";

/**
 * Builds an oracle, unless the cache folder holds the same already, as {@link buildControlPlane} does.
 *
 * @param log is told when a build begins and ends; it takes some seconds after a build of the control plane, and two minutes when Go's own caches are empty.
 * @returns the path of the program.
 * @throws {Error} as {@link buildControlPlane}.
 */
export async function buildOracle(oracle: Oracle, log: (line: string) => void = () => undefined): Promise<string> {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${oracle}`);
  const sources = (await readdir(join(HERE, oracle))).sort();
  for (const file of sources) hash.update(file).update(await readFile(join(HERE, oracle, file)));
  const folder = await built(
    `the Go program of test/controlplane/${oracle}`,
    hash.digest("hex").slice(0, 16),
    [{ module: oracle, program: oracle, path: "." }],
    log,
  );
  return join(folder, oracle);
}

/** Of what decides the result: which programs, of which versions, for which machine. */
async function contentHash(): Promise<string> {
  const hash = createHash("sha256").update(`${process.platform} ${process.arch} ${JSON.stringify([MODULES, KUBERNETES_VERSION])}`);
  for (const module of Object.keys(MODULES)) for (const file of ["go.mod", "go.sum"]) hash.update(await readFile(join(HERE, module, file)));
  return hash.digest("hex").slice(0, 16);
}

/**
 * That there is a Go which can build the modules, perhaps with another Go's help.
 *
 * @throws {Error} that says how to get one.
 */
async function checkGo(): Promise<void> {
  // Outside the modules, and held to itself: what is asked for is the Go that is installed.
  const { stdout } = await run("go", ["env", "GOVERSION"], { cwd: tmpdir(), env: { ...process.env, GOTOOLCHAIN: "local" } }).catch(
    (error: unknown) => {
      throw new Error(`the Go servers to compare with have to be built, and there is no \`go\` that runs. ${HOW_TO_GET_GO}`, { cause: error });
    },
  );
  const [, major = "0", minor = "0"] = stdout.match(/go(\d+)\.(\d+)/) ?? [];
  const [oldestMajor, oldestMinor] = OLDEST_GO;
  if (Number(major) < oldestMajor || (Number(major) === oldestMajor && Number(minor) < oldestMinor))
    throw new Error(`${stdout.trim()} is too old to build the Go servers to compare with. ${HOW_TO_GET_GO}`);
}

/** A program, and the package that it is built of in a module's folder. */
interface Program {
  readonly module: string;
  readonly program: string;
  readonly path: string;
}

const PROGRAMS: readonly Program[] = Object.entries(MODULES).flatMap(([module, programs]) =>
  Object.entries(programs).map(([program, path]) => ({ module, program, path })),
);

/** @returns the folder of the programs, after they were built if it was not there. */
async function built(what: string, hash: string, programs: readonly Program[], log: (line: string) => void): Promise<string> {
  const folder = join(CACHE, hash);
  if (await exists(folder)) return folder;
  await checkGo();
  const started = performance.now();
  log(`building ${what}`);
  await buildInto(folder, programs);
  log(`built in ${Math.round((performance.now() - started) / 1000)} s`);
  return folder;
}

async function buildInto(folder: string, programs: readonly Program[]): Promise<void> {
  await mkdir(CACHE, { recursive: true });
  const building = await mkdtemp(join(CACHE, "build-"));
  try {
    for (const { module, program, path } of programs) await goBuild(join(HERE, module), path, join(building, program));
    await rename(building, folder).catch(async (error: unknown) => {
      // Somebody else was faster; theirs is as good.
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
}

async function goBuild(module: string, path: string, output: string): Promise<void> {
  const variable = "k8s.io/component-base/version";
  const [major, minor] = KUBERNETES_VERSION.split(".");
  const version = `-X ${variable}.gitVersion=v${KUBERNETES_VERSION} -X ${variable}.gitMajor=${major} -X ${variable}.gitMinor=${minor}`;
  const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", `-s -w ${version}`, "-o", output, path];
  // Distributions turn the fetching of newer Gos off; who turned it off for this process means it.
  const env = { GOTOOLCHAIN: "auto", ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
  await run("go", args, { cwd: module, env, timeout: BUILD_LIMIT_MS, maxBuffer: 64 * 1024 * 1024 }).catch((error: unknown) => {
    // Both the exit code and what it printed are in the error's own message, which is long; the last lines say why.
    const stderr = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new Error(`go build ${path} failed:\n${stderr.trimEnd().split("\n").slice(-20).join("\n")}`);
  });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
