import { type KubernetesObject, t } from "@annex/apimachinery";
import { type Authorizer, defineResource, type Logger, memoryStorage } from "@annex/apiserver";
import { generateCA, generateKey, generateServingCertificate, ServedCertificatesHolder, serve, systemClock } from "@annex/apiserver-node";
import { type ClusterClient, createClusterClient } from "../client/index.ts";

const HOUR_MS = 3_600_000;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** The kinds that the parts of this package read and write, without the rules that the real ones have beyond their form. */
const KINDS = [
  defineResource({
    group: "",
    kind: "Secret",
    scope: "Namespaced",
    isBuiltIn: true,
    versions: { v1: { schema: { type: t.string({ default: "Opaque" }), data: t.optional(t.record(t.string())) } } },
  }),
  defineResource({
    group: "apiregistration.k8s.io",
    kind: "APIService",
    scope: "Cluster",
    nameRule: "pathSegment",
    isBuiltIn: true,
    statusSubresource: true,
    versions: { v1: { schema: { spec: t.optional(t.unknown()), status: t.optional(t.unknown()) } } },
  }),
  defineResource({
    group: "coordination.k8s.io",
    kind: "Lease",
    scope: "Namespaced",
    isBuiltIn: true,
    versions: { v1: { schema: { spec: t.optional(t.unknown()) } } },
  }),
  ...["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"].map((kind) =>
    defineResource({
      group: "admissionregistration.k8s.io",
      kind,
      scope: "Cluster",
      isBuiltIn: true,
      versions: { v1: { schema: { webhooks: t.optional(t.unknown()) } } },
    }),
  ),
];

/** Stands in the place of a kube-apiserver for those kinds: a server of ours that lets everybody do everything. */
export interface MemoryCluster extends AsyncDisposable {
  readonly client: ClusterClient;
  /** The object at a path, and undefined when there is none. */
  get(path: string): Promise<KubernetesObject | undefined>;
}

export async function startMemoryCluster(): Promise<MemoryCluster> {
  const key = await generateKey();
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const ca = { key, cert: await generateCA("cluster", key, validity) };
  const pair = await generateServingCertificate(ca, ["127.0.0.1"], validity);
  const certificates = Object.assign(new ServedCertificatesHolder({ ...pair, caBundle: ca.cert }, silent), { run: () => Promise.resolve() });
  const everything: Authorizer = { authorize: () => ({ decision: "Allow", reason: "" }) };
  const server = await serve({ resources: KINDS, storage: memoryStorage(), certificates, authorizers: [everything], securePort: 0, log: silent });
  const config = {
    server: server.url,
    namespace: "default",
    tls: { ca: ca.cert },
    authorization: () => Promise.resolve(undefined),
    forgetCredentials: () => undefined,
  };
  const client = createClusterClient(config, { clock: systemClock });
  return {
    client,
    async get(path) {
      const found = await client.request({ method: "GET", path }, new AbortController().signal).catch(() => undefined);
      return found as KubernetesObject | undefined;
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server.stop(0);
    },
  };
}
