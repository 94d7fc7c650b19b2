import type {
  AuthenticationResult,
  AuthorizationResult,
  InflightKind,
  KnownResource,
  RequestLabels,
  RequestMetrics,
  StoredObjects,
  StoredVersion,
} from "@annex/apiserver";
import { formatGauge, formatHistogram, Histogram, type LabelSet } from "./metrics-format.ts";

export interface MetricsOptions {
  /** What is served. A resource, version or subresource that is not here counts under empty labels, whatever a client asked for. */
  readonly resources: readonly KnownResource[];
}

export interface Metrics extends RequestMetrics {
  /** @returns Prometheus' text format 0.0.4: the request metrics, what is stored, then `process_*` and `nodejs_*`. */
  render(stored: readonly StoredObjects[]): Promise<{ readonly contentType: string; readonly text: string }>;
}

const VERBS: ReadonlySet<string> = new Set([
  "GET",
  "LIST",
  "WATCH",
  "POST",
  "PUT",
  "PATCH",
  "APPLY",
  "DELETE",
  "DELETECOLLECTION",
  "CONNECT",
  "HEAD",
  "OPTIONS",
]);
const SCOPES: ReadonlySet<string> = new Set(["cluster", "namespace", "resource"]);

/** Source: apiserver, endpoints/metrics: the same buckets, so that dashboards and alerts made for kube-apiserver fit. */
const LATENCY_BUCKETS = [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60];
const SIZE_BUCKETS = [1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9];

/** What one combination of verb, resource and scope adds up to. */
interface RequestSeries {
  readonly labels: LabelSet;
  readonly countByCode: Map<number, number>;
  readonly seconds: Histogram;
  readonly bytes: Histogram;
  longRunning: number | undefined;
}

/**
 * Creates the metrics of a server, named and labelled as kube-apiserver's.
 *
 * prom-client hashes all labels anew for each of the three metrics of a request, 6 µs, an eighth of a small one; so the requests
 * are added up here, and prom-client, loaded with the first `render`, tells about the process.
 */
export function createMetrics({ resources }: MetricsOptions): Metrics {
  return new ServerMetrics(resources);
}

class ServerMetrics implements Metrics {
  readonly #known: ReadonlySet<string>;
  readonly #series = new Map<string, RequestSeries>();
  readonly #authentications = new Map<AuthenticationResult, number>();
  readonly #authorizations = new Map<AuthorizationResult, number>();
  readonly #inflight = new Map<InflightKind, number>();
  #process: Promise<() => Promise<{ contentType: string; text: string }>> | undefined;

  constructor(resources: readonly KnownResource[]) {
    this.#known = new Set(
      resources.flatMap(({ group, version, resource, subresources }) =>
        ["", ...subresources].map((subresource) => knownKey(group, version, resource, subresource)),
      ),
    );
  }

  observeRequest(request: RequestLabels, status: number, seconds: number, responseBytes: number): void {
    const series = this.#seriesOf(request);
    const code = status >= 100 && status <= 599 ? Math.trunc(status) : 0;
    series.countByCode.set(code, (series.countByCode.get(code) ?? 0) + 1);
    series.seconds.observe(seconds);
    series.bytes.observe(responseBytes);
  }

  countAuthentication(result: AuthenticationResult): void {
    this.#authentications.set(result, (this.#authentications.get(result) ?? 0) + 1);
  }

  countAuthorization(result: AuthorizationResult): void {
    this.#authorizations.set(result, (this.#authorizations.get(result) ?? 0) + 1);
  }

  setInflight(kind: InflightKind, count: number): void {
    this.#inflight.set(kind, count);
  }

  longRunningStarted(request: RequestLabels): void {
    const series = this.#seriesOf(request);
    series.longRunning = (series.longRunning ?? 0) + 1;
  }

  longRunningEnded(request: RequestLabels): void {
    const series = this.#seriesOf(request);
    series.longRunning = Math.max(0, (series.longRunning ?? 0) - 1);
  }

  async render(stored: readonly StoredObjects[]): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#process ??= loadProcessMetrics();
    const { contentType, text } = await (await this.#process)();
    return { contentType, text: this.#renderRequests() + renderStored(stored) + text };
  }

  #seriesOf(request: RequestLabels): RequestSeries {
    const { verb, scope } = request;
    const resourceKey = knownKey(request.group, request.version, request.resource, request.subresource);
    // What was counted under its own labels before is known to be known.
    return this.#series.get(`${verb} ${scope} ${resourceKey}`) ?? this.#boundedSeriesOf(request, resourceKey);
  }

  #boundedSeriesOf(request: RequestLabels, resourceKey: string): RequestSeries {
    const verb = VERBS.has(request.verb) ? request.verb : "other";
    const scope = SCOPES.has(request.scope) ? request.scope : "";
    const isKnown = this.#known.has(resourceKey);
    const key = isKnown ? `${verb} ${scope} ${resourceKey}` : `${verb} ${scope}`;
    const found = this.#series.get(key);
    if (found !== undefined) return found;
    const { group, version, resource, subresource } = isKnown ? request : { group: "", version: "", resource: "", subresource: "" };
    const made: RequestSeries = {
      labels: { component: "apiserver", group, resource, scope, subresource, verb, version },
      countByCode: new Map(),
      seconds: new Histogram(LATENCY_BUCKETS),
      bytes: new Histogram(SIZE_BUCKETS),
      longRunning: undefined,
    };
    this.#series.set(key, made);
    return made;
  }

  #renderRequests(): string {
    const all = [...this.#series.values()];
    const counts = all.flatMap(({ labels, countByCode }) =>
      [...countByCode].map(([code, value]) => ({ labels: { ...labels, code: `${code}` }, value })),
    );
    // A watch that only began has no code, no duration and no size yet.
    const finished = all.filter(({ seconds }) => seconds.count > 0);
    return [
      formatGauge("counter", "apiserver_request_total", "Requests by verb, resource, scope and HTTP status code.", counts),
      formatHistogram(
        "apiserver_request_duration_seconds",
        "Time from request to answer, in seconds.",
        finished.map(({ labels, seconds }) => ({ labels, value: seconds })),
      ),
      formatHistogram(
        "apiserver_response_sizes",
        "Size of response bodies, in bytes.",
        finished.map(({ labels, bytes }) => ({ labels, value: bytes })),
      ),
      formatGauge("counter", "authentication_attempts", "Requests by what came of asking who it was.", byResult(this.#authentications)),
      formatGauge("counter", "authorization_attempts_total", "Requests by what came of asking whether they may be.", byResult(this.#authorizations)),
      formatGauge(
        "gauge",
        "apiserver_current_inflight_requests",
        "Requests that run now, by kind.",
        [...this.#inflight].map(([kind, value]) => ({ labels: { request_kind: kind }, value })),
      ),
      formatGauge(
        "gauge",
        "apiserver_longrunning_requests",
        "Watches and other requests without an end that run now.",
        all.flatMap(({ labels, longRunning }) => (longRunning === undefined ? [] : [{ labels, value: longRunning }])),
      ),
    ].join("");
  }
}

function byResult(counts: ReadonlyMap<string, number>) {
  return [...counts].map(([result, value]) => ({ labels: { result }, value }));
}

/** kube-apiserver's own count, and by the version that objects are stored in one of ours: Kubernetes tells that of custom resources alone, in `status.storedVersions`. */
function renderStored(stored: readonly StoredObjects[]): string {
  const objects = stored.map(({ group, resource, versions }) => ({
    labels: { group, resource },
    value: versions.reduce((sum, version) => sum + version.objects, 0),
  }));
  const byVersion = stored.flatMap(({ group, resource, storageVersion, versions }) =>
    versions.map((version) => ({ version, labels: { group, resource, stored_version: version.apiVersion, storage_version: storageVersion } })),
  );
  const counts = (count: (version: StoredVersion) => number) => byVersion.map(({ version, labels }) => ({ labels, value: count(version) }));
  return [
    formatGauge("gauge", "apiserver_resource_objects", "Objects that storage holds, by resource.", objects),
    formatGauge(
      "gauge",
      "annex_stored_objects",
      "Objects that storage holds, by the version that they are stored in.",
      counts((version) => version.objects),
    ),
    formatGauge(
      "gauge",
      "annex_stale_objects",
      "Stored objects that would be written otherwise now: a migration writes these anew.",
      counts((version) => version.stale),
    ),
  ].join("");
}

function knownKey(group: string, version: string, resource: string, subresource: string): string {
  return `${group}/${version}/${resource}/${subresource}`;
}

async function loadProcessMetrics() {
  const { collectDefaultMetrics, Registry } = await import("prom-client");
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return async () => ({ contentType: registry.contentType, text: await registry.metrics() });
}
