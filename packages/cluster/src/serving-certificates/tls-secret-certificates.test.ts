import { generateCA, generateKey, generateServingCertificate, type KeyPairPEM, systemClock } from "@annex/apiserver-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type MemoryCluster, startMemoryCluster } from "../testing/memory-cluster.ts";
import { recordedLog } from "../testing/recorded-log.ts";
import { tlsSecretCertificates } from "./index.ts";

const never = new AbortController().signal;
const validity = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
const COLLECTION = "/api/v1/namespaces/ns/secrets";
let cluster: MemoryCluster;
let ca: KeyPairPEM;
beforeAll(async () => {
  cluster = await startMemoryCluster();
  const key = await generateKey();
  ca = { key, cert: await generateCA("theirs", key, validity) };
});
afterAll(() => cluster[Symbol.asyncDispose]());

const leaf = () => generateServingCertificate(ca, ["s.ns.svc"], validity);
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** As cert-manager writes it: first empty, where it says so. */
function secret(name: string, pair: KeyPairPEM, bundle: string) {
  const data = { "tls.crt": base64(pair.cert), "tls.key": base64(pair.key), "ca.crt": base64(bundle) };
  return { apiVersion: "v1", kind: "Secret", metadata: { name, namespace: "ns" }, type: "kubernetes.io/tls", data };
}
const create = (body: unknown) => cluster.client.request({ method: "POST", path: COLLECTION, body }, never);
const merge = (name: string, body: unknown) =>
  cluster.client.request({ method: "PATCH", path: `${COLLECTION}/${name}`, body, contentType: "application/merge-patch+json" }, never);
const open = (name: string, log = recordedLog()) =>
  tlsSecretCertificates({ client: cluster.client, secret: { namespace: "ns", name }, clock: systemClock, log }, never);

test("waits for a Secret, takes its changes, and keeps what it held while it holds nothing of use", async () => {
  const log = recordedLog();
  const opening = open("theirs", log);
  await vi.waitFor(() => expect(log.lines.join("\n")).toContain("there is no Secret ns/theirs"), 10_000);
  const [first, second] = [await leaf(), await leaf()];
  await create(secret("theirs", first, ca.cert));
  const certificates = await opening;
  expect([certificates.current().cert, certificates.caBundle()]).toEqual([first.cert, ca.cert]);
  const stopping = new AbortController();
  const run = certificates.run(stopping.signal);
  await merge("theirs", { data: secret("", second, "").data });
  await vi.waitFor(() => expect(certificates.current().cert).toBe(second.cert), 10_000);
  expect(certificates.caBundle()).toBeUndefined();
  await merge("theirs", { data: { "tls.key": base64(first.key) } });
  await vi.waitFor(() => expect(log.lines.join("\n")).toContain("tls.key is not the key of tls.crt"), 10_000);
  await cluster.client.request({ method: "DELETE", path: `${COLLECTION}/theirs` }, never);
  await vi.waitFor(() => expect(log.lines.filter((line) => line.includes("there is no Secret"))).toHaveLength(2), 10_000);
  expect(certificates.current().cert).toBe(second.cert);
  await create(secret("theirs", first, ca.cert));
  await vi.waitFor(() => expect(certificates.current().cert).toBe(first.cert), 10_000);
  stopping.abort();
  await run;
  expect(log.lines.join("\n")).not.toContain("PRIVATE KEY");
});

test("a Secret that is still empty is waited for", async () => {
  const log = recordedLog();
  const pair = await leaf();
  await create(secret("empty", { cert: "", key: "" }, ""));
  const opening = open("empty", log);
  await vi.waitFor(() => expect(log.lines.join("\n")).toContain("tls.crt has no certificate in PEM"), 10_000);
  await merge("empty", { data: secret("", pair, ca.cert).data });
  expect((await opening).current()).toMatchObject(pair);
});
