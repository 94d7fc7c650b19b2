import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "@annex/apiserver";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ensureKubeconfig, ensurePKI, formatKubeconfig, PKIError, renewPKI } from "./index.ts";

const DAY_MS = 86_400_000;
const START_MS = Date.parse("2026-11-23T12:00:00Z");

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), "pki-"));
});
afterEach(() => rm(dataDir, { recursive: true }));

const at = (ms: number): Clock => ({ now: () => ms, sleep: () => Promise.reject(new Error("nobody sleeps here")) });
const ensure = (hosts: readonly string[] = [], ms = START_MS) => ensurePKI(dataDir, { hosts, clock: at(ms) });
const file = (name: string) => join(dataDir, "pki", name);
const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe("ensurePKI", () => {
  test("makes a CA, a serving and an administrator's certificate that OpenSSL accepts", async () => {
    const { ca, serving, admin, made } = await ensure(["10.1.2.3", "Build.Example.COM"]);
    expect(made).toEqual(["ca", "serving", "admin"]);
    const [root, server, client] = [ca, serving.cert, admin.cert].map((pem) => new X509Certificate(pem));
    if (root === undefined || server === undefined || client === undefined) throw new Error("unreachable");
    expect(root.ca && root.checkIssued(root) && root.verify(root.publicKey)).toBe(true);
    expect((Date.parse(root.validTo) - START_MS) / DAY_MS).toBe(3650);
    for (const leaf of [server, client]) {
      expect(leaf.checkIssued(root) && leaf.verify(root.publicKey)).toBe(true);
      expect((Date.parse(leaf.validTo) - START_MS) / DAY_MS).toBe(365);
      expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe("prime256v1");
    }
    for (const host of ["localhost", "kubernetes", "kubernetes.default.svc", "build.example.com"]) expect(server.checkHost(host)).toBe(host);
    for (const ip of ["127.0.0.1", "::1", "10.1.2.3"]) expect(server.checkIP(ip)).toBe(ip);
    expect(client.subject.split("\n").sort()).toEqual(["CN=kubernetes-admin", "O=system:masters"]);
    expect(client.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
    expect(server.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  });

  test("shows its keys to nobody else and leaves no temporary file", async () => {
    await ensure();
    expect(await mode(join(dataDir, "pki"))).toBe("700");
    expect((await readdir(join(dataDir, "pki"))).sort()).toEqual(["admin.pem", "apiserver.pem", "ca.crt", "ca.key"]);
    expect(await Promise.all(["admin.pem", "apiserver.pem", "ca.key", "ca.crt"].map((name) => mode(file(name))))).toEqual([
      "600",
      "600",
      "600",
      "644",
    ]);
  });

  test("finds what it made, and makes only what is due", async () => {
    const first = await ensure();
    expect(await ensure()).toEqual({ ...first, made: [] });
    expect((await ensure([], START_MS + 243 * DAY_MS)).made).toEqual([]);
    const renewed = await ensure([], START_MS + 244 * DAY_MS);
    expect(renewed.made).toEqual(["serving", "admin"]);
    expect(renewed.ca).toBe(first.ca);
    expect((Date.parse(new X509Certificate(renewed.serving.cert).validTo) - START_MS) / DAY_MS).toBe(244 + 365);
  });

  test.each([
    { from: [], to: ["10.0.0.1"] },
    { from: ["10.0.0.1"], to: [] },
    { from: ["a.example"], to: ["b.example"] },
    { from: ["*.a.example"], to: ["x.a.example"] },
  ])("makes a serving certificate anew for hosts $to after $from", async ({ from, to }) => {
    await ensure(from);
    expect((await ensure(from)).made).toEqual([]);
    expect((await ensure(to)).made).toEqual(["serving"]);
    expect((await ensure(to)).made).toEqual([]);
  });

  test("lets nothing outlive the CA, does not renew in vain near its end, and says when it is over", async () => {
    await ensure();
    const late = await ensure([], START_MS + 3640 * DAY_MS);
    expect((Date.parse(new X509Certificate(late.serving.cert).validTo) - START_MS) / DAY_MS).toBe(3650);
    expect((await ensure([], START_MS + 3649 * DAY_MS)).made).toEqual([]);
    await expect(ensure([], START_MS + 3650 * DAY_MS)).rejects.toThrow(/ca\.crt ended on .*move the folder away for a new CA$/);
  });

  test("goes on with the key of a first start that was cut off", async () => {
    await ensure();
    const key = await readFile(file("ca.key"), "utf8");
    for (const name of ["ca.crt", "apiserver.pem", "admin.pem"]) await rm(file(name));
    expect((await ensure()).made).toEqual(["ca", "serving", "admin"]);
    expect(await readFile(file("ca.key"), "utf8")).toBe(key);
  });

  test.each([
    { name: "ca.crt", text: "x", want: "is not a certificate in PEM" },
    { name: "ca.crt", text: "", want: "is not a certificate in PEM" },
    { name: "ca.key", text: "x", want: "holds no private key in PEM" },
    { name: "ca.key", text: undefined, want: "is missing" },
    { name: "apiserver.pem", text: "x", want: "must hold a certificate and its private key" },
    {
      name: "admin.pem",
      text: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      want: "must hold a certificate and its private key",
    },
  ])("refuses a damaged $name in one line and leaves it", async ({ name, text, want }) => {
    await ensure();
    await (text === undefined ? rm(file(name)) : writeFile(file(name), text));
    const error = await ensure().catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(PKIError);
    expect(String(error)).toContain(want);
    expect(String(error)).toContain(file(name));
    expect(String(error)).not.toContain("\n");
    if (text !== undefined) expect(await readFile(file(name), "utf8")).toBe(text);
  });

  test("refuses what belongs to another CA, or has another key", async () => {
    await ensure();
    const other = await mkdtemp(join(tmpdir(), "pki-"));
    await ensurePKI(other, { hosts: [], clock: at(START_MS) });
    const mine = await readFile(file("apiserver.pem"), "utf8");
    const foreign = await readFile(join(other, "pki", "apiserver.pem"), "utf8");
    await writeFile(file("apiserver.pem"), foreign);
    await expect(ensure()).rejects.toThrow("was not signed by the ca.crt beside it");
    const [cert] = mine.split("-----BEGIN PRIVATE KEY");
    await writeFile(file("apiserver.pem"), `${cert}-----BEGIN PRIVATE KEY${foreign.split("-----BEGIN PRIVATE KEY")[1]}`);
    await expect(ensure()).rejects.toThrow("does not belong to its certificate");
    await rename(join(other, "pki", "ca.key"), file("ca.key"));
    await expect(ensure()).rejects.toThrow("does not belong to its certificate");
    await rm(other, { recursive: true });
  });

  test.each(["a b", "", "-a", "fe80::1%eth0", "a..b", "x".repeat(64)])("refuses the host %j", async (host) => {
    await expect(ensure([host])).rejects.toThrow(PKIError);
  });

  test("says why a folder can't be made", async () => {
    await writeFile(join(dataDir, "pki"), "");
    await expect(ensure()).rejects.toThrow(/can't make the folder .*: a part of the path is not a folder/);
  });
});

test("renewPKI looks again and again, goes on after a problem and ends with its signal", async () => {
  await ensure();
  const controller = new AbortController();
  let now = START_MS;
  const renewed: string[][] = [];
  const problems: unknown[] = [];
  const sleeps: number[] = [];
  const clock: Clock = {
    now: () => now,
    sleep: async (ms, signal) => {
      sleeps.push(ms);
      now += 100 * DAY_MS;
      if (sleeps.length === 5) controller.abort();
      signal?.throwIfAborted();
    },
  };
  await renewPKI(dataDir, {
    hosts: [],
    clock,
    signal: controller.signal,
    intervalMs: 1000,
    onRenewed: ({ made }) => {
      renewed.push([...made]);
      throw new Error("can't reload");
    },
    onProblem: (error) => problems.push(error),
  });
  expect(sleeps).toEqual([1000, 1000, 1000, 1000, 1000]);
  expect(renewed).toEqual([["serving", "admin"]]);
  expect(problems).toHaveLength(1);
});

describe("kubeconfig", () => {
  const path = () => join(dataDir, "admin.kubeconfig");

  test("reads as kubectl wants it", async () => {
    const { ca, admin } = await ensure();
    const text = formatKubeconfig({ server: "https://[::1]:9443", ca, ...admin, cluster: "yes" });
    const { parse } = await import("yaml");
    expect(parse(text)).toEqual({
      apiVersion: "v1",
      kind: "Config",
      clusters: [{ name: "yes", cluster: { "certificate-authority-data": Buffer.from(ca).toString("base64"), server: "https://[::1]:9443" } }],
      users: [
        {
          name: "kubernetes-admin",
          user: {
            "client-certificate-data": Buffer.from(admin.cert).toString("base64"),
            "client-key-data": expect.any(String),
          },
        },
      ],
      contexts: [{ name: "kubernetes-admin@yes", context: { cluster: "yes", user: "kubernetes-admin" } }],
      "current-context": "kubernetes-admin@yes",
    });
  });

  test("has the key in the form of Kubernetes' own tools, which every client can read", async () => {
    const { ca, admin } = await ensure();
    const [, data = ""] = /client-key-data: (\S+)/.exec(formatKubeconfig({ server: "https://[::1]:9443", ca, ...admin })) ?? [];
    const key = Buffer.from(data, "base64").toString();
    expect(key).toMatch(/^-----BEGIN EC PRIVATE KEY-----\n[^-]+-----END EC PRIVATE KEY-----\n$/);
    expect(new X509Certificate(admin.cert).checkPrivateKey(createPrivateKey(key))).toBe(true);
  });

  test("is written once, again when something changed, and never over a stranger's", async () => {
    const { ca, admin } = await ensure();
    const options = { server: "https://127.0.0.1:9443", ca, ...admin };
    expect(await ensureKubeconfig(path(), options)).toBe(true);
    expect(await mode(path())).toBe("600");
    // kubectl config set-context --current --namespace=team-a
    const edited = (await readFile(path(), "utf8")).replace("    cluster: annex\n", "    cluster: annex\n    namespace: team-a\n");
    await writeFile(path(), edited, { mode: 0o644 });
    expect(await ensureKubeconfig(path(), options)).toBe(false);
    expect(await readFile(path(), "utf8")).toBe(edited);
    // A port whose digits begin like the old one's.
    expect(await ensureKubeconfig(path(), { ...options, server: "https://127.0.0.1:944" })).toBe(true);
    expect(await readFile(path(), "utf8")).toContain("server: https://127.0.0.1:944\n");
    await writeFile(path(), "apiVersion: v1\nkind: Config\n");
    await expect(ensureKubeconfig(path(), options)).rejects.toThrow("was not written for this server's CA");
    expect(await readFile(path(), "utf8")).toBe("apiVersion: v1\nkind: Config\n");
  });
});
