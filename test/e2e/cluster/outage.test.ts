// The token API server as the chart installs it, in bad times: its cluster's kube-apiserver goes away and comes back with another CA of front proxies; clocks differ by five minutes.
import { readFile, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, replaceFrontProxy, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { findFreePorts } from "../../controlplane/ports.ts";
import { type Client, type ClusterAccess, type Credential, createClient, readKubeconfig } from "../client.ts";
import { KUBECTL_LIMIT_MS } from "../kubectl.ts";
import { printed, tokenV1 } from "../kubectl-suite.ts";
import type { RunningProcess } from "../process.ts";
import { temporaryFolder } from "../server.ts";
import { type Installation, install, NAMESPACE, RELEASE } from "./installation.ts";
import { serviceAccountToken, signedAnew } from "./service-account-token.ts";
import { type ServiceProxy, serviceProxy } from "./service-proxy.ts";

const MINUTE_MS = 60_000;
const TOKENS = "/apis/tomlebreux.com/v1/namespaces/default/ranchertokens";
/** Longer than what was learnt of somebody holds (10 s), and than whoever registers goes on unheard (20 s). */
const OUTAGE_MS = 25_000;
const SKEW_MS = 5 * MINUTE_MS;
const eventually = <T>(check: () => T | Promise<T>, timeout = MINUTE_MS): Promise<T> => vi.waitFor(check, { timeout, interval: 100 });

let plane: ControlPlane;
let admin: ClusterAccess;
let front: Client;
let installed: Installation;
let service: ServiceProxy;
const replicas: { readonly process: RunningProcess; readonly url: string }[] = [];

beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  admin = await readKubeconfig(plane.kubeconfig);
  front = createClient(plane.url, admin);
  const [servicePort = 0] = await findFreePorts(1);
  installed = await install(plane, servicePort, "1.36");
  service = await serviceProxy(servicePort);
}, BUILD_LIMIT_MS + KUBECTL_LIMIT_MS);

afterEach(async () => {
  for (const { process } of replicas) process.kill("SIGTERM");
  for (const { process } of replicas.splice(0)) expect(await process.finished).toMatchObject({ code: 0 });
}, MINUTE_MS);

afterAll(async () => {
  await service?.[Symbol.asyncDispose]();
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

async function startReplica(env: Readonly<Record<string, string>> = {}): Promise<void> {
  const [port = 0] = await findFreePorts(1);
  replicas.push({ process: await installed.start(port, ["--shutdown-delay-duration=0s"], env), url: `https://127.0.0.1:${port}` });
  await service.add(port);
}

function waitUntilAvailable(): Promise<void> {
  return eventually(async () => {
    const { status } = JSON.parse(
      (await front.request("GET", "/apis/apiregistration.k8s.io/v1/apiservices/v1.tomlebreux.com")).text,
    ) as APIServiceObject;
    expect(status?.conditions?.find(({ type }) => type === "Available")).toMatchObject({ status: "True" });
  });
}

/** How the servers are known, and as nobody. */
async function servedAccess(): Promise<ClusterAccess> {
  const bundle = printed(await installed.kubectl(["get", "apiservice", "v1.tomlebreux.com", "-o", "jsonpath={.spec.caBundle}"]));
  return { ca: Buffer.from(bundle, "base64").toString(), cert: "", key: "", servername: `${RELEASE}.${NAMESPACE}.svc` };
}

async function proxyPair(): Promise<{ readonly cert: string; readonly key: string }> {
  const [cert = "", key = ""] = await Promise.all(["crt", "key"].map((end) => readFile(join(plane.folder, `front-proxy.${end}`), "utf8")));
  return { cert, key };
}

async function statusOf(answer: Promise<{ readonly status: number }>): Promise<number> {
  return (await answer).status;
}

async function metadataOf(
  answer: Promise<{ readonly status: number; readonly text: string }>,
): Promise<{ readonly uid: string; readonly resourceVersion: string }> {
  const { status, text } = await answer;
  expect([200, 201], text).toContain(status);
  const { uid, resourceVersion } = (JSON.parse(text) as { readonly metadata: { readonly uid: string; readonly resourceVersion: string } }).metadata;
  return { uid, resourceVersion };
}

/** Asks over a connection that stays: the status, and the message of a refusal. */
function askOver(session: ClientHttp2Session, path: string, headers: Readonly<Record<string, string>>): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, ...headers });
    let status = 0;
    let text = "";
    stream
      .on("response", (answer) => {
        status = Number(answer[":status"]);
      })
      .on("error", reject)
      .setEncoding("utf8")
      .on("data", (chunk: string) => {
        text += chunk;
      })
      .on("end", () => resolve(`${status} ${(JSON.parse(text) as { readonly message?: string }).message ?? ""}`));
  });
}

/** An APIService, as far as the test looks. */
interface APIServiceObject {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

/** A token of a list, as far as the test looks. */
interface Listed {
  readonly metadata: { readonly name: string; readonly labels?: Readonly<Record<string, string>> };
}

describe("a kube-apiserver that goes away, and comes back with another front proxy's CA", () => {
  let direct: (credential: Credential) => Client;
  let served: ClusterAccess;
  beforeEach(async () => {
    await startReplica();
    await waitUntilAvailable();
    served = await servedAccess();
    const [replica] = replicas;
    direct = (credential) =>
      createClient(replica?.url ?? "", credential === "admin" ? { ...admin, ...served, cert: admin.cert, key: admin.key } : served, credential);
  }, 2 * MINUTE_MS);

  test("nobody is let in meanwhile or by the former CA, and nothing is lost", { timeout: 4 * MINUTE_MS }, async () => {
    const [replica] = replicas;
    if (replica === undefined) throw new Error("unreachable");
    const [first, lost, second] = ["a", "b", "c"].map((name) => `outage-${name}-${Date.now()}`) as [string, string, string]; // three
    const before = await metadataOf(front.request("POST", TOKENS, tokenV1(first)));
    const watch = await direct("admin").watch(`${TOKENS}?watch=true&resourceVersion=${before.resourceVersion}`);
    const formerPair = await proxyPair();
    const former = connect(replica.url, { ...served, ...formerPair });
    former.on("error", () => undefined);
    const asBob = { "x-remote-user": "bob" };
    const bobMayNot = `403 ranchertokens.tomlebreux.com is forbidden: User "bob" cannot list resource "ranchertokens" in API group "tomlebreux.com" in the namespace "default"`;
    expect(await askOver(former, TOKENS, asBob)).toBe(bobMayNot);
    expect(await statusOf(direct({ token: plane.tokens.alice }).request("GET", TOKENS))).toBe(403);
    expect(await statusOf(direct({ token: plane.tokens.admin }).request("GET", TOKENS))).toBe(200);

    await replaceFrontProxy(plane.folder, front, async () => {
      const goneMs = performance.now();
      expect(await statusOf(direct("admin").request("POST", TOKENS, tokenV1(lost)))).toBe(503);
      expect(await statusOf(direct("admin").request("GET", `${TOKENS}/${first}`))).toBe(503);
      expect(await statusOf(direct("admin").request("DELETE", `${TOKENS}/${first}`))).toBe(503);
      expect(await statusOf(direct({ token: `${plane.tokens.alice}x` }).request("GET", TOKENS))).toBe(401);
      expect(await askOver(former, TOKENS, { "x-remote-user": "carol" })).toMatch(/^500 /);
      expect(await statusOf(direct("anonymous").request("GET", TOKENS))).toBe(500);
      expect(
        await statusOf(direct("anonymous").request("GET", TOKENS, undefined, { "x-remote-user": "admin", "x-remote-group": "system:masters" })),
      ).toBe(500);
      await eventually(async () => expect(await statusOf(direct("anonymous").request("GET", "/readyz"))).toBe(500));
      await sleep(OUTAGE_MS - (performance.now() - goneMs));
      // What was known is known no longer.
      expect(await statusOf(direct({ token: plane.tokens.admin }).request("GET", TOKENS))).toBe(401);
      expect(await askOver(former, TOKENS, asBob)).toMatch(/^500 /);
      expect(await statusOf(direct("anonymous").request("GET", "/livez"))).toBe(200);
    });

    // Behind the back of a server that does not follow the cluster again yet.
    const labelled = { metadata: { labels: { seen: "yes" } } };
    const patch = await front.request("PATCH", `/api/v1/namespaces/default/secrets/${first}`, labelled, {
      "content-type": "application/merge-patch+json",
    });
    expect(patch.status, patch.text).toBe(200);
    await eventually(async () => expect(await statusOf(direct("anonymous").request("GET", "/readyz"))).toBe(200));
    await waitUntilAvailable();
    await eventually(async () => metadataOf(front.request("POST", TOKENS, tokenV1(second))));
    expect(await metadataOf(front.request("GET", `${TOKENS}/${first}`))).toMatchObject({ uid: before.uid });
    expect(await statusOf(front.request("GET", `${TOKENS}/${lost}`))).toBe(404);
    // A kube-apiserver that has just started remembers nothing of before, and says so: whoever watches lists anew.
    await eventually(() => expect(watch.events.map(({ type, object }) => [type, object.code])).toEqual([["ERROR", 410]]));
    watch.close();
    const { items } = JSON.parse((await front.request("GET", TOKENS)).text) as { readonly items: readonly Listed[] };
    const listed = items.map(({ metadata: { name, labels = {} } }) => [name, labels.seen]);
    expect(listed.filter(([name]) => [first, lost, second].includes(name ?? ""))).toEqual([
      [first, "yes"],
      [second, undefined],
    ]);

    // A kube-apiserver adds its CA to those that it finds in the ConfigMap: the former one counts until somebody removes that, and it is made anew.
    const anybody = { "x-remote-user": "bob", "x-remote-group": "system:masters" };
    expect(await statusOf(front.request("DELETE", "/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication"))).toBe(200);
    // Whoever has the former front proxy's key is nobody any more, also over the connection that was open all the time.
    await eventually(async () => expect(await askOver(former, TOKENS, anybody)).toBe("401 Unauthorized"));
    former.destroy();
    const again = connect(replica.url, { ...served, ...formerPair });
    again.on("error", () => undefined);
    expect(await askOver(again, TOKENS, anybody)).toBe("401 Unauthorized");
    again.destroy();
    const present = connect(replica.url, { ...served, ...(await proxyPair()) });
    expect(await askOver(present, TOKENS, asBob)).toBe(bobMayNot);
    present.destroy();
  });
});

describe("clocks that differ from the cluster's by five minutes", () => {
  let served: ClusterAccess;
  const names = () => [`${RELEASE}-serving-ca`, `${RELEASE}-serving-cert`];

  /** A replica by whose clock it is as much later than it is. What Date tells is all that the program has of the time of day, but for OpenSSL's look at the kube-apiserver's certificate. */
  async function startSkewed(skewMs: number): Promise<void> {
    const path = join(installed.kubectl.home, "skewed-clock.mjs");
    const code = `const Real = Date;
const now = () => Real.now() + Number(process.env.SKEW_MS);
globalThis.Date = class Date extends Real {
  constructor(...args) {
    args.length === 0 ? super(now()) : super(...args);
  }
  static now() {
    return now();
  }
};`;
    await writeFile(path, code);
    await startReplica({ NODE_OPTIONS: `--import=${path}`, SKEW_MS: String(skewMs) });
  }

  async function stopReplica(): Promise<void> {
    const replica = replicas.pop();
    replica?.process.kill("SIGTERM");
    expect(await replica?.process.finished).toMatchObject({ code: 0 });
  }

  async function versions(): Promise<readonly string[]> {
    return Promise.all(
      names().map(async (name) => (await metadataOf(front.request("GET", `/api/v1/namespaces/${NAMESPACE}/secrets/${name}`))).resourceVersion),
    );
  }

  async function lease(): Promise<{ readonly holderIdentity: string; readonly leaseTransitions: number; readonly renewTime: string }> {
    const { text } = await front.request("GET", `/apis/coordination.k8s.io/v1/namespaces/${NAMESPACE}/leases/${RELEASE}-registration`);
    return JSON.parse(text).spec;
  }

  test("two replicas, one ahead and one behind, answer alike, show one certificate, and let nobody in by it", {
    timeout: 3 * MINUTE_MS,
  }, async () => {
    await installed.unregister();
    // Its certificates begin later than those of any other would, and the kube-apiserver takes them.
    await startSkewed(SKEW_MS);
    await waitUntilAvailable();
    const made = await versions();
    await stopReplica();
    // Whoever is ahead would think long ago what one that is behind says now.
    await startSkewed(-SKEW_MS);
    await eventually(async () => expect((await lease()).holderIdentity).not.toBe(""));
    const { holderIdentity, leaseTransitions } = await lease();
    await startSkewed(SKEW_MS);
    await waitUntilAvailable();
    served = await servedAccess();
    const clients = replicas.map(
      ({ url }) =>
        (credential: Credential) =>
          createClient(url, served, credential),
    );
    const [behind, ahead] = clients.map((client) => client({ token: plane.tokens.admin }));
    if (behind === undefined || ahead === undefined) throw new Error("unreachable");

    // Some looks at the Lease later.
    const { renewTime } = await lease();
    const from = (JSON.parse((await front.request("GET", TOKENS)).text) as { readonly metadata: { readonly resourceVersion: string } }).metadata
      .resourceVersion;
    const watches = await Promise.all([front, behind, ahead].map((client) => client.watch(`${TOKENS}?watch=true&resourceVersion=${from}`)));
    for (const [index, [writer, reader]] of [[behind, ahead] as const, [ahead, behind] as const, [front, ahead] as const].entries()) {
      // Over in two minutes: to one of them it is at once, and it stays all the same.
      const name = `skewed-${from}-${index}`;
      const { uid } = await metadataOf(writer.request("POST", TOKENS, tokenV1(name, { ttlSeconds: 120 })));
      expect(await metadataOf(reader.request("GET", `${TOKENS}/${name}`))).toMatchObject({ uid });
    }
    for (const watch of watches) await watch.atLeast(3);
    await sleep(12_000);
    expect(new Set(watches.map(({ events }) => JSON.stringify(events.map(({ type, object }) => `${type} ${object.metadata.name}`)))).size).toBe(1);
    for (const watch of watches) watch.close();
    const renewed = await lease();
    expect(renewed).toMatchObject({ holderIdentity, leaseTransitions });
    expect(renewed.renewTime > renewTime).toBe(true);
    expect(await versions()).toEqual(made);

    // Tokens are judged by the cluster's clock alone.
    const token = await serviceAccountToken(front, NAMESPACE, RELEASE);
    const nowS = Math.floor(Date.now() / 1000);
    for (const client of clients) {
      const statusBy = async (claims: object) => statusOf(client({ token: await signedAnew(plane.folder, token, claims) }).request("GET", TOKENS));
      expect(await statusBy({ iat: nowS - 7200, nbf: nowS - 7200, exp: nowS + 60 })).toBe(403);
      expect(await statusBy({ iat: nowS - 7200, nbf: nowS - 7200, exp: nowS - 120 })).toBe(401);
      expect(await statusBy({ iat: nowS + 240, nbf: nowS + 240, exp: nowS + 7200 })).toBe(401);
    }
  });
});
