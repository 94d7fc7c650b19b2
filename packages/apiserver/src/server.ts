import { APIError, encodeJSONText, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import { type AdmissionPlugin, admissionChain } from "./admission/admission.ts";
import type { Authenticator } from "./authentication/authenticator.ts";
import type { Authorizer } from "./authorization/authorizer.ts";
import type { Clock } from "./clock.ts";
import { defaultAndPrune } from "./definition/default-and-prune.ts";
import type { Resource, ResourceServices } from "./definition/resource.ts";
import { discoveryDocuments } from "./endpoints/discovery/index.ts";
import type { HealthCheck } from "./endpoints/health.ts";
import type { APIRequest, APIResponse, RequestHandler } from "./endpoints/http.ts";
import { openAPIDocuments } from "./endpoints/openapi/index.ts";
import { parseRequestInfo, type RequestInfo } from "./endpoints/request-info.ts";
import { RequestState } from "./endpoints/request-state.ts";
import { respondError } from "./endpoints/respond.ts";
import { type Documents, Router } from "./endpoints/router.ts";
import { type ServedResource, servedResource } from "./endpoints/served-resource.ts";
import type { VersionInfo } from "./endpoints/version.ts";
import { authenticationFilter } from "./filters/authentication-filter.ts";
import { authorizationFilter } from "./filters/authorization-filter.ts";
import { deadlineFilter } from "./filters/deadline-filter.ts";
import { errorFilter } from "./filters/error-filter.ts";
import { chain } from "./filters/filter.ts";
import { createFlowControl } from "./filters/flow-control.ts";
import { flowControlFilter } from "./filters/flow-control-filter.ts";
import { impersonationFilter } from "./filters/impersonation-filter.ts";
import { logFilter } from "./filters/log-filter.ts";
import { metricsFilter } from "./filters/metrics-filter.ts";
import { type Compress, responseFilter } from "./filters/response-filter.ts";
import type { Logger } from "./logger.ts";
import type { RequestMetrics, StoredObjects } from "./metrics.ts";
import type { ObjectObserver } from "./object-view.ts";
import { cryptoRandom, type Random } from "./random.ts";
import { cachedStore } from "./registry/cached-store.ts";
import { registryVerbs } from "./registry/registry.ts";
import { loopbackContext } from "./registry/request-context.ts";
import { keyPrefix } from "./registry/resource-keys.ts";
import type { RequestContext, ResourceVerbs } from "./registry/verbs.ts";
import type { Storage } from "./storage/index.ts";
import { objectCodec, toPresentVersion } from "./watch-cache/object-codec.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";
import type { AdmissionWebhook } from "./webhooks/index.ts";

export interface APIServerOptions {
  /** The kinds to serve, from any number of groups. */
  readonly resources: readonly Resource[];
  /** Kinds that are kept here and served to nobody: for kinds that are made of them ({@link APIServer.verbsOf}). Default: none. */
  readonly hidden?: readonly Resource[];
  /** Where the objects of kinds without verbs of their own are kept. The server does not close it. */
  readonly storage: Storage;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: VersionInfo;
  /** In the order in which they are asked. Default: none. */
  readonly admission?: readonly AdmissionPlugin[];
  readonly random?: Random;
  /**
   * The verbs of resources that another server serves, by group and resource (`apps/deployments`, `/secrets`): what {@link APIServer.verbsOf} finds beside the kinds of this one, for kinds
   * that are made of them and for the server's own work. Nobody else is served them. Default: none.
   */
  readonly foreignVerbs?: ReadonlyMap<string, ResourceVerbs>;
  /** Paths beside those of every server. Default: none. */
  readonly documents?: readonly Documents[];
  /** Admission webhooks for other API servers, each at its path. Who may post to them is the authorizer's to say ({@link webhookPathsAuthorizer}). Default: none. */
  readonly webhooks?: readonly AdmissionWebhook[];
  /**
   * Whether a garbage collector (kube-controller-manager's) watches the objects of this server: deletions with the policies `Orphan` and `Foreground` then set the finalizer
   * that it acts on and removes. Without one every deletion is in the background, since nobody would ever remove the finalizer. Default false;
   * kube-apiserver has `--enable-garbage-collector` for it.
   */
  readonly enableGarbageCollector?: boolean;
  readonly metrics?: {
    readonly requests: RequestMetrics;
    readonly render: (stored: readonly StoredObjects[]) => Promise<{ readonly contentType: string; readonly text: string }>;
  };
  readonly compress?: Compress;
  /** Whether each request is a line in the log. Default false. */
  readonly logsRequests?: boolean;
  /** Requests that only read, at a time. Default 400. */
  readonly maxRequestsInflight?: number;
  /** Requests that change something, at a time. Default 200. */
  readonly maxMutatingRequestsInflight?: number;
  /** How long a request other than a watch may take, in milliseconds. Default 60,000. */
  readonly requestTimeoutMs?: number;
  /** The least time a watch without `timeoutSeconds` lasts, in milliseconds. Default 30 minutes; each lasts up to twice as long. */
  readonly minWatchMs?: number;
  readonly healthChecks?: { readonly live?: readonly HealthCheck[]; readonly ready?: readonly HealthCheck[] };
}

/** A running API server without a socket. */
export interface APIServer extends AsyncDisposable {
  readonly handle: RequestHandler;
  /** The verbs of a resource, past authentication, authorization and limits: for the server's own work. @throws when it is not served. */
  verbsOf(group: string, resource: string): ResourceVerbs;
  /** A context for the server's own requests: as `system:apiserver`, in group system:masters. */
  loopback(signal: AbortSignal): RequestContext;
  /**
   * Has an observer told of all stored objects of a resource, now and whenever they change.
   *
   * @throws when the resource is not served, or not kept in this server's storage.
   */
  observe(group: string, resource: string, observer: ObjectObserver): void;
  /** What storage holds of each resource that is kept in it, in the order in which they were given. */
  storedObjects(): readonly StoredObjects[];
  /** From now on `/readyz` fails, so that nobody sends new requests here. */
  beginShutdown(): void;
}

const MAX_AUDIT_ID_LENGTH = 64;

/**
 * Reads storage and begins to serve.
 *
 * @throws {TypeError} for kinds that cannot be served together: one defined twice, or two of a group that prefer different versions; for two webhooks at one path.
 * @throws {StorageError} when storage cannot be read.
 */
export async function createAPIServer(options: APIServerOptions): Promise<APIServer> {
  const { storage, clock, log, authorizer, metrics } = options;
  const random = options.random ?? cryptoRandom;
  const cache = new WatchCache({ storage, clock, log });
  const admission = admissionChain(options.admission ?? []);
  const byName = new Map<string, ServedResource>();
  const unserved = new Map(options.foreignVerbs);
  const verbsOf = (group: string, resource: string): ResourceVerbs => {
    const name = `${group}/${resource}`;
    const found = byName.get(name)?.verbs ?? unserved.get(name);
    if (found === undefined) throw new Error(`${name} is not served`);
    return found;
  };
  const hasGarbageCollector = options.enableGarbageCollector ?? false;
  const services: ResourceServices = { authorizer, admission, random, hasGarbageCollector, clock, log, verbsOf };
  for (const resource of options.hidden ?? [])
    unserved.set(`${resource.group}/${resource.resource}`, storedVerbs(resource, options, cache, services));
  for (const resource of options.resources) {
    const name = `${resource.group}/${resource.resource}`;
    if (byName.has(name)) throw new TypeError(`${name} is defined twice`);
    const verbs = resource.handlers?.(resource, services) ?? storedVerbs(resource, options, cache, services);
    byName.set(name, servedResource(resource, verbs, services));
  }
  const served = [...byName.values()];
  const documents = [discoveryDocuments(served), openAPIDocuments(served, { title: "Annex", version: options.version.gitVersion })];
  await cache.start();

  const storedObjects = () =>
    served.flatMap(({ resource: { group, resource, storageVersion } }) => {
      const versions = cache.storedVersions(keyPrefix({ group, resource }));
      return versions === undefined ? [] : [{ group, resource, storageVersion: storageVersion.apiVersion, versions }];
    });

  const closing = new AbortController();
  let isShuttingDown = false;
  const router = new Router({
    served,
    documents: [...documents, ...(options.documents ?? [])],
    webhooks: options.webhooks ?? [],
    health: {
      live: options.healthChecks?.live ?? [],
      ready: [
        { name: "storage", check: async () => void (await storage.revisions()) },
        { name: "watch-cache", check: () => must(cache.isFresh, "the watch cache has lost the feed of storage") },
        ...(options.healthChecks?.ready ?? []),
        { name: "shutdown", check: () => must(!isShuttingDown, "the server is shutting down") },
      ],
    },
    version: options.version,
    metrics: metrics && (() => metrics.render(storedObjects())),
    watch: { clock, log, minWatchMs: options.minWatchMs ?? 30 * 60_000, chance: () => (random.bytes(1)[0] ?? 0) / 256 },
  });
  // The way of a request, from the outside in.
  const handler = chain(
    [
      ...(metrics === undefined ? [] : [metricsFilter(metrics.requests, () => clock.now())]),
      ...(options.logsRequests === true ? [logFilter(log, () => clock.now())] : []),
      responseFilter(options.compress),
      errorFilter(log),
      authenticationFilter(options.authenticator, metrics?.requests),
      impersonationFilter(),
      flowControlFilter(
        createFlowControl({
          maxInflight: options.maxRequestsInflight,
          maxMutatingInflight: options.maxMutatingRequestsInflight,
          clock,
          metrics: metrics?.requests,
        }),
      ),
      authorizationFilter(metrics?.requests),
      deadlineFilter(options.requestTimeoutMs ?? 60_000, clock, closing.signal),
    ],
    (state) => router.serve(state),
  );

  return {
    verbsOf,
    loopback: (signal) => loopbackContext({ signal }, clock.now(), authorizer),
    observe: (group, resource, observer) => {
      verbsOf(group, resource);
      cache.observe(keyPrefix({ group, resource }), observer);
    },
    storedObjects,
    beginShutdown: () => {
      isShuttingDown = true;
    },
    handle(request) {
      const auditID = auditIDOf(request, random);
      const now = clock.now();
      let info: RequestInfo;
      try {
        info = parseRequestInfo(request.method, request.path, request.query);
      } catch (error) {
        if (!APIError.is(error)) throw error;
        info = { type: "path", path: request.path, verb: request.method.toLowerCase() };
        const unparsed = new RequestState({ request, info, auditID, now, authorizer });
        return Promise.resolve(withAuditID(respondError(unparsed, error), auditID));
      }
      return handler(new RequestState({ request, info, auditID, now, authorizer }));
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the server is closed"));
      await cache[Symbol.asyncDispose]();
    },
  };
}

function storedVerbs(
  resource: Resource,
  { storage, clock }: APIServerOptions,
  cache: WatchCache,
  { admission, random, hasGarbageCollector }: ResourceServices,
): ResourceVerbs {
  const version = resource.storageVersion;
  const codec = objectCodec(resource, schemaHash(`${version.apiVersion} ${encodeJSONText(version.schema)}`), (object) => {
    // What lies in storage is JSON with type and metadata, and stays so.
    const present = toPresentVersion(resource, object) as unknown as JSONObject;
    return defaultAndPrune(present, version).object as unknown as KubernetesObject;
  });
  return registryVerbs({ resource, admission, random, hasGarbageCollector, store: cachedStore({ resource, codec, storage, cache, clock }) });
}

/** Tells schemas apart; nothing depends on nobody finding a second text of the same hash. Source: FNV-1a, 64 bits. */
function schemaHash(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) hash = ((hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(36);
}

function auditIDOf({ headers }: APIRequest, random: Random): string {
  const sent = headers["audit-id"];
  return sent !== undefined && sent !== "" && sent.length <= MAX_AUDIT_ID_LENGTH && /^[\x21-\x7e]+$/.test(sent) ? sent : random.uuid();
}

function withAuditID(response: APIResponse, auditID: string): APIResponse {
  return { ...response, headers: { ...response.headers, "audit-id": auditID } };
}

function must(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
