import { systemClock } from "@annex/apiserver-node";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type MemoryCluster, startMemoryCluster } from "../testing/memory-cluster.ts";
import { recordedLog } from "../testing/recorded-log.ts";
import { isLeaseHeld, leasePath, runWhileLeading } from "./index.ts";

const WAIT = { timeout: 10_000, interval: 5 };
const durations = { leaseMs: 5_000, renewDeadlineMs: 2_500, retryMs: 50 };
let cluster: MemoryCluster;
beforeAll(async () => {
  cluster = await startMemoryCluster();
});
afterAll(() => cluster[Symbol.asyncDispose]());

/** Replicas of one installation; `leading` are those that do it now. */
function replicas(namespace: string) {
  const leading = new Set<string>();
  const service = { namespace, name: "api" };
  const log = recordedLog();
  const start = (identity: string) => {
    const stopping = new AbortController();
    const lead = async (signal: AbortSignal) => {
      leading.add(identity);
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      leading.delete(identity);
    };
    const running = runWhileLeading({ client: cluster.client, service, identity, clock: systemClock, log, durations }, lead, stopping.signal);
    return async () => {
      stopping.abort();
      await running;
    };
  };
  return { leading, start, log, lease: () => cluster.get(`${leasePath(service)}/api-registration`) };
}

test("one at a time, and the next at once when it ends", async () => {
  const { leading, start, lease } = replicas("one");
  const stops = new Map(["a", "b", "c"].map((identity) => [identity, start(identity)]));
  const seen: string[] = [];
  while (stops.size > 0) {
    await vi.waitFor(() => expect(leading.size).toBe(1), WAIT);
    const [leader = ""] = leading;
    const held = await lease();
    expect(held === undefined ? undefined : isLeaseHeld(held, Date.now())).toBe(leader);
    seen.push(leader);
    const before = Date.now();
    await stops.get(leader)?.();
    stops.delete(leader);
    if (stops.size > 0) await vi.waitFor(() => expect(leading.size).toBe(1), WAIT);
    // Given back: nobody waits for the Lease to run out.
    expect(Date.now() - before).toBeLessThan(durations.leaseMs * 0.8);
  }
  expect(seen.sort()).toEqual(["a", "b", "c"]);
  expect((await lease())?.spec).toMatchObject({ holderIdentity: "", leaseTransitions: 2 });
});

test("a holder of whom nothing is heard is waited for, and no longer than that", async () => {
  const { leading, start } = replicas("silent");
  const spec = { holderIdentity: "gone", leaseDurationSeconds: 1, renewTime: "2020-01-01T00:00:00.000000Z" };
  const metadata = { name: "api-registration", namespace: "silent", annotations: { "annex.dev/service": "silent/api" } };
  const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec };
  await cluster.client.request({ method: "POST", path: leasePath({ namespace: "silent", name: "api" }), body }, new AbortController().signal);
  const begun = Date.now();
  const stop = start("a");
  await vi.waitFor(() => expect(leading.size).toBe(1), WAIT);
  // Its clock may be years behind: what counts is when it was seen last.
  expect(Date.now() - begun).toBeGreaterThan(900);
  await stop();
});

test("whose Lease was taken stops", async () => {
  const { leading, start, log } = replicas("taken");
  const stop = start("a");
  await vi.waitFor(() => expect([...leading]).toEqual(["a"]), WAIT);
  const path = `${leasePath({ namespace: "taken", name: "api" })}/api-registration`;
  const body = { spec: { holderIdentity: "b", renewTime: "now", leaseDurationSeconds: 600 } };
  await cluster.client.request({ method: "PATCH", path, body, contentType: "application/merge-patch+json" }, new AbortController().signal);
  await vi.waitFor(() => expect([...leading]).toEqual([]), WAIT);
  expect(log.lines.at(-1)).toContain("another replica registers");
  await stop();
});

test("a holder whose renewals hang stops before the others take it for gone", async () => {
  const service = { namespace: "hanging", name: "api" };
  const slow = { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 600 };
  let renewedMs = 0;
  const request: typeof cluster.client.request = async (asked, signal) => {
    if (renewedMs > 0) await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
    if (asked.method === "POST") renewedMs = Date.now();
    return cluster.client.request(asked, signal);
  };
  const client = { ...cluster.client, request };
  const stopping = new AbortController();
  let lostMs = 0;
  const lead = async (signal: AbortSignal) => {
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    lostMs = Date.now();
    stopping.abort();
  };
  await runWhileLeading({ client, service, identity: "a", clock: systemClock, log: recordedLog(), durations: slow }, lead, stopping.signal);
  expect(lostMs - renewedMs).toBeGreaterThanOrEqual(slow.renewDeadlineMs - 100);
  expect(lostMs - renewedMs).toBeLessThan(slow.leaseMs);
});

test("a Lease that somebody else made is left alone", async () => {
  const { leading, start, log, lease } = replicas("foreign");
  const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "api-registration", namespace: "foreign" } };
  await cluster.client.request({ method: "POST", path: leasePath({ namespace: "foreign", name: "api" }), body }, new AbortController().signal);
  const before = (await lease())?.metadata.resourceVersion;
  const stop = start("a");
  await vi.waitFor(() => expect(log.lines.join("\n")).toContain("was not made by this server"), WAIT);
  await stop();
  expect([...leading]).toEqual([]);
  expect((await lease())?.metadata.resourceVersion).toBe(before);
  expect(log.lines).toHaveLength(1);
});
