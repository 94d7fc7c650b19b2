import { X509Certificate } from "node:crypto";
import type { KubernetesObject } from "@annex/apimachinery";
import type { Clock } from "@annex/apiserver";
import { parseCertificates, systemClock } from "@annex/apiserver-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createClusterClient } from "../client/index.ts";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { type MemoryCluster, startMemoryCluster } from "../testing/memory-cluster.ts";
import { recordedLog } from "../testing/recorded-log.ts";
import { CertificateSecretError, secretCertificates } from "./index.ts";

const DAY_MS = 86_400_000;
const never = new AbortController().signal;
let cluster: MemoryCluster;
beforeAll(async () => {
  cluster = await startMemoryCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

let namespaces = 0;
const newService = () => ({ namespace: `ns${++namespaces}`, name: "api" });
const secretsOf = ({ namespace }: { readonly namespace: string }) => `/api/v1/namespaces/${namespace}/secrets`;

/** The machine's clock, some time ahead. */
const ahead = (shift: { ms: number }): Clock => ({ now: () => Date.now() + shift.ms, sleep: systemClock.sleep });
const open = (service: ReturnType<typeof newService>, shift = { ms: 0 }, log = recordedLog()) =>
  secretCertificates({ client: cluster.client, service, clock: ahead(shift), log }, never);

test("two replicas that begin together show the same, and the bundle vouches for it", async () => {
  const service = newService();
  const logs = Array.from({ length: 3 }, recordedLog);
  const replicas = await Promise.all(logs.map((log) => open(service, { ms: 0 }, log)));
  const [first] = replicas;
  if (first === undefined) throw new Error("unreachable");
  for (const replica of replicas) {
    expect(replica.current().cert).toBe(first.current().cert);
    expect(replica.caBundle()).toBe(first.caBundle());
  }
  // Who was too late did not make what is there.
  const lines = logs.flatMap(({ lines }) => lines);
  for (const made of ["made a CA", "made a serving certificate"]) expect(lines.filter((line) => line.includes(made))).toHaveLength(1);
  const [leaf] = parseCertificates(first.current().cert);
  const [ca, ...others] = parseCertificates(first.caBundle() ?? "");
  if (leaf === undefined || ca === undefined) throw new Error("unreachable");
  expect(others).toEqual([]);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.subjectAltName).toBe(
    ["svc", "svc.cluster.local", ""].map((suffix) => `DNS:api.${service.namespace}${suffix === "" ? "" : "."}${suffix}`).join(", "),
  );
  const stored = await cluster.get(`${secretsOf(service)}/api-serving-cert`);
  expect(stored).toMatchObject({
    type: "kubernetes.io/tls",
    metadata: {
      labels: { "app.kubernetes.io/managed-by": "annex" },
      annotations: { "annex.dev/service": `${service.namespace}/api` },
    },
  });
});

test("a running replica takes what another one renewed, and the way to a new CA never shows what the bundle lacks", async () => {
  const service = newService();
  const shift = { ms: 0 };
  const log = recordedLog();
  const running = await secretCertificates({ client: cluster.client, service, clock: ahead(shift), log }, never);
  const stopping = new AbortController();
  const run = running.run(stopping.signal);
  const seen: { readonly isVouchedFor: boolean; readonly wasVouchedForBefore: boolean; readonly cas: number }[] = [];
  let before = running.caBundle() ?? "";
  running.onChange(() => {
    const [leaf] = parseCertificates(running.current().cert);
    const vouches = (bundle: string) => parseCertificates(bundle).some((ca) => leaf?.verify(ca.publicKey));
    const now = running.caBundle() ?? "";
    seen.push({ isVouchedFor: vouches(now), wasVouchedForBefore: vouches(before), cas: parseCertificates(now).length });
    before = now;
  });
  const first = running.current().cert;
  // Each day two replicas that begin do what is due, and the running one follows. The CA is due after 2433 days.
  const days = [300, 2430, 2434, 2434 + 1 / 24, 2435, 2800];
  for (const day of days) {
    shift.ms = day * DAY_MS;
    const [other] = await Promise.all([open(service, shift), open(service, shift)]);
    await vi.waitFor(() => expect([running.current().cert, running.caBundle()]).toEqual([other.current().cert, other.caBundle()]), 10_000);
  }
  stopping.abort();
  await run;
  expect(running.current().cert).not.toBe(first);
  expect(seen.every(({ isVouchedFor, wasVouchedForBefore }) => isVouchedFor && wasVouchedForBefore)).toBe(true);
  expect(seen.map(({ cas }) => cas)).toEqual([1, 1, 2, 2, 1]);
  expect(log.lines.filter((line) => line.startsWith("error"))).toEqual([]);
});

describe("what is not ours, or damaged, is told in one line and left alone", () => {
  const marks = (namespace: string) => ({
    labels: { "app.kubernetes.io/managed-by": "annex" },
    annotations: { "annex.dev/service": `${namespace}/api` },
  });
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const type = "kubernetes.io/tls";
  test.each<{ what: string; name: string; own: boolean; body: Record<string, unknown>; want: string }>([
    { what: "somebody else's", name: "api-serving-ca", own: false, body: { type }, want: "was not made by this server" },
    { what: "of another type", name: "api-serving-cert", own: true, body: { type: "Opaque" }, want: "was not made by this server" },
    { what: "empty", name: "api-serving-ca", own: true, body: { type }, want: "is damaged: tls.crt has no certificate in PEM" },
    {
      what: "cut off",
      name: "api-serving-cert",
      own: true,
      body: { type, data: { "tls.crt": base64("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n") } },
      want: "is damaged: tls.crt has a certificate that cannot be read",
    },
  ])("$what", async ({ name, own, body, want }) => {
    const service = newService();
    const path = secretsOf(service);
    const { namespace } = service;
    const sent = { apiVersion: "v1", kind: "Secret", metadata: { name, namespace, ...(own ? marks(namespace) : {}) }, ...body };
    const created = (await cluster.client.request({ method: "POST", path, body: sent }, never)) as unknown as KubernetesObject;
    await expect(open(service)).rejects.toThrow(`Secret ${namespace}/${name} ${want}`);
    expect((await cluster.get(`${path}/${name}`))?.metadata.resourceVersion).toBe(created.metadata.resourceVersion);
  });

  test.each([
    {
      what: "the key of another certificate",
      target: "cert",
      patch: (other: Data) => ({ "tls.key": other["tls.key"] }),
      want: "tls.key is not the key of tls.crt",
    },
    { what: "no CA", target: "ca", patch: (other: Data) => other, want: "tls.crt is not the certificate of a CA" },
    {
      what: "a bundle without the CA",
      target: "ca",
      patch: (other: Data) => ({ "ca.crt": other["tls.crt"] }),
      want: "ca.crt does not begin with tls.crt",
    },
  ])("$what, found while running", async ({ target, patch, want }) => {
    const service = newService();
    const log = recordedLog();
    const running = await open(service, { ms: 0 }, log);
    const before = running.current();
    const stopping = new AbortController();
    const run = running.run(stopping.signal);
    const path = `${secretsOf(service)}/api-serving-${target}`;
    const other = (await cluster.get(`${secretsOf(service)}/api-serving-${target === "ca" ? "cert" : "ca"}`)) as unknown as { data: Data };
    const damaged = await merge(path, { data: patch(other.data) });
    await vi.waitFor(() => expect(log.lines.join("\n")).toContain(want), 10_000);
    expect(log.lines.filter((line) => line.startsWith("error"))).toHaveLength(1);
    expect(running.current()).toEqual(before);
    expect((await cluster.get(path))?.metadata.resourceVersion).toBe(damaged.metadata.resourceVersion);
    expect(log.lines.join("\n")).not.toContain("PRIVATE KEY");
    stopping.abort();
    await run;
  });
});

type Data = Readonly<Record<string, string>>;

async function merge(path: string, body: unknown): Promise<KubernetesObject> {
  const patched = await cluster.client.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" }, never);
  return patched as unknown as KubernetesObject;
}

test.each([
  { code: 403, reason: "Forbidden", want: "the Secret of the serving certificate cannot be had: secrets is forbidden" },
  { code: 404, reason: "NotFound", want: "the namespace ns of the Service is not there" },
])("a start that is answered with $reason ends in one line", async ({ code, reason, want }) => {
  const status = { kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message: "secrets is forbidden" };
  await using fake = await startFakeCluster((_request, response) => answerJSON(response, code, status));
  await using client = createClusterClient(fake.config, { clock: systemClock });
  const opening = secretCertificates({ client, service: { namespace: "ns", name: "api" }, clock: systemClock, log: recordedLog() }, never);
  await expect(opening).rejects.toThrow(new CertificateSecretError(want));
});

test("a start waits for a cluster that is not there yet", async () => {
  await using fake = await startFakeCluster((_request, response) => answerJSON(response, fake.requests.length < 2 ? 503 : 403, {}));
  await using client = createClusterClient(fake.config, { clock: systemClock });
  const log = recordedLog();
  const opening = secretCertificates({ client, service: { namespace: "ns", name: "api" }, clock: systemClock, log }, never);
  await expect(opening).rejects.toThrow("the server answered 403");
  expect(log.lines).toHaveLength(1);
});

test("a CA whose Secret was removed is succeeded while the certificate stays; both removed, all is new", async () => {
  const service = newService();
  const first = await open(service);
  const [oldCA] = parseCertificates(first.caBundle() ?? "");
  await cluster.client.request({ method: "DELETE", path: `${secretsOf(service)}/api-serving-ca` }, never);
  const second = await open(service);
  expect(second.current().cert).toBe(first.current().cert);
  const cas = parseCertificates(second.caBundle() ?? "");
  expect(cas).toHaveLength(2);
  expect(cas[1]?.fingerprint256).toBe(oldCA?.fingerprint256);
  for (const name of ["ca", "cert"]) await cluster.client.request({ method: "DELETE", path: `${secretsOf(service)}/api-serving-${name}` }, never);
  const third = await open(service);
  expect(third.current().cert).not.toBe(first.current().cert);
  expect(parseCertificates(third.caBundle() ?? "").map(({ fingerprint256 }) => fingerprint256)).toEqual([
    new X509Certificate(third.caBundle() ?? "").fingerprint256,
  ]);
});

test("a CA whose key somebody knows leaves while servers run: CA and certificate removed, one after the other, and then the former CA", async () => {
  const service = newService();
  const running = await open(service);
  const stopping = new AbortController();
  const run = running.run(stopping.signal);
  const bundle = () => parseCertificates(running.caBundle() ?? "").map(({ fingerprint256 }) => fingerprint256);
  const isShownByCurrent = () => new X509Certificate(running.current().cert).verify(new X509Certificate(running.caBundle() ?? "").publicKey);
  const [old] = bundle();
  await cluster.client.request({ method: "DELETE", path: `${secretsOf(service)}/api-serving-ca` }, never);
  await vi.waitFor(() => expect([bundle().length, bundle()[1], isShownByCurrent()]).toEqual([2, old, false]), 10_000);
  await cluster.client.request({ method: "DELETE", path: `${secretsOf(service)}/api-serving-cert` }, never);
  await vi.waitFor(() => expect(isShownByCurrent()).toBe(true), 10_000);
  const path = `${secretsOf(service)}/api-serving-ca`;
  const { data } = (await cluster.get(path)) as unknown as { readonly data: Data };
  await merge(path, { data: { "ca.crt": data["tls.crt"] } });
  await vi.waitFor(() => expect([bundle().length, bundle().includes(old ?? ""), isShownByCurrent()]).toEqual([1, false, true]), 10_000);
  const after = await open(service);
  expect([after.caBundle(), after.current().cert]).toEqual([running.caBundle(), running.current().cert]);
  stopping.abort();
  await run;
});
