import { encodeJSON, type JSONObject, negotiateMediaType, notAcceptable } from "@annex/apimachinery";
import { versionOf } from "../../definition/resource.ts";
import { type DocumentRequest, documentHash, isNotModified, type ServedGroup, type ServedGroupVersion, servedGroups } from "../discovery/index.ts";
import type { APIResponse, ResponseHeaders } from "../http.ts";
import { NO_CACHE } from "../respond.ts";
import type { ServedResource } from "../served-resource.ts";
import { coreVersionsPath, groupPath, groupsPath, resourcesPath, versionPath } from "./discovery-paths.ts";
import { kindDefinitions } from "./kind-definitions.ts";
import { metaDefinitions } from "./meta-definitions.ts";
import { type Definitions, type DocumentModel, type PathItem, referencedDefinitions } from "./model.ts";
import { groupVersionPath } from "./names.ts";
import { encodeV2Protobuf, V2_PROTOBUF_CONTENT_TYPE, V2_PROTOBUF_MEDIA_TYPES } from "./protobuf-v2.ts";
import { renderV2 } from "./render-v2.ts";
import { renderV3 } from "./render-v3.ts";
import { resourcePaths } from "./resource-paths.ts";

const INDEX_PATH = "/openapi/v3";
const V2_PATH = "/openapi/v2";
const JSON_MEDIA_TYPE = "application/json";
const YEAR_MS = 365 * 24 * 60 * 60 * 1000;

export interface OpenAPIOptions {
  /** What documents say they describe: `Annex`. */
  readonly title: string;
  /** The version of the server, not of an API. */
  readonly version: string;
}

/** What of a request decides what it is answered. */
export interface OpenAPIRequest extends DocumentRequest {
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The schemas and operations of everything that is served, for `kubectl explain`, for validation by clients and for generators. */
export interface OpenAPI {
  /** `/openapi/v2` and `/openapi/v3`, for the server's index of paths. */
  readonly paths: readonly string[];
  /**
   * Answers a GET or HEAD.
   *
   * `/openapi/v3` is the index of the v3 documents, one for each group version. A URL of the index carries the document's hash: the answer then may be
   * kept for a year; a hash that is no longer right is a 301 to the one that is. `/openapi/v2` is everything in one document.
   *
   * @returns undefined where there is no document; unlike Kubernetes, whose answer to an unknown group version is an empty 200.
   * @throws {APIError} `NotAcceptable` when the Accept header leaves nothing: v3 is JSON alone, v2 JSON and protobuf.
   */
  readonly respond: (request: OpenAPIRequest) => APIResponse | undefined;
}

interface Document {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/**
 * Makes the OpenAPI documents of everything that is served, once.
 *
 * Source: k8s.io/kube-openapi/pkg/handler and handler3; KEP-2896.
 */
export function openAPIDocuments(served: readonly ServedResource[], options: OpenAPIOptions): OpenAPI {
  const parts = documentParts(servedGroups(served));
  const documents = new Map<string, Document>();
  for (const [name, part] of parts) documents.set(`${INDEX_PATH}/${name}`, encodeDocument(renderV3(documentModel([part], options))));
  const swagger = renderV2(documentModel([...parts.values()], options));
  const v2 = encodeDocument(swagger);
  // Only when a client asks for it: most never do.
  let protobuf: Uint8Array | undefined;
  const v2Protobuf = () => {
    protobuf ??= encodeV2Protobuf(swagger);
    return protobuf;
  };
  const index = encodeDocument(indexDocument(documents));
  return {
    paths: [V2_PATH, INDEX_PATH],
    respond: (request) => {
      if (request.path === INDEX_PATH) return respondDocument(index, request, { "cache-control": NO_CACHE });
      if (request.path === V2_PATH) return respondV2(v2, v2Protobuf, request);
      const document = documents.get(request.path);
      return document === undefined ? undefined : respondV3(document, request);
    },
  };
}

/** What one v3 document describes, and the v2 document among other things. */
interface DocumentPart {
  readonly groupVersions: readonly ServedGroupVersion[];
  readonly paths: readonly PathItem[];
}

/** By the name that a part has in the index: `apis/wardle.example.com/v1beta1`. */
function documentParts(groups: readonly ServedGroup[]): Map<string, DocumentPart> {
  const parts = new Map<string, DocumentPart>();
  const discovery = (name: string, item: PathItem) => parts.set(name, { groupVersions: [], paths: [item] });
  if (groups.some(({ name }) => name === "")) discovery("api", coreVersionsPath());
  discovery("apis", groupsPath());
  for (const group of groups) {
    if (group.name !== "") discovery(`apis/${group.name}`, groupPath(group));
    for (const groupVersion of group.versions) {
      const { version, resources } = groupVersion;
      const paths = [resourcesPath(groupVersion), ...resources.flatMap((served) => resourcePaths(served, version))];
      parts.set(groupVersionPath(group.name, version).slice(1), { groupVersions: [groupVersion], paths });
    }
  }
  discovery("version", versionPath());
  return parts;
}

function documentModel(parts: readonly DocumentPart[], { title, version }: OpenAPIOptions): DocumentModel {
  const groupVersions = parts.flatMap((part) => part.groupVersions);
  const paths = parts.flatMap((part) => part.paths).sort((left, right) => (left.path < right.path ? -1 : 1));
  const known = Object.fromEntries([metaDefinitions(groupVersions), ...groupVersions.flatMap(definitionsOf)].flatMap((some) => Object.entries(some)));
  return { title, version, paths, definitions: referencedDefinitions(paths, known) };
}

function definitionsOf({ version, resources }: ServedGroupVersion): Definitions[] {
  return resources.flatMap(({ resource }) => {
    const served = versionOf(resource, version);
    return served === undefined ? [] : [kindDefinitions(resource, served)];
  });
}

function indexDocument(documents: ReadonlyMap<string, Document>): JSONObject {
  const entries = [...documents].map(
    ([path, { hash }]) => [path.slice(INDEX_PATH.length + 1), { serverRelativeURL: `${path}?hash=${hash}` }] as const,
  );
  return { paths: Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1))) };
}

function encodeDocument(value: JSONObject): Document {
  const bytes = encodeJSON(value);
  return { bytes, hash: documentHash(bytes) };
}

function respondV3(document: Document, request: OpenAPIRequest): APIResponse {
  const asked = new URLSearchParams(request.query).get("hash") ?? "";
  if (asked === "") return respondV3JSON(document, request, { "cache-control": NO_CACHE });
  if (asked !== document.hash) {
    const location = `${request.path}?hash=${document.hash}`;
    return { status: 301, headers: { "cache-control": NO_CACHE, etag: `"${document.hash}"`, location, vary: "Accept" }, body: undefined };
  }
  const expires = new Date(request.now + YEAR_MS).toUTCString();
  return respondV3JSON(document, request, { "cache-control": "public, immutable", expires });
}

/** The forms of the v2 document share its ETag, as in Kubernetes. */
function respondV2(document: Document, protobuf: () => Uint8Array, request: DocumentRequest): APIResponse {
  const headers = { "cache-control": NO_CACHE, vary: "Accept-Encoding, Accept" };
  const mediaType = requireMediaType(request, [JSON_MEDIA_TYPE, ...V2_PROTOBUF_MEDIA_TYPES]);
  if (mediaType === JSON_MEDIA_TYPE) return respondDocument(document, request, headers);
  return respondDocument({ ...document, bytes: protobuf() }, request, headers, V2_PROTOBUF_CONTENT_TYPE);
}

function respondV3JSON(document: Document, request: DocumentRequest, headers: ResponseHeaders): APIResponse {
  requireMediaType(request, [JSON_MEDIA_TYPE]);
  return respondDocument(document, request, { ...headers, vary: "Accept" });
}

function requireMediaType({ headers }: DocumentRequest, offered: readonly string[]): string {
  const mediaType = negotiateMediaType(headers.accept, offered);
  if (mediaType === undefined) throw notAcceptable(`only the following media types are accepted: ${offered.join(", ")}`);
  return mediaType;
}

function respondDocument(
  { bytes, hash }: Document,
  { headers: asked }: DocumentRequest,
  headers: ResponseHeaders,
  contentType: string = JSON_MEDIA_TYPE,
): APIResponse {
  const tagged = { ...headers, etag: `"${hash}"` };
  if (isNotModified(asked["if-none-match"], hash)) return { status: 304, headers: tagged, body: undefined };
  return { status: 200, headers: { ...tagged, "content-type": contentType }, body: bytes };
}
