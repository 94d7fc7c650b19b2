// Stopping and starting again: what runs is finished, watches end in order, and nobody misses anything.
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { describe, expect, test } from "vitest";
import type { Watch } from "./client.ts";
import { openKubectl } from "./kubectl.ts";
import { parseObject, token } from "./kubectl-suite.ts";
import { startServer, type TestServer } from "./server.ts";

const TOKENS = "/apis/tomlebreux.com/v1alpha1/namespaces/default/ranchertokens";

/** How a stream of an HTTP/2 connection ended. */
interface StreamEnd {
  readonly status: number | undefined;
  readonly text: string;
  /** RFC 9113 error code; 0 (NO_ERROR) for one that ended in order. */
  readonly rstCode: number;
}

function openSession({ url, access }: TestServer): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const session = connect(url, { ca: access.ca, cert: access.cert, key: access.key }, () => resolve(session));
    session.once("error", reject);
  });
}

function endOf(stream: ClientHttp2Stream): Promise<StreamEnd> {
  let status: number | undefined;
  let text = "";
  stream.on("response", (headers) => {
    status = headers[":status"];
  });
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    stream.on("error", reject).on("close", () => resolve({ status, text, rstCode: stream.rstCode ?? 0 }));
  });
}

/** Resolves when the server has taken in every frame sent so far: it answers a ping after what came before it. */
function delivered(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

describe("stopping", () => {
  test.each(["SIGTERM", "SIGINT"] as const)("%s: a running request is answered, watches end in order, the exit code is 0", async (signal) => {
    const server = await startServer();
    const oldWatch = await server.client().watch(`${TOKENS}?watch=true`);
    const session = await openSession(server);
    const watch = session.request({ ":path": `${TOKENS}?watch=true` });
    const watched = endOf(watch);
    await new Promise((resolve) => watch.once("response", resolve));
    const create = session.request({ ":method": "POST", ":path": TOKENS, "content-type": "application/json" });
    const created = endOf(create);
    const body = JSON.stringify(token("late"));
    create.write(body.slice(0, 20));
    await delivered(session);

    const goaway = new Promise<number>((resolve) => session.once("goaway", resolve));
    const stopped = server.stop(signal);
    expect(await goaway).toBe(0);
    create.end(body.slice(20));
    expect(await created).toMatchObject({ status: 201, rstCode: 0 });
    expect(await watched).toMatchObject({ status: 200, rstCode: 0 });
    expect(await oldWatch.ended).toBe(true);
    expect(await stopped).toMatchObject({ code: 0 });
    await expect(server.client().request("GET", "/version")).rejects.toThrow("ECONNREFUSED");

    const again = await startServer({ dataDir: server.dataDir });
    expect(await again.client().request("GET", `${TOKENS}/late`)).toMatchObject({ status: 200 });
    await again.stop();
  });

  test("a client that does not read, and one that never ends its request, do not hold it up", async () => {
    const server = await startServer();
    const session = await openSession(server);
    session.on("error", () => undefined);
    const hanging = session.request({ ":method": "POST", ":path": TOKENS, "content-type": "application/json" });
    hanging.on("error", () => undefined).write("{");
    const unread = session.request({ ":path": `${TOKENS}?watch=true` });
    unread.on("error", () => undefined).pause();
    await delivered(session);
    expect(await server.stop()).toMatchObject({ code: 0 });
    session.destroy();
  });

  test("npm start -- …, stopped by SIGTERM to npm", async () => {
    const server = await startServer({ throughNpm: true });
    expect(server.output()).toMatch(/^Serving https:\/\/127\.0\.0\.1:\d+$/m);
    expect(server.output()).toContain(`export KUBECONFIG=${server.kubeconfig}\n`);
    const kubectl = await openKubectl(server.kubeconfig);
    expect(await kubectl(["get", "ns", "-o", "name"])).toMatchObject({ code: 0, stdout: expect.stringContaining("namespace/default\n") });
    await server.stop();
    await expect(server.client().request("GET", "/version")).rejects.toThrow("ECONNREFUSED");
  });

  test("npm start -- …, stopped by Ctrl-C, which reaches npm and the server, and npm passes it on", async () => {
    const server = await startServer({ throughNpm: true });
    const watch = await server.client().watch(`${TOKENS}?watch=true`);
    const session = await openSession(server);
    const create = session.request({ ":method": "POST", ":path": TOKENS, "content-type": "application/json" });
    const created = endOf(create);
    const body = JSON.stringify(token("late"));
    create.write(body.slice(0, 20));
    await delivered(session);
    const goaway = new Promise((resolve) => session.once("goaway", resolve));
    server.process.killGroup("SIGINT");
    await goaway;
    create.end(body.slice(20));
    expect(await created).toMatchObject({ status: 201, rstCode: 0 });
    expect(await watch.ended).toBe(true);
    await server.process.finished;
  });
});

describe("a restart in the middle of a watch", () => {
  const names = (watch: Watch) => watch.events.map(({ type, object }) => `${type} ${object.metadata.name}`);

  test("a client that resumes from its last resourceVersion misses nothing", async () => {
    const first = await startServer();
    const list = parseObject((await first.client().request("GET", TOKENS)).text);
    const watch = await first.client().watch(`${TOKENS}?watch=true&resourceVersion=${list.metadata.resourceVersion}`);
    const admin = first.client();
    for (const name of ["a", "b", "c"]) expect(await admin.request("POST", TOKENS, token(name))).toMatchObject({ status: 201 });
    await watch.atLeast(2);
    const last = watch.events[1]?.object.metadata.resourceVersion;
    // Behind its back: what happens between the last event that it took note of and the restart.
    const patch = { "content-type": "application/merge-patch+json" };
    expect(await admin.request("PATCH", `${TOKENS}/a`, { spec: { enabled: "false" } }, patch)).toMatchObject({ status: 200 });
    expect(await admin.request("DELETE", `${TOKENS}/b`)).toMatchObject({ status: 200 });
    await first.stop();
    expect(await watch.ended).toBe(true);

    const second = await startServer({ dataDir: first.dataDir, port: first.port });
    const resumed = await second.client().watch(`${TOKENS}?watch=true&resourceVersion=${last}`);
    await resumed.atLeast(3);
    expect(await second.client().request("POST", TOKENS, token("d"))).toMatchObject({ status: 201 });
    await resumed.atLeast(4);
    expect(names(resumed)).toEqual(["ADDED c", "MODIFIED a", "DELETED b", "ADDED d"]);
    expect(names(watch).slice(0, 2)).toEqual(["ADDED a", "ADDED b"]);
    const revisions = resumed.events.map(({ object }) => Number(object.metadata.resourceVersion));
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(revisions[0]).toBeGreaterThan(Number(last));
    resumed.close();
    await second.stop();
  });

  test("so does one whose server was killed", async () => {
    const first = await startServer();
    const watch = await first.client().watch(`${TOKENS}?watch=true&resourceVersion=0`);
    expect(await first.client().request("POST", TOKENS, token("a"))).toMatchObject({ status: 201 });
    await watch.atLeast(1);
    const last = watch.events[0]?.object.metadata.resourceVersion;
    expect(await first.client().request("POST", TOKENS, token("b"))).toMatchObject({ status: 201 });
    first.process.kill("SIGKILL");
    expect(await watch.ended).toBe(false);
    await first.process.finished;

    const second = await startServer({ dataDir: first.dataDir, port: first.port });
    const resumed = await second.client().watch(`${TOKENS}?watch=true&resourceVersion=${last}`);
    await resumed.atLeast(1);
    expect(names(resumed)).toEqual(["ADDED b"]);
    resumed.close();
    await second.stop();
  });
});
