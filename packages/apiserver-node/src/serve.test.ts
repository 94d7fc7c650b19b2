import { mkdtemp, readdir, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { admissionWebhook, type Logger, memoryStorage } from "@annex/apiserver";
import { afterEach, beforeEach, expect, test } from "vitest";
import { generateCA, generateKey, generateServingCertificate, type KeyPairPEM } from "./pki/index.ts";
import { serve } from "./serve.ts";
import { ServedCertificatesHolder } from "./serving-certificates/index.ts";

const log: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const validity = { notBeforeMs: Date.now() - 60_000, notAfterMs: Date.now() + 3_600_000 };
let folder: string;
let ca: KeyPairPEM;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "serve-"));
  const key = await generateKey();
  ca = { key, cert: await generateCA("test", key, validity) };
});
afterEach(() => rm(folder, { recursive: true }));

test("certificates from elsewhere: nothing is written, and a change reaches the next handshake and drops no connection", async () => {
  const leaf = () => generateServingCertificate(ca, ["localhost"], validity);
  const [first, second] = [await leaf(), await leaf()];
  const holder = new ServedCertificatesHolder({ ...first, caBundle: ca.cert }, log);
  let runs: AbortSignal | undefined;
  const certificates = Object.assign(holder, {
    run: async (signal: AbortSignal) => {
      runs = signal;
    },
  });
  const server = await serve({ resources: [], storage: memoryStorage(), certificates, dataDir: folder, securePort: 0, log });
  const { port } = new URL(server.url);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ca: ca.cert });
  try {
    const before = await ask(Number(port), agent);
    holder.replace({ ...second, caBundle: ca.cert });
    expect(await ask(Number(port), agent)).toEqual(before);
    expect(await shown(Number(port), ca.cert)).not.toBe(before.fingerprint);
    // What OpenSSL does not take changes nothing.
    const present = await shown(Number(port), ca.cert);
    holder.replace({ cert: second.cert, key: first.key, caBundle: ca.cert });
    expect(await shown(Number(port), ca.cert)).toBe(present);
    expect(server.kubeconfig).toBeUndefined();
    expect(await readdir(folder)).toEqual([]);
  } finally {
    agent.destroy();
    await server.stop();
  }
  expect(runs?.aborted).toBe(true);
});

test("a webhook is for everyone, whatever the authorizers say, and nothing else is", async () => {
  const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["*"] }] as const;
  const webhook = admissionWebhook({ name: "a.example.com", path: "/guard", rules, validate: () => undefined });
  const options = { resources: [], storage: memoryStorage(), dataDir: folder, securePort: 0, authorizers: [], webhooks: [webhook], log };
  const server = await serve(options);
  const status = async (method: string, path: string) =>
    (await ask(Number(new URL(server.url).port), new Agent({ rejectUnauthorized: false }), path, method)).status;
  try {
    // 400: nothing was sent.
    expect([await status("POST", "/guard"), await status("GET", "/guard"), await status("POST", "/apis")]).toEqual([400, 403, 403]);
  } finally {
    await server.stop(0);
  }
});

test("a stop is told by /readyz first, and serves on for the delay", async () => {
  const options = { resources: [], storage: memoryStorage(), dataDir: folder, securePort: 0, shutdownDelayMs: 300, log };
  const server = await serve(options);
  const port = Number(new URL(server.url).port);
  const client = () => new Agent({ rejectUnauthorized: false });
  expect((await ask(port, client(), "/readyz")).status).toBe(200);
  const stopped = server.stop();
  expect((await ask(port, client(), "/readyz")).status).toBe(500);
  expect((await ask(port, client(), "/livez")).status).toBe(200);
  await stopped;
  await expect(ask(port, client(), "/livez")).rejects.toThrow("ECONNREFUSED");
});

/** @returns the port of the client and the certificate of the connection. */
function ask(
  port: number,
  agent: Agent,
  path = "/livez",
  method = "GET",
): Promise<{ readonly localPort: unknown; readonly fingerprint: string; readonly status: unknown }> {
  return new Promise((resolve, reject) => {
    request({ host: "localhost", port, path, method, agent }, (response) => {
      const { localPort } = response.socket;
      const { fingerprint256: fingerprint } = (response.socket as import("node:tls").TLSSocket).getPeerCertificate(); // an https client's
      response.resume().on("end", () => resolve({ localPort, fingerprint, status: response.statusCode }));
    })
      .on("error", reject)
      .end();
  });
}

/** The fingerprint that a new handshake shows. */
function shown(port: number, authority: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "localhost", port, ca: authority, servername: "localhost" }, () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    }).on("error", reject);
  });
}
