import {
  type APIServer,
  allowAnonymous,
  type Clock,
  createAPIServer,
  memoryStorage,
  namespaceLifecycle,
  publicPathsAuthorizer,
  type Resource,
  systemMastersAuthorizer,
  unionAuthorizer,
  versionInfo,
} from "@annex/apiserver";
import { createClusterClient } from "../client/index.ts";
import { startTLSServer, type TLSServer } from "./tls-server.ts";

const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
const ADMIN = { name: "admin", groups: ["system:masters", "system:authenticated"], extra: {} };

/** A server of our own in the place of a kube-apiserver, over memory. */
export interface CoreCluster extends TLSServer {
  readonly api: APIServer;
  readonly createNamespace: (name: string) => Promise<void>;
}

/** @param resources namespaces and Secrets. */
export async function startCoreCluster(resources: readonly Resource[], clock: Clock): Promise<CoreCluster> {
  const api: APIServer = await createAPIServer({
    resources,
    storage: memoryStorage(),
    clock,
    log: silent,
    version: versionInfo("0.0.0", "test/test"),
    authenticator: allowAnonymous({ authenticate: ({ headers }) => (headers.authorization === "Bearer one" ? ADMIN : undefined) }),
    authorizer: unionAuthorizer([systemMastersAuthorizer, publicPathsAuthorizer]),
    admission: [namespaceLifecycle(() => api.verbsOf("", "namespaces"))],
  });
  const server = await startTLSServer(api.handle);
  const client = createClusterClient(server.config, { clock });
  return {
    ...server,
    api,
    createNamespace: async (name) => {
      await client.request({ method: "POST", path: "/api/v1/namespaces", body: { metadata: { name } } }, new AbortController().signal);
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}
