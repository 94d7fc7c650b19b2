import { APIError, encodeJSONText, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import { type AdmissionPlugin, admissionChain } from "./admission/admission.ts";
import type { Authenticator } from "./authentication/authenticator.ts";
import { ANONYMOUS, LOOPBACK } from "./authentication/user-info.ts";
import type { Authorizer } from "./authorization/authorizer.ts";
import type { Clock } from "./clock.ts";
import { defaultAndPrune } from "./definition/compile-resource.ts";
import type { Resource, ResourceServices } from "./definition/resource.ts";
import { discoveryDocuments } from "./endpoints/discovery/index.ts";
import type { HealthCheck } from "./endpoints/health.ts";
import type { APIRequest, APIResponse, RequestHandler } from "./endpoints/http.ts";
import { openAPIDocuments } from "./endpoints/openapi/index.ts";
import { parseRequestInfo, type RequestInfo } from "./endpoints/request-info.ts";
import { RequestState } from "./endpoints/request-state.ts";
import { respondError } from "./endpoints/respond.ts";
import { Router } from "./endpoints/router.ts";
import type { ServedResource } from "./endpoints/served-resource.ts";
import type { VersionInfo } from "./endpoints/version.ts";
import { authenticationFilter } from "./filters/authentication-filter.ts";
import { authorizationFilter } from "./filters/authorization-filter.ts";
import { deadlineFilter } from "./filters/deadline-filter.ts";
import { errorFilter } from "./filters/error-filter.ts";
import { chain } from "./filters/filter.ts";
import { createFlowControl } from "./filters/flow-control.ts";
import { flowControlFilter } from "./filters/flow-control-filter.ts";
import { logFilter } from "./filters/log-filter.ts";
import { metricsFilter } from "./filters/metrics-filter.ts";
import { type Compress, responseFilter } from "./filters/response-filter.ts";
import type { Logger } from "./logger.ts";
import type { RequestMetrics } from "./metrics.ts";
import { cryptoRandom, type Random } from "./random.ts";
import { cachedStore } from "./registry/cached-store.ts";
import { registryVerbs } from "./registry/registry.ts";
import type { RequestContext, ResourceVerbs } from "./registry/verbs.ts";
import type { Storage } from "./storage/index.ts";
import { objectCodec, toPresentVersion } from "./watch-cache/object-codec.ts";
import { WatchCache } from "./watch-cache/watch-cache.ts";

export interface APIServerOptions {
  /** The kinds to serve, from any number of groups. */
  readonly resources: readonly Resource[];
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
   * Whether a garbage collector (kube-controller-manager's) watches the objects of this server: deletions with the policies `Orphan` and `Foreground` then set the finalizer
   * that it acts on and removes. Without one every deletion is in the background, since nobody would ever remove the finalizer. Default false;
   * kube-apiserver has `--enable-garbage-collector` for it.
   */
  readonly enableGarbageCollector?: boolean;
  readonly metrics?: { readonly requests: RequestMetrics; readonly render: () => Promise<{ readonly contentType: string; readonly text: string }> };
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
  /** From now on `/readyz` fails, so that nobody sends new requests here. */
  beginShutdown(): void;
}

const MAX_AUDIT_ID_LENGTH = 64;

/** Reads storage and begins to serve. @throws {StorageError} when storage cannot be read. */
export async function createAPIServer(options: APIServerOptions): Promise<APIServer> {
  const { storage, clock, log, authorizer, metrics } = options;
  const random = options.random ?? cryptoRandom;
  const cache = new WatchCache({ storage, clock, log });
  const admission = admissionChain(options.admission ?? []);
  const byName = new Map<string, ServedResource>();
  const verbsOf = (group: string, resource: string): ResourceVerbs => {
    const found = byName.get(`${group}/${resource}`);
    if (found === undefined) throw new Error(`${group}/${resource} is not served`);
    return found.verbs;
  };
  const hasGarbageCollector = options.enableGarbageCollector ?? false;
  const services: ResourceServices = { authorizer, admission, random, hasGarbageCollector, clock, log, verbsOf };
  for (const resource of options.resources) {
    const name = `${resource.group}/${resource.resource}`;
    if (byName.has(name)) throw new TypeError(`${name} is defined twice`);
    const verbs = resource.handlers?.(resource, services) ?? storedVerbs(resource, options, cache, services);
    byName.set(name, { resource, verbs: servedVerbs(resource, verbs) });
  }
  await cache.start();

  const closing = new AbortController();
  let isShuttingDown = false;
  const served = [...byName.values()];
  const router = new Router({
    served,
    documents: [discoveryDocuments(served), openAPIDocuments(served, { title: "Annex", version: options.version.gitVersion })],
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
    metrics: metrics?.render,
    watch: { clock, log, minWatchMs: options.minWatchMs ?? 30 * 60_000, chance: () => (random.bytes(1)[0] ?? 0) / 256 },
  });
  // The way of a request, from the outside in.
  const handler = chain(
    [
      ...(metrics === undefined ? [] : [metricsFilter(metrics.requests, () => clock.now())]),
      ...(options.logsRequests === true ? [logFilter(log, () => clock.now())] : []),
      responseFilter(options.compress),
      errorFilter(log),
      authenticationFilter(options.authenticator),
      flowControlFilter(
        createFlowControl({
          maxInflight: options.maxRequestsInflight,
          maxMutatingInflight: options.maxMutatingRequestsInflight,
          clock,
          metrics: metrics?.requests,
        }),
      ),
      authorizationFilter(),
      deadlineFilter(options.requestTimeoutMs ?? 60_000, clock, closing.signal),
    ],
    (state) => router.serve(state),
  );

  return {
    verbsOf,
    loopback: (signal) => ({ user: LOOPBACK, now: clock.now(), signal, authorizer, warn: () => undefined }),
    beginShutdown: () => {
      isShuttingDown = true;
    },
    handle(request) {
      const fields = { request, auditID: auditIDOf(request, random), now: clock.now(), user: ANONYMOUS, authorizer };
      let info: RequestInfo;
      try {
        info = parseRequestInfo(request.method, request.path, request.query);
      } catch (error) {
        if (!APIError.is(error)) throw error;
        const unparsed = new RequestState({ ...fields, info: { type: "path", path: request.path, verb: request.method.toLowerCase() } });
        return Promise.resolve(withAuditID(respondError(unparsed, error), fields.auditID));
      }
      return handler(new RequestState({ ...fields, info }));
    },
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the server is closed"));
      await cache[Symbol.asyncDispose]();
    },
  };
}

function servedVerbs({ withoutVerbs }: Resource, verbs: ResourceVerbs): ResourceVerbs {
  if (withoutVerbs.length === 0) return verbs;
  // `as`: the names are those of the interface.
  return Object.fromEntries(Object.entries(verbs).filter(([name]) => !withoutVerbs.includes(name as keyof ResourceVerbs)));
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
