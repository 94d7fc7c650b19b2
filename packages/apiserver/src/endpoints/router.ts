import { encodeJSON, encodePrettyJSON, methodNotAllowed, unknownResource } from "@annex/apimachinery";
import type { Awaitable } from "../awaitable.ts";
import type { AdmissionWebhook } from "../webhooks/index.ts";
import { serveCreate } from "./create.ts";
import { serveDelete, serveDeleteCollection } from "./delete.ts";
import { requireRoutedType } from "./discovery/index.ts";
import { serveGet } from "./get.ts";
import { type HealthChecks, healthPaths, serveHealth } from "./health.ts";
import type { APIResponse } from "./http.ts";
import { serveList } from "./list.ts";
import type { OpenAPIRequest } from "./openapi/index.ts";
import { servePatch } from "./patch.ts";
import type { ResourceRequestInfo } from "./request-info.ts";
import type { RequestState } from "./request-state.ts";
import { respond } from "./respond.ts";
import { serveWebhook } from "./serve-webhook.ts";
import type { ServedResource, ServedSubresource } from "./served-resource.ts";
import type { Target } from "./target.ts";
import { serveUpdate } from "./update.ts";
import type { VersionInfo } from "./version.ts";
import { serveWatch, type WatchServices } from "./watch.ts";

const VERSION_TYPES: ReadonlySet<string> = new Set(["application/json"]);

/** A set of documents that are made once: discovery, OpenAPI. */
export interface Documents {
  /** The paths it answers, for the index. */
  readonly paths: readonly string[];
  /** @returns undefined for a path that is not its. */
  readonly respond: (request: OpenAPIRequest) => APIResponse | undefined;
}

export interface RouterOptions {
  readonly served: readonly ServedResource[];
  readonly documents: readonly Documents[];
  /** Each at a path of its own. */
  readonly webhooks: readonly AdmissionWebhook[];
  readonly health: HealthChecks;
  readonly version: VersionInfo;
  /** The text of `/metrics`; undefined where nothing is counted. */
  readonly metrics: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
  readonly watch: WatchServices;
}

/** Where a slash at the end makes it another place: what go-restful does not serve. */
const TAKES_NO_SLASH = /^\/(?:openapi|metrics)\//;
const encoder = new TextEncoder();

/** One version of a kind, and what lies below its objects. */
interface Place extends Pick<Target, "resource" | "version" | "verbs"> {
  readonly subresources: ReadonlyMap<string, ServedSubresource>;
}

/** Finds out what a request is for and has it answered. */
export class Router {
  readonly #options: RouterOptions;
  /** By `group/version/resource`. */
  readonly #places = new Map<string, Place>();
  readonly #webhooks = new Map<string, AdmissionWebhook>();
  readonly #paths: readonly string[];

  constructor(options: RouterOptions) {
    this.#options = options;
    for (const { resource, verbs, subresources } of options.served) {
      for (const version of resource.versions) {
        const below = new Map((subresources.get(version.name) ?? []).map((subresource) => [subresource.name, subresource]));
        this.#places.set(`${resource.group}/${version.name}/${resource.resource}`, { resource, version, verbs, subresources: below });
      }
    }
    for (const webhook of options.webhooks) {
      if (this.#webhooks.has(webhook.path)) throw new TypeError(`two webhooks are to be served at ${webhook.path}`);
      this.#webhooks.set(webhook.path, webhook);
    }
    const own = ["/version", ...healthPaths(options.health), ...(options.metrics === undefined ? [] : ["/metrics"])];
    this.#paths = [...new Set([...own, ...this.#webhooks.keys(), ...options.documents.flatMap(({ paths }) => paths)])].sort();
  }

  /** @throws {APIError} `NotFound`, `MethodNotAllowed`, and whatever the endpoints throw. */
  serve(state: RequestState): Awaitable<APIResponse> {
    const { info } = state;
    return info.type === "path" ? this.#servePath(state) : this.#serveResource(state, info);
  }

  #serveResource(state: RequestState, info: ResourceRequestInfo): Awaitable<APIResponse> {
    const place = this.#places.get(`${info.group}/${info.version}/${info.resource}`);
    if (place === undefined || info.hasExtraSegments || info.path.endsWith("//")) throw unknownResource();
    const { resource: parent, version: parentVersion } = place;
    // A namespace names itself; that is not the namespace it lies in.
    const namespace = parent.isNamespaced ? info.namespace : "";
    if (!parent.isNamespaced && info.namespace !== "" && parent.resource !== "namespaces") throw unknownResource();
    if (parent.isNamespaced && namespace === "" && info.name !== "") throw unknownResource();
    const { resource, version, verbs } = info.subresource === "" ? place : subresourceOf(place, info);
    return this.#dispatch(state, { info, parent, parentVersion, resource, version, verbs, namespace });
  }

  #dispatch(state: RequestState, target: Target): Awaitable<APIResponse> {
    // HEAD is authorized as a GET, and served nowhere: as of Kubernetes' own kinds.
    if (state.request.method === "HEAD") throw methodNotAllowed();
    switch (target.info.verb) {
      case "get":
        return serveGet(state, target);
      case "list":
        return serveList(state, target);
      case "watch":
        if (state.request.method !== "GET") throw methodNotAllowed();
        return serveWatch(state, target, this.#options.watch);
      case "create":
        return serveCreate(state, target);
      case "update":
        return serveUpdate(state, target);
      case "patch":
        return servePatch(state, target);
      case "delete":
        return serveDelete(state, target);
      case "deletecollection":
        return serveDeleteCollection(state, target);
      default:
        throw methodNotAllowed();
    }
  }

  async #servePath(state: RequestState): Promise<APIResponse> {
    const { health, watch, documents, version, metrics } = this.#options;
    const { path } = state.info;
    const webhook = this.#webhooks.get(path);
    if (webhook !== undefined) return serveWebhook(state, webhook);
    const place = path.length > 1 && path.endsWith("/") && !TAKES_NO_SLASH.test(path) ? path.slice(0, -1) : path;
    const healthy = await serveHealth(path, state.query, health, watch.log, state.signal);
    if (healthy !== undefined) return healthy;
    const { method } = state.request;
    // As in Kubernetes: what go-restful serves (discovery, the version) has no HEAD, OpenAPI beside it has.
    const isRead = method === "GET" || (method === "HEAD" && place.startsWith("/openapi/"));
    if (place === "/version") {
      if (!isRead) throw methodNotAllowed();
      requireRoutedType(state.request.headers["content-type"], VERSION_TYPES);
      return respond(200, "application/json", encodePrettyJSON(version));
    }
    if (place === "/metrics" && metrics !== undefined) {
      if (!isRead) throw methodNotAllowed();
      const { contentType, text } = await metrics();
      return respond(200, contentType, encoder.encode(text));
    }
    for (const document of documents) {
      if (!isRead && document.paths.includes(place)) throw methodNotAllowed();
      const response = document.respond({ path: place, query: state.request.query, headers: state.request.headers, now: state.now });
      if (response !== undefined) return response;
    }
    // Whatever the method: Go's index looks at the path alone.
    if (place === "/") return this.#index(200);
    // A version that a served group does not have is a missing resource; anything else is a missing path.
    const group = /^\/api\/[^/]+$/.test(place) ? "" : /^\/apis\/([^/]+)\/[^/]+$/.exec(place)?.[1];
    if (group !== undefined && this.#options.served.some(({ resource }) => resource.group === group)) throw unknownResource();
    return this.#index(404);
  }

  #index(status: number): APIResponse {
    return respond(status, "application/json", status === 200 ? encodePrettyJSON({ paths: this.#paths }) : encodeJSON({ paths: this.#paths }));
  }
}

/** @throws {APIError} `NotFound` for one that there is not, nor ever to be watched; `MethodNotAllowed` for what it does not do. */
function subresourceOf({ subresources }: Place, { subresource, verb }: ResourceRequestInfo): ServedSubresource {
  const found = subresources.get(subresource);
  if (found === undefined || verb === "watch") throw unknownResource();
  if (!found.verbNames.includes(verb)) throw methodNotAllowed();
  return found;
}
