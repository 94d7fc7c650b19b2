import type { KubernetesObject } from "@annex/apimachinery";
import type { AdmissionAttributes, Clock } from "@annex/apiserver";
import { systemClock } from "@annex/apiserver-node";
import { expect, test, vi } from "vitest";
import { createClusterClient } from "../client/index.ts";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { recordedLog } from "../testing/recorded-log.ts";
import { WatchedConfigurations } from "./watched-configurations.ts";

const PATH = "/apis/admissionregistration.k8s.io/v1/things";
const attributes = { resource: { group: "example.com", resource: "widgets" }, name: "one", object: undefined } as unknown as AdmissionAttributes;
const never = new AbortController().signal;

/** @param clock in which a write waits; the cluster is followed in true time. */
async function start(items: readonly object[], clock: Clock = systemClock) {
  const watches: ((event: object) => void)[] = [];
  let compiled = 0;
  let changes = 0;
  let isAnswering = true;
  const cluster = await startFakeCluster((request, response) => {
    if (!isAnswering) return;
    if (!request.url?.includes("watch=")) answerJSON(response, 200, { metadata: { resourceVersion: "5" }, items });
    else {
      response.writeHead(200);
      watches.push((event) => response.write(`${JSON.stringify(event)}\n`));
    }
  });
  const client = createClusterClient(cluster.config, { clock: systemClock });
  const compile = ({ metadata: { name } }: KubernetesObject) => {
    compiled++;
    return name;
  };
  const watched = new WatchedConfigurations({ client, clock, log: recordedLog(), path: PATH, compile, changed: () => changes++ });
  const end = new AbortController();
  let running: Promise<void> | undefined;
  return {
    watched,
    compiled: () => compiled,
    changes: () => changes,
    hang: () => {
      isAnswering = false;
    },
    run: () => {
      running = watched.run(end.signal);
    },
    tell: async (type: string, name: string) => {
      await vi.waitFor(() => expect(watches).toHaveLength(1), { timeout: 5_000 });
      watches[0]?.({ type, object: { metadata: { name, resourceVersion: "6" } } });
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      await client[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

test("a write waits ten seconds for what was not read yet, and is refused", async () => {
  const waits: number[] = [];
  await using late = await start([], { now: () => 0, sleep: async (ms) => void waits.push(ms) });
  late.hang();
  await expect(late.watched.whenReady(attributes, never)).rejects.toMatchObject({
    reason: "Forbidden",
    message: 'widgets.example.com "one" is forbidden: not yet ready to handle request',
  });
  expect(waits).toEqual([10_000]);
  await using early = await start([]);
  const waiting = early.watched.whenReady(attributes, never);
  early.run();
  await waiting;
  expect(early.watched.isReady).toBe(true);
});

test("they are sorted by name, and compiled once", async () => {
  const items = ["b", "a", "c"].map((name) => ({ metadata: { name, resourceVersion: "1" } }));
  await using started = await start(items);
  started.run();
  await started.watched.whenReady(attributes, never);
  expect(started.watched.all).toEqual(["a", "b", "c"]);
  await started.tell("MODIFIED", "b");
  await started.tell("DELETED", "a");
  await vi.waitFor(() => expect(started.watched.all).toEqual(["b", "c"]), { timeout: 5_000 });
  expect(started.compiled()).toBe(4);
  expect(started.changes()).toBe(3);
});
