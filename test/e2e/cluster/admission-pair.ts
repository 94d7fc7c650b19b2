// A kind of a real cluster and the same kind of ours, whose writes the same configurations of the cluster are about.
import { isJSONObject, type JSONObject, type JSONValue } from "@annex/apimachinery";
import { type Authorizer, type Logger, resourceFromCRD } from "@annex/apiserver";
import { systemClock } from "@annex/apiserver-node";
import { type ClusterClient, clusterAdmission, clusterNamespaces } from "@annex/cluster";
import { startHarness } from "@annex/testing";
import { expect, vi } from "vitest";
import type { ControlPlane } from "../../controlplane/control-plane.ts";
import { createClient, readKubeconfig } from "../client.ts";
import { administrator, clusterClient } from "./cluster-server.ts";

const MINUTE_MS = 60_000;
export const GROUP = "admission.example.com";
export const NAMESPACE = "admission";
export const WIDGETS = `/apis/${GROUP}/v1/namespaces/${NAMESPACE}/widgets`;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What somebody is answered, without what is never the same. */
export interface PairAnswer {
  readonly status: number;
  readonly body: JSONValue;
  readonly warnings: readonly string[];
}

export interface AdmissionPair extends AsyncDisposable {
  readonly admin: ReturnType<typeof administrator>;
  /** Asks both. */
  ask(
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ readonly theirs: PairAnswer; readonly ours: PairAnswer }>;
}

const integers = { type: "object", additionalProperties: { type: "integer" } };
const spec = {
  type: "object",
  properties: {
    color: { type: "string" },
    size: { type: "integer", default: 1 },
    tags: { type: "array", items: { type: "string" } },
    counts: integers,
  },
};
const schema = { openAPIV3Schema: { type: "object", properties: { spec, status: { type: "object", properties: { size: { type: "integer" } } } } } };
const subresources = { status: {}, scale: { specReplicasPath: ".spec.size", statusReplicasPath: ".status.size" } };

/** Two versions that differ in nothing but their names. */
const CRD = {
  apiVersion: "apiextensions.k8s.io/v1",
  kind: "CustomResourceDefinition",
  metadata: { name: `widgets.${GROUP}` },
  spec: {
    group: GROUP,
    scope: "Namespaced",
    names: { plural: "widgets", singular: "widget", kind: "Widget", listKind: "WidgetList" },
    versions: [
      { name: "v1", served: true, storage: true, schema, subresources },
      { name: "v1beta1", served: true, storage: false, schema, subresources },
    ],
  },
};

const everything: Authorizer = { authorize: () => ({ decision: "Allow", reason: "" }) };

export async function startAdmissionPair(plane: ControlPlane): Promise<AdmissionPair> {
  const access = await readKubeconfig(plane.kubeconfig);
  const client: ClusterClient = clusterClient({ url: plane.url, ca: access.ca }, plane.tokens.admin);
  const admin = administrator(client);
  await admin.post("/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name: NAMESPACE, labels: { team: "one" } } });
  await admin.post("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", CRD);
  const namespaces = clusterNamespaces({ client, clock: systemClock, log: silent });
  // The Service names localhost; its certificate has to have the name of the Service all the same.
  const resolver = ({ port }: { readonly port: number }) => ({ host: "127.0.0.1", port });
  const admission = clusterAdmission({ client, namespaces, authorizer: everything, resolver, clock: systemClock, log: silent });
  const end = new AbortController();
  const running = Promise.all([admission.run(end.signal), namespaces.run(end.signal)]);
  await vi.waitFor(() => admission.ready.check(end.signal), { timeout: MINUTE_MS });
  const ours = await startHarness([resourceFromCRD(CRD)], { admission: [...admission.plugins] });
  const theirs = createClient(plane.url, access);
  await vi.waitFor(async () => expect((await theirs.request("GET", WIDGETS)).status).toBe(200), { timeout: MINUTE_MS, interval: 100 });
  return {
    admin,
    async ask(method, path, body, headers = {}) {
      const sent = { "user-agent": "pair/1.0", ...headers };
      const [left, right] = await Promise.all([
        theirs.request(method, path, body, sent),
        ours.request(method, path, { ...(body === undefined ? {} : { body }), headers: sent }),
      ]);
      return {
        theirs: { status: left.status, body: withoutChance(JSON.parse(left.text) as JSONValue), warnings: warningsOf(left.headers.warning) },
        ours: { status: right.status, body: withoutChance(JSON.parse(right.text) as JSONValue), warnings: warningsOf(right.headers.warning) },
      };
    },
    async [Symbol.asyncDispose]() {
      end.abort();
      await running;
      await ours[Symbol.asyncDispose]();
      await client[Symbol.asyncDispose]();
    },
  };
}

function warningsOf(header: string | readonly string[] | undefined): readonly string[] {
  return typeof header === "string" ? header.split(/, (?=299 )/) : (header ?? []);
}

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const BY_CHANCE: ReadonlySet<string> = new Set(["uid", "creationTimestamp", "resourceVersion", "time"]);

/** A value without what differs from one object to the next. */
export function withoutChance(value: JSONValue): JSONValue {
  if (typeof value === "string") return value.replace(UUID, "UUID").replace(/\bmade-[a-z0-9]{5}\b/g, "made-");
  if (Array.isArray(value)) return value.map(withoutChance);
  if (!isJSONObject(value)) return value;
  const kept = Object.entries(value).filter(([key]) => !BY_CHANCE.has(key));
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutChance(field ?? null)])) as JSONObject;
}
