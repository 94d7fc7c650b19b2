import { APIError } from "@annex/apimachinery";
import { admissionChain, type Logger, namespaceLifecycle } from "@annex/apiserver";
import { systemClock } from "@annex/apiserver-node";
import { describe, expect, test, vi } from "vitest";
import { createClusterClient } from "../client/index.ts";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { clusterNamespaces } from "./cluster-namespaces.ts";

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
const going = { metadata: { name: "going", resourceVersion: "2", deletionTimestamp: "2026-01-01T00:00:00Z" }, status: { phase: "Terminating" } };
const late = { metadata: { name: "late", resourceVersion: "9" }, status: { phase: "Active" } };

/** A cluster that told of two namespaces, and has one more that it did not tell of. */
async function start() {
  const live = new Map<string, object>([
    ["late", late],
    ["going", going],
  ]);
  const cluster = await startFakeCluster((request, response) => {
    const { pathname, searchParams } = new URL(`https://x${request.url}`);
    const name = /^\/api\/v1\/namespaces\/(.+)$/.exec(pathname)?.[1];
    if (name !== undefined) {
      const found = live.get(name);
      answerJSON(
        response,
        found === undefined ? 404 : 200,
        found ?? { kind: "Status", code: 404, reason: "NotFound", message: `namespaces "${name}" not found` },
      );
    } else if (searchParams.get("watch") === null) {
      answerJSON(response, 200, { metadata: { resourceVersion: "5" }, items: [{ metadata: { name: "a", resourceVersion: "1" } }, going] });
    }
  });
  const client = createClusterClient(cluster.config, { clock: systemClock });
  const namespaces = clusterNamespaces({ client, clock: systemClock, log: silent });
  const stopping = new AbortController();
  await expect(namespaces.ready.check(stopping.signal)).rejects.toThrow("were not read yet");
  const running = namespaces.run(stopping.signal);
  await vi.waitFor(() => namespaces.ready.check(stopping.signal), { timeout: 5_000 });
  return {
    namespaces,
    asked: () => cluster.requests.filter((request) => /namespaces\/./.test(request)),
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await running;
      await client[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

describe("the lifecycle of the cluster's namespaces", () => {
  test.each([
    { namespace: "a", asked: 0, refusal: undefined },
    { namespace: "late", asked: 1, refusal: undefined },
    { namespace: "going", asked: 1, refusal: "Forbidden" },
    { namespace: "nowhere", asked: 1, refusal: "NotFound" },
    { namespace: ".", asked: 0, refusal: "NotFound" },
    { namespace: "..", asked: 0, refusal: "NotFound" },
  ])("a write into $namespace asks the cluster $asked times: $refusal", async ({ namespace, asked, refusal }) => {
    await using cluster = await start();
    const plugin = namespaceLifecycle(() => cluster.namespaces.verbs);
    const context = { signal: new AbortController().signal, isDryRun: false };
    const resource = { group: "a.b", resource: "things", isNamespaced: true };
    const attributes = { operation: "CREATE", resource, namespace, name: "x", object: { metadata: { name: "x" } } };
    const outcome = await admissionChain([plugin])
      .mutate(attributes as never, context as never)
      .then(
        () => undefined,
        (error: unknown) => (APIError.is(error) ? error.reason : error),
      );
    expect(outcome).toBe(refusal);
    expect(cluster.asked()).toHaveLength(asked);
  });
});

test("the labels of one that is on its way out are known without asking", async () => {
  await using cluster = await start();
  const { signal } = new AbortController();
  expect(await cluster.namespaces.read("going", signal)).toEqual(going);
  expect(cluster.asked()).toHaveLength(0);
  expect(await cluster.namespaces.read("late", signal)).toEqual(late);
  await expect(cluster.namespaces.read("nowhere", signal)).rejects.toMatchObject({ reason: "NotFound" });
});
