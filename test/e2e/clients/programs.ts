// The client programs: how each one is built and started. All of them read the place and the credentials of the server from the file that
// KUBECONFIG names, work in a namespace of their own that they make and delete, and end with exit code 0 and a last line `ok`, or with a
// sentence that says what was not as Kubernetes has it.
//
// Each one creates, reads, updates, patches and deletes; meets a conflict and tries again; reads 25 objects in pages of 10; and watches from
// the revision of a list. They hold for any Kubernetes that serves the kinds of wardle, so a kube-apiserver can be asked the same.
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, SOURCES, type Step, type Tool } from "./toolchain.ts";

export interface ClientProgram {
  readonly name: string;
  readonly tools: readonly Tool[];
  /** For building with nothing in any cache, fetching included, on two slow cores, in milliseconds. */
  readonly buildLimitMs: number;
  /** Which server it is for: `wardle`, or `gadgets` for kinds with a status. */
  readonly subject: "wardle" | "gadgets";
  readonly plan: () => Promise<{ readonly build: readonly Step[]; readonly run: Step }>;
}

const GO: Tool = { command: "go", install: "Go 1.26 or newer" };
const CARGO: Tool = { command: "cargo", install: "Rust 1.89 or newer with cargo" };
const CC: Tool = { command: "cc", install: "a C compiler, which a crate needs (Debian: gcc)" };
const JAVA: Tool = { command: "java", install: "a JDK 17 or newer (Debian: openjdk-17-jdk-headless)" };
const MAVEN: Tool = { command: "mvn", install: "Maven 3.8 or newer (Debian: maven)" };
const PYTHON: Tool = { command: "python3", install: "Python 3.11 or newer with venv (Debian: python3-venv)" };
const NPM: Tool = { command: "npm", install: "Node 20 or newer with npm" };

/** @param env of the program itself. */
function goProgram(name: string, subject: ClientProgram["subject"], env: Readonly<Record<string, string>> = {}): ClientProgram {
  return {
    name,
    tools: [GO],
    buildLimitMs: 600_000,
    subject,
    async plan() {
      const folder = await cacheFolder("go");
      const cwd = join(SOURCES, "go");
      // As the Go servers of the tests are built, so that Go's cache holds what both need once.
      const how = { CGO_ENABLED: "0", GOFLAGS: "-mod=readonly" };
      return {
        build: [{ command: "go", args: ["build", "-trimpath", "-o", join(folder, name), `./${name}`], cwd, env: how }],
        run: { command: join(folder, name), args: [], cwd, env },
      };
    },
  };
}

const kubeRs: ClientProgram = {
  name: "kube-rs",
  tools: [CARGO, CC],
  buildLimitMs: 600_000,
  subject: "wardle",
  async plan() {
    const folder = await cacheFolder("kube-rs");
    const cwd = join(SOURCES, "kube-rs");
    return {
      build: [{ command: "cargo", args: ["build", "--locked", "--quiet", "--target-dir", folder], cwd }],
      run: { command: join(folder, "debug", "client-kube-rs"), args: [], cwd },
    };
  },
};

const python: ClientProgram = {
  name: "python",
  tools: [PYTHON],
  buildLimitMs: 300_000,
  subject: "wardle",
  async plan() {
    const folder = await cacheFolder("python");
    const cwd = join(SOURCES, "python");
    const interpreter = join(folder, "bin", "python");
    return {
      build: [
        { command: "python3", args: ["-m", "venv", folder], cwd },
        {
          command: interpreter,
          args: ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", "requirements.txt"],
          cwd,
        },
      ],
      run: { command: interpreter, args: ["-B", "main.py"], cwd },
    };
  },
};

const fabric8: ClientProgram = {
  name: "fabric8",
  tools: [JAVA, MAVEN],
  buildLimitMs: 300_000,
  subject: "wardle",
  async plan() {
    const folder = await cacheFolder("fabric8");
    const cwd = join(SOURCES, "fabric8");
    const goals = ["compiler:compile", "dependency:copy-dependencies"];
    return {
      build: [{ command: "mvn", args: ["--batch-mode", "--no-transfer-progress", "--quiet", `-Dbuild.folder=${folder}`, ...goals], cwd }],
      run: { command: "java", args: ["-cp", `${join(folder, "classes")}:${join(folder, "dependency")}/*`, "Main"], cwd },
    };
  },
};

const clientNode: ClientProgram = {
  name: "client-node",
  tools: [NPM],
  buildLimitMs: 300_000,
  subject: "wardle",
  async plan() {
    // A tree of its own, outside the workspaces: what it depends on is none of theirs.
    const folder = await cacheFolder("client-node");
    for (const file of ["package.json", "package-lock.json", "main.mjs"]) await copyFile(join(SOURCES, "client-node", file), join(folder, file));
    return {
      build: [{ command: "npm", args: ["ci", "--prefer-offline", "--ignore-scripts", "--no-audit", "--no-fund"], cwd: folder }],
      run: { command: process.execPath, args: ["main.mjs"], cwd: folder },
    };
  },
};

export const PROGRAMS: readonly ClientProgram[] = [
  // The detector lets client-go compare what an informer's watch brought with a list of the same revision, and end the program where they differ.
  goProgram("client-go", "wardle", { KUBE_WATCHLIST_INCONSISTENCY_DETECTOR: "true" }),
  goProgram("controller-runtime", "gadgets"),
  kubeRs,
  python,
  fabric8,
  clientNode,
];
