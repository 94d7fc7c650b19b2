// wardle in a cluster, in the place of Kubernetes' own sample-apiserver: the steps of the conformance test "Aggregator", and the recorded scenarios through the
// aggregator.
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { identities } from "../../conformance/client.ts";
import { readScenarios, type ScenarioFile, sharesNothing } from "../../conformance/files.ts";
import { isObject, type JSONValue, parseJSON } from "../../conformance/json.ts";
import { judge, scenarioKey } from "../../conformance/judge.ts";
import { parseDifferences } from "../../conformance/listed-differences.ts";
import { runScenario, type StepAnswer } from "../../conformance/run-scenario.ts";
import type { Scenario, Step } from "../../conformance/scenario.ts";
import { tlsClient } from "../../conformance/tls-client.ts";
import { BUILD_LIMIT_MS } from "../../controlplane/build.ts";
import { type ControlPlane, startControlPlane, stopControlPlane } from "../../controlplane/control-plane.ts";
import { findFreePorts } from "../../controlplane/ports.ts";
import { type Client, createClient, readKubeconfig } from "../client.ts";
import { type RunningProcess, runProcess, startProcess } from "../process.ts";
import { temporaryFolder } from "../server.ts";
import { API_SERVICES } from "./cluster-server.ts";

const MINUTE_MS = 60_000;
const WARDLE = fileURLToPath(new URL("../../../examples/wardle/dist/main.js", import.meta.url));
const NAMESPACE = "sample";
const GROUP = "wardle.example.com";
const VERSIONS = ["v1alpha1", "v1beta1"] as const;

let plane: ControlPlane;
let admin: Client;
let server: RunningProcess;
let place: string;

beforeAll(async () => {
  plane = await startControlPlane(await temporaryFolder(), { log: console.log });
  admin = createClient(plane.url, await readKubeconfig(plane.kubeconfig));
  for (const version of VERSIONS) await ask(200, "DELETE", `${API_SERVICES}/${version}.${GROUP}`);
  const [port = 0] = await findFreePorts(1);
  await ask(201, "POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE } });
  const spec = { type: "ExternalName", externalName: "localhost", ports: [{ port }] };
  await ask(201, "POST", `/api/v1/namespaces/${NAMESPACE}/services`, { apiVersion: "v1", kind: "Service", metadata: { name: "sample-api" }, spec });
  place = `--service=${NAMESPACE}/sample-api:${port}`;
  const own = ["--bind-address=127.0.0.1", `--secure-port=${port}`, `--data-dir=${await temporaryFolder()}`];
  server = startProcess(process.execPath, [WARDLE, `--kubeconfig=${plane.kubeconfig}`, place, ...own]);
  await server.waitFor(/^Serving https/m);
  for (const version of VERSIONS) await untilServed(version);
}, BUILD_LIMIT_MS + MINUTE_MS);

afterAll(async () => {
  server?.kill("SIGTERM");
  await server?.finished;
  if (plane !== undefined) await stopControlPlane(plane.folder);
}, MINUTE_MS);

/** An object of the cluster, or a list of them, as far as these tests look into it. */
interface Found {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: Readonly<Record<string, string>> };
  readonly spec: { readonly versionPriority: number };
  readonly status: { readonly conditions: readonly Readonly<Record<"type" | "status" | "reason" | "message", string>>[] };
  readonly items: readonly Found[];
  readonly resources: readonly { readonly name: string; readonly namespaced: boolean; readonly verbs: readonly string[] }[];
}

/** Asks the kube-apiserver as the administrator, and expects a status. */
async function ask(wanted: number, method: string, path: string, body?: unknown): Promise<Found> {
  const headers = method === "PATCH" ? { "content-type": "application/merge-patch+json" } : {};
  const { status, text } = await admin.request(method, path, body, headers);
  expect(status, `${method} ${path}: ${text}`).toBe(wanted);
  return JSON.parse(text) as Found; // a test reads on
}

const untilServed = (version: string) => vi.waitFor(() => ask(200, "GET", `/apis/${GROUP}/${version}`), { timeout: 30_000, interval: 100 });
const names = ({ items }: Found) => items.map(({ metadata }) => metadata.name);

describe("the recorded scenarios through the aggregator", async () => {
  const here = (name: string) => fileURLToPath(new URL(`../../conformance/${name}`, import.meta.url));
  const listed = parseDifferences(parseJSON(await readFile(here("differences.json"), "utf8")));
  const files = await readScenarios([here("wardle")]);

  async function problemsOf({ scenario }: ScenarioFile): Promise<readonly string[]> {
    const client = tlsClient(plane.url, { ca: await readFile(plane.caFile, "utf8") });
    const target = { client, namespaces: client, identities: identities(plane.tokens.admin, plane.tokens.alice) };
    const answers = await runScenario(scenario, target);
    const wanted = (step: Step): StepAnswer => {
      const expected = listed.get(scenarioKey(scenario))?.get(step.id)?.answer ?? step.expect;
      return isObject(expected) ? expected : undefined;
    };
    const own = scenario.steps.map((step, index) => (isOfFront(step) ? wanted(step) : withoutFront(scenario, step, answers[index])));
    return judge(scenario, own, listed).problems;
  }

  describe.concurrent("that share nothing", () => {
    test.for(files.filter(sharesNothing))("$scenario.name", { timeout: MINUTE_MS }, async (file, { expect }) =>
      expect(await problemsOf(file)).toEqual([]),
    );
  });
  test.for(files.filter((file) => !sharesNothing(file)))("$scenario.name", { timeout: MINUTE_MS }, async (file) =>
    expect(await problemsOf(file)).toEqual([]),
  );
});

/** What the kube-apiserver proxies: the versions that are registered, and what is below them. Everything else it answers itself. */
const PROXIED = new RegExp(`^/apis/${GROUP}/(${VERSIONS.join("|")})(?![^/?])`);

function isOfFront(step: Step): boolean {
  return "path" in step && !PROXIED.test(step.path);
}

/**
 * Where the aggregator asks for gzip by itself (its client does, if the user says nothing of it), and unpacks: `Vary: Accept-Encoding` is all that is left of that.
 * Answers of less than 128 KiB are not packed.
 */
const UNPACKED: ReadonlySet<string> = new Set(["http-gzip 1", "http-large-values 6", "http-large-values 13"]);

/** An answer without what the front server adds to it. */
function withoutFront(scenario: Scenario, step: Step, answer: StepAnswer): StepAnswer {
  const headers = answer?.headers;
  if (!isObject(headers)) return answer;
  const isUnpacked = UNPACKED.has(`${scenario.name} ${scenario.steps.indexOf(step) + 1}`);
  const entries = Object.entries(headers).flatMap(([name, value]): readonly (readonly [string, JSONValue])[] => {
    // The kube-apiserver says it to everybody, the server behind it too.
    if (name === "cache-control" && value === "no-cache, private, no-cache, private") return [[name, "no-cache, private"]];
    return isUnpacked && name === "vary" && value === "Accept-Encoding" ? [] : [[name, value ?? null]];
  });
  return { ...answer, headers: Object.fromEntries(entries) };
}

// https://github.com/kubernetes/kubernetes/blob/v1.36.0/test/e2e/apimachinery/aggregator.go, "Should be able to support the 1.17 Sample API Server using the current Aggregator"
test("the conformance test Aggregator: Flunders, the status of the APIService, and away with everything", async () => {
  const version = "v1alpha1";
  const path = `${API_SERVICES}/${version}.${GROUP}`;
  const flunders = `/apis/${GROUP}/${version}/namespaces/default/flunders`;
  const create = (name: string) =>
    ask(201, "POST", flunders, { apiVersion: `${GROUP}/${version}`, kind: "Flunder", metadata: { name, labels: { "sample-label": "true" } } });

  expect(await create("rest-flunder")).toMatchObject({ apiVersion: `${GROUP}/${version}`, kind: "Flunder", metadata: { name: "rest-flunder" } });
  expect(names(await ask(200, "GET", flunders))).toEqual(["rest-flunder"]);
  await ask(200, "DELETE", `${flunders}/rest-flunder`);
  expect(names(await ask(200, "GET", flunders))).toEqual([]);

  // What a dynamic client finds the resource by.
  const { resources } = await ask(200, "GET", `/apis/${GROUP}/${version}`);
  expect(resources.find(({ name }) => name === "flunders")).toMatchObject({ namespaced: true, verbs: expect.arrayContaining(["create", "list"]) });
  await create("dynamic-flunder");
  expect(names(await ask(200, "GET", flunders))).toEqual(["dynamic-flunder"]);

  const before = await ask(200, "GET", `${path}/status`);
  expect(before.status.conditions[0]?.message).toBe("all checks passed");
  const patched = await ask(200, "PATCH", path, { spec: { versionPriority: 400 } });
  expect(patched.spec.versionPriority).toBe(400);
  expect(Number(patched.metadata.resourceVersion)).toBeGreaterThan(Number(before.metadata.resourceVersion));
  expect(names(await ask(200, "GET", API_SERVICES))).toContain(`${version}.${GROUP}`);

  await ask(200, "PATCH", path, { metadata: { labels: { "e2e-apiservice": "patched" } } });
  const updated = { type: "StatusUpdated", status: "True", reason: "E2E", message: "Set from e2e test" };
  await retryOnConflict(async () => {
    const current = await ask(200, "GET", `${path}/status`);
    await ask(200, "PUT", `${path}/status`, { ...current, status: { conditions: [...current.status.conditions, updated] } });
  });
  expect((await ask(200, "GET", `${path}/status`)).status.conditions).toContainEqual(expect.objectContaining(updated));
  const label = { [`${version}.${GROUP}`]: "updated" };
  await retryOnConflict(async () => {
    const current = await ask(200, "GET", path);
    const replaced = await ask(200, "PUT", path, { ...current, metadata: { ...current.metadata, labels: label } });
    expect(replaced.metadata.labels).toEqual(label);
  });

  await ask(200, "DELETE", `${flunders}/dynamic-flunder`);
  expect(names(await ask(200, "GET", flunders))).toEqual([]);
  await create("dynamic-flunder");
  expect(names(await ask(200, "GET", flunders))).toEqual(["dynamic-flunder"]);

  const statusPatch = { type: "StatusPatched", status: "True", reason: "E2E", message: "Set by e2e test" };
  const { conditions } = (await ask(200, "GET", `${path}/status`)).status;
  await ask(200, "PATCH", `${path}/status`, { status: { conditions: [...conditions, statusPatch] } });
  expect((await ask(200, "GET", `${path}/status`)).status.conditions).toContainEqual(expect.objectContaining(statusPatch));

  // What others write beside what is ours is kept by the repairs, and of ours everything comes back.
  const repaired = () => ask(200, "GET", path);
  await vi.waitFor(async () => expect((await repaired()).spec.versionPriority).not.toBe(400), { timeout: 10_000 });
  expect((await repaired()).metadata.labels).toMatchObject(label);

  const selected = `${API_SERVICES}?labelSelector=${version}.${GROUP}%3Dupdated`;
  await ask(200, "DELETE", selected);
  await vi.waitFor(async () => expect(names(await ask(200, "GET", selected))).toEqual([]), { timeout: 10_000 });
  // The server that runs registers again what somebody removed; Flunders are as they were.
  await untilServed(version);
  expect(names(await ask(200, "GET", flunders))).toEqual(["dynamic-flunder"]);

  server.kill("SIGTERM");
  expect(await server.finished).toMatchObject({ code: 0 });
  const removed = await runProcess(process.execPath, [WARDLE, "unregister", `--kubeconfig=${plane.kubeconfig}`, place]);
  expect(removed).toMatchObject({ code: 0, stdout: expect.stringContaining(`apiservices/${version}.${GROUP} deleted`) });
  expect(names(await ask(200, "GET", API_SERVICES)).filter((name) => name.includes(GROUP))).toEqual([]);
  await vi.waitFor(async () => expect((await admin.request("GET", flunders)).status).toBe(404), { timeout: 10_000 });
});

async function retryOnConflict(change: () => Promise<void>): Promise<void> {
  await vi.waitFor(change, { timeout: 5_000, interval: 10 });
}
