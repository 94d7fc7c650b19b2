import type { ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { APIError } from "@annex/apimachinery";
import { generateCA, generateKey, systemClock } from "@annex/apiserver-node";
import { describe, expect, test } from "vitest";
import { answerJSON, type FakeCluster, startFakeCluster } from "../testing/fake-cluster.ts";
import { type ClusterClient, createClusterClient } from "./cluster-client.ts";
import type { ClusterTLS } from "./cluster-config.ts";
import { ClusterUnavailableError } from "./unavailable.ts";

const never = new AbortController().signal;
const status = (code: number, reason: string) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  reason,
  code,
  message: `because ${reason}`,
});

function clientOf({ config }: Pick<FakeCluster, "config">, timeoutMs?: number): ClusterClient {
  return createClusterClient(config, { clock: systemClock, ...(timeoutMs === undefined ? {} : { timeoutMs }) });
}

describe("a request", () => {
  test("carries credentials, query and body, and gives the answer's", async () => {
    let seen: unknown;
    await using cluster = await startFakeCluster((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const { authorization, "content-type": contentType } = request.headers;
        seen = { authorization, contentType, body: Buffer.concat(chunks).toString() };
        answerJSON(response, 201, { a: 9007199254740993n.toString() });
      });
    });
    await using client = clientOf(cluster);
    const query = { dryRun: "All", fieldManager: "a b", absent: undefined };
    const answer = await client.request({ method: "POST", path: "/api/v1/namespaces", query, body: { b: 1 } }, never);
    expect(answer).toEqual({ a: "9007199254740993" });
    expect(cluster.requests).toEqual(["POST /api/v1/namespaces?dryRun=All&fieldManager=a+b"]);
    expect(seen).toEqual({ authorization: "Bearer one", contentType: "application/json", body: '{"b":1}' });
  });

  test.each([
    { code: 404, body: status(404, "NotFound"), reason: "NotFound", message: "because NotFound" },
    { code: 409, body: status(409, "AlreadyExists"), reason: "AlreadyExists", message: "because AlreadyExists" },
    { code: 403, body: status(403, "SomethingNew"), reason: "Forbidden", message: "because SomethingNew" },
    { code: 502, body: "<html>", reason: "InternalError", message: "the server answered 502" },
    { code: 503, body: { kind: "Other" }, reason: "ServiceUnavailable", message: "the server answered 503" },
    { code: 429, body: status(429, "TooManyRequests"), reason: "TooManyRequests", message: "because TooManyRequests" },
  ])("that is answered $code with $body is a $reason", async ({ code, body, reason, message }) => {
    await using cluster = await startFakeCluster((_request, response) => answerJSON(response, code, body));
    await using client = clientOf(cluster);
    const failure: unknown = await client.request({ method: "GET", path: "/x" }, never).catch((error: unknown) => error);
    expect(APIError.is(failure)).toBe(true);
    expect(failure).toMatchObject({ code, reason, message });
  });

  test("is made again when the server is too busy", async () => {
    let count = 0;
    await using cluster = await startFakeCluster((_request, response) => {
      if (++count < 3) answerJSON(response, 429, status(429, "TooManyRequests"), { "retry-after": "0" });
      else answerJSON(response, 200, { ok: true });
    });
    await using client = clientOf(cluster);
    expect(await client.request({ method: "GET", path: "/x" }, never)).toEqual({ ok: true });
    expect(cluster.requests).toHaveLength(3);
  });

  test("forgets credentials that were refused", async () => {
    await using cluster = await startFakeCluster((_request, response) => answerJSON(response, 401, status(401, "Unauthorized")));
    await using client = clientOf(cluster);
    await expect(client.request({ method: "GET", path: "/x" }, never)).rejects.toMatchObject({ code: 401 });
    expect(cluster.forgotten()).toBe(1);
  });

  test("ends by its signal, also while nothing is answered", async () => {
    await using cluster = await startFakeCluster(() => undefined);
    await using client = clientOf(cluster);
    const reason = new Error("enough");
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 20);
    await expect(client.request({ method: "GET", path: "/x" }, controller.signal)).rejects.toBe(reason);
  });

  test.each<{ what: string; answer: (response: ServerResponse) => void }>([
    { what: "no answer in time", answer: () => undefined },
    { what: "an answer cut off", answer: (response) => response.writeHead(200, { "content-length": "9" }).destroy() },
    { what: "an answer that is no JSON", answer: (response) => response.end("<html>") },
  ])("$what: the cluster is not there", async ({ answer }) => {
    await using cluster = await startFakeCluster((_request, response) => answer(response));
    await using client = clientOf(cluster, 200);
    await expect(client.request({ method: "GET", path: "/x" }, never)).rejects.toBeInstanceOf(ClusterUnavailableError);
  });

  test("does not go to a server that another CA vouches for", async () => {
    await using cluster = await startFakeCluster((_request, response) => answerJSON(response, 200, {}));
    await using other = await startFakeCluster(() => undefined);
    await using client = clientOf({ config: { ...cluster.config, tls: { ca: other.ca } } });
    await expect(client.request({ method: "GET", path: "/x" }, never)).rejects.toBeInstanceOf(ClusterUnavailableError);
    expect(cluster.requests).toEqual([]);
  });
});

describe("a watch", () => {
  const event = (type: string, name: string) => JSON.stringify({ type, object: { metadata: { name, resourceVersion: "7" } } });

  test("gives each event, however the bytes arrive, and ends with the stream", async () => {
    await using cluster = await startFakeCluster(async (_request, response) => {
      const text = Buffer.from(`${event("ADDED", "é")}\n${event("BOOKMARK", "")}\n${event("DELETED", "b")}\n{"cut`);
      for (let at = 0; at < text.length; at += 13) {
        response.write(text.subarray(at, at + 13));
        await sleep(1);
      }
      response.end();
    });
    await using client = clientOf(cluster);
    const seen: string[] = [];
    for await (const { type, object } of client.watch("/x", { resourceVersion: "5" }, never)) seen.push(`${type} ${object.metadata.name}`);
    expect(seen).toEqual(["ADDED é", "BOOKMARK ", "DELETED b"]);
    expect(cluster.requests[0]).toMatch(/^GET \/x\?resourceVersion=5&watch=true&allowWatchBookmarks=true&timeoutSeconds=\d+$/);
  });

  test("throws what an ERROR event says", async () => {
    await using cluster = await startFakeCluster((_request, response) => {
      response.end(`${JSON.stringify({ type: "ERROR", object: status(410, "Expired") })}\n`);
    });
    await using client = clientOf(cluster);
    await expect(client.watch("/x", {}, never).next()).rejects.toMatchObject({ code: 410, reason: "Expired" });
  });

  test("ends by its signal", async () => {
    await using cluster = await startFakeCluster((_request, response) => void response.write(`${event("ADDED", "a")}\n`));
    await using client = clientOf(cluster);
    const controller = new AbortController();
    const watch = client.watch("/x", {}, controller.signal);
    await watch.next();
    const reason = new Error("enough");
    setTimeout(() => controller.abort(reason), 10);
    await expect(watch.next()).rejects.toBe(reason);
  });

  test("keeps no request waiting, however many there are", async () => {
    await using cluster = await startFakeCluster((request, response) => {
      if (request.url?.includes("watch=true") === true) response.write(`${event("ADDED", "a")}\n`);
      else answerJSON(response, 200, { ok: true });
    });
    await using client = clientOf(cluster, 2_000);
    const controller = new AbortController();
    const watches = Array.from({ length: 100 }, () => client.watch("/x", {}, controller.signal));
    await Promise.all(watches.map((watch) => watch.next()));
    expect(await client.request({ method: "GET", path: "/x" }, never)).toEqual({ ok: true });
    controller.abort();
  });
});

describe("certificates out of files", () => {
  test("are read again after a failure: the kube-apiserver has another CA by now", async () => {
    await using cluster = await startFakeCluster((_request, response) => answerJSON(response, 200, {}));
    await using other = await startFakeCluster(() => undefined);
    let ca = other.ca;
    await using client = clientOf({ config: { ...cluster.config, tls: { ca }, rereadTLS: async () => ({ ca }) } });
    const ask = () => client.request({ method: "GET", path: "/x" }, never);
    await expect(ask()).rejects.toThrow(ClusterUnavailableError);
    await expect(ask()).rejects.toThrow(ClusterUnavailableError);
    ca = cluster.ca;
    expect(await ask()).toEqual({});
    // Of the good ones nobody reads anything for a while.
    ca = other.ca;
    expect(await ask()).toEqual({});
  });

  test.each<{ what: string; reread: () => Promise<ClusterTLS> }>([
    { what: "cannot be read", reread: () => Promise.reject(new Error("gone")) },
    { what: "do not go together", reread: async () => ({ cert: (await pair()).cert, key: (await pair()).key }) },
    { what: "are no certificates", reread: async () => ({ ca: "?", cert: "?", key: "?" }) },
  ])("that $what leave those from before", async ({ reread }) => {
    let isBroken = true;
    await using cluster = await startFakeCluster((_request, response) => (isBroken ? void response.destroy() : answerJSON(response, 200, {})));
    await using client = clientOf({ config: { ...cluster.config, rereadTLS: reread } });
    await expect(client.request({ method: "GET", path: "/x" }, never)).rejects.toThrow(ClusterUnavailableError);
    isBroken = false;
    expect(await client.request({ method: "GET", path: "/x" }, never)).toEqual({});
  });
});

async function pair() {
  const key = await generateKey();
  return { key, cert: await generateCA("a", key, { notBeforeMs: Date.now() - 1_000, notAfterMs: Date.now() + 60_000 }) };
}
