import { DOCUMENT_OFFERS, negotiateDiscovery, negotiateResponse, unsupportedRoute } from "@annex/apimachinery";
import type { APIResponse } from "../http.ts";
import { NO_CACHE } from "../respond.ts";
import type { ServedResource } from "../served-resource.ts";
import { type DocumentRequest, StaticDocument } from "./document.ts";
import { apiGroup, apiGroupDiscoveryList, apiGroupList, apiResourceList, apiVersions, type ServedGroup, servedGroups } from "./documents.ts";

export interface DiscoveryOptions {
  /** `host:port` under which clients reach the server, told at `/api`. Default: not told. */
  readonly serverAddress?: string;
}

/** What tells clients which groups, versions and resources there are. */
export interface Discovery {
  /** Every path that answers, without a trailing slash; for the server's index of paths. */
  readonly paths: readonly string[];
  /**
   * Answers a GET or HEAD.
   *
   * @param request a path with one trailing slash is the same document.
   * @returns undefined where there is no document: `/api` too, when nothing is served in the core group.
   * @throws {APIError} `UnsupportedMediaType` as {@link requireRoutedType}, but at `/apis` and for custom resources; `NotAcceptable` when the Accept header
   *   leaves nothing.
   */
  readonly respond: (request: DocumentRequest) => APIResponse | undefined;
}

/** A path's plain document, and the aggregated one that may be asked for in its place. */
interface Place {
  readonly plain: StaticDocument;
  readonly aggregated: StaticDocument | undefined;
  /** Whether go-restful serves it in kube-apiserver. */
  readonly isRouted: boolean;
}

/** What the routes of kube-apiserver's compiled-in documents say they consume. */
const ROUTED_TYPES: ReadonlySet<string> = new Set(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);

/**
 * Looks at the Content-Type of a GET, as go-restful does before it takes a route that says what it consumes: of several one must be of these, to the letter.
 *
 * @throws {APIError} `UnsupportedMediaType`. Source: go-restful, Route.matchesContentType.
 */
export function requireRoutedType(contentType: string | undefined, types: ReadonlySet<string> = ROUTED_TYPES): void {
  if (!contentType) return;
  if (!contentType.split(",").some((one) => types.has((one.split(";", 1)[0] ?? "").trim()))) throw unsupportedRoute();
}

/**
 * Makes the discovery documents of everything that is served, once: `/api`, `/apis`, each group and each version, and the aggregated ones.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/discovery and its folder aggregated; KEP-3352.
 */
export function discoveryDocuments(served: readonly ServedResource[], options: DiscoveryOptions = {}): Discovery {
  const places = discoveryPlaces(servedGroups(served), options);
  return {
    paths: [...places.keys()],
    respond: (request) => {
      const { path } = request;
      const place = places.get(path.endsWith("/") ? path.slice(0, -1) : path);
      if (place === undefined) return undefined;
      if (place.isRouted) requireRoutedType(request.headers["content-type"]);
      return place.aggregated === undefined ? respondPlain(place.plain, request) : respondEither(place.plain, place.aggregated, request);
    },
  };
}

function discoveryPlaces(groups: readonly ServedGroup[], { serverAddress }: DiscoveryOptions): Map<string, Place> {
  const places = new Map<string, Place>();
  const plain = (path: string, value: ConstructorParameters<typeof StaticDocument>[0], isRouted: boolean) =>
    places.set(path, { plain: new StaticDocument(value), aggregated: undefined, isRouted });

  const core = groups.find(({ name }) => name === "");
  const named = groups.filter(({ name }) => name !== "");
  if (core !== undefined) {
    places.set("/api", {
      plain: new StaticDocument(apiVersions(core, serverAddress)),
      aggregated: new StaticDocument(apiGroupDiscoveryList([core])),
      isRouted: true,
    });
    for (const version of core.versions) plain(`/api/${version.version}`, apiResourceList(version), true);
  }
  places.set("/apis", {
    plain: new StaticDocument(apiGroupList(named)),
    aggregated: new StaticDocument(apiGroupDiscoveryList(named)),
    isRouted: false,
  });
  for (const group of named) {
    const isRouted = !group.versions.every(({ resources }) => resources.every(({ resource }) => resource.isCustomResource));
    plain(`/apis/${group.name}`, apiGroup(group), isRouted);
    for (const version of group.versions) plain(`/apis/${version.groupVersion}`, apiResourceList(version), isRouted);
  }
  return places;
}

function respondPlain(document: StaticDocument, request: DocumentRequest): APIResponse {
  const negotiated = negotiateResponse(request.headers.accept, DOCUMENT_OFFERS);
  return {
    status: 200,
    headers: { "cache-control": NO_CACHE, "content-type": negotiated.mediaType },
    body: document.bytes(negotiated, request),
  };
}

function respondEither(plain: StaticDocument, aggregated: StaticDocument, request: DocumentRequest): APIResponse {
  const negotiated = negotiateDiscovery(request.headers.accept);
  const { contentType } = negotiated;
  if (!negotiated.isAggregated) {
    return { status: 200, headers: { "cache-control": NO_CACHE, "content-type": contentType }, body: plain.bytes(negotiated, request) };
  }
  const headers = { "cache-control": "public", etag: `"${aggregated.hash}"`, vary: "Accept" };
  if (request.headers["if-none-match"] === headers.etag) return { status: 304, headers, body: undefined };
  return { status: 200, headers: { ...headers, "content-type": contentType }, body: aggregated.bytes(negotiated, request) };
}
