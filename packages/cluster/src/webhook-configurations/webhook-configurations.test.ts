import { APIError, type KubernetesObject } from "@annex/apimachinery";
import { admissionWebhook } from "@annex/apiserver";
import { ServedCertificatesHolder, systemClock } from "@annex/apiserver-node";
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import type { ClusterClient } from "../client/index.ts";
import { planRepairs } from "../kept-objects/index.ts";
import { marksOf } from "../ownership/index.ts";
import { registration, unregister } from "../registration/index.ts";
import { type MemoryCluster, startMemoryCluster } from "../testing/memory-cluster.ts";
import { recordedLog } from "../testing/recorded-log.ts";
import { CONFIGURATION_COLLECTIONS } from "./index.ts";
import { CONFIGURATION_COMPARISON, type RegisteredWebhook, type WebhookConfiguration, wantedConfigurations } from "./webhook-configuration.ts";

const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["CREATE"] }] as const;
const common = { configuration: "it.example.com", rules };
const WEBHOOKS = [
  admissionWebhook({ ...common, name: "a.example.com", path: "/a", mutate: () => undefined }),
  admissionWebhook({ ...common, name: "b.example.com", path: "/b", validate: () => undefined, failurePolicy: "Ignore", timeoutSeconds: 3 }),
  admissionWebhook({ ...common, name: "c.example.com", path: "/c", validate: () => undefined }),
];
const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("what there is to be", () => {
  const service = { namespace: "ns", name: "api", port: 443 };
  const [mutating] = wantedConfigurations(WEBHOOKS, "mutating", service, "PEM");
  const [validating] = wantedConfigurations(WEBHOOKS, "validating", service, "PEM");

  test("is a configuration of each type, its webhooks in order, with every field said", () => {
    expect(mutating).toMatchObject({
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: "it.example.com" },
    });
    expect(mutating?.webhooks).toEqual([
      {
        name: "a.example.com",
        admissionReviewVersions: ["v1"],
        clientConfig: { service: { ...service, path: "/a" }, caBundle: base64("PEM") },
        rules: [{ ...rules[0], scope: "*" }],
        failurePolicy: "Fail",
        matchPolicy: "Equivalent",
        sideEffects: "None",
        timeoutSeconds: 10,
        namespaceSelector: {},
        objectSelector: {},
        matchConditions: [],
        reinvocationPolicy: "Never",
      },
    ]);
    expect(validating?.webhooks?.map(({ name, failurePolicy, timeoutSeconds }) => [name, failurePolicy, timeoutSeconds])).toEqual([
      ["b.example.com", "Ignore", 3],
      ["c.example.com", "Fail", 10],
    ]);
    expect(validating?.webhooks?.[0]).not.toHaveProperty("reinvocationPolicy");
  });

  const edited = (fields: object): WebhookConfiguration => {
    const [webhook] = validating?.webhooks ?? [];
    return {
      ...validating,
      webhooks: [{ ...webhook, ...fields } as RegisteredWebhook, ...(validating?.webhooks ?? []).slice(1)],
    } as WebhookConfiguration;
  };
  const clientConfig = { service: { ...service, path: "/b" }, caBundle: base64("PEM") };
  const plan = (found: WebhookConfiguration, bundle: string | undefined) =>
    planRepairs(
      wantedConfigurations(WEBHOOKS, "validating", service, bundle),
      new Map([["it.example.com", found]]),
      service,
      CONFIGURATION_COMPARISON,
    );

  test.each([
    { what: "as the kube-apiserver keeps it", fields: { matchConditions: undefined }, want: [] },
    { what: "a field of a later Kubernetes", fields: { brandNew: true }, want: [] },
    { what: "failurePolicy", fields: { failurePolicy: "Fail" }, want: ["b.example.com: failurePolicy"] },
    { what: "a selector", fields: { objectSelector: { matchLabels: { a: "b" } } }, want: ["b.example.com: objectSelector"] },
    {
      what: "a condition that is never met",
      fields: { matchConditions: [{ name: "x", expression: "false" }] },
      want: ["b.example.com: matchConditions"],
    },
    { what: "the bundle", fields: { clientConfig: { ...clientConfig, caBundle: "WA==" } }, want: ["b.example.com: clientConfig"] },
    { what: "the path", fields: { clientConfig: { ...clientConfig, service: { ...service, path: "/x" } } }, want: ["b.example.com: clientConfig"] },
    { what: "a URL", fields: { clientConfig: { url: "https://elsewhere", caBundle: clientConfig.caBundle } }, want: ["b.example.com: clientConfig"] },
    { what: "another webhook in its place", fields: { name: "z.example.com" }, want: ["webhooks"] },
  ])("edited: $what", ({ fields, want }) => {
    const repairs = plan(edited(fields), "PEM");
    expect(repairs.flatMap((repair) => (repair.verb === "update" ? repair.fields : [repair.verb]))).toEqual(want);
    for (const { object } of repairs) expect(object.webhooks).toEqual(validating?.webhooks);
  });

  test("without a bundle of its own a server leaves that to others", () => {
    const found = edited({ clientConfig: { ...clientConfig, caBundle: "WA==" } });
    expect(plan(found, undefined)).toEqual([]);
    const [update] = plan(edited({ timeoutSeconds: 1, clientConfig: { ...clientConfig, caBundle: "WA==" } }), undefined);
    expect(update?.object.webhooks?.[0]?.clientConfig.caBundle).toBe("WA==");
  });
});

describe("in a cluster", () => {
  const WAIT = { timeout: 10_000, interval: 10 };
  const never = new AbortController().signal;
  const durations = { leaseMs: 1_000, renewDeadlineMs: 500, retryMs: 50 };
  let cluster: MemoryCluster;
  beforeAll(async () => {
    cluster = await startMemoryCluster();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  let count = 0;
  let service: { namespace: string; name: string; port: number };
  /** Of a test: the cluster is shared. */
  let configuration: string;
  beforeEach(() => {
    service = { namespace: `ns${++count}`, name: "api", port: 443 };
    configuration = `it${count}.example.com`;
  });
  const pathOf = (type: "mutating" | "validating") => `${CONFIGURATION_COLLECTIONS[type]}/${configuration}`;
  const get = async (type: "mutating" | "validating") => (await cluster.get(pathOf(type))) as WebhookConfiguration | undefined;
  const bundleOf = async (type: "mutating" | "validating") => (await get(type))?.webhooks?.[0]?.clientConfig.caBundle;
  const send = (method: "POST" | "PUT" | "DELETE", path: string, body?: KubernetesObject) =>
    cluster.client.request({ method, path, ...(body === undefined ? {} : { body }) }, never);

  function start(webhooks = WEBHOOKS, client: ClusterClient = cluster.client) {
    const log = recordedLog();
    const holder = new ServedCertificatesHolder({ cert: "", key: "", caBundle: "one" }, log);
    const stopping = new AbortController();
    const options = {
      client,
      clock: systemClock,
      durations,
      identity: `replica-${Math.random()}`,
      groups: [],
      certificates: holder,
      log,
    };
    const registered = registration({ ...options, service, webhooks: webhooks.map((webhook) => ({ ...webhook, configuration })) });
    const running = registered.run(stopping.signal);
    return {
      log,
      holder,
      check: () => void registered.healthCheck.check(never),
      async stop() {
        stopping.abort();
        await running;
      },
    };
  }

  test("configurations come, are repaired, take a new bundle, and go with what is not served any more, or with unregister", async () => {
    const replica = start();
    await vi.waitFor(async () => expect([await bundleOf("mutating"), await bundleOf("validating")]).toEqual([base64("one"), base64("one")]), WAIT);
    replica.holder.replace({ cert: "", key: "", caBundle: "two" });
    await vi.waitFor(async () => expect([await bundleOf("mutating"), await bundleOf("validating")]).toEqual([base64("two"), base64("two")]), WAIT);
    await send("DELETE", pathOf("mutating"));
    await vi.waitFor(async () => expect(await bundleOf("mutating")).toBe(base64("two")), WAIT);
    const found = (await get("validating")) as WebhookConfiguration; // it came above
    await send("PUT", pathOf("validating"), { ...found, webhooks: [] });
    await vi.waitFor(async () => expect((await get("validating"))?.webhooks).toHaveLength(2), WAIT);
    replica.check();
    await replica.stop();

    const next = start(WEBHOOKS.slice(1));
    await vi.waitFor(async () => expect(await get("mutating")).toBeUndefined(), WAIT);
    await next.stop();
    expect(await get("validating")).toBeDefined();
    const removed: string[] = [];
    const onRemoved = (object: string) => removed.push(object);
    await unregister({ client: cluster.client, service, clock: systemClock, log: recordedLog(), onRemoved }, never);
    expect(removed).toEqual([`validatingwebhookconfigurations/${configuration}`, "leases/api-registration"]);
    expect(await get("validating")).toBeUndefined();
  });

  test("those of a version before go when there are no webhooks any more; those of others stay", async () => {
    const replica = start();
    await vi.waitFor(async () => expect([await bundleOf("mutating"), await bundleOf("validating")]).toEqual([base64("one"), base64("one")]), WAIT);
    await replica.stop();
    const apiVersion = "admissionregistration.k8s.io/v1";
    const others = [
      { name: `foreign-${configuration}` },
      { name: `other-${configuration}`, ...marksOf({ namespace: service.namespace, name: "other" }) },
    ].map((metadata) => ({ apiVersion, kind: "MutatingWebhookConfiguration", metadata, webhooks: [] }));
    for (const other of others) await send("POST", CONFIGURATION_COLLECTIONS.mutating, other);
    const next = start([]);
    await vi.waitFor(async () => expect([await get("mutating"), await get("validating")]).toEqual([undefined, undefined]), WAIT);
    next.check();
    await next.stop();
    for (const { metadata } of others) expect(await cluster.get(`${CONFIGURATION_COLLECTIONS.mutating}/${metadata.name}`)).toBeDefined();
  });

  test("that one cannot be removed is told as such", async () => {
    const replica = start();
    await vi.waitFor(async () => expect(await get("mutating")).toBeDefined(), WAIT);
    await replica.stop();
    const next = start([], {
      ...cluster.client,
      request: async (request, signal) => {
        if (request.method === "DELETE") throw new APIError("Forbidden", "not you");
        return cluster.client.request(request, signal);
      },
      watch: (...args) => cluster.client.watch(...args),
    });
    await vi.waitFor(() => expect(next.log.lines.join("\n")).toContain("the registration of what is not served any more cannot be removed"), WAIT);
    expect(next.log.lines.join("\n")).not.toContain("cannot be registered");
    await next.stop();
  });

  test("one of the same name that somebody else made is left alone, told once, and keeps the server unready", async () => {
    const foreign = {
      apiVersion: "admissionregistration.k8s.io/v1",
      kind: "MutatingWebhookConfiguration",
      metadata: { name: configuration },
      webhooks: [],
    };
    await send("POST", CONFIGURATION_COLLECTIONS.mutating, foreign);
    const replica = start();
    await vi.waitFor(async () => expect(await get("validating")).toBeDefined(), WAIT);
    await vi.waitFor(() => expect(replica.check).toThrow(`the mutating webhook configuration ${configuration} is not this server's`), WAIT);
    expect((await get("mutating"))?.webhooks ?? []).toEqual([]);
    expect(replica.log.lines.filter((line) => line.includes("made by somebody else"))).toHaveLength(1);
    await unregister({ client: cluster.client, service, clock: systemClock, log: recordedLog(), onRemoved: () => undefined }, never);
    expect(await get("mutating")).toBeDefined();
    await send("DELETE", pathOf("mutating"));
    await vi.waitFor(async () => expect(await bundleOf("mutating")).toBe(base64("one")), WAIT);
    replica.check();
    await replica.stop();
  });

  test("unregister without the right to list configurations takes back the rest, any other failure ends it", async () => {
    const failing = (error: Error): ClusterClient => ({
      ...cluster.client,
      request: async (request, signal) => {
        if (request.path.includes("webhookconfigurations")) throw error;
        return cluster.client.request(request, signal);
      },
      watch: (...args) => cluster.client.watch(...args),
    });
    const replica = start();
    await vi.waitFor(async () => expect(await get("mutating")).toBeDefined(), WAIT);
    await replica.stop();
    const removed: string[] = [];
    const options = { service, clock: systemClock, log: recordedLog(), onRemoved: (object: string) => removed.push(object) };
    await expect(unregister({ ...options, client: failing(new APIError("InternalError", "no")) }, never)).rejects.toThrow("no");
    await unregister({ ...options, client: failing(new APIError("Forbidden", "no")) }, never);
    expect(removed).toEqual(["leases/api-registration"]);
    expect(options.log.lines.join("\n")).toContain("webhook configurations are not looked at");
  });
});
