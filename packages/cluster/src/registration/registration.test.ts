import { forbidden } from "@annex/apimachinery";
import { type Logger, whenReady } from "@annex/apiserver";
import { ServedCertificatesHolder, systemClock } from "@annex/apiserver-node";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { ClusterClient, ClusterRequest } from "../client/index.ts";
import { type MemoryCluster, startMemoryCluster } from "../testing/memory-cluster.ts";
import { recordedLog } from "../testing/recorded-log.ts";
import { API_SERVICES, type APIService } from "./api-service.ts";
import { type RegistrationOptions, registration, type UnregisterOptions, unregister } from "./index.ts";

const WAIT = { timeout: 10_000, interval: 10 };
const never = new AbortController().signal;
const durations = { leaseMs: 1_000, renewDeadlineMs: 500, retryMs: 50 };
const base64 = (text: string) => Buffer.from(text).toString("base64");

let cluster: MemoryCluster;
beforeAll(async () => {
  cluster = await startMemoryCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

let count = 0;
/** Of a test: groups share the cluster. */
let group: string;
let service: RegistrationOptions["service"];
beforeEach(() => {
  group = `g${++count}.example.com`;
  service = { namespace: `ns${count}`, name: "api", port: 443 };
});

const nameOf = (version = "v1") => `${version}.${group}`;
const get = async (version = "v1") => (await cluster.get(`${API_SERVICES}/${nameOf(version)}`)) as APIService | undefined;
const merge = (version: string, body: unknown, subresource = "") =>
  cluster.client.request(
    { method: "PATCH", path: `${API_SERVICES}/${nameOf(version)}${subresource}`, body, contentType: "application/merge-patch+json" },
    never,
  );

interface Replica {
  readonly log: Logger & { readonly lines: string[] };
  readonly holder: ServedCertificatesHolder;
  readonly isReady: () => boolean;
  readonly stop: () => Promise<void>;
}

function start(options: Partial<RegistrationOptions> = {}): Replica {
  const log = recordedLog();
  const holder = new ServedCertificatesHolder({ cert: "", key: "", caBundle: "one" }, log);
  const stopping = new AbortController();
  const common = { client: cluster.client, service, clock: systemClock, durations, identity: `replica-${Math.random()}` };
  const { healthCheck, run } = bound(
    registration({ ...common, groups: [{ group, versions: ["v1", "v1beta1"] }], certificates: holder, log, ...options }),
  );
  const running = run(stopping.signal);
  return {
    log,
    holder,
    isReady: () => {
      try {
        return whenReady(healthCheck.check(never) as undefined, () => true) === true;
      } catch {
        return false;
      }
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

const bound = (made: ReturnType<typeof registration>) => ({ healthCheck: made.healthCheck, run: (signal: AbortSignal) => made.run(signal) });

test("registers every version, repairs each edit, takes a new bundle", async () => {
  const replica = start();
  await vi.waitFor(async () => expect(await get("v1beta1")).toBeDefined(), WAIT);
  expect((await get())?.spec).toEqual({ group, version: "v1", groupPriorityMinimum: 1000, versionPriority: 16, service, caBundle: base64("one") });
  await merge("v1", { spec: { service: { name: "elsewhere" }, versionPriority: 3 }, metadata: { labels: { more: "x" } } });
  await vi.waitFor(async () => expect((await get())?.spec).toMatchObject({ service, versionPriority: 16 }), WAIT);
  expect((await get())?.metadata.labels).toMatchObject({ more: "x" });
  await cluster.client.request({ method: "DELETE", path: `${API_SERVICES}/${nameOf()}` }, never);
  await vi.waitFor(async () => expect(await get()).toBeDefined(), WAIT);
  replica.holder.replace({ cert: "", key: "", caBundle: "two" });
  await vi.waitFor(
    async () => expect([(await get())?.spec.caBundle, (await get("v1beta1"))?.spec.caBundle]).toEqual([base64("two"), base64("two")]),
    WAIT,
  );
  expect(replica.isReady()).toBe(true);
  await replica.stop();
  expect(await get()).toBeDefined();
});

test("an edit that somebody repeats is repaired ever more seldom", async () => {
  const replica = start();
  await vi.waitFor(async () => expect(await get()).toBeDefined(), WAIT);
  const until = Date.now() + 1_500;
  let edits = 0;
  while (Date.now() < until) {
    if ((await get())?.spec.versionPriority === 16) {
      await merge("v1", { spec: { versionPriority: 3 } });
      edits++;
    }
  }
  // 100, 200, 400, 800 ms.
  expect(edits).toBeGreaterThan(1);
  expect(edits).toBeLessThan(7);
  await replica.stop();
});

test("a new bundle waits for no pause behind repairs of edits", async () => {
  const replica = start();
  await vi.waitFor(async () => expect(await get()).toBeDefined(), WAIT);
  for (const versionPriority of [1, 2, 3, 4, 5, 6]) {
    await merge("v1", { spec: { versionPriority } });
    await vi.waitFor(async () => expect((await get())?.spec.versionPriority).toBe(16), WAIT);
  }
  // The next repair of an edit would come in three seconds.
  replica.holder.replace({ cert: "", key: "", caBundle: "two" });
  await vi.waitFor(async () => expect((await get())?.spec.caBundle).toBe(base64("two")), { timeout: 1_500, interval: 10 });
  await replica.stop();
}, 20_000);

test("two replicas that would register otherwise do not take turns", async () => {
  const first = start({ priorities: { versionPriority: 20 } });
  await vi.waitFor(async () => expect((await get("v1beta1"))?.spec.versionPriority).toBe(20), WAIT);
  const second = start({ priorities: { versionPriority: 30 }, groups: [{ group, versions: ["v2", "v1"] }] });
  const before = (await get())?.metadata.resourceVersion;
  await new Promise((resolve) => setTimeout(resolve, 500));
  expect((await get())?.metadata.resourceVersion).toBe(before);
  expect(await get("v2")).toBeUndefined();
  await first.stop();
  await vi.waitFor(async () => expect([(await get("v2"))?.spec.versionPriority, await get("v1beta1")]).toEqual([31, undefined]), WAIT);
  await second.stop();
});

test.each([
  {
    what: "of another server",
    target: { namespace: "other", name: "api", port: 1 },
    isReady: false,
    line: "error: an APIService that somebody else made stands for another server",
  },
  { what: "of a CustomResourceDefinition", target: undefined, isReady: false, line: "error: the kube-apiserver serves this group version itself" },
  { what: "made by hand to this Service", target: "own", isReady: true, line: "info: an APIService that somebody else made points to this server" },
])("an APIService $what is left alone, and told", async ({ target, isReady, line }) => {
  const spec = {
    group,
    version: "v1",
    groupPriorityMinimum: 7,
    versionPriority: 7,
    ...(target === undefined ? {} : { service: target === "own" ? service : target }),
  };
  const body = { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: nameOf() }, spec };
  await cluster.client.request({ method: "POST", path: API_SERVICES, body }, never);
  const before = (await get())?.metadata.resourceVersion;
  const replica = start();
  await vi.waitFor(async () => expect(await get("v1beta1")).toBeDefined(), WAIT);
  expect((await get())?.metadata.resourceVersion).toBe(before);
  expect(replica.log.lines.filter((text) => text.startsWith(line))).toHaveLength(1);
  expect(replica.isReady()).toBe(isReady);
  // When it goes, ours comes.
  await cluster.client.request({ method: "DELETE", path: `${API_SERVICES}/${nameOf()}` }, never);
  await vi.waitFor(async () => expect((await get())?.spec.versionPriority).toBe(16), WAIT);
  await vi.waitFor(() => expect(replica.isReady()).toBe(true), WAIT);
  await replica.stop();
});

/** The cluster, as somebody who may not do everything. */
function clientThatMayNot(isRefused: (request: ClusterRequest) => boolean): ClusterClient {
  const { client } = cluster;
  return {
    config: client.config,
    request: async (request, signal) => {
      const [resource = "", name = ""] = request.path.split("/").slice(-2);
      if (isRefused(request)) throw forbidden({ group: "apiregistration.k8s.io", resource }, name, "no");
      return client.request(request, signal);
    },
    watch: (...args) => client.watch(...args),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The cluster, as somebody who may delete no APIService of a version. */
const clientWithout = (version: string) =>
  clientThatMayNot(({ method, path }) => method === "DELETE" && path === `${API_SERVICES}/${nameOf(version)}`);

test("what is not served any more and may not be removed is told once, and keeps nothing else from being done", async () => {
  const former = start({ groups: [{ group, versions: ["v1", "v0", "v0beta1"] }] });
  await vi.waitFor(async () => expect([await get("v0"), await get("v0beta1")]).not.toContain(undefined), WAIT);
  await former.stop();
  const replica = start({ client: clientWithout("v0") });
  await vi.waitFor(async () => expect(await get("v0beta1")).toBeUndefined(), WAIT);
  await vi.waitFor(async () => expect(await get("v1beta1")).toBeDefined(), WAIT);
  await merge("v1", { spec: { versionPriority: 3 } });
  await vi.waitFor(async () => expect((await get())?.spec.versionPriority).toBe(16), WAIT);
  expect(await get("v0")).toBeDefined();
  const told = replica.log.lines.filter((line) => line.includes("cannot be removed"));
  expect(told).toEqual([expect.stringContaining(`kubectl delete apiservices ${nameOf("v0")}`)]);
  await replica.stop();

  const log = recordedLog();
  await expect(takenBack({ client: clientWithout("v0"), log })).rejects.toMatchObject({ reason: "Forbidden" });
  expect(log.lines).toEqual([expect.stringContaining(`kubectl delete apiservices/${nameOf("v0")}`)]);
  expect([
    await get(),
    await get("v1beta1"),
    await cluster.get(`/apis/coordination.k8s.io/v1/namespaces/${service.namespace}/leases/api-registration`),
  ]).toEqual([undefined, undefined, undefined]);
});

test("what the cluster says of its availability is told by every replica", async () => {
  const replicas = [start(), start()];
  await vi.waitFor(async () => expect(await get()).toBeDefined(), WAIT);
  await merge("v1", { status: { conditions: [{ type: "Available", status: "False", reason: "ServiceNotFound", message: "m" }] } }, "/status");
  for (const { log } of replicas) await vi.waitFor(() => expect(log.lines.join("\n")).toContain('"reason":"ServiceNotFound"'), WAIT);
  for (const { stop } of replicas) await stop();
});

/** @returns what was removed. */
async function takenBack(options: Partial<UnregisterOptions> & Pick<UnregisterOptions, "log">): Promise<string[]> {
  const removed: string[] = [];
  await unregister({ client: cluster.client, service, clock: systemClock, onRemoved: (object) => removed.push(object), ...options }, never);
  return removed;
}

test("unregister takes back what is ours and nothing else", async () => {
  const replica = start();
  await vi.waitFor(async () => expect(await get("v1beta1")).toBeDefined(), WAIT);
  const other = start({ service: { ...service, name: "other" }, groups: [{ group, versions: ["v9"] }] });
  await vi.waitFor(async () => expect(await get("v9")).toBeDefined(), WAIT);
  const log = recordedLog();
  const secrets = `/api/v1/namespaces/${service.namespace}/secrets`;
  const secret = (name: string, annotations: Readonly<Record<string, string>>) => ({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, annotations },
  });
  await cluster.client.request({ method: "POST", path: secrets, body: secret("api-serving-ca", {}) }, never);
  const owned = secret("api-serving-cert", { "annex.dev/service": `${service.namespace}/api` });
  await cluster.client.request({ method: "POST", path: secrets, body: owned }, never);
  await replica.stop();
  const removed = await takenBack({ log });
  expect(removed).toEqual([`apiservices/${nameOf()}`, `apiservices/${nameOf("v1beta1")}`, "secrets/api-serving-cert", "leases/api-registration"]);
  expect([await get(), await get("v1beta1"), await cluster.get(`${secrets}/api-serving-cert`)]).toEqual([undefined, undefined, undefined]);
  expect([await get("v9"), await cluster.get(`${secrets}/api-serving-ca`)]).not.toContain(undefined);
  expect(log.lines).toEqual([]);
  await takenBack({ service: { ...service, name: "other" }, log });
  expect(log.lines.join("\n")).toContain("a server still runs");
  await other.stop();
});

test("unregister says of what a finalizer keeps that it is still there", async () => {
  const replica = start();
  await vi.waitFor(async () => expect(await get("v1beta1")).toBeDefined(), WAIT);
  await replica.stop();
  const path = `${API_SERVICES}/${nameOf()}`;
  const body = { metadata: { finalizers: ["example.com/keep"] } };
  await cluster.client.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" }, never);
  const log = recordedLog();
  const removed = await takenBack({ log });
  expect(removed).toEqual([`apiservices/${nameOf("v1beta1")}`, "leases/api-registration"]);
  expect(log.lines).toEqual([expect.stringContaining(`"object":"apiservices/${nameOf()}","finalizers":["example.com/keep"]`)]);
});

const SECRETS = (namespace: string) => `/api/v1/namespaces/${namespace}/secrets`;

test.each([
  {
    what: "read the Lease and a Secret",
    isRefused: ({ method, path }: ClusterRequest) => method === "GET" && (path.includes("/leases/") || path.endsWith("/api-serving-ca")),
    told: ["leases/api-registration -n NS", "secrets/api-serving-ca -n NS"],
    left: ["lease"],
  },
  {
    what: "list APIServices, nor delete a Secret",
    isRefused: ({ method, path }: ClusterRequest) => (method === "GET" ? path === API_SERVICES : path.endsWith("/api-serving-cert")),
    told: ["apiservices/VERSION.GROUP", "secrets/api-serving-cert -n NS"],
    left: ["v1", "v1beta1", "secret"],
  },
])("unregister by who may not $what takes back the rest, and tells each", async ({ isRefused, told, left }) => {
  const replica = start();
  await vi.waitFor(async () => expect(await get("v1beta1")).toBeDefined(), WAIT);
  await replica.stop();
  const { namespace } = service;
  const metadata = { name: "api-serving-cert", annotations: { "annex.dev/service": `${namespace}/api` } };
  await cluster.client.request({ method: "POST", path: SECRETS(namespace), body: { apiVersion: "v1", kind: "Secret", metadata } }, never);
  const log = recordedLog();
  const removed: string[] = [];
  await expect(takenBack({ client: clientThatMayNot(isRefused), log, onRemoved: (object) => removed.push(object) })).rejects.toMatchObject({
    reason: "Forbidden",
  });
  expect(log.lines).toEqual(told.map((object) => expect.stringContaining(`"remedy":"kubectl delete ${object.replace("NS", namespace)}"`)));
  const there = {
    v1: await get(),
    v1beta1: await get("v1beta1"),
    secret: await cluster.get(`${SECRETS(namespace)}/api-serving-cert`),
    lease: await cluster.get(`/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/api-registration`),
  };
  expect(Object.keys(there).filter((key) => there[key as keyof typeof there] !== undefined)).toEqual(left);
  expect(removed).toHaveLength(Object.keys(there).length - left.length);
});
