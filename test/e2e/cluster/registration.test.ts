// How a cluster knows of a server: APIServices and serving certificates beside Kubernetes' own kube-apiserver and its aggregator.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { connect } from "node:tls";
import type { Clock } from "@annex/apiserver";
import { parseCertificates, systemClock } from "@annex/apiserver-node";
import { type ClusterClient, type ServiceReference, unregister } from "@annex/cluster";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { findFreePorts } from "../../controlplane/ports.ts";
import { temporaryFolder } from "../server.ts";
import { API_SERVICES, administrator, type ClusterServer, clusterClient, startClusterServer } from "./cluster-server.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const WAIT = { timeout: 30_000, interval: 50 };

let plane: ControlPlane;
let ca: string;
let client: ClusterClient;
let admin: ReturnType<typeof administrator>;
beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  ca = await readFile(plane.caFile, "utf8");
  client = clusterClient({ url: plane.url, ca }, plane.tokens.admin);
  admin = administrator(client);
}, BUILD_LIMIT_MS + MINUTE_MS);
afterAll(async () => {
  await client?.[Symbol.asyncDispose]();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

/** A namespace of a test's own, and the Service in it, on a free port; it is made only by `localService`. */
async function place(name: string): Promise<{ readonly service: ServiceReference; readonly group: string; readonly port: number }> {
  const [port = 0] = await findFreePorts(1);
  await admin.namespace(name);
  return { service: { namespace: name, name: "api", port }, group: `${name}.example.com`, port };
}

const apiService = (group: string, version = "v1") => `${API_SERVICES}/${version}.${group}`;
const gadgets = (group: string, version = "v1") => `/apis/${group}/${version}/namespaces/default/gadgets`;
const reached = (group: string, version = "v1") => vi.waitFor(() => admin.get(gadgets(group, version)), WAIT);

async function using(server: ClusterServer, use: () => Promise<void>): Promise<void> {
  try {
    await use();
  } finally {
    await server.stop();
  }
}

test("a server registers, repairs what is edited, and is gone without a trace, with these rights and no more", async () => {
  const { service, group, port } = await place("rights");
  await admin.localService(service);
  const own = clusterClient({ url: plane.url, ca }, await serviceAccountToken(service.namespace, group));
  const server = await startClusterServer({ client: own, service, group, port, versions: ["v1", "v1beta1"] });
  await using(server, async () => {
    await Promise.all([reached(group), reached(group, "v1beta1")]);
    const before = await admin.get(apiService(group));
    expect(before.spec).toMatchObject({
      versionPriority: 16,
      service,
      caBundle: Buffer.from(server.certificates.caBundle() ?? "").toString("base64"),
    });
    await admin.merge(apiService(group), { spec: { caBundle: null, insecureSkipTLSVerify: true, service: { name: "elsewhere" } } });
    await vi.waitFor(async () => expect((await admin.get(apiService(group))).spec).toEqual(before.spec), WAIT);
    await admin.remove(apiService(group, "v1beta1"));
    await vi.waitFor(() => admin.get(apiService(group, "v1beta1")), WAIT);
    await Promise.all([reached(group), reached(group, "v1beta1")]);
  });
  expect(server.lines.filter((line) => line.startsWith("error"))).toEqual([]);
  const removed: string[] = [];
  const onRemoved = (object: string) => removed.push(object);
  await unregister({ client: own, service, clock: systemClock, log: server.server.log, onRemoved }, new AbortController().signal);
  expect(removed).toHaveLength(5);
  for (const path of [apiService(group), apiService(group, "v1beta1"), ...objectsBeside(service)])
    expect(await admin.find(path), path).toBeUndefined();
  await own[Symbol.asyncDispose]();
});

const objectsBeside = ({ namespace }: ServiceReference) => [
  `/api/v1/namespaces/${namespace}/secrets/api-serving-ca`,
  `/api/v1/namespaces/${namespace}/secrets/api-serving-cert`,
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/api-registration`,
];

/** A service account with the rights that a server needs to register, and to take it back. */
async function serviceAccountToken(namespace: string, group: string): Promise<string> {
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const apiGroups = ["apiregistration.k8s.io"];
  const names = { apiservices: ["v1", "v1beta1"].map((version) => `${version}.${group}`), secrets: ["api-serving-ca", "api-serving-cert"] };
  const clusterRules = [
    { apiGroups, resources: ["apiservices"], verbs: ["list", "watch", "create"] },
    { apiGroups, resources: ["apiservices"], resourceNames: names.apiservices, verbs: ["update", "delete"] },
  ];
  const rules = [
    { apiGroups: [""], resources: ["secrets"], verbs: ["create"] },
    { apiGroups: [""], resources: ["secrets"], resourceNames: names.secrets, verbs: ["get", "list", "watch", "update", "delete"] },
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["create"] },
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], resourceNames: ["api-registration"], verbs: ["get", "update", "delete"] },
  ];
  const subjects = [{ kind: "ServiceAccount", name: "server", namespace }];
  const role = (kind: string, name: string, of: unknown) => ({ apiVersion: "rbac.authorization.k8s.io/v1", kind, metadata: { name }, rules: of });
  const binding = (kind: string, to: string, name: string) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind,
    metadata: { name },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: to, name },
    subjects,
  });
  const metadata = { name: "server", namespace };
  await admin.post(`/api/v1/namespaces/${namespace}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata });
  await admin.post(`${rbac}/clusterroles`, role("ClusterRole", `server-${namespace}`, clusterRules));
  await admin.post(`${rbac}/clusterrolebindings`, binding("ClusterRoleBinding", "ClusterRole", `server-${namespace}`));
  await admin.post(`${rbac}/namespaces/${namespace}/roles`, role("Role", "server", rules));
  await admin.post(`${rbac}/namespaces/${namespace}/rolebindings`, binding("RoleBinding", "Role", "server"));
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/server/token`;
  const { status } = await admin.post(path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} });
  return (status as unknown as { readonly token: string }).token; // of a TokenRequest
}

test("a new CA and a new certificate fail no request through the aggregator", { timeout: 3 * MINUTE_MS }, async () => {
  const { service, group, port } = await place("rotation");
  await admin.localService(service);
  const shift = { ms: -25 * DAY_MS };
  const clock: Clock = { now: () => Date.now() + shift.ms, sleep: systemClock.sleep };
  // Made 25 days ago: of their 30 days both are in the last third, when the clock is set right.
  const options = { client, service, group, port, clock, lifetimes: { caMs: 30 * DAY_MS, leafMs: 29 * DAY_MS, overlapMs: 4_000 } };
  let server = await startClusterServer(options);
  await using(server, async () => {
    await reached(group);
    const before = { shown: await shown(port, service), bundle: server.certificates.caBundle() };
    shift.ms = 0;
    const failures: string[] = [];
    let asked = 0;
    let isOver = false;
    const asking = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        asked++;
        await admin.get(gadgets(group)).catch((error: unknown) => failures.push(String(error)));
        await sleep(5);
      }
    });
    await vi.waitFor(() => expect(parseCertificates(server.certificates.caBundle() ?? "")).toHaveLength(2), WAIT);
    // In the overlap the former certificate is shown, and the aggregator knows both CAs.
    expect(await shown(port, service)).toBe(before.shown);
    await vi.waitFor(async () => expect(await shown(port, service)).not.toBe(before.shown), WAIT);
    expect(await shown(port, service, before.bundle)).toBe("nobody vouches for it");
    await sleep(1_000);
    isOver = true;
    await Promise.all(asking);
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(100);
    expect((await admin.get(apiService(group))).spec.caBundle).toBe(Buffer.from(server.certificates.caBundle() ?? "").toString("base64"));
  });
  // The aggregator has to shake hands anew, and finds the new certificate.
  server = await startClusterServer(options);
  await using(server, async () => void (await reached(group)));
});

/** The fingerprint of what a handshake shows to who believes a bundle, that of the APIService unless another one is given. */
async function shown(port: number, { namespace, name }: ServiceReference, bundle?: string): Promise<string> {
  const { spec } = await admin.get(apiService(`${namespace}.example.com`));
  const authority = bundle ?? Buffer.from(String(spec.caBundle), "base64").toString();
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, ca: authority, servername: `${name}.${namespace}.svc` }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on("error", () => resolve("nobody vouches for it"));
  });
}

test("what somebody else registered, or a CustomResourceDefinition, is left alone", async () => {
  const { service, group, port } = await place("foreign");
  await admin.localService(service);
  const metadata = { name: `v1.${group}` };
  const spec = { group, version: "v1", groupPriorityMinimum: 7, versionPriority: 7, service: { namespace: "elsewhere", name: "other", port: 443 } };
  const theirs = await admin.post(API_SERVICES, { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata, spec });
  await admin.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(group, "v1beta1"));
  const local = await vi.waitFor(() => admin.get(apiService(group, "v1beta1")), WAIT);
  const server = await startClusterServer({ client, service, group, port, versions: ["v1", "v1beta1"] });
  await using(server, async () => {
    const log = () => server.lines.join("\n");
    await vi.waitFor(() => expect(log()).toContain("the kube-apiserver serves this group version itself"), WAIT);
    expect(log()).toMatch(/stands for another server \{"apiService":"v1\.foreign\.example\.com","service":"elsewhere\/other"/);
    expect(server.isRegistrationReady()).toBe(false);
    await sleep(1_500);
    expect((await admin.get(apiService(group))).spec).toEqual(theirs.spec);
    expect((await admin.get(apiService(group, "v1beta1"))).spec).toEqual(local.spec);
    // They go, and ours come: without anybody's doing.
    await admin.remove(apiService(group));
    await admin.remove(`/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.${group}`);
    await Promise.all([reached(group), reached(group, "v1beta1")]);
    expect(server.isRegistrationReady()).toBe(true);
  });
});

function crd(group: string, version: string) {
  const schema = { openAPIV3Schema: { type: "object" } };
  const names = { kind: "Widget", plural: "widgets", singular: "widget" };
  const spec = { group, names, scope: "Cluster", versions: [{ name: version, served: true, storage: true, schema }] };
  return { apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: `widgets.${group}` }, spec };
}

test("two replicas, of two minds about priorities, do not take turns", async () => {
  const { service, group, port } = await place("two");
  const [second = 0] = await findFreePorts(1);
  await admin.localService(service);
  const servers = await Promise.all([
    startClusterServer({ client, service, group, port, priorities: { versionPriority: 20 } }),
    startClusterServer({ client, service, group, port: second, priorities: { versionPriority: 30 } }),
  ]);
  try {
    expect(servers[0].certificates.current().cert).toBe(servers[1].certificates.current().cert);
    await reached(group);
    const settled = (await admin.get(apiService(group))).metadata.resourceVersion;
    const lease = objectsBeside(service).at(-1) ?? "";
    const renewed = (await admin.get(lease)).spec.renewTime;
    await sleep(2_000);
    expect((await admin.get(apiService(group))).metadata.resourceVersion).toBe(settled);
    expect((await admin.get(lease)).spec.renewTime).not.toBe(renewed);
  } finally {
    for (const server of servers) await server.stop();
  }
});

test("what keeps the cluster from reaching the server is told, reason by reason", async () => {
  const { service, group, port } = await place("reasons");
  const services = `/api/v1/namespaces/${service.namespace}/services`;
  const server = await startClusterServer({ client, service, group, port });
  await using(server, async () => {
    // That it was registered may be told before or after what the aggregator says of it.
    const last = () => server.lines.filter((line) => line.includes('"apiService"') && !line.startsWith("info: registered ")).at(-1);
    const told = (reason: string) => vi.waitFor(() => expect(last()).toContain(reason), WAIT);
    await told('"reason":"ServiceNotFound"');
    const clusterIP = { apiVersion: "v1", kind: "Service", metadata: { name: service.name }, spec: { ports: [{ name: "a", port: 1 }] } };
    await admin.post(services, clusterIP);
    await told('"reason":"ServicePortError"');
    await admin.merge(`${services}/${service.name}`, { spec: { ports: [{ name: "a", port }] } });
    await told('"reason":"EndpointsNotFound"');
    const labels = { "kubernetes.io/service-name": service.name };
    const slice = { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "a", labels }, addressType: "IPv4", endpoints: [] };
    await admin.post(`/apis/discovery.k8s.io/v1/namespaces/${service.namespace}/endpointslices`, slice);
    await told('"reason":"MissingEndpoints"');
    await admin.remove(`${services}/${service.name}`);
    await told('"reason":"ServiceNotFound"');
    await admin.localService(service);
    await told("the cluster reaches this server");
    await admin.merge(`${services}/${service.name}`, { spec: { externalName: "nowhere.invalid" } });
    await told('"reason":"FailedDiscoveryCheck"');
  });
});
