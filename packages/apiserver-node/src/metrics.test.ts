import type { RequestLabels, StoredObjects } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { createMetrics } from "./metrics.ts";

const FLUNDERS = { group: "wardle.example.com", version: "v1alpha1", resource: "flunders", subresources: ["status"] };
const GET: RequestLabels = { ...FLUNDERS, verb: "GET", subresource: "", scope: "resource" };
const LABELS = 'component="apiserver",group="wardle.example.com",resource="flunders",scope="resource",subresource="",verb="GET",version="v1alpha1"';

async function lines(metrics: ReturnType<typeof createMetrics>, prefix: string, stored: readonly StoredObjects[] = []): Promise<string[]> {
  return (await metrics.render(stored)).text.split("\n").filter((line) => line.startsWith(prefix));
}

describe("metrics", () => {
  test("count requests as kube-apiserver does", async () => {
    const metrics = createMetrics({ resources: [FLUNDERS] });
    metrics.observeRequest(GET, 200, 0.03, 1500);
    metrics.observeRequest(GET, 404, 100, 1500);
    metrics.observeRequest(GET, 200, 0.03, 1500);
    expect(await lines(metrics, "apiserver_request_total")).toEqual([
      `apiserver_request_total{${LABELS},code="200"} 2`,
      `apiserver_request_total{${LABELS},code="404"} 1`,
    ]);
    const durations = await lines(metrics, "apiserver_request_duration_seconds");
    expect(durations).toContain(`apiserver_request_duration_seconds_bucket{${LABELS},le="0.025"} 0`);
    expect(durations).toContain(`apiserver_request_duration_seconds_bucket{${LABELS},le="0.05"} 2`);
    expect(durations).toContain(`apiserver_request_duration_seconds_bucket{${LABELS},le="60"} 2`);
    expect(durations).toContain(`apiserver_request_duration_seconds_bucket{${LABELS},le="+Inf"} 3`);
    expect(durations).toContain(`apiserver_request_duration_seconds_sum{${LABELS}} 100.06`);
    expect(durations).toContain(`apiserver_request_duration_seconds_count{${LABELS}} 3`);
    expect(await lines(metrics, "apiserver_response_sizes_bucket")).toContain(`apiserver_response_sizes_bucket{${LABELS},le="10000"} 3`);
  });

  test("show what runs and what is stored", async () => {
    const metrics = createMetrics({ resources: [FLUNDERS, { group: "", version: "v1", resource: "secrets", subresources: [] }] });
    metrics.setInflight("readOnly", 3);
    metrics.setInflight("readOnly", 2);
    for (const result of ["success", "failure", "success"] as const) metrics.countAuthentication(result);
    for (const result of ["allowed", "no-opinion", "denied", "error"] as const) metrics.countAuthorization(result);
    expect(await lines(metrics, "auth")).toEqual([
      'authentication_attempts{result="success"} 2',
      'authentication_attempts{result="failure"} 1',
      'authorization_attempts_total{result="allowed"} 1',
      'authorization_attempts_total{result="no-opinion"} 1',
      'authorization_attempts_total{result="denied"} 1',
      'authorization_attempts_total{result="error"} 1',
    ]);
    const watch = { ...GET, verb: "WATCH", scope: "cluster" };
    metrics.longRunningStarted(watch);
    metrics.longRunningStarted(watch);
    metrics.longRunningEnded(watch);
    const stored = [
      {
        ...{ group: "wardle.example.com", resource: "flunders", storageVersion: "wardle.example.com/v1beta1" },
        versions: [
          { apiVersion: "wardle.example.com/v1alpha1", objects: 2, stale: 2 },
          { apiVersion: "wardle.example.com/v1beta1", objects: 5, stale: 1 },
        ],
      },
      { group: "", resource: "secrets", storageVersion: "v1", versions: [] },
    ];
    expect(await lines(metrics, "apiserver_", stored)).toEqual([
      'apiserver_current_inflight_requests{request_kind="readOnly"} 2',
      `apiserver_longrunning_requests{${LABELS.replace("GET", "WATCH").replace('scope="resource"', 'scope="cluster"')}} 1`,
      'apiserver_resource_objects{group="wardle.example.com",resource="flunders"} 7',
      'apiserver_resource_objects{group="",resource="secrets"} 0',
    ]);
    const flunders = (version: string) =>
      `{group="wardle.example.com",resource="flunders",stored_version="wardle.example.com/${version}",storage_version="wardle.example.com/v1beta1"}`;
    expect(await lines(metrics, "annex_", stored)).toEqual([
      `annex_stored_objects${flunders("v1alpha1")} 2`,
      `annex_stored_objects${flunders("v1beta1")} 5`,
      `annex_stale_objects${flunders("v1alpha1")} 2`,
      `annex_stale_objects${flunders("v1beta1")} 1`,
    ]);
  });

  test("have no label that a client made up", async () => {
    const metrics = createMetrics({ resources: [FLUNDERS] });
    for (let i = 0; i < 1000; i++) {
      metrics.observeRequest({ ...GET, resource: `x${i}` }, 200, 0.03, 1500);
      metrics.observeRequest({ ...GET, subresource: `x${i}` }, 200, 0.03, 1500);
      metrics.observeRequest({ ...GET, verb: `x${i}`, version: `v${i}`, scope: `x${i}` }, 200, 0.03, 1500);
    }
    const counted = await lines(metrics, "apiserver_request_total");
    expect(counted).toHaveLength(2);
    expect(counted[0]).toBe(
      'apiserver_request_total{component="apiserver",group="",resource="",scope="resource",subresource="",verb="GET",version="",code="200"} 2000',
    );
    expect(counted[1]).toContain('verb="other"');
  });

  test("come with those of the process, every line well-formed", async () => {
    const metrics = createMetrics({ resources: [FLUNDERS] });
    metrics.observeRequest(GET, 200, 0.03, 1500);
    const { contentType, text } = await metrics.render([]);
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text).toContain("\nprocess_resident_memory_bytes ");
    for (const line of text.trimEnd().split("\n").filter(Boolean)) {
      expect(line).toMatch(/^(# (HELP|TYPE) \w+ .+|[a-z]\w*(\{(\w+="[^"]*",?)+\})? [-+.\w]+)$/);
    }
  });
});
