// The Go servers that this project is compared with: etcd, kube-apiserver, kube-controller-manager with the controllers of namespaces, garbage
// collection, service accounts and aggregated roles, and sample-apiserver (wardle.example.com), which the kube-apiserver's aggregator knows. Linux only.
import { access, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Client, createClient } from "../e2e/client.ts";
import { buildControlPlane, type ControlPlaneBinaries } from "./build.ts";
import { type ControlPlaneTokens, makeCredentials, placeFrontProxy, writeKubeconfig } from "./credentials.ts";
import { type Daemon, restartDaemon, startDaemon, stopDaemons } from "./daemon.ts";
import { findFreePorts } from "./ports.ts";

/** A control plane that serves. */
export interface ControlPlane {
  /** Where everything of it lies: certificates, logs, etcd's data. */
  readonly folder: string;
  /** The kube-apiserver: `https://127.0.0.1:PORT`. */
  readonly url: string;
  /** The sample-apiserver, to be asked itself rather than through the aggregator. It takes the same tokens. */
  readonly sampleURL: string;
  /** The file of the CA that signed the certificates of both, PEM. */
  readonly caFile: string;
  readonly tokens: ControlPlaneTokens;
  /** The administrator's, for the kube-apiserver. */
  readonly kubeconfig: string;
  readonly binaries: ControlPlaneBinaries;
}

export interface ControlPlaneOptions {
  /** Is told what takes long. */
  readonly log?: (line: string) => void;
}

/** What is stopped, in this order: each before what it talks to. */
const DAEMONS = ["sample-apiserver", "kube-controller-manager", "kube-apiserver", "etcd"] as const;
/** Describes the control plane, and says that the folder is one's. */
const DESCRIPTION = "control-plane.json";
const READY_LIMIT_MS = 90_000;
const POLL_MS = 100;
/** How often it is tried on other ports when somebody else was faster. */
const ATTEMPTS = 3;

/**
 * Starts a control plane on free ports of 127.0.0.1, with certificates and tokens of its own: any number of them may run. Takes about eight seconds,
 * and the time of {@link buildControlPlane}. It goes on until {@link stopControlPlane}, also when this process ends.
 *
 * @param folder where everything of it goes: a new folder, or an empty one.
 * @throws {Error} if the folder holds something, a program cannot be built or does not become ready; with the end of its log.
 */
export async function startControlPlane(folder: string, { log }: ControlPlaneOptions = {}): Promise<ControlPlane> {
  if (process.platform !== "linux") throw new Error(`the control plane runs on Linux, not on ${process.platform}`);
  const place = resolve(folder);
  await mkdir(place, { recursive: true, mode: 0o700 });
  if ((await readdir(place)).length > 0) throw new Error(`${place} is not empty`);
  const binaries = await buildControlPlane(log);
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(place, binaries);
    } catch (error) {
      await remove(place);
      const isTaken = error instanceof Error && error.message.includes("address already in use");
      if (!isTaken || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Stops what {@link startControlPlane} started in a folder, perhaps in another process, and removes the folder. @throws {Error} if it is none of a control plane. */
export async function stopControlPlane(folder: string): Promise<void> {
  const place = resolve(folder);
  await access(join(place, DESCRIPTION)).catch(() => {
    throw new Error(`${place} holds no control plane`);
  });
  await remove(place);
}

/**
 * Has the kube-apiserver go away and come back with another CA of front proxies, and another certificate as one.
 *
 * @param meanwhile is done while it is away.
 * @param client of the kube-apiserver.
 */
export async function replaceFrontProxy(folder: string, client: Client, meanwhile: () => Promise<void>): Promise<void> {
  const daemon = await restartDaemon(folder, "kube-apiserver", async () => {
    await placeFrontProxy(folder);
    await meanwhile();
  });
  await waitUntilOK(client, "/readyz", [daemon]);
}

async function remove(folder: string): Promise<void> {
  await stopDaemons(folder, DAEMONS);
  await rm(folder, { recursive: true, force: true });
}

async function start(folder: string, binaries: ControlPlaneBinaries): Promise<ControlPlane> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [etcd = 0, etcdPeers = 0, kube = 0, sample = 0] = await findFreePorts(4);
  const credentials = await makeCredentials(folder);
  const plane: ControlPlane = {
    folder,
    url: `https://127.0.0.1:${kube}`,
    sampleURL: `https://127.0.0.1:${sample}`,
    caFile: join(folder, "cluster-ca.crt"),
    tokens: credentials.tokens,
    kubeconfig: await writeKubeconfig(credentials, `https://127.0.0.1:${kube}`),
    binaries,
  };
  // Before anything runs, so that there is nothing running that stopControlPlane would not stop.
  await writeFile(join(folder, DESCRIPTION), `${JSON.stringify(plane, undefined, 2)}\n`, { mode: 0o600 });
  const commands = commandLines(folder, { etcd, etcdPeers, kube, sample });
  const daemons: Daemon[] = [];
  const run = async (name: keyof typeof commands) => daemons.push(await startDaemon(folder, name, binaries[name], commands[name]));
  const access = { ca: credentials.ca, ...credentials.admin };
  const client = createClient(plane.url, access);

  await run("etcd");
  await run("kube-apiserver");
  await waitUntilOK(client, "/readyz", daemons);
  await run("kube-controller-manager");
  await run("sample-apiserver");
  await waitUntilOK(createClient(plane.sampleURL, access), "/readyz", daemons);
  await registerSample(client, sample, credentials.ca);
  for (const version of SAMPLE_VERSIONS) await waitUntilOK(client, `/apis/${SAMPLE_GROUP}/${version}`, daemons);
  return plane;
}

interface Ports {
  readonly etcd: number;
  readonly etcdPeers: number;
  readonly kube: number;
  readonly sample: number;
}

function commandLines(folder: string, ports: Ports): Readonly<Record<(typeof DAEMONS)[number], readonly string[]>> {
  const file = (name: string) => join(folder, name);
  const etcd = `http://127.0.0.1:${ports.etcd}`;
  const peers = `http://127.0.0.1:${ports.etcdPeers}`;
  const kubeconfig = file("admin.kubeconfig");
  const secureServing = (name: string, port: number) => [
    `--etcd-servers=${etcd}`,
    "--bind-address=127.0.0.1",
    `--secure-port=${port}`,
    `--tls-cert-file=${file(`${name}.crt`)}`,
    `--tls-private-key-file=${file(`${name}.key`)}`,
    `--client-ca-file=${file("cluster-ca.crt")}`,
  ];
  return {
    etcd: [
      `--data-dir=${file("etcd")}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peers}`,
      `--initial-advertise-peer-urls=${peers}`,
      `--initial-cluster=default=${peers}`,
      // The data need not survive the machine.
      "--unsafe-no-fsync",
    ],
    "kube-apiserver": [
      ...secureServing("kube-apiserver", ports.kube),
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=Node,RBAC",
      "--service-cluster-ip-range=10.0.0.0/24",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-signing-key-file=${file("service-account.key")}`,
      `--service-account-key-file=${file("service-account.pub")}`,
      `--requestheader-client-ca-file=${file("front-proxy-ca.crt")}`,
      "--requestheader-allowed-names=front-proxy-client",
      "--requestheader-username-headers=X-Remote-User",
      "--requestheader-group-headers=X-Remote-Group",
      "--requestheader-extra-headers-prefix=X-Remote-Extra-",
      `--proxy-client-cert-file=${file("front-proxy.crt")}`,
      `--proxy-client-key-file=${file("front-proxy.key")}`,
    ],
    "kube-controller-manager": [
      `--kubeconfig=${kubeconfig}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--controllers=namespace,garbagecollector,serviceaccount,clusterrole-aggregation",
      `--service-account-private-key-file=${file("service-account.key")}`,
      `--root-ca-file=${file("cluster-ca.crt")}`,
    ],
    "sample-apiserver": [
      ...secureServing("sample-apiserver", ports.sample),
      `--kubeconfig=${kubeconfig}`,
      `--authentication-kubeconfig=${kubeconfig}`,
      `--authorization-kubeconfig=${kubeconfig}`,
    ],
  };
}

/** @throws {Error} with the end of a program's log when one ends or the time is over first. */
async function waitUntilOK(client: Client, path: string, daemons: readonly Daemon[]): Promise<void> {
  const deadline = performance.now() + READY_LIMIT_MS;
  for (;;) {
    const answer = await client.request("GET", path).catch((error: unknown) => ({ status: 0, text: String(error) }));
    if (answer.status === 200) return;
    const ended = daemons.find((daemon) => daemon.hasEnded());
    if (ended !== undefined) throw new Error(`${ended.name} has ended:\n${await lastLines(ended)}`);
    const last = daemons.at(-1);
    if (performance.now() > deadline && last !== undefined)
      throw new Error(`${path} still answers ${answer.status} ${answer.text}; ${last.name} says:\n${await lastLines(last)}`);
    await sleep(POLL_MS);
  }
}

async function lastLines(daemon: Daemon): Promise<string> {
  return (await daemon.log()).trimEnd().split("\n").slice(-10).join("\n");
}

const SAMPLE_GROUP = "wardle.example.com";
const SAMPLE_VERSIONS = ["v1alpha1", "v1beta1"] as const;

/** Tells the aggregator of the sample-apiserver: a Service that names localhost, and an APIService for each version. */
async function registerSample(client: Client, port: number, ca: string): Promise<void> {
  const post = async (path: string, object: { readonly apiVersion: string; readonly kind: string } & Readonly<Record<string, unknown>>) => {
    const { status, text } = await client.request("POST", path, object);
    if (status !== 201) throw new Error(`the kube-apiserver answered a ${object.kind} with ${status} ${text}`);
  };
  await post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: "wardle" } });
  const service = { type: "ExternalName", externalName: "localhost", ports: [{ port, protocol: "TCP" }] };
  await post("/api/v1/namespaces/wardle/services", {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "api", namespace: "wardle" },
    spec: service,
  });
  for (const [index, version] of SAMPLE_VERSIONS.entries()) {
    await post("/apis/apiregistration.k8s.io/v1/apiservices", {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `${version}.${SAMPLE_GROUP}` },
      spec: {
        group: SAMPLE_GROUP,
        version,
        groupPriorityMinimum: 1000,
        versionPriority: 15 + 5 * index,
        service: { name: "api", namespace: "wardle", port },
        caBundle: Buffer.from(ca).toString("base64"),
      },
    });
  }
}
