import type { ServerResponse } from "node:http";
import type { KubernetesObject } from "@annex/apimachinery";
import type { Logger } from "@annex/apiserver";
import { systemClock } from "@annex/apiserver-node";
import { expect, test, vi } from "vitest";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { createClusterClient } from "./cluster-client.ts";
import { reflect } from "./reflector.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const named = (name: string, resourceVersion: string) => ({ metadata: { name, resourceVersion } });
const line = (type: string, object: unknown) => `${JSON.stringify({ type, object })}\n`;

/** Answers each request in its turn; what comes after the last waits. */
async function reflecting(answers: readonly ((response: ServerResponse) => void)[], until: readonly string[]) {
  let turn = 0;
  await using cluster = await startFakeCluster((_request, response) => answers[turn++]?.(response));
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  const told: string[] = [];
  const name = ({ metadata }: KubernetesObject) => metadata.name ?? "";
  const observer = {
    reset: (objects: readonly KubernetesObject[], resourceVersion: string) =>
      void told.push(`reset ${objects.map(name).join()} at ${resourceVersion}`),
    put: (object: KubernetesObject) => void told.push(`put ${name(object)}`),
    deleted: (object: KubernetesObject) => void told.push(`deleted ${name(object)}`),
  };
  const stopping = new AbortController();
  const running = reflect({ client, path: "/x", query: { labelSelector: "a" }, observer, clock: systemClock, log: silent }, stopping.signal);
  await vi.waitFor(() => expect(told).toEqual(until), { timeout: 10_000 });
  // The request that comes last, when all was told.
  await vi.waitFor(() => expect(cluster.requests.length).toBeGreaterThan(answers.length), { timeout: 10_000 });
  stopping.abort();
  await running;
  return cluster.requests.map((request) => request.replace(/&watch=true.*/, " watch"));
}

test("lists page by page, follows from there, and goes on where a watch ended", async () => {
  const requests = await reflecting(
    [
      (response) => answerJSON(response, 200, { metadata: { resourceVersion: "5", continue: "c" }, items: [named("a", "1")] }),
      (response) => answerJSON(response, 200, { metadata: { resourceVersion: "5" }, items: [named("b", "2")] }),
      (response) => response.end(line("ADDED", named("c", "6")) + line("BOOKMARK", { metadata: { resourceVersion: "8" } })),
      (response) => response.end(line("MODIFIED", named("c", "9")) + line("DELETED", named("a", "10"))),
    ],
    ["reset a,b at 5", "put c", "put c", "deleted a"],
  );
  expect(requests).toEqual([
    "GET /x?labelSelector=a&limit=500",
    "GET /x?labelSelector=a&limit=500&continue=c",
    "GET /x?labelSelector=a&resourceVersion=5 watch",
    "GET /x?labelSelector=a&resourceVersion=8 watch",
    "GET /x?labelSelector=a&resourceVersion=10 watch",
  ]);
});

test("lists anew when its place is gone, and after failures", async () => {
  const gone = { kind: "Status", status: "Failure", code: 410, reason: "Expired", message: "too old" };
  const requests = await reflecting(
    [
      (response) => answerJSON(response, 500, {}),
      (response) => answerJSON(response, 200, { metadata: { resourceVersion: "5" }, items: null }),
      (response) => response.end(line("ERROR", gone)),
      (response) => answerJSON(response, 200, { metadata: { resourceVersion: "9" }, items: [named("a", "8")] }),
      (response) => answerJSON(response, 410, gone),
      (response) => answerJSON(response, 200, { metadata: { resourceVersion: "12" }, items: [] }),
    ],
    ["reset  at 5", "reset a at 9", "reset  at 12"],
  );
  expect(requests.filter((request) => request.endsWith("watch"))).toEqual([
    "GET /x?labelSelector=a&resourceVersion=5 watch",
    "GET /x?labelSelector=a&resourceVersion=9 watch",
    "GET /x?labelSelector=a&resourceVersion=12 watch",
  ]);
});

/** How long it pauses between attempts, of a cluster that answers so. */
async function pausesOf(answer: (response: ServerResponse, turn: number) => void, count: number) {
  let turn = 0;
  await using cluster = await startFakeCluster((_request, response) => answer(response, ++turn));
  await using client = createClusterClient(cluster.config, { clock: systemClock });
  const pauses: number[] = [];
  const stopping = new AbortController();
  const sleep = async (ms: number) => {
    pauses.push(ms);
    if (pauses.length === count) stopping.abort();
  };
  const nothing = () => undefined;
  const observer = { reset: nothing, put: nothing, deleted: nothing };
  // Without pauses it would ask for ever.
  const timer = setTimeout(() => stopping.abort(), 4_000);
  await reflect({ client, path: "/x", observer, clock: { ...systemClock, sleep }, log: silent }, stopping.signal);
  clearTimeout(timer);
  expect(cluster.requests).toHaveLength(count);
  return pauses;
}

test("a cluster whose every place is gone is not asked without a pause", async () => {
  const gone = { kind: "Status", status: "Failure", code: 410, reason: "Expired", message: "too old" };
  const pauses = await pausesOf((response) => answerJSON(response, 410, gone), 6);
  expect(pauses.at(-1)).toBeGreaterThanOrEqual(30_000 * 0.4);
});

test("a cluster that is away is looked for every few seconds, and its first word is no reason to wait", async () => {
  const pauses = await pausesOf((response, turn) => (turn <= 8 ? void response.destroy() : answerJSON(response, 500, {})), 9);
  expect(Math.max(...pauses.slice(0, 8))).toBeLessThanOrEqual(5_000 * 1.5);
  expect(Math.max(...pauses.slice(4, 8))).toBeGreaterThanOrEqual(5_000 * 0.5);
  expect(pauses[8]).toBeLessThanOrEqual(800 * 1.5);
});
