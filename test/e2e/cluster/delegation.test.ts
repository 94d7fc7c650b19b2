// A server of ours behind a real kube-apiserver, with no more rights than the documents say: who asks it, directly and through the aggregator, and what they may.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseFieldSelector, parseLabelSelector, t } from "@annex/apimachinery";
import { defineResource, type Logger, memoryStorage, unionAuthorizer } from "@annex/apiserver";
import { parseOptions, type RunningServer, ServedCertificatesHolder, serve, systemClock } from "@annex/apiserver-node";
import { type ClusterClient, createClusterClient, DELEGATED_OPTIONS, delegatedAuthentication, delegatedAuthorization } from "@annex/cluster";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, replaceFrontProxy, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { type Client, type ClusterAccess, createClient, readKubeconfig } from "../client.ts";
import { temporaryFolder } from "../server.ts";
import { serviceAccountToken, signedAnew } from "./service-account-token.ts";

const MINUTE_MS = 60_000;
const NAMESPACE = "delegation";
const GROUP = "delegation.example.com";
const GADGETS = `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/gadgets`;
const never = new AbortController().signal;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 2 * MINUTE_MS, interval: 100 });

const Gadget = defineResource({ group: GROUP, kind: "Gadget", scope: "Namespaced", versions: { v1: { schema: { spec: t.optional(t.unknown()) } } } });

let plane: ControlPlane;
let access: ClusterAccess;
let admin: Client;
let server: RunningServer;
const opened: AsyncDisposable[] = [];

beforeAll(
  async () => {
    plane = await startControlPlane(await temporaryFolder(), { log: console.log });
    access = await readKubeconfig(plane.kubeconfig);
    admin = createClient(plane.url, access);
    await create("/api/v1/namespaces", "v1", "Namespace", NAMESPACE);
    for (const name of ["server", "stranger", "guest"]) await create(`/api/v1/namespaces/${NAMESPACE}/serviceaccounts`, "v1", "ServiceAccount", name);
    await bind("clusterrolebindings", "delegation-reviews", "ClusterRole", "system:auth-delegator");
    await bind("namespaces/kube-system/rolebindings", "delegation-reads", "Role", "extension-apiserver-authentication-reader");
    server = await startServer();
    await register(Number(new URL(server.url).port));
  },
  BUILD_LIMIT_MS + 3 * MINUTE_MS,
);

afterAll(async () => {
  await server?.stop(1_000);
  for (const each of opened) await each[Symbol.asyncDispose]();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

async function create(path: string, apiVersion: string, kind: string, name: string, more: object = {}): Promise<void> {
  const { status, text } = await admin.request("POST", path, { apiVersion, kind, metadata: { name }, ...more });
  expect(status, text).toBe(201);
}

function bind(path: string, name: string, kind: string, role: string): Promise<void> {
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind, name: role };
  const subjects = [{ kind: "ServiceAccount", name: "server", namespace: NAMESPACE }];
  const bindingKind = path.endsWith("clusterrolebindings") ? "ClusterRoleBinding" : "RoleBinding";
  return create(`/apis/rbac.authorization.k8s.io/v1/${path}`, "rbac.authorization.k8s.io/v1", bindingKind, name, { roleRef, subjects });
}

const tokenOf = (account: string, audiences?: readonly string[]) => serviceAccountToken(admin, NAMESPACE, account, audiences);

async function clientOf(account: string): Promise<ClusterClient> {
  const token = await tokenOf(account);
  const authorization = () => Promise.resolve(`Bearer ${token}`);
  const config = { server: plane.url, namespace: NAMESPACE, tls: { ca: access.ca }, authorization, forgetCredentials: () => undefined };
  const client = createClusterClient(config, { clock: systemClock });
  opened.push(client);
  return client;
}

/** Answers hold for no time, so that a test need not wait for them. */
const options = parseOptions(DELEGATED_OPTIONS, [
  "--authentication-token-webhook-cache-ttl=0",
  "--authorization-webhook-cache-authorized-ttl=0",
  "--authorization-webhook-cache-unauthorized-ttl=0",
]);

async function startServer(): Promise<RunningServer> {
  const given = { client: await clientOf("server"), options, clock: systemClock, log: silent };
  const authentication = delegatedAuthentication(given);
  const authorization = delegatedAuthorization(given);
  await authentication.start(never);
  const stopping = new AbortController();
  const running = authentication.run(stopping.signal);
  opened.unshift({
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
    },
  });
  // For the aggregator as for the sample-apiserver: its name is api.wardle.svc.
  const [cert, key] = await Promise.all(["crt", "key"].map((end) => readFile(join(plane.folder, `sample-apiserver.${end}`), "utf8")));
  const shown = { cert: cert ?? "", key: key ?? "", caBundle: access.ca };
  return serve({
    resources: [Gadget],
    storage: memoryStorage(),
    certificates: Object.assign(new ServedCertificatesHolder(shown, silent), { run: () => Promise.resolve() }),
    authenticators: authentication.authenticators,
    clientCAs: authentication.clientCAs,
    authorizers: authorization.authorizers,
    healthChecks: { ready: [authentication.ready, authorization.ready] },
    securePort: 0,
    log: silent,
  });
}

async function register(port: number): Promise<void> {
  const ports = [{ port, protocol: "TCP" }];
  const service = `/api/v1/namespaces/wardle/services`;
  const { status, text } = await admin.request("PUT", `${service}/api`, {
    ...(JSON.parse((await admin.request("GET", `${service}/api`)).text) as object),
    spec: { type: "ExternalName", externalName: "localhost", ports },
  });
  expect(status, text).toBe(200);
  const spec = {
    group: GROUP,
    version: "v1",
    groupPriorityMinimum: 1000,
    versionPriority: 15,
    service: { name: "api", namespace: "wardle", port },
    caBundle: Buffer.from(access.ca).toString("base64"),
  };
  await create("/apis/apiregistration.k8s.io/v1/apiservices", "apiregistration.k8s.io/v1", "APIService", `v1.${GROUP}`, { spec });
  await eventually(async () => expect((await admin.request("GET", GADGETS)).status).toBe(200));
}

/** The server itself, not through the aggregator. */
const direct = (credential: Parameters<typeof createClient>[2]) => createClient(server.url, access, credential);
const through = (token: string) => createClient(plane.url, access, { token });

async function messageOf(answer: Promise<{ readonly status: number; readonly text: string }>): Promise<string> {
  const { status, text } = await answer;
  const { message = "" } = JSON.parse(text) as { readonly message?: string };
  return `${status} ${message}`;
}

async function grant(user: string, verbs: readonly string[], resources = ["gadgets"], apiGroups = [GROUP]): Promise<void> {
  const name = `grant-${user}-${verbs.join("-")}`;
  const rbac = "/apis/rbac.authorization.k8s.io/v1";
  const apiVersion = "rbac.authorization.k8s.io/v1";
  await create(`${rbac}/clusterroles`, apiVersion, "ClusterRole", name, { rules: [{ apiGroups, resources, verbs }] });
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: user }];
  await create(`${rbac}/clusterrolebindings`, apiVersion, "ClusterRoleBinding", name, { roleRef, subjects });
}

const forbidden = (user: string, verb: string) =>
  `gadgets.${GROUP} is forbidden: User "${user}" cannot ${verb} resource "gadgets" in API group "${GROUP}" in the namespace "${NAMESPACE}"`;

describe("through the aggregator and directly", () => {
  test("the administrator may do everything, by certificate and by token", async () => {
    const gadget = (name: string) => ({ apiVersion: `${GROUP}/v1`, kind: "Gadget", metadata: { name } });
    expect((await admin.request("POST", GADGETS, gadget("one"))).status).toBe(201);
    expect((await direct("admin").request("POST", GADGETS, gadget("two"))).status).toBe(201);
    expect((await direct({ token: plane.tokens.admin }).request("GET", `${GADGETS}/one`)).status).toBe(200);
  });

  test("somebody else may do what the cluster says, from the moment that it says so", async () => {
    const clients = [through(plane.tokens.alice), direct({ token: plane.tokens.alice })];
    for (const client of clients) expect(await messageOf(client.request("GET", GADGETS))).toBe(`403 ${forbidden("alice", "list")}`);
    await grant("alice", ["list"]);
    for (const client of clients) {
      await eventually(async () => expect((await client.request("GET", GADGETS)).status).toBe(200));
      expect(await messageOf(client.request("DELETE", GADGETS))).toBe(`403 ${forbidden("alice", "deletecollection")}`);
    }
  });

  test("a service account is who its token says, as long as it is there", async () => {
    const user = `system:serviceaccount:${NAMESPACE}:guest`;
    const token = await tokenOf("guest");
    expect(await messageOf(direct({ token }).request("GET", GADGETS))).toBe(`403 ${forbidden(user, "list")}`);
    expect(await messageOf(direct({ token: await tokenOf("guest", ["elsewhere"]) }).request("GET", GADGETS))).toBe("401 Unauthorized");
    expect(await messageOf(direct({ token: `${token.slice(0, -4)}AAAA` }).request("GET", GADGETS))).toBe("401 Unauthorized");
    expect((await admin.request("DELETE", `/api/v1/namespaces/${NAMESPACE}/serviceaccounts/guest`)).status).toBe(200);
    await eventually(async () => expect(await messageOf(direct({ token }).request("GET", GADGETS))).toBe("401 Unauthorized"));
  });

  test("a token of the cluster's own key counts for its time", async () => {
    const token = await tokenOf("stranger");
    const user = `system:serviceaccount:${NAMESPACE}:stranger`;
    const nowS = Math.floor(Date.now() / 1000);
    const asked = async (endsInS: number) =>
      messageOf(
        direct({ token: await signedAnew(plane.folder, token, { iat: nowS - 7200, nbf: nowS - 7200, exp: nowS + endsInS }) }).request("GET", GADGETS),
      );
    expect(await asked(600)).toBe(`403 ${forbidden(user, "list")}`);
    // Kube-apiserver lets clocks differ by a minute.
    expect(await asked(-61)).toBe("401 Unauthorized");
    expect(await asked(-3600)).toBe("401 Unauthorized");
  });

  test("who says nothing is anonymous, and gets health alone", async () => {
    expect((await direct("anonymous").request("GET", "/livez")).text).toBe("ok");
    expect((await direct("anonymous").request("GET", "/readyz")).text).toBe("ok");
    expect(await messageOf(direct("anonymous").request("GET", GADGETS))).toBe(`403 ${forbidden("system:anonymous", "list")}`);
  });
});

describe("nobody becomes somebody else", () => {
  const forged = { "x-remote-user": "admin", "x-remote-group": "system:masters", x_remote_user: "admin" };
  const unlike = { "X-REMOTE-USER": "admin", "X-Remote-Group": "x, system:masters" };

  test.each([
    { what: "by headers", headers: forged },
    { what: "by headers in another case", headers: unlike },
  ])("$what", async ({ headers }) => {
    for (const [credential, user] of [
      ["anonymous", "system:anonymous"],
      [{ token: plane.tokens.alice }, "alice"],
    ] as const) {
      expect(await messageOf(direct(credential).request("DELETE", GADGETS, undefined, headers))).toBe(`403 ${forbidden(user, "deletecollection")}`);
    }
    // The kube-apiserver does not pass them on.
    expect(await messageOf(through(plane.tokens.alice).request("DELETE", GADGETS, undefined, headers))).toBe(
      `403 ${forbidden("alice", "deletecollection")}`,
    );
  });

  test("but the front proxy, over its own certificate", async () => {
    const [cert = "", key = ""] = await Promise.all(["crt", "key"].map((end) => readFile(join(plane.folder, `front-proxy.${end}`), "utf8")));
    const proxy = createClient(server.url, { ...access, cert, key });
    expect(await messageOf(proxy.request("GET", GADGETS))).toBe("401 Unauthorized");
    expect(await messageOf(proxy.request("GET", GADGETS, undefined, { "x-remote-user": "bob" }))).toBe(`403 ${forbidden("bob", "list")}`);
    expect((await proxy.request("GET", GADGETS, undefined, { "x-remote-user": "bob", "x-remote-group": "system:masters" })).status).toBe(200);
    const comma = { "x-remote-user": "bob", "x-remote-group": "x, system:masters" };
    expect(await messageOf(proxy.request("GET", GADGETS, undefined, comma))).toBe(`403 ${forbidden("bob", "list")}`);
  });

  test("by impersonation, but for who may", async () => {
    const asAdmin = { "impersonate-user": "admin", "impersonate-group": "system:masters" };
    for (const client of [direct({ token: plane.tokens.alice }), through(plane.tokens.alice)]) {
      expect(await messageOf(client.request("GET", GADGETS, undefined, asAdmin))).toMatch(/^403 .* is forbidden: User "alice" cannot impersonate/);
    }
    for (const client of [direct({ token: plane.tokens.admin }), through(plane.tokens.admin)]) {
      const asCarol = { "impersonate-user": "carol" };
      expect(await messageOf(client.request("GET", GADGETS, undefined, asCarol))).toBe(`403 ${forbidden("carol", "list")}`);
    }
  });
});

// nghttp2 ends a connection upon one of more than 64 KiB, and that of the aggregator is everybody's: it has to know beforehand.
test.each([
  { what: "one header of 120 KiB", headers: { "x-more": "a".repeat(120 * 1024) } },
  { what: "many headers, of 90 KiB together", headers: Object.fromEntries(Array.from({ length: 900 }, (_, n) => [`x-more-${n}`, "a".repeat(85)])) },
])("who sends too much is refused alone: $what", async ({ headers }) => {
  await using watch = await admin
    .watch(`${GADGETS}?watch=true&timeoutSeconds=300`)
    .then((opened) => ({ ...opened, [Symbol.asyncDispose]: async () => opened.close() }));
  const startedMs = Date.now();
  const answer = await through(plane.tokens.alice).request("GET", `/apis/${GROUP}/v1`, undefined, headers);
  expect(answer.status, answer.text).toBeGreaterThanOrEqual(400);
  expect(Date.now() - startedMs).toBeLessThan(10_000);
  const name = `beside-${Object.keys(headers).length}`;
  await create(GADGETS, `${GROUP}/v1`, "Gadget", name);
  await vi.waitFor(() => expect(watch.events.map(({ object }) => object.metadata.name)).toContain(name), { timeout: 5_000 });
});

test("it is asked about what is selected: of pods, the cluster lets a node list its own alone", async () => {
  const { authorizers } = delegatedAuthorization({ client: await clientOf("server"), options, clock: systemClock, log: silent });
  const user = { name: "system:node:one", groups: ["system:nodes", "system:authenticated"], extra: {} };
  const may = async (query: { readonly fieldSelector?: string; readonly labelSelector?: string }) => {
    const pods = {
      type: "resource",
      user,
      verb: "list",
      group: "",
      version: "v1",
      resource: "pods",
      subresource: "",
      namespace: "",
      name: "",
    } as const;
    const fields = query.fieldSelector === undefined ? {} : { fieldSelector: parseFieldSelector(query.fieldSelector, () => true).requirements };
    const labels = query.labelSelector === undefined ? {} : { labelSelector: parseLabelSelector(query.labelSelector).requirements };
    return (await unionAuthorizer(authorizers).authorize({ ...pods, ...fields, ...labels }, { signal: never })).decision;
  };
  expect(await may({})).toBe("NoOpinion");
  expect(await may({ fieldSelector: "spec.nodeName=one,metadata.namespace!=x", labelSelector: "a in (b),!c,d,e!=f" })).toBe("Allow");
  expect(await may({ fieldSelector: "spec.nodeName!=one" })).toBe("NoOpinion");
  expect(await may({ fieldSelector: "spec.nodeName=other" })).toBe("NoOpinion");
  expect(await may({ labelSelector: "spec.nodeName=one" })).toBe("NoOpinion");
});

test("a server without the rights says which it needs", async () => {
  const authentication = delegatedAuthentication({ client: await clientOf("stranger"), options, clock: systemClock, log: silent });
  await expect(authentication.start(never)).rejects.toThrow(
    /^may not read configmap kube-system\/extension-apiserver-authentication: configmaps "extension-apiserver-authentication" is forbidden: .*\. Bind the Role/,
  );
});

test("the kube-apiserver goes away, and comes back with another front proxy's CA", { timeout: 4 * MINUTE_MS }, async () => {
  const alice = direct({ token: plane.tokens.alice });
  await replaceFrontProxy(plane.folder, admin, async () => {
    expect(await messageOf(alice.request("GET", GADGETS))).toBe("401 Unauthorized");
    expect((await direct("admin").request("GET", GADGETS)).status).toBe(200);
    expect((await direct("anonymous").request("GET", "/livez")).text).toBe("ok");
    await eventually(async () => expect((await direct("anonymous").request("GET", "/readyz")).status).toBe(500));
    await sleep(2_000);
  });
  await eventually(async () => expect((await alice.request("GET", GADGETS)).status).toBe(200));
  expect((await direct("anonymous").request("GET", "/readyz")).text).toBe("ok");
  await eventually(async () => expect((await through(plane.tokens.alice).request("GET", GADGETS)).status).toBe(200));
  const [cert = "", key = ""] = await Promise.all(["crt", "key"].map((end) => readFile(join(plane.folder, `front-proxy.${end}`), "utf8")));
  const proxy = createClient(server.url, { ...access, cert, key });
  expect(await messageOf(proxy.request("GET", GADGETS, undefined, { "x-remote-user": "bob" }))).toBe(`403 ${forbidden("bob", "list")}`);
});
