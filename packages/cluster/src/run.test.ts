import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isForCluster, runInCluster } from "./run.ts";
import { startFakeCluster } from "./testing/fake-cluster.ts";

let folder: string;
let printed: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "in-cluster-"));
  printed = "";
  const print = (text: string | Uint8Array) => {
    printed += String(text);
    return true;
  };
  vi.spyOn(process.stderr, "write").mockImplementation(print);
  vi.spyOn(process.stdout, "write").mockImplementation(print);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const run = (args: readonly string[], secretTypes?: readonly string[]) => {
  const program = { usage: "Usage: it", version: "It 1.2.3", options: {}, setup: () => ({ resources: [] }) };
  return runInCluster(secretTypes === undefined ? program : { ...program, secretTypes }, args);
};

async function writeKubeconfig(server: string, ca = ""): Promise<string> {
  const path = join(folder, "kubeconfig");
  const config = {
    "current-context": "a",
    contexts: [{ name: "a", context: { cluster: "a" } }],
    clusters: [{ name: "a", cluster: { server, "certificate-authority-data": Buffer.from(ca).toString("base64") } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

describe("whether a command line is for a cluster", () => {
  const pod = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "443" };
  test.each([
    { args: ["--kubeconfig", "a"], env: {}, want: true },
    { args: ["--", "--kubeconfig=a"], env: {}, want: true },
    { args: ["unregister"], env: {}, want: true },
    { args: ["--secure-port=1"], env: pod, want: true },
    { args: ["--secure-port=1"], env: {}, want: false },
    { args: ["--kubeconfigs=a"], env: {}, want: false },
    { args: [], env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" }, want: false },
  ])("$args $env: $want", ({ args, env, want }) => expect(isForCluster(args, env)).toBe(want));
});

describe("a program in a cluster", () => {
  test("explains itself", async () => {
    expect(await run(["--help"])).toBe(0);
    expect(printed).toMatch(/^Usage: it\n[\s\S]*--kubeconfig FILE[\s\S]*--service NAMESPACE[\s\S]*--requestheader-allowed-names/);
    printed = "";
    expect(await run(["--version"])).toBe(0);
    expect(printed).toBe("It 1.2.3\n");
  });

  test.each([
    { args: ["--service=a"], line: 'invalid argument "a" for "--service" flag: must be NAMESPACE/NAME:PORT' },
    { args: [], line: "--service NAMESPACE/NAME:PORT is needed: the Service under which the kube-apiserver reaches this server" },
    { args: ["unregister"], line: "--service NAMESPACE/NAME:PORT is needed: the Service under which the kube-apiserver reaches this server" },
    { args: ["--service=a/b", "--storage=etcd"], line: 'invalid argument "etcd" for "--storage" flag: must be secrets or sqlite' },
    { args: ["--service=a/b", "--storage=secrets"], line: "--storage=secrets: no kind of this program is kept in Secrets" },
    { args: ["--service=a/b", "--tls-cert-file=a"], line: "--tls-cert-file needs --tls-private-key-file too" },
    { args: ["--service=a/b", "--token-auth-file=a"], line: "unknown flag: --token-auth-file" },
    { args: ["--service=a/b", "--kubeconfig=/nowhere"], line: "cannot read /nowhere: there is no such file or folder" },
    { args: ["--service=a/b"], line: "this is no pod of a cluster: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set" },
  ])("$args is one line and 2", async ({ args, line }) => {
    expect(await run(args)).toBe(2);
    expect(printed).toBe(`${line}\n`);
  });

  test.each([["--service=a/b"], ["unregister", "--service=a/b"]])("a cluster that is not there is one line and 1: %s", async (...args) => {
    const kubeconfig = await writeKubeconfig("https://127.0.0.1:1");
    expect(await run([...args, `--kubeconfig=${kubeconfig}`], ["a.b/c"])).toBe(1);
    expect(printed).toMatch(/^[^\n]*https:\/\/127\.0\.0\.1:1[^\n]*ECONNREFUSED[^\n]*\n$/);
  });

  test("what the cluster does not let it do is one line and 1", async () => {
    await using cluster = await startFakeCluster((_request, response) => {
      response.writeHead(403, { "content-type": "application/json" });
      response.end(JSON.stringify({ kind: "Status", code: 403, reason: "Forbidden", message: "configmaps is forbidden" }));
    });
    const kubeconfig = await writeKubeconfig(cluster.config.server, cluster.ca);
    expect(await run(["--service=a/b", `--kubeconfig=${kubeconfig}`], ["a.b/c"])).toBe(1);
    expect(printed).toMatch(/^[^\n]*configmaps is forbidden[^\n]*\n$/);
  });
});
