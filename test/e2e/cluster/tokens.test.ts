// The token API server in a cluster, behind Kubernetes' own aggregator: asked at the cluster's own address, with the cluster's own users.
import { readFile } from "node:fs/promises";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { generateCA, generateKey, generateServingCertificate } from "@annex/apiserver-node";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { findFreePorts } from "../../controlplane/ports.ts";
import { KUBECTL_LIMIT_MS } from "../kubectl.ts";
import { createContext, expectNoPlaintext, parseObject, parseTable, plaintextOf, printed, token } from "../kubectl-suite.ts";
import type { RunningProcess } from "../process.ts";
import { temporaryFolder } from "../server.ts";
import { declareWalkthrough } from "../walkthrough.ts";
import { type Installation, install, NAMESPACE, RELEASE, runLint, runTemplate } from "./installation.ts";

const MINUTE_MS = 60_000;
const MANIFEST = fileURLToPath(new URL("../../../deploy/manifest.yaml", import.meta.url));
/** In any order: no container runs here, but whatever the chart makes is taken by a kube-apiserver. */
const KINDS = [
  "ClusterRole",
  "ClusterRoleBinding",
  "Deployment",
  "Job",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "Role",
  "RoleBinding",
  "Service",
  "ServiceAccount",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
];

let plane: ControlPlane;
let installed: Installation;
let server: RunningProcess;
let port = 0;
beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  [port = 0] = await findFreePorts(1);
  installed = await install(plane, port, "1.36");
  server = await installed.start(port);
  await vi.waitFor(
    async () => printed(await installed.kubectl(["wait", "apiservice", "v1.tomlebreux.com", "--for=condition=Available", "--timeout=20s"])),
    {
      timeout: 30_000,
    },
  );
}, BUILD_LIMIT_MS + KUBECTL_LIMIT_MS);
afterAll(async () => {
  server?.kill("SIGTERM");
  await server?.finished;
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

describe("the walkthrough, unchanged", () => {
  const context = createContext("1.36", () => installed.kubectl);
  declareWalkthrough(context, "admin");
});

describe("who asks is who the cluster knows", () => {
  const asUser = (user: string, ...args: readonly string[]) => installed.kubectl([...args, `--as=${user}`]);
  const { ok, okWith, newNamespace } = createContext("1.36", () => installed.kubectl);

  test("a viewer reads and an admin of the namespace writes, by the roles that the chart adds to; others do nothing", async () => {
    const namespace = await newNamespace();
    await ok("create", "rolebinding", "v", "--clusterrole=view", "--user=viewer", "-n", namespace);
    await ok("create", "rolebinding", "a", "--clusterrole=admin", "--user=admin-of-it", "-n", namespace);
    const sent = JSON.stringify(token("a", { userID: "admin-of-it" }));
    const create = (user: string) => installed.kubectl(["create", "-f", "-", "-n", namespace, `--as=${user}`], { input: sent });
    const list = (user: string) => asUser(user, "get", "ranchertokens", "-n", namespace, "-o", "name");
    await vi.waitFor(async () => expect(await create("admin-of-it")).toMatchObject({ code: 0 }), { timeout: 30_000, interval: 1_000 });
    expect(await list("viewer")).toMatchObject({ code: 0, stdout: "ranchertoken.tomlebreux.com/a\n" });
    for (const user of ["viewer", "nobody"]) {
      expect((await create(user)).stderr).toBe(
        `Error from server (Forbidden): error when creating "STDIN": ranchertokens.tomlebreux.com is forbidden: User "${user}" cannot create resource "ranchertokens" in API group "tomlebreux.com" in the namespace "${namespace}"\n`,
      );
    }
    expect(await list("nobody")).toMatchObject({ code: 1 });
    // For somebody else it takes the right to be them.
    const other = JSON.stringify(token("b", { userID: "bob" }));
    const forBob = await installed.kubectl(["create", "-f", "-", "-n", namespace, "--as=admin-of-it"], { input: other });
    expect(forBob.stderr).toContain('User "admin-of-it" cannot make a token for user "bob"');
  });

  test("headers count behind the aggregator's certificate alone", async () => {
    const [, url = ""] = await server.waitFor(/^Serving (https:\/\/\S+)/m);
    const ca = Buffer.from(await ok("get", "apiservice", "v1.tomlebreux.com", "-o", "jsonpath={.spec.caBundle}"), "base64").toString();
    const forged = { "x-remote-user": "admin", "x-remote-group": "system:masters" };
    const answer = await ask(`${url}/apis/tomlebreux.com/v1/ranchertokens`, ca, forged);
    expect(answer.status).toBe(403);
    expect(answer.text).toContain('User \\"system:anonymous\\" cannot list');
  });

  test("a deleted namespace takes its tokens with it, an owner those that it owns", async () => {
    const [gone, owned] = [await newNamespace(), await newNamespace()];
    await okWith(token("a"), "create", "-n", gone, "-f", "-");
    await ok("delete", "namespace", gone, "--timeout=60s");
    expect(await ok("get", "ranchertokens", "-n", gone, "-o", "name")).toBe("");

    await ok("create", "configmap", "owner", "-n", owned);
    const { uid } = parseObject(await ok("get", "configmap", "owner", "-n", owned, "-o", "json")).metadata;
    const ownerReferences = [{ apiVersion: "v1", kind: "ConfigMap", name: "owner", uid }];
    await okWith({ ...token("a"), metadata: { name: "a", ownerReferences } }, "create", "-n", owned, "-f", "-");
    await ok("delete", "configmap", "owner", "-n", owned);
    await ok("wait", "--for=delete", "ranchertoken/a", "-n", owned, "--timeout=60s");
    expect(await ok("get", "secrets", "-n", owned, "-o", "name")).toBe("");
  }, 150_000);
});

test("owners take along, leave, and wait for what they own, tokens and others", async () => {
  const { ok, okWith, newNamespace } = createContext("1.36", () => installed.kubectl);
  const namespace = await newNamespace();
  const create = async (kind: "ConfigMap" | "RancherToken", name: string, owner?: Owner) => {
    const metadata = { name, ...(owner === undefined ? {} : { ownerReferences: [{ ...owner, blockOwnerDeletion: true }] }) };
    const object = kind === "ConfigMap" ? { apiVersion: "v1", kind, metadata } : { ...token(name), metadata };
    const made = parseObject(await okWith(object, "create", "-n", namespace, "-f", "-", "-o", "json"));
    return { apiVersion: object.apiVersion, kind, name, uid: String(made.metadata.uid) };
  };
  for (const policy of ["foreground", "orphan"]) {
    const [one, other] = [await create("RancherToken", `${policy}-token`), await create("ConfigMap", `${policy}-map`)];
    await create("ConfigMap", `${policy}-of-token`, one);
    await create("RancherToken", `${policy}-of-token`, one);
    await create("RancherToken", `${policy}-of-map`, other);
    // The controller has to have seen who is owned by whom, or it looks for them itself: so no wait.
    await ok("delete", "ranchertoken", one.name, "-n", namespace, `--cascade=${policy}`, "--timeout=60s");
    await ok("delete", "configmap", other.name, "-n", namespace, `--cascade=${policy}`, "--timeout=60s");
  }
  const columns = "custom-columns=KIND:.kind,NAME:.metadata.name,OWNERS:.metadata.ownerReferences";
  const left = await ok("get", "ranchertokens,configmaps", "-n", namespace, "-o", columns);
  expect(parseTable(left).filter(({ NAME }) => NAME !== "kube-root-ca.crt")).toEqual([
    { KIND: "RancherToken", NAME: "orphan-of-map", OWNERS: "<none>" },
    { KIND: "RancherToken", NAME: "orphan-of-token", OWNERS: "<none>" },
    { KIND: "ConfigMap", NAME: "orphan-of-token", OWNERS: "<none>" },
  ]);
}, 150_000);

/** What ownerReferences say of an owner. */
interface Owner {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
}

test("who may write Secrets cannot bring back a token as it once was; who may make tokens for everybody can", async () => {
  const { ok, okWith, newNamespace } = createContext("1.36", () => installed.kubectl);
  const namespace = await newNamespace();
  await ok("create", "rolebinding", "eve", "--clusterrole=edit", "--user=eve", "-n", namespace);
  const asEve = (args: readonly string[], secret?: unknown) =>
    installed.kubectl([...args, "-n", namespace, "--as=eve"], secret === undefined ? {} : { input: JSON.stringify(secret) });
  const reasons = () => ok("get", "ranchertoken", "a", "-n", namespace, "-o", "jsonpath={.status.conditions[*].reason}");
  await okWith(token("a"), "create", "-n", namespace, "-f", "-");
  const { resourceVersion: _version, uid: _uid, ...metadata } = parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json")).metadata;
  const copy = { ...parseObject(await ok("get", "secret", "a", "-n", namespace, "-o", "json")), metadata };
  await ok("patch", "ranchertoken", "a", "-n", namespace, "--type=merge", "-p", '{"spec":{"enabled":false}}');
  const refusal = "a token cannot be restored without the verb impersonate on all users.tomlebreux.com";
  // The role is bound, and the policy known, a little later.
  await vi.waitFor(async () => expect((await asEve(["replace", "-f", "-"], copy)).stderr).toContain(refusal), { timeout: 20_000, interval: 500 });
  expect(await reasons()).toBe("Disabled Intact");
  expect((await asEve(["patch", "secret", "a", "--type=merge", "-p", '{"immutable":true}'])).stderr).toContain("which must stay changeable");
  // All else is theirs to change.
  expect(await asEve(["label", "secret", "a", "by=eve"])).toMatchObject({ code: 0 });
  await ok("delete", "ranchertoken", "a", "-n", namespace);
  expect((await asEve(["create", "-f", "-"], copy)).stderr).toContain(refusal);
  await okWith(copy, "create", "-n", namespace, "-f", "-");
  expect(await reasons()).toBe("Usable Intact");
  await ok("patch", "ranchertoken", "a", "-n", namespace, "--type=merge", "-p", '{"spec":{"enabled":false}}');
  expect(await asEve(["delete", "secret", "a"])).toMatchObject({ code: 0 });
}, 150_000);

test("the cluster's webhooks are asked about tokens, and see no plaintext", async () => {
  const { ok, okWith, failsWith, newNamespace } = createContext("1.36", () => installed.kubectl);
  const namespace = await newNamespace();
  const bodies: string[] = [];
  await using webhook = await startWebhook((review) => {
    bodies.push(JSON.stringify(review));
    const isAllowed = review.request.name !== "blocked";
    return { uid: review.request.uid, allowed: isAllowed, ...(isAllowed ? {} : { status: { message: "none shall pass!" } }) };
  });
  const configuration = {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: "watchers" },
    webhooks: [
      {
        name: "watchers.example.com",
        clientConfig: { url: webhook.url, caBundle: Buffer.from(webhook.ca).toString("base64") },
        rules: [{ apiGroups: ["tomlebreux.com"], apiVersions: ["*"], resources: ["*"], operations: ["*"] }],
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        sideEffects: "None",
        admissionReviewVersions: ["v1"],
      },
    ],
  };
  await okWith(configuration, "create", "-f", "-");
  const refusal = `Error from server: error when creating "STDIN": admission webhook "watchers.example.com" denied the request: none shall pass!\n`;
  await vi.waitFor(async () => expect(await failsWith(token("blocked"), "create", "-n", namespace, "-f", "-", "--dry-run=server")).toBe(refusal), {
    timeout: 20_000,
    interval: 500,
  });
  const plaintext = plaintextOf(await okWith(token("a"), "create", "-n", namespace, "-f", "-", "-o", "yaml"));
  await ok("label", "ranchertoken", "a", "-n", namespace, "asked=yes");
  await ok("delete", "ranchertoken", "a", "-n", namespace);
  expect(bodies.some((body) => body.includes('"operation":"DELETE"'))).toBe(true);
  expectNoPlaintext(bodies.join("\n"), plaintext);
  await ok("delete", "validatingwebhookconfiguration", "watchers");
});

/** A review as a webhook is sent it, as far as the test looks. */
interface Review {
  readonly request: { readonly uid: string; readonly name: string };
}

/** An admission webhook at 127.0.0.1. */
async function startWebhook(answer: (review: Review) => unknown): Promise<AsyncDisposable & { readonly url: string; readonly ca: string }> {
  const key = await generateKey();
  const validity = { notBeforeMs: Date.now() - MINUTE_MS, notAfterMs: Date.now() + 60 * MINUTE_MS };
  const ca = await generateCA("webhook", key, validity);
  const serving = await generateServingCertificate({ cert: ca, key }, ["127.0.0.1"], validity);
  const webhook = createServer(serving, async (asked, response) => {
    const review = JSON.parse(await text(asked)) as Review; // the wire format
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response: answer(review) }));
  });
  await new Promise<void>((resolve) => webhook.listen(0, "127.0.0.1", resolve));
  return {
    ca,
    url: `https://127.0.0.1:${(webhook.address() as AddressInfo).port}/`,
    async [Symbol.asyncDispose]() {
      webhook.closeAllConnections();
      await new Promise((resolve) => webhook.close(resolve));
    },
  };
}

/** Asks a server itself, which shows the certificate of its Service. */
function ask(
  url: string,
  ca: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ readonly status: number | undefined; readonly text: string }> {
  return new Promise((resolve, reject) => {
    request(url, { ca, servername: `${RELEASE}.${NAMESPACE}.svc`, headers, agent: false }, async (response) =>
      resolve({ status: response.statusCode, text: await text(response) }),
    )
      .on("error", reject)
      .end();
  });
}

describe("the chart", () => {
  test("is what the plain manifest was made of (make manifest)", async () => {
    expect(await readFile(MANIFEST, "utf8")).toBe(printed(await runTemplate(RELEASE, NAMESPACE, "--no-hooks")));
  });

  test("makes what a kube-apiserver takes, each kind that it says", async () => {
    const input = printed(await runTemplate("dry.run", "default"));
    const kinds = printed(await installed.kubectl(["create", "--dry-run=server", "-o", 'jsonpath={.kind}{"\\n"}', "-f", "-"], { input }));
    expect([...new Set(kinds.trim().split("\n"))].sort()).toEqual(KINDS);
  });

  test("is in order by helm lint", async () => {
    expect(await runLint()).toMatchObject({ code: 0 });
  });

  test("has what takes the registration back run where the servers run, of an image from the same registry", async () => {
    const placement = ["imagePullSecrets[0].name=of-registry", "nodeSelector.disk=fast", "tolerations[0].key=apart", "resources.limits.memory=2Gi"];
    const input = printed(await runTemplate(RELEASE, NAMESPACE, ...placement.map((value) => `--set=${value}`)));
    const pod = ".spec.template.spec";
    const fields = [".kind", `${pod}.imagePullSecrets`, `${pod}.nodeSelector`, `${pod}.tolerations`, `${pod}.containers[*].resources.limits.memory`];
    const columns = `jsonpath=${fields.map((field) => `{${field}}`).join(" ")}{"\\n"}`;
    const objects = printed(await installed.kubectl(["create", "--dry-run=client", "-o", columns, "-f", "-"], { input }));
    const same = '[{"name":"of-registry"}] {"disk":"fast"} [{"key":"apart"}] 2Gi';
    expect(objects.split("\n").filter((line) => /^(Deployment|Job) /.test(line))).toEqual([`Deployment ${same}`, `Job ${same}`]);
  });

  test.each([
    { values: "image.tag=v1", image: "annex-ranchertokens:v1" },
    { values: `image.digest=sha256:${"a".repeat(64)}`, image: `annex-ranchertokens@sha256:${"a".repeat(64)}` },
  ])("runs the image of $values", async ({ values, image }) => {
    expect(printed(await runTemplate(RELEASE, NAMESPACE, `--set=${values}`)).match(/image: .*/g)).toEqual([`image: ${image}`, `image: ${image}`]);
  });

  test("has no policy for a Kubernetes that has none", async () => {
    expect(printed(await runTemplate(RELEASE, NAMESPACE, "--kube-version=1.29"))).not.toContain("AdmissionPolicy\n");
    expect(printed(await runTemplate(RELEASE, NAMESPACE, "--kube-version=1.30"))).toContain("kind: ValidatingAdmissionPolicy\n");
  });

  test.each([
    { values: "storage=sqlite", says: "storage=sqlite is for one replica" },
    { values: "storage=etcd", says: "at '/storage': value must be one of 'secrets', 'sqlite'" },
    { values: "expiredTokenGraceSeconds=1d", says: "at '/expiredTokenGraceSeconds': got string, want integer" },
    { values: "shutdownDelay=36s", says: "shutdownDelay=36s needs terminationGracePeriodSeconds=46 at least" },
    { values: "replicacount=3", says: "additional properties 'replicacount' not allowed" },
  ])("refuses $values", async ({ values, says }) => {
    const { code, stderr } = await runTemplate(RELEASE, NAMESPACE, "--set", values);
    expect(code).toBe(1);
    expect(stderr).toContain(says);
  });
});

test("nothing of it stays but the tokens", async () => {
  const { ok, okWith } = createContext("1.36", () => installed.kubectl);
  const plaintext = plaintextOf(await okWith(token("left"), "create", "-n", "default", "-f", "-", "-o", "yaml"));
  server.kill("SIGTERM");
  expect(await server.finished).toMatchObject({ code: 0 });
  expectNoPlaintext(server.output(), plaintext);
  const removed = await installed.unregister();
  expect(removed.trim().split("\n").sort()).toEqual([
    "apiservices/v1.tomlebreux.com deleted",
    "apiservices/v1alpha1.tomlebreux.com deleted",
    `leases/${RELEASE}-registration deleted`,
    `secrets/${RELEASE}-serving-ca deleted`,
    `secrets/${RELEASE}-serving-cert deleted`,
  ]);
  expect(await ok("get", "apiservices", "-o", "name")).not.toContain("tomlebreux");
  expect(parseTable(await ok("get", "secrets", "-n", NAMESPACE)).map(({ NAME }) => NAME)).toEqual([`${RELEASE}-token-mac`]);
  expect(await ok("get", "secret", "left", "-o", "jsonpath={.type}")).toBe("tomlebreux.com/token");
});

test("with a store of its own it needs no Secrets but its own", async () => {
  const { ok, okWith } = createContext("1.36", () => installed.kubectl);
  await installed.grant("storage=sqlite", "replicaCount=1");
  const account = `--as=system:serviceaccount:${NAMESPACE}:${RELEASE}`;
  const mayNot = ["get", "list", "watch", "update", "delete"].map((verb) => installed.kubectl(["auth", "can-i", verb, "secrets", account, "-A"]));
  for (const { stdout } of await Promise.all(mayNot)) expect(stdout).toBe("no\n");
  server = await installed.start(port, ["--storage=sqlite", `--data-dir=${await installed.dataFolder()}`]);
  await vi.waitFor(
    async () => printed(await installed.kubectl(["wait", "apiservice", "v1.tomlebreux.com", "--for=condition=Available", "--timeout=20s"])),
    {
      timeout: 30_000,
    },
  );
  // That which is in a Secret is another's.
  expect(await ok("get", "ranchertokens", "-A", "-o", "name")).toBe("");
  await okWith(token("own"), "create", "-n", "default", "-f", "-");
  expect(await ok("get", "ranchertokens", "-n", "default", "-o", "name")).toBe("ranchertoken.tomlebreux.com/own\n");
  expect(await installed.kubectl(["get", "secret", "own", "-n", "default"])).toMatchObject({ code: 1 });
  expect(server.output()).not.toContain("forbidden");
});
