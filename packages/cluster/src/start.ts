import { setMaxListeners } from "node:events";
import { hostname } from "node:os";
import { join } from "node:path";
import {
  type APIServer,
  cryptoRandom,
  memoryStorage,
  namespaceLifecycle,
  type ResourceVerbs,
  requestTokenAuthenticators,
  type Storage,
  unionAuthorizer,
} from "@annex/apiserver";
import {
  type BackgroundWork,
  backgroundWork,
  createLogger,
  makePrivateFolder,
  type OptionTable,
  type Program,
  type ProgramSetup,
  type RunningServer,
  serve,
  serveOptions,
  storedSecretType,
  systemClock,
} from "@annex/apiserver-node";
import { sqlite } from "@annex/storage-sqlite";
import { clusterAdmission } from "./admission/index.ts";
import { delegatedAuthentication } from "./authentication/index.ts";
import { delegatedAuthorization } from "./authorization/index.ts";
import type { ClusterClient } from "./client/index.ts";
import { type AllOptions, type ClusterOptions, storageOf } from "./cluster-options.ts";
import { clusterNamespaces } from "./namespaces/cluster-namespaces.ts";
import { clusterSecretType, sharedPrivateKey } from "./private-key/shared-private-key.ts";
import { groupVersionsOf, registration, type ServiceReference } from "./registration/index.ts";
import { remoteSecrets } from "./secrets/index.ts";
import { servingCertificates } from "./serving-certificates/index.ts";

export interface ClusterHost {
  readonly service: ServiceReference;
  /** @param kubeconfig undefined: the service account of the pod. */
  readonly clientOf: (kubeconfig: string | undefined) => Promise<ClusterClient>;
}

/**
 * Starts a server beside a cluster's kube-apiserver: finds out whom to believe, gets its certificate, serves, and registers.
 *
 * @param signal ends what works in the background; it is for the time after the server has stopped.
 * @returns the server, and its work, which ends with the signal.
 */
export async function startInCluster<Options extends OptionTable>(
  program: Program<Options>,
  options: AllOptions<Options>,
  { service, clientOf }: ClusterHost,
  signal: AbortSignal,
): Promise<{ readonly server: RunningServer; readonly work: BackgroundWork }> {
  // Whatever works in the background listens to it: more than Node takes for an oversight, which it would print.
  setMaxListeners(0, signal);
  const log = createLogger({ verbosity: options.v });
  const storageKind = storageOf(options, program.secretTypes);
  const client = await clientOf(options.kubeconfig);
  const parts = { client, clock: systemClock, log };
  // Connections of their own: however many reviews wait for an answer, the Lease and the watches do not.
  const clientFor = (kubeconfig: string | undefined) => clientOf(kubeconfig ?? options.kubeconfig);
  const authentication = delegatedAuthentication({ ...parts, client: await clientFor(options["authentication-kubeconfig"]), options });
  await authentication.start(signal);
  const authorization = delegatedAuthorization({ ...parts, client: await clientFor(options["authorization-kubeconfig"]), options });
  const certificates = await servingCertificates(options, { service, ...parts }, signal);
  const namespaces = clusterNamespaces(parts);
  const admission = clusterAdmission({ ...parts, namespaces, authorizer: unionAuthorizer(authorization.authorizers) });
  const secrets = storageKind === "secrets" ? remoteSecrets({ ...parts, types: program.secretTypes ?? [] }) : undefined;
  let api: APIServer | undefined;
  const present = (): APIServer => {
    if (api === undefined) throw new Error("the server does not run yet");
    return api;
  };
  const verbsOf = (group: string, resource: string) => present().verbsOf(group, resource);
  const { secretTypes = [] } = program;
  const signedType = () => (secrets === undefined ? typeInStore(options["data-dir"], secretTypes) : clusterSecretType(client, secretTypes, signal));
  const privateKey = (name: string) =>
    sharedPrivateKey(client, { namespace: service.namespace, name: `${service.name}-${name}` }, signedType, signal);
  const setup = await program.setup({ options, hasSecrets: secrets !== undefined, privateKey, verbsOf });
  const registered = registration({ ...parts, ...registrationOptions(options, setup), service, certificates });
  const foreignVerbs = new Map<string, ResourceVerbs>([["/namespaces", namespaces.verbs]]);
  if (secrets !== undefined) foreignVerbs.set("/secrets", secrets.verbs);
  const followers = [authentication, namespaces, admission, ...(secrets === undefined ? [] : [secrets])];
  const { webhooks = [] } = setup;
  const server = await serve({
    ...serveOptions(options),
    // kube-controller-manager's.
    enableGarbageCollector: true,
    resources: setup.resources,
    hidden: setup.hidden ?? [],
    foreignVerbs,
    storage: await openStorage(storageKind, options["data-dir"], setup),
    certificates,
    // The cluster's tokens come first; the program's are asked about what it does not know.
    authenticators: [...authentication.authenticators, ...requestTokenAuthenticators(setup.tokenAuthenticators ?? [])],
    clientCAs: authentication.clientCAs,
    authorizers: authorization.authorizers,
    admission: [namespaceLifecycle(() => verbsOf("", "namespaces")), ...(setup.admission ?? []), ...admission.plugins],
    webhooks,
    prepare: async (made) => {
      api = made;
    },
    healthChecks: { ready: [...followers.map(({ ready }) => ready), authorization.ready, registered.healthCheck] },
    log,
  });
  const services = { verbsOf, context: (one: AbortSignal) => present().loopback(one), clock: systemClock, log };
  const all = [...followers.map((one) => one.run(signal)), registered.run(signal), (async () => setup.run?.(services, signal))()];
  return { server, work: backgroundWork(all, { signal, log }) };
}

function registrationOptions(options: ClusterOptions, { resources, webhooks = [] }: ProgramSetup) {
  const { "group-priority-minimum": groupPriorityMinimum, "version-priority": versionPriority } = options;
  return {
    groups: groupVersionsOf(resources),
    webhooks,
    priorities: { groupPriorityMinimum, versionPriority },
    identity: `${hostname()}_${cryptoRandom.uuid()}`,
  };
}

/** Where what is not in Secrets is kept: nothing is, where everything is in them, or there are no kinds. */
async function openStorage(kind: "secrets" | "sqlite", dataDir: string, { resources, hidden = [] }: ProgramSetup): Promise<Storage> {
  if (kind === "secrets" || resources.length + hidden.length === 0) return memoryStorage();
  return openStore(dataDir);
}

async function openStore(dataDir: string): Promise<Storage> {
  await makePrivateFolder(dataDir);
  return sqlite(join(dataDir, "store")).open();
}

/** Of some types of Secrets, one that the store has any of, before it is opened to be served. */
async function typeInStore(dataDir: string, types: readonly string[]): Promise<string | undefined> {
  if (types.length === 0) return undefined;
  await using store = await openStore(dataDir);
  return await storedSecretType(store, types);
}
