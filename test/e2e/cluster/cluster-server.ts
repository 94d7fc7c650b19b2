// A server beside the control plane, in this process: its own kind, its Secrets, its registration. The aggregator reaches it through a Service that names localhost.
import { type KubernetesObject, t } from "@annex/apimachinery";
import { type Authorizer, type Clock, defineResource, type LogFields, type Logger, memoryStorage } from "@annex/apiserver";
import { type RunningServer, type ServingCertificates, serve, systemClock } from "@annex/apiserver-node";
import {
  type CertificateLifetimes,
  type ClusterClient,
  createClusterClient,
  groupVersionsOf,
  type RegistrationPriorities,
  registration,
  type ServiceReference,
  secretCertificates,
} from "@annex/cluster";

export const API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices";
const never = new AbortController().signal;

/** An object of the cluster, as far as these tests look into it. */
export interface Found extends KubernetesObject {
  readonly spec: Readonly<Record<string, unknown>>;
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[] };
}

/** @param token a bearer token. */
export function clusterClient(plane: { readonly url: string; readonly ca: string }, token: string): ClusterClient {
  const authorization = () => Promise.resolve(`Bearer ${token}`);
  const config = { server: plane.url, namespace: "default", tls: { ca: plane.ca }, authorization, forgetCredentials: () => undefined };
  return createClusterClient(config, { clock: systemClock });
}

/** What an administrator does by hand. */
export function administrator(client: ClusterClient) {
  const send = async (method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH", path: string, body?: unknown) => {
    const contentType = method === "PATCH" ? { contentType: "application/merge-patch+json" } : {};
    return (await client.request({ method, path, ...(body === undefined ? {} : { body }), ...contentType }, never)) as unknown as Found;
  };
  return {
    get: (path: string) => send("GET", path),
    find: (path: string) => send("GET", path).catch(() => undefined),
    post: (path: string, body: unknown) => send("POST", path, body),
    merge: (path: string, body: unknown) => send("PATCH", path, body),
    remove: (path: string) => send("DELETE", path),
    namespace: (name: string) => send("POST", "/api/v1/namespaces", { apiVersion: "v1", kind: "Namespace", metadata: { name } }),
    /** The Service under which the aggregator reaches a local port. */
    localService: ({ namespace, name, port }: ServiceReference) =>
      send("POST", `/api/v1/namespaces/${namespace}/services`, {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name },
        spec: { type: "ExternalName", externalName: "localhost", ports: [{ port, protocol: "TCP" }] },
      }),
  };
}

export interface ClusterServer {
  readonly server: RunningServer;
  readonly certificates: ServingCertificates;
  readonly lines: readonly string[];
  readonly isRegistrationReady: () => boolean;
  readonly stop: () => Promise<void>;
}

export interface ClusterServerOptions {
  readonly client: ClusterClient;
  readonly service: ServiceReference;
  readonly group: string;
  /** Default v1. */
  readonly versions?: readonly ["v1"] | readonly ["v1", "v1beta1"];
  readonly port: number;
  readonly priorities?: Partial<RegistrationPriorities>;
  /** Of the certificates. */
  readonly clock?: Clock;
  readonly lifetimes?: Partial<CertificateLifetimes>;
}

/** A kind that is kept in memory. Who may do what is not what these tests are about: everybody may do everything. */
export async function startClusterServer(options: ClusterServerOptions): Promise<ClusterServer> {
  const { client, service, group, port, priorities = {}, clock = systemClock, lifetimes = {}, versions = ["v1"] } = options;
  const lines: string[] = [];
  const note = (level: string) => (fields: LogFields, message: string) => void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  const log: Logger = { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
  const resource = gadget(group, versions.length === 2);
  const certificates = await secretCertificates({ client, service, clock, lifetimes, log }, never);
  const everybody: Authorizer = { authorize: () => ({ decision: "Allow", reason: "" }) };
  const server = await serve({ resources: [resource], storage: memoryStorage(), certificates, authorizers: [everybody], securePort: port, log });
  const registered = registration({
    client,
    service,
    certificates,
    priorities,
    groups: groupVersionsOf([resource]),
    identity: `${port}-${Math.random()}`,
    clock: systemClock,
    log,
    durations: { leaseMs: 3_000, renewDeadlineMs: 2_000, retryMs: 500 },
  });
  const stopping = new AbortController();
  const running = registered.run(stopping.signal);
  return {
    server,
    certificates,
    lines,
    isRegistrationReady: () => {
      try {
        registered.healthCheck.check(never);
        return true;
      } catch {
        return false;
      }
    },
    async stop() {
      stopping.abort();
      await running;
      await server.stop(1_000);
    },
  };
}

function gadget(group: string, hasTwoVersions: boolean) {
  const schema = { spec: t.optional(t.unknown()) };
  const common = { group, kind: "Gadget", scope: "Namespaced" } as const;
  if (!hasTwoVersions) return defineResource({ ...common, versions: { v1: { schema } } });
  const same = {
    toStorage: ({ spec }: { readonly spec?: unknown }) => ({ spec }),
    fromStorage: ({ spec }: { readonly spec?: unknown }) => ({ spec }),
  };
  return defineResource({ ...common, versions: { v1: { storage: true, schema }, v1beta1: { schema, ...same } } });
}
