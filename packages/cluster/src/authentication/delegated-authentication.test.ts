// A server's sockets, its authenticators, and a cluster that tells whom to believe: what comes of each request on its way.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type APIRequest, allowAnonymous, type Clock, unionAuthenticator } from "@annex/apiserver";
import {
  createHTTPServer,
  generateCA,
  generateClientCertificate,
  generateKey,
  generateServingCertificate,
  type KeyPairPEM,
  parseOptions,
  systemClock,
  type Validity,
} from "@annex/apiserver-node";
import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { createClusterClient } from "../client/index.ts";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { shownLog } from "../testing/review-cluster.ts";
import { type DelegatedAuthentication, delegatedAuthentication } from "./delegated-authentication.ts";
import { DELEGATED_OPTIONS } from "./delegated-options.ts";

const HOUR_MS = 3_600_000;
const never = new AbortController().signal;
const PATH = "/api/v1/namespaces/kube-system/configmaps";
const anonymous = { name: "system:anonymous", groups: ["system:unauthenticated"] };
const eventually = <T>(check: () => T | Promise<T>): Promise<T> => vi.waitFor(check, { timeout: 20_000, interval: 20 });

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const validFor = (hours: number): Validity => ({ notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + hours * HOUR_MS });

async function makeCA(name: string): Promise<KeyPairPEM> {
  const key = await generateKey();
  return { key, cert: await generateCA(name, key, validFor(10)) };
}

const clientOf = (ca: KeyPairPEM, commonName: string, organizations: readonly string[] = [], hours = 1) =>
  generateClientCertificate(ca, { commonName, organizations }, validFor(hours));

let clusterCA: KeyPairPEM;
let proxyCA: KeyPairPEM;
let proxy: KeyPairPEM;
let serving: KeyPairPEM;
beforeAll(async () => {
  [clusterCA, proxyCA] = [await makeCA("cluster-ca"), await makeCA("front-proxy-ca")];
  proxy = await clientOf(proxyCA, "front-proxy-client");
  serving = await generateServingCertificate(clusterCA, ["127.0.0.1"], validFor(1));
});

/** What kube-apiserver writes into its ConfigMap. */
function configMap(data: Readonly<Record<string, string | undefined>> = {}, resourceVersion = "1") {
  return {
    metadata: { name: "extension-apiserver-authentication", namespace: "kube-system", resourceVersion },
    data: {
      "client-ca-file": clusterCA.cert,
      "requestheader-client-ca-file": proxyCA.cert,
      "requestheader-allowed-names": '["front-proxy-client"]',
      "requestheader-username-headers": '["X-Remote-User"]',
      "requestheader-group-headers": '["X-Remote-Group"]',
      "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
      ...data,
    },
  };
}

interface Running {
  readonly port: number;
  readonly lines: string[];
  readonly authentication: DelegatedAuthentication;
  readonly requests: readonly string[];
  /** The ConfigMap becomes another one. */
  change(data: Readonly<Record<string, string | undefined>>): void;
}

/** A cluster with that ConfigMap, and a server that answers who it thinks is asking. */
async function start(
  data?: Readonly<Record<string, string | undefined>>,
  args: readonly string[] = [],
  clock: Clock = systemClock,
): Promise<Running> {
  let present = configMap(data);
  let announce: ((object: object) => void) | undefined;
  const cluster = await startFakeCluster((request, response) => {
    if (request.url === `${PATH}/extension-apiserver-authentication`) answerJSON(response, 200, present);
    else if (request.url?.includes("watch=true")) announce = (object) => void response.write(`${JSON.stringify({ type: "MODIFIED", object })}\n`);
    else answerJSON(response, 200, { metadata: { resourceVersion: "1" }, items: [present] });
  });
  const client = createClusterClient(cluster.config, { clock: systemClock });
  cleanups.push(
    () => cluster[Symbol.asyncDispose](),
    () => client[Symbol.asyncDispose](),
  );
  const lines: string[] = [];
  const log = shownLog(lines);
  const authentication = delegatedAuthentication({ client, options: parseOptions(DELEGATED_OPTIONS, args), clock, log });
  await authentication.start(never);
  const stopping = new AbortController();
  const running = authentication.run(stopping.signal);
  cleanups.push(async () => {
    stopping.abort();
    await running;
  });
  const authenticator = allowAnonymous(unionAuthenticator(authentication.authenticators));
  const handler = async (request: APIRequest) => {
    const user = await Promise.resolve(request)
      .then((asked) => authenticator.authenticate(asked))
      .catch((error: { readonly code: number }) => error.code);
    return { status: user === 401 ? 401 : 200, headers: {}, body: new TextEncoder().encode(JSON.stringify(user)) };
  };
  const tls = () => ({ ...serving, clientCAs: authentication.clientCAs.current() });
  const server = createHTTPServer({ handler, tls: tls(), log });
  authentication.clientCAs.onChange(() => server.reloadTLS(tls()));
  const { port } = await server.listen(0, "127.0.0.1");
  cleanups.push(() => server[Symbol.asyncDispose]());
  await eventually(() => expect(announce !== undefined || args.length > 0).toBe(true));
  return {
    port,
    lines,
    authentication,
    requests: cluster.requests,
    change(changed) {
      present = configMap(changed, String(Number(present.metadata.resourceVersion) + 1));
      announce?.(present);
    },
  };
}

function open(port: number, client?: KeyPairPEM): ClientHttp2Session {
  const session = connect(`https://127.0.0.1:${port}`, { ca: clusterCA.cert, ...client });
  session.on("error", () => {});
  cleanups.push(() => session.destroy());
  return session;
}

/** Who the server thinks is asking: the user, or 401. */
function whoami(session: ClientHttp2Session, headers: Readonly<Record<string, string | string[]>> = {}): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": "/", ...headers });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString()));
      } catch (error) {
        reject(error);
      }
    });
    stream.on("error", reject);
  });
}

const asBob = { "x-remote-user": "bob", "x-remote-group": ["a, system:masters", "b"], "x-remote-extra-A%2fb": ["c, d"] };
const bob = { name: "bob", groups: ["a, system:masters", "b", "system:authenticated"], extra: { "a/b": ["c, d"] } };

describe("one connection of the front proxy", () => {
  test("carries all users, and itself without groups", async () => {
    const { port } = await start();
    const session = open(port, proxy);
    expect(await whoami(session, asBob)).toEqual(bob);
    expect(await whoami(session, { "x-remote-user": "system:kube-aggregator" })).toMatchObject({ groups: ["system:authenticated"] });
    expect(await whoami(session, { "x-remote-user": "system:anonymous", "x-remote-group": "system:unauthenticated" })).toMatchObject(anonymous);
  });

  test("is judged by the CA of now: refused while it is another's, believed again with both", async () => {
    const { port, change } = await start();
    const session = open(port, proxy);
    const other = await makeCA("front-proxy-ca");
    expect(await whoami(session, asBob)).toEqual(bob);
    change({ "requestheader-client-ca-file": other.cert });
    await eventually(async () => expect(await whoami(open(port, await clientOf(other, "front-proxy-client")), asBob)).toEqual(bob));
    expect(await whoami(session, asBob)).toBe(401);
    // Told to go, since another connection might show another certificate.
    await eventually(() => expect(session.closed).toBe(true));
    const second = open(port, proxy);
    change({ "requestheader-client-ca-file": other.cert + proxyCA.cert });
    await eventually(async () => expect(await whoami(second.closed ? open(port, proxy) : second, asBob)).toEqual(bob));
  });

  test("ends to be believed when its certificate ends", async () => {
    const { port } = await start();
    const session = open(port, proxy);
    expect(await whoami(session, asBob)).toEqual(bob);
    const now = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 2 * HOUR_MS);
    cleanups.push(() => now.mockRestore());
    expect(await whoami(session, asBob)).toBe(401);
  });

  test("says in other headers who asks, from one request to the next", async () => {
    const { port, change, authentication } = await start();
    const told = vi.fn();
    authentication.clientCAs.onChange(told);
    const session = open(port, proxy);
    expect(await whoami(session, { "x-remote-user": "bob", "x-uid": "7" })).toMatchObject({ name: "bob" });
    change({ "requestheader-username-headers": '["X-Who"]', "requestheader-uid-headers": '["X-Uid"]' });
    await eventually(async () => expect(await whoami(open(port, proxy), { "x-who": "joe", "x-uid": "7" })).toMatchObject({ name: "joe", uid: "7" }));
    expect(await whoami(open(port, proxy), { "x-remote-user": "bob" })).toBe(401);
    // The CAs are the same: handshakes, and verdicts about certificates, stay as they are.
    expect(told).not.toHaveBeenCalled();
  });
});

describe("nobody else says who asks", () => {
  const forged = { "x-remote-user": "admin", "x-remote-group": "system:masters" };

  test.each<{ what: string; client: () => Promise<KeyPairPEM> | undefined; want: unknown }>([
    { what: "without a certificate", client: () => undefined, want: expect.objectContaining(anonymous) },
    {
      what: "with a certificate of the cluster's CA, named as the front proxy",
      client: () => clientOf(clusterCA, "front-proxy-client"),
      want: expect.objectContaining({ name: "front-proxy-client", groups: ["system:authenticated"] }),
    },
    { what: "with another name of the front proxy's CA", client: () => clientOf(proxyCA, "somebody"), want: 401 },
    { what: "with one of a CA of the same name", client: async () => clientOf(await makeCA("front-proxy-ca"), "front-proxy-client"), want: 401 },
    { what: "with one that is over", client: () => clientOf(proxyCA, "front-proxy-client", [], -0.5), want: 401 },
    { what: "with the server's own certificate", client: () => Promise.resolve(serving), want: 401 },
  ])("$what", async ({ client, want }) => {
    const { port } = await start();
    expect(await whoami(open(port, await client()), forged)).toEqual(want);
  });

  test("by names that look alike", async () => {
    const { port } = await start();
    const sent = { x_remote_user: "admin", "x-remote_user": "admin", "x-remote-users": "admin", "remote-user": "admin" };
    expect(await whoami(open(port, proxy), sent)).toBe(401);
    expect(await whoami(open(port, proxy), { ...sent, "x-remote-user": ["bob", "admin"] })).toMatchObject({ name: "bob" });
  });

  test("nor a client certificate by its organization, where it is of the front proxy's CA", async () => {
    const { port } = await start({ "requestheader-allowed-names": "[]" });
    const session = open(port, await clientOf(proxyCA, "admin", ["system:masters"]));
    expect(await whoami(session)).toBe(401);
    const second = open(port, await clientOf(proxyCA, "admin", ["system:masters"]));
    expect(await whoami(second, { "x-remote-user": "bob" })).toMatchObject({ name: "bob", groups: ["system:authenticated"] });
  });
});

describe("what is configured", () => {
  test("client certificates of the cluster are users, from the moment that their CA is known", async () => {
    const { port, change } = await start({ "client-ca-file": undefined });
    const jane = await clientOf(clusterCA, "jane", ["devs"]);
    const session = open(port, jane);
    expect(await whoami(session)).toBe(401);
    change({});
    await eventually(async () => expect(await whoami(open(port, jane))).toMatchObject({ name: "jane", groups: ["devs", "system:authenticated"] }));
  });

  test.each([
    { what: "no CA", data: { "requestheader-client-ca-file": undefined, "client-ca-file": "" } },
    { what: "a CA that cannot be read", data: { "requestheader-client-ca-file": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----" } },
    { what: "names that are no list", data: { "requestheader-allowed-names": "front-proxy-client" } },
  ])("stays as it was when the cluster says $what", async ({ data }) => {
    const { port, change, lines } = await start();
    change(data);
    await eventually(() => expect(lines.join("\n")).toContain("those from before stay"));
    expect(await whoami(open(port, proxy), asBob)).toEqual(bob);
  });

  test("is asked of the cluster with the rights of the Role extension-apiserver-authentication-reader", async () => {
    const { requests } = await start();
    const follow = `${PATH}?fieldSelector=metadata.name%3Dextension-apiserver-authentication`;
    expect(requests[0]).toBe(`GET ${PATH}/extension-apiserver-authentication`);
    expect(requests.slice(1).every((request) => request.startsWith(`GET ${follow}&`))).toBe(true);
  });

  test("may be in files, which are read again every minute", async () => {
    const folder = await mkdtemp(join(tmpdir(), "annex-authentication-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const file = join(folder, "clients.crt");
    await writeFile(file, clusterCA.cert);
    let wake: () => void = () => undefined;
    const sleep: Clock["sleep"] = (ms, signal) =>
      new Promise((resolve, reject) => {
        if (ms === 60_000) wake = resolve;
        signal?.addEventListener("abort", () => reject(signal.reason));
      });
    const { authentication, lines } = await start({}, [`--client-ca-file=${file}`, "--authentication-skip-lookup"], { now: Date.now, sleep });
    const told = vi.fn();
    authentication.clientCAs.onChange(told);
    await writeFile(file, "no CA");
    wake();
    await eventually(() => expect(lines.join("\n")).toContain("those from before stay"));
    expect(authentication.clientCAs.current()).toEqual([clusterCA.cert]);
    const other = await makeCA("other");
    await writeFile(file, other.cert);
    wake();
    await eventually(() => expect(authentication.clientCAs.current()).toEqual([other.cert]));
    expect(told).toHaveBeenCalledTimes(1);
  });

  test("may be in files, which are all that counts then", async () => {
    const folder = await mkdtemp(join(tmpdir(), "annex-authentication-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const [clients, proxies] = [join(folder, "clients.crt"), join(folder, "proxies.crt")];
    await writeFile(clients, clusterCA.cert);
    await writeFile(proxies, proxyCA.cert);
    const args = [`--client-ca-file=${clients}`, `--requestheader-client-ca-file=${proxies}`, "--requestheader-username-headers= X-Who "];
    const { port, requests } = await start({}, args);
    expect(requests).toEqual([]);
    // No allowed names: any that the CA vouches for.
    expect(await whoami(open(port, await clientOf(proxyCA, "any")), { "x-who": "bob" })).toMatchObject({ name: "bob" });
    expect(await whoami(open(port, await clientOf(clusterCA, "jane")))).toMatchObject({ name: "jane" });
  });
});

describe("the start", () => {
  const authenticationOf = async (code: number, args: readonly string[] = []) => {
    const reason = { 401: "Unauthorized", 403: "Forbidden" }[code] ?? "NotFound";
    const cluster = await startFakeCluster((_request, response) =>
      answerJSON(response, code, { kind: "Status", status: "Failure", code, reason, message: "why" }),
    );
    const client = createClusterClient(cluster.config, { clock: systemClock });
    cleanups.push(
      () => cluster[Symbol.asyncDispose](),
      () => client[Symbol.asyncDispose](),
    );
    const lines: string[] = [];
    const options = parseOptions(DELEGATED_OPTIONS, args);
    return { lines, ...delegatedAuthentication({ client, options, clock: systemClock, log: shownLog(lines) }) };
  };

  test.each([
    { what: "none", content: "no CA", problem: "FILE has no certificate in PEM" },
    {
      what: "of rubbish",
      content: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      problem: "FILE has a certificate that cannot be read",
    },
    { what: "that is not there", content: undefined, problem: "cannot read FILE: there is no such file or folder" },
  ])("ends with one line and 2 for a CA file $what", async ({ content, problem }) => {
    const folder = await mkdtemp(join(tmpdir(), "annex-authentication-"));
    cleanups.push(() => rm(folder, { recursive: true }));
    const file = join(folder, "ca.crt");
    if (content !== undefined) await writeFile(file, content);
    for (const option of ["client-ca-file", "requestheader-client-ca-file"]) {
      const { start: begin, lines } = await authenticationOf(200, [`--${option}=${file}`]);
      await expect(begin(never)).rejects.toMatchObject({ exitCode: 2, message: problem.replace("FILE", file) });
      expect(lines).toEqual([]);
    }
  });

  test("ends with the remedy when the ConfigMap may not be read", async () => {
    const { start: begin, ready } = await authenticationOf(403);
    await expect(begin(never)).rejects.toThrow(
      "may not read configmap kube-system/extension-apiserver-authentication: why. Bind the Role extension-apiserver-authentication-reader: " +
        "kubectl create rolebinding -n kube-system ROLEBINDING_NAME --role=extension-apiserver-authentication-reader --serviceaccount=YOUR_NS:YOUR_SA",
    );
    expect(() => ready.check(never)).toThrow("has not been read yet");
  });

  test("says so when the cluster does not know this server", async () => {
    await expect((await authenticationOf(401)).start(never)).rejects.toThrow(
      "configmap kube-system/extension-apiserver-authentication cannot be read: the kube-apiserver does not take this server's credentials",
    );
  });

  test.each([
    { what: "that is tolerated", code: 403, args: ["--authentication-tolerate-lookup-failure"], says: "going on without", isReady: true },
    { what: "it is not there yet", code: 404, args: [], says: "no front proxy and no client certificate is believed until it is", isReady: false },
  ])("goes on where $what, and the server is ready: $isReady", async ({ code, args, says, isReady }) => {
    const { start: begin, ready, lines, clientCAs } = await authenticationOf(code, args);
    await begin(never);
    expect(lines.join("\n")).toContain(says);
    expect(clientCAs.current()).toEqual([]);
    if (isReady) await ready.check(never);
    else expect(() => ready.check(never)).toThrow("has not been read yet");
  });

  test("asks nothing where that is not wanted", async () => {
    const { start: begin, ready, clientCAs } = await authenticationOf(500, ["--authentication-skip-lookup"]);
    await begin(never);
    await ready.check(never);
    expect(clientCAs.current()).toEqual([]);
  });
});
