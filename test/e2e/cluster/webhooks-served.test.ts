// The example's two admission webhooks, called by Kubernetes' own kube-apiserver for a kind of its own, registered with these rights and no more.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { findFreePorts } from "../../controlplane/ports.ts";
import { type RunningProcess, runProcess, startProcess } from "../process.ts";
import { temporaryFolder } from "../server.ts";
import { administrator, clusterClient } from "./cluster-server.ts";
import { writeTokenKubeconfig } from "./installation.ts";

const MINUTE_MS = 60_000;
const WAIT = { timeout: 30_000, interval: 100 };
const MAIN = fileURLToPath(new URL("../../../examples/webhooks/dist/main.js", import.meta.url));
const NAMESPACE = "webhooks";
const NAME = "v1alpha1.tomlebreux.com";
const CONFIGURATIONS = ["mutating", "validating"].map((type) => `/apis/admissionregistration.k8s.io/v1/${type}webhookconfigurations/${NAME}`);
const GUESTS = "/apis/tomlebreux.com/v1/namespaces/default/guests";
const RBAC = "/apis/rbac.authorization.k8s.io/v1";

let plane: ControlPlane;
let admin: ReturnType<typeof administrator>;
let close: () => PromiseLike<void>;
let common: readonly string[];
let server: RunningProcess;
/** Where the server is started. */
let cwd: string;
beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  const client = clusterClient({ url: plane.url, ca: await readFile(plane.caFile, "utf8") }, plane.tokens.admin);
  close = () => client[Symbol.asyncDispose]();
  admin = administrator(client);
  const [port = 0] = await findFreePorts(1);
  await admin.namespace(NAMESPACE);
  await admin.localService({ namespace: NAMESPACE, name: "webhooks", port });
  await admin.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", GUEST_CRD);
  common = [`--kubeconfig=${await serverKubeconfig()}`, `--service=${NAMESPACE}/webhooks:${port}`];
  cwd = await temporaryFolder();
  server = startProcess(process.execPath, [MAIN, ...common, "--bind-address=127.0.0.1", `--secure-port=${port}`], { cwd });
  await server.waitFor(/^Serving https/m, 60_000);
}, BUILD_LIMIT_MS + MINUTE_MS);
afterAll(async () => {
  server?.kill("SIGTERM");
  await server?.finished;
  await close?.();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

const schema = { openAPIV3Schema: { type: "object" } };
const GUEST_CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: "guests.tomlebreux.com" },
  spec: {
    group: "tomlebreux.com",
    scope: "Namespaced",
    names: { plural: "guests", singular: "guest", kind: "Guest" },
    versions: [{ name: "v1", served: true, storage: true, schema }],
  },
};
const guest = (name: string, annotations: Readonly<Record<string, string>> = {}) => ({
  apiVersion: "tomlebreux.com/v1",
  kind: "Guest",
  metadata: { name, annotations },
});

/** What docs/deploy.md lists: the rights of a server with webhooks and without kinds, and of `unregister`. */
async function serverKubeconfig(): Promise<string> {
  const apiGroups = ["admissionregistration.k8s.io"];
  const resources = ["mutatingwebhookconfigurations", "validatingwebhookconfigurations"];
  const clusterRules = [
    { apiGroups: ["apiregistration.k8s.io"], resources: ["apiservices"], verbs: ["list", "watch"] },
    { apiGroups, resources, verbs: ["list", "watch", "create"] },
    { apiGroups, resources, resourceNames: [NAME], verbs: ["update", "delete"] },
    { apiGroups: [""], resources: ["namespaces"], verbs: ["get", "list", "watch"] },
  ];
  const rules = [
    { apiGroups: [""], resources: ["secrets"], verbs: ["get", "list", "watch", "create", "update", "delete"] },
    { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "create", "update", "delete"] },
  ];
  const apiVersion = "rbac.authorization.k8s.io/v1";
  const subjects = [{ kind: "ServiceAccount", name: "server", namespace: NAMESPACE }];
  const role = (kind: string, of: unknown) => ({ apiVersion, kind, metadata: { name: "webhooks" }, rules: of });
  const binding = (kind: string, to: string, name: string) => ({
    apiVersion,
    kind,
    metadata: { name: `webhooks-${name.replaceAll(":", "-")}` },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: to, name },
    subjects,
  });
  await admin.post(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "server" } });
  await admin.post(`${RBAC}/clusterroles`, role("ClusterRole", clusterRules));
  await admin.post(`${RBAC}/clusterrolebindings`, binding("ClusterRoleBinding", "ClusterRole", "webhooks"));
  await admin.post(`${RBAC}/clusterrolebindings`, binding("ClusterRoleBinding", "ClusterRole", "system:auth-delegator"));
  await admin.post(`${RBAC}/namespaces/${NAMESPACE}/roles`, role("Role", rules));
  await admin.post(`${RBAC}/namespaces/${NAMESPACE}/rolebindings`, binding("RoleBinding", "Role", "webhooks"));
  await admin.post(`${RBAC}/namespaces/kube-system/rolebindings`, binding("RoleBinding", "Role", "extension-apiserver-authentication-reader"));
  const path = `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/server/token`;
  const { status } = await admin.post(path, { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} });
  const { token } = status as unknown as { readonly token: string }; // of a TokenRequest
  return writeTokenKubeconfig(plane, token, join(await temporaryFolder(), "server.kubeconfig"));
}

test("what is created gets the annotations, beside its own", async () => {
  const create = () => admin.post(`${GUESTS}?dryRun=All`, guest("a", { own: "x" }));
  await vi.waitFor(async () => expect((await create()).metadata.annotations).toEqual({ own: "x", access: "granted", reason: "not blocked" }), WAIT);
  expect((await admin.post(GUESTS, guest("foo"))).metadata.annotations).toEqual({ access: "granted", reason: "not blocked" });
  await admin.remove(`${GUESTS}/foo`);
});

test("what is named blocked is refused", async () => {
  const refused = () => admin.post(`${GUESTS}?dryRun=All`, guest("blocked"));
  const message = `admission webhook "${NAME}" denied the request: none shall pass!`;
  await vi.waitFor(() => expect(refused()).rejects.toMatchObject({ code: 403, reason: "Forbidden", message }), WAIT);
});

test("the configurations that are edited come back, and go with unregister", async () => {
  const repairs = () => server.output().split("registration brought up to date").length - 1;
  const before = repairs();
  for (const path of CONFIGURATIONS) {
    const { webhooks } = await admin.get(path);
    const edited = (webhooks as readonly object[]).map((webhook) => ({
      ...webhook,
      failurePolicy: "Ignore",
      matchConditions: [{ name: "never", expression: "false" }],
    }));
    await admin.merge(path, { webhooks: edited });
    await vi.waitFor(async () => expect((await admin.get(path)).webhooks).toEqual(webhooks), WAIT);
  }
  // A line comes a little after what it tells of.
  const repaired = before + CONFIGURATIONS.length;
  await vi.waitFor(() => expect(repairs()).toBe(repaired), WAIT);
  // Nothing of what the kube-apiserver fills in looks like an edit.
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  expect(repairs()).toBe(repaired);
  server.kill("SIGTERM");
  expect(await server.finished).toMatchObject({ code: 0 });
  // It has no kinds, and so nothing to keep.
  expect(await readdir(cwd)).toEqual([]);
  await expect(admin.post(GUESTS, guest("nobody-answers"))).rejects.toMatchObject({ code: 500 });
  const { code, stdout, stderr } = await runProcess(process.execPath, [MAIN, "unregister", ...common]);
  expect({ code, stderr, removed: stdout.trim().split("\n") }).toMatchObject({
    code: 0,
    removed: [
      `mutatingwebhookconfigurations/${NAME} deleted`,
      `validatingwebhookconfigurations/${NAME} deleted`,
      "secrets/webhooks-serving-ca deleted",
      "secrets/webhooks-serving-cert deleted",
      "leases/webhooks-registration deleted",
    ],
  });
  await vi.waitFor(() => admin.post(GUESTS, guest("blocked")), WAIT);
});
