// Helm 4, which writes by server-side apply, with a chart that holds tokens and custom resources.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { fetchHelm, KUBECTL_LIMIT_MS, openKubectl } from "./kubectl.ts";
import { parseObject, printed } from "./kubectl-suite.ts";
import { runProcess } from "./process.ts";
import { startServer, temporaryFolder } from "./server.ts";

const CRD = fileURLToPath(new URL("../conformance/widgets-crd.json", import.meta.url));

const TEMPLATE = `apiVersion: tomlebreux.com/v1
kind: RancherToken
metadata:
  name: {{ .Release.Name }}
spec:
  userID: my-user
  clusterName: my-cluster
  ttlSeconds: 600
  enabled: {{ .Values.enabled }}
---
apiVersion: conformance.example.com/v1
kind: Widget
metadata:
  name: {{ .Release.Name }}
spec:
  color: {{ .Values.color }}
  size: 3
  {{- if eq .Values.color "red" }}
  note: only where it is red
  {{- end }}
`;

async function writeChart(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "templates"));
  await writeFile(join(folder, "Chart.yaml"), "apiVersion: v2\nname: tokens\nversion: 0.1.0\n");
  await writeFile(join(folder, "values.yaml"), "enabled: true\ncolor: red\n");
  await writeFile(join(folder, "templates", "all.yaml"), TEMPLATE);
  return folder;
}

test("a release is installed, upgraded, rolled back and uninstalled; what others changed is a conflict", { timeout: KUBECTL_LIMIT_MS }, async () => {
  const binary = await fetchHelm();
  const server = await startServer({ args: ["--crd", CRD] });
  const kubectl = await openKubectl(server.kubeconfig);
  const chart = await writeChart();
  const env = { HOME: kubectl.home, KUBECONFIG: server.kubeconfig };
  const helm = (...args: readonly string[]) => runProcess(binary, args, { env, cwd: kubectl.home });
  const ok = async (...args: readonly string[]) => printed(await helm(...args));
  const specs = async () => {
    const { items = [] } = parseObject(printed(await kubectl(["get", "ranchertoken/one", "widget/one", "-o", "json"])));
    return items.map(({ spec }) => spec);
  };
  const widget = { enabled: true, frame: { material: "wood" }, mode: "auto", nick: "nobody", replicas: 1, size: 3 };
  const token = { userID: "my-user", clusterName: "my-cluster", ttlSeconds: 600 };

  await ok("install", "one", chart);
  expect(await specs()).toEqual([
    { ...token, enabled: true },
    { ...widget, color: "red", note: "only where it is red" },
  ]);
  await ok("upgrade", "one", chart, "--set", "color=blue,enabled=false");
  expect(await specs()).toEqual([
    { ...token, enabled: false },
    { ...widget, color: "blue" },
  ]);
  await ok("rollback", "one", "1");
  expect(await specs()).toEqual([
    { ...token, enabled: true },
    { ...widget, color: "red", note: "only where it is red" },
  ]);

  printed(await kubectl(["patch", "widget", "one", "--type=merge", "-p", '{"spec":{"color":"green"}}']));
  const refused = await helm("upgrade", "one", chart, "--set", "color=blue");
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('conflict with "kubectl-patch" using conformance.example.com/v1: .spec.color');
  await ok("upgrade", "one", chart, "--set", "color=blue", "--force-conflicts");
  expect((await specs())[1]).toMatchObject({ color: "blue" });

  await ok("uninstall", "one");
  expect(printed(await kubectl(["get", "ranchertokens,widgets", "-o", "name"]))).toBe("");
  await server.stop();
});
