// The token API server as the chart installs it: with the rights that the chart gives it and no more, the options of its Deployment and, where the tests run as root, its user. No container runs
// here: the processes are ours, and the Service names localhost.
import { chmod, chown, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ControlPlane } from "../../controlplane/control-plane.ts";
import { fetchHelm, type Kubectl, openKubectl } from "../kubectl.ts";
import { printed } from "../kubectl-suite.ts";
import { type Finished, type RunningProcess, runProcess, startProcess } from "../process.ts";
import { temporaryFolder } from "../server.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const CHART = join(ROOT, "deploy", "chart");
/** What the image holds: the app and the packages that it needs. */
const PACKED = ["apimachinery", "apiserver", "apiserver-node", "cluster", "standalone", "storage-secrets", "storage-sqlite"];
export const RELEASE = "tokens";
export const NAMESPACE = "annex-system";

export interface Installation {
  readonly kubectl: Kubectl;
  /** Starts a server on a port of 127.0.0.1, and waits until it serves. @param more options in the place of the chart's. @param env beside that of the tests. */
  start(port: number, more?: readonly string[], env?: Readonly<Record<string, string>>): Promise<RunningProcess>;
  /** A folder of the servers' user. */
  dataFolder(): Promise<string>;
  /** Gives the servers the rights that the chart has for other values, and no more. */
  grant(...values: readonly string[]): Promise<void>;
  /** What the chart's last hook does when all servers are gone. @returns what was removed. */
  unregister(): Promise<string>;
}

/** What the chart makes of the release that the tests install: some of its files. */
async function installedFiles(...files: readonly string[]): Promise<string> {
  return printed(await runTemplate(RELEASE, NAMESPACE, ...files.map(showOnly)));
}

const showOnly = (file: string) => `--show-only=templates/${file}`;

/** `helm lint` of the chart. */
export async function runLint(): Promise<Finished> {
  return runProcess(await fetchHelm(), ["lint", "--strict", CHART]);
}

/** `helm template` of the chart. */
export async function runTemplate(release: string, namespace: string, ...options: readonly string[]): Promise<Finished> {
  return runProcess(await fetchHelm(), ["template", release, CHART, `--namespace=${namespace}`, ...options]);
}

/**
 * @param servicePort where the aggregator reaches the servers.
 * @param kubectlVersion of the administrator's.
 */
export async function install(plane: ControlPlane, servicePort: number, kubectlVersion?: string): Promise<Installation> {
  const kubectl = await openKubectl(plane.kubeconfig, kubectlVersion);
  const ok = async (args: readonly string[], input?: string) => printed(await kubectl(args, input === undefined ? {} : { input }));
  await ok(["create", "namespace", NAMESPACE]);
  await ok(["apply", "-f", "-"], await installedFiles("rbac.yaml", "user-roles.yaml", "token-secrets-policy.yaml"));
  const service = { type: "ExternalName", externalName: "localhost", ports: [{ port: servicePort }] };
  await ok(
    ["create", "-f", "-"],
    JSON.stringify({ apiVersion: "v1", kind: "Service", metadata: { name: RELEASE, namespace: NAMESPACE }, spec: service }),
  );
  const { args, user } = await readDeployment(kubectl);
  const main = await installPackages(kubectl.home);
  await chmod(kubectl.home, 0o711);
  const kubeconfig = await accountKubeconfig(plane, kubectl, RELEASE);
  const place = `--service=${NAMESPACE}/${RELEASE}:${servicePort}`;
  if (user !== undefined) await chown(kubeconfig, user, user);
  return {
    kubectl,
    async dataFolder() {
      const folder = await temporaryFolder();
      if (user !== undefined) await chown(folder, user, user);
      return folder;
    },
    async start(port, more = [], env = {}) {
      const own = [`--kubeconfig=${kubeconfig}`, place, "--bind-address=127.0.0.1", `--secure-port=${port}`];
      const server = startProcess(process.execPath, [main, ...args, ...own, ...more], { cwd: kubectl.home, env, user });
      await server.waitFor(/^Serving https/m, 60_000);
      return server;
    },
    async grant(...values) {
      await ok(
        ["apply", "-f", "-"],
        printed(await runTemplate(RELEASE, NAMESPACE, showOnly("rbac.yaml"), ...values.map((value) => `--set=${value}`))),
      );
    },
    async unregister() {
      await ok(["apply", "-f", "-"], await installedFiles("unregister.yaml"));
      const hook = await accountKubeconfig(plane, kubectl, `${RELEASE}-unregister`);
      return printed(await runProcess(process.execPath, [main, "unregister", `--kubeconfig=${hook}`, place]));
    },
  };
}

/** The options that the chart's Deployment gives the server, and as whom it runs: undefined where the tests cannot become somebody else. */
async function readDeployment(kubectl: Kubectl): Promise<{ readonly args: readonly string[]; readonly user: number | undefined }> {
  const deployment = await installedFiles("deployment.yaml");
  const json = printed(await kubectl(["create", "--dry-run=client", "-o", "json", "-f", "-"], { input: deployment }));
  const { spec } = JSON.parse(json) as { spec: { template: { spec: { securityContext: { runAsUser: number }; containers: { args: string[] }[] } } } }; // as the chart makes it
  const { containers, securityContext } = spec.template.spec;
  return { args: containers[0]?.args ?? [], user: process.getuid?.() === 0 ? securityContext.runAsUser : undefined };
}

/** A kubeconfig of a service account in the namespace, with a token of an hour. */
async function accountKubeconfig(plane: ControlPlane, kubectl: Kubectl, account: string): Promise<string> {
  const token = printed(await kubectl(["create", "token", account, "-n", NAMESPACE])).trim();
  return writeTokenKubeconfig(plane, token, join(kubectl.home, `${account}.kubeconfig`));
}

/** Writes a kubeconfig for the control plane with a bearer token. @returns its path. */
export async function writeTokenKubeconfig(plane: ControlPlane, token: string, path: string): Promise<string> {
  const ca = (await readFile(plane.caFile)).toString("base64");
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "it",
    contexts: [{ name: "it", context: { cluster: "it", user: "it" } }],
    clusters: [{ name: "it", cluster: { server: plane.url, "certificate-authority-data": ca } }],
    users: [{ name: "it", user: { token } }],
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** Packs the app and its packages as for a registry, and installs them elsewhere. @returns the program. */
async function installPackages(home: string): Promise<string> {
  const folder = join(home, "installed");
  await mkdir(folder);
  const workspaces = [...PACKED.map((name) => `packages/${name}`), "apps/ranchertokens"].map((path) => `--workspace=${path}`);
  const packed = printed(await runProcess("npm", ["pack", "--silent", `--pack-destination=${folder}`, ...workspaces], { cwd: ROOT }));
  await writeFile(join(folder, "package.json"), '{ "private": true }');
  const { code, stderr } = await runProcess(
    "npm",
    [
      "install",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      "--ignore-scripts",
      ...packed
        .trim()
        .split("\n")
        .map((name) => `./${name}`),
    ],
    { cwd: folder, timeoutMs: 120_000 },
  );
  if (code !== 0) throw new Error(`the packed packages cannot be installed: ${stderr}`);
  return join(folder, "node_modules", "@annex", "ranchertokens", "dist", "main.js");
}
