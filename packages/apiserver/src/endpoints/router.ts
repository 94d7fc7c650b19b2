import { encodeJSON, encodePrettyJSON, methodNotAllowed, unknownResource } from "@annex/apimachinery";
import { serveCreate } from "./create.ts";
import { serveDelete, serveDeleteCollection } from "./delete.ts";
import { serveGet } from "./get.ts";
import { type HealthChecks, healthPaths, serveHealth } from "./health.ts";
import type { APIResponse } from "./http.ts";
import { serveList } from "./list.ts";
import type { OpenAPIRequest } from "./openapi/index.ts";
import { servePatch } from "./patch.ts";
import type { ResourceRequestInfo } from "./request-info.ts";
import type { RequestState } from "./request-state.ts";
import { respond } from "./respond.ts";
import type { ServedResource } from "./served-resource.ts";
import type { Target } from "./target.ts";
import { serveUpdate } from "./update.ts";
import type { VersionInfo } from "./version.ts";
import { serveWatch, type WatchServices } from "./watch.ts";

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
  readonly health: HealthChecks;
  readonly version: VersionInfo;
  /** The text of `/metrics`; undefined where nothing is counted. */
  readonly metrics: (() => Promise<{ readonly contentType: string; readonly text: string }>) | undefined;
  readonly watch: WatchServices;
}

const encoder = new TextEncoder();

/** Finds out what a request is for and has it answered. */
export class Router {
  readonly #options: RouterOptions;
  /** By `group/version/resource`. */
  readonly #targets = new Map<string, Pick<Target, "resource" | "version" | "verbs">>();
  readonly #paths: readonly string[];

  constructor(options: RouterOptions) {
    this.#options = options;
    for (const { resource, verbs } of options.served) {
      for (const version of resource.versions)
        this.#targets.set(`${resource.group}/${version.name}/${resource.resource}`, { resource, version, verbs });
    }
    const own = ["/version", ...healthPaths(options.health), ...(options.metrics === undefined ? [] : ["/metrics"])];
    this.#paths = [...new Set([...own, ...options.documents.flatMap(({ paths }) => paths)])].sort();
  }

  /** @throws {APIError} `NotFound`, `MethodNotAllowed`, and whatever the endpoints throw. */
  async serve(state: RequestState): Promise<APIResponse> {
    const { info } = state;
    return info.type === "path" ? this.#servePath(state) : this.#serveResource(state, info);
  }

  #serveResource(state: RequestState, info: ResourceRequestInfo): Promise<APIResponse> {
    const found = this.#targets.get(`${info.group}/${info.version}/${info.resource}`);
    if (found === undefined || info.hasExtraSegments || info.path.endsWith("//")) throw unknownResource();
    const { resource, version } = found;
    // A namespace names itself; that is not the namespace it lies in.
    const namespace = resource.isNamespaced ? info.namespace : "";
    if (!resource.isNamespaced && info.namespace !== "" && resource.resource !== "namespaces") throw unknownResource();
    if (resource.isNamespaced && namespace === "" && info.name !== "") throw unknownResource();
    const verbs = this.#verbsOf(info, found);
    return this.#dispatch(state, { info, resource, version, verbs, namespace });
  }

  /** The verbs of the place: of a subresource only those that read and write it. @throws {APIError} `NotFound` for one that there is not. */
  #verbsOf({ subresource, verb }: ResourceRequestInfo, { resource, verbs }: Pick<Target, "resource" | "version" | "verbs">): Target["verbs"] {
    if (subresource === "") return verbs;
    if (resource.updateSubresources.includes(subresource) && verbs.update !== undefined) {
      if (verb === "patch") throw methodNotAllowed();
      return { update: verbs.update };
    }
    if (subresource !== "status" || !resource.hasStatus) throw unknownResource();
    return { ...(verbs.get === undefined ? {} : { get: verbs.get }), ...(verbs.update === undefined ? {} : { update: verbs.update }) };
  }

  #dispatch(state: RequestState, target: Target): Promise<APIResponse> {
    // HEAD is authorized as a GET, and served nowhere: as of Kubernetes' own kinds.
    if (state.request.method === "HEAD") throw methodNotAllowed();
    switch (target.info.verb) {
      case "get":
        return serveGet(state, target);
      case "list":
        return serveList(state, target);
      case "watch":
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
    const place = path.length > 1 && path.endsWith("/") ? path.slice(0, -1) : path;
    const healthy = await serveHealth(place, state.query, health, watch.log, state.signal);
    if (healthy !== undefined) return healthy;
    const { method } = state.request;
    // As in Kubernetes: what go-restful serves (discovery, the version) has no HEAD, OpenAPI beside it has.
    const isRead = method === "GET" || (method === "HEAD" && place.startsWith("/openapi/"));
    if (place === "/version") return this.#onlyGet(isRead, () => respond(200, "application/json", encodePrettyJSON(version)));
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
    if (place === "/") return this.#onlyGet(isRead, () => this.#index(200));
    // A version that a served group does not have is a missing resource; anything else is a missing path.
    const group = /^\/apis\/([^/]+)\/[^/]+$/.exec(place)?.[1];
    if (group !== undefined && this.#options.served.some(({ resource }) => resource.group === group)) throw unknownResource();
    return this.#index(404);
  }

  #onlyGet(isRead: boolean, answer: () => APIResponse): APIResponse {
    if (!isRead) throw methodNotAllowed();
    return answer();
  }

  #index(status: number): APIResponse {
    return respond(status, "application/json", status === 200 ? encodePrettyJSON({ paths: this.#paths }) : encodeJSON({ paths: this.#paths }));
  }
}
