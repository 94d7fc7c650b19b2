import { decodeStrictJSON, encodeJSON, type JSONObject, type JSONValue, negotiateMediaType, notAcceptable } from "@annex/apimachinery";
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
import { encodeV3Protobuf, V3_PROTOBUF_CONTENT_TYPE, V3_PROTOBUF_MEDIA_TYPES } from "./protobuf-v3.ts";
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
   * @returns an empty 404 for an unknown group version; undefined for a path that is none of OpenAPI's.
   * @throws {APIError} `NotAcceptable` when the Accept header leaves nothing: documents are JSON and protobuf, the index is JSON whatever is asked for.
   */
  readonly respond: (request: OpenAPIRequest) => APIResponse | undefined;
}

/** A document in its two forms, which share a hash as in Kubernetes. */
interface Document {
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** Made when a client first asks for it: most never do. */
  readonly protobuf: () => Uint8Array;
}

/** What the protobuf form of a version of OpenAPI is called, and how it is written. */
interface ProtobufForm {
  readonly mediaTypes: readonly string[];
  readonly contentType: string;
  readonly encode: (document: JSONValue) => Uint8Array;
}

const V2_FORM: ProtobufForm = { mediaTypes: V2_PROTOBUF_MEDIA_TYPES, contentType: V2_PROTOBUF_CONTENT_TYPE, encode: encodeV2Protobuf };
const V3_FORM: ProtobufForm = { mediaTypes: V3_PROTOBUF_MEDIA_TYPES, contentType: V3_PROTOBUF_CONTENT_TYPE, encode: encodeV3Protobuf };

/**
 * Makes the OpenAPI documents of everything that is served, once.
 *
 * Source: k8s.io/kube-openapi/pkg/handler and handler3; KEP-2896.
 */
export function openAPIDocuments(served: readonly ServedResource[], options: OpenAPIOptions): OpenAPI {
  const parts = documentParts(servedGroups(served));
  const documents = new Map<string, Document>();
  for (const [name, part] of parts) documents.set(`${INDEX_PATH}/${name}`, encodeDocument(renderV3(documentModel([part], options)), V3_FORM));
  const v2 = encodeDocument(renderV2(documentModel([...parts.values()], options)), V2_FORM);
  const indexBytes = encodeJSON(indexDocument(documents));
  const index = { contentType: JSON_MEDIA_TYPE, hash: documentHash(indexBytes), bytes: indexBytes };
  return {
    paths: [V2_PATH, INDEX_PATH],
    respond: (request) => {
      if (request.path === INDEX_PATH) return respondWith(index, request, { "cache-control": NO_CACHE });
      if (request.path === V2_PATH) {
        return respondWith(chosenForm(v2, V2_FORM, request), request, { "cache-control": NO_CACHE, vary: "Accept-Encoding, Accept" });
      }
      const document = documents.get(request.path);
      if (document !== undefined) return respondV3(document, request);
      // As kube-apiserver, whose answer has no body; a generic server's is an empty 200.
      return request.path.startsWith(`${INDEX_PATH}/`) ? { status: 404, headers: { "cache-control": NO_CACHE }, body: undefined } : undefined;
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
    if (group.name !== "" && group.versions.some(isDiscoveryDescribed)) discovery(`apis/${group.name}`, groupPath(group));
    for (const groupVersion of group.versions) {
      const { version, resources } = groupVersion;
      const discoveryPaths = isDiscoveryDescribed(groupVersion) ? [resourcesPath(groupVersion)] : [];
      const paths = [...discoveryPaths, ...resources.flatMap((served) => resourcePaths(served, version))];
      parts.set(groupVersionPath(group.name, version).slice(1), { groupVersions: [groupVersion], paths });
    }
  }
  discovery("version", versionPath());
  return parts;
}

/** Kubernetes describes the discovery of groups with compiled-in kinds, not of those that custom resources alone are in. */
function isDiscoveryDescribed({ resources }: ServedGroupVersion): boolean {
  return resources.some(({ resource }) => resource.isBuiltIn);
}

function documentModel(parts: readonly DocumentPart[], { title, version }: OpenAPIOptions): DocumentModel {
  const groupVersions = parts.flatMap((part) => part.groupVersions);
  const paths = parts.flatMap((part) => part.paths).sort((left, right) => (left.path < right.path ? -1 : 1));
  const kinds = groupVersions.flatMap(kindsOf);
  const known = Object.fromEntries(
    [metaDefinitions(groupVersions), ...kinds.map(({ definitions }) => definitions)].flatMap((some) => Object.entries(some)),
  );
  const builtIn = new Set(kinds.filter(({ isBuiltIn }) => isBuiltIn).flatMap(({ definitions }) => Object.keys(definitions)));
  return { title, version, paths, definitions: referencedDefinitions(paths, known), builtIn };
}

function kindsOf({ version, resources }: ServedGroupVersion): { readonly isBuiltIn: boolean; readonly definitions: Definitions }[] {
  return resources.flatMap(({ resource, subresources }) => {
    const served = versionOf(resource, version);
    const below = subresources.get(version) ?? [];
    return [{ resource, version: served }, ...below].flatMap((kind) =>
      kind.version === undefined ? [] : [{ isBuiltIn: kind.resource.isBuiltIn, definitions: kindDefinitions(kind.resource, kind.version) }],
    );
  });
}

function indexDocument(documents: ReadonlyMap<string, Document>): JSONObject {
  const entries = [...documents].map(
    ([path, { hash }]) => [path.slice(INDEX_PATH.length + 1), { serverRelativeURL: `${path}?hash=${hash}` }] as const,
  );
  return { paths: Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1))) };
}

function encodeDocument(value: JSONObject, form: ProtobufForm): Document {
  const bytes = encodeJSON(value);
  let protobuf: Uint8Array | undefined;
  return {
    bytes,
    hash: documentHash(bytes),
    protobuf: () => {
      // Of the JSON, so that nobody keeps the values of every document for it.
      protobuf ??= form.encode(decodeStrictJSON(bytes).value);
      return protobuf;
    },
  };
}

function respondV3(document: Document, request: OpenAPIRequest): APIResponse {
  const chosen = chosenForm(document, V3_FORM, request);
  const vary = "Accept";
  const asked = new URLSearchParams(request.query).get("hash") ?? "";
  if (asked === "") return respondWith(chosen, request, { "cache-control": NO_CACHE, vary });
  const { hash, contentType } = chosen;
  if (asked !== hash) {
    const location = `${request.path}?hash=${hash}`;
    return {
      status: 301,
      headers: { "cache-control": NO_CACHE, "content-type": contentType, etag: `"${hash}"`, location, vary },
      body: undefined,
    };
  }
  const expires = new Date(request.now + YEAR_MS).toUTCString();
  return respondWith(chosen, request, { "cache-control": "public, immutable", expires, vary });
}

interface ChosenForm {
  readonly contentType: string;
  readonly hash: string;
  readonly bytes: Uint8Array;
}

/** @throws {APIError} `NotAcceptable`. */
function chosenForm({ bytes, hash, protobuf }: Document, form: ProtobufForm, { headers }: DocumentRequest): ChosenForm {
  const offered = [JSON_MEDIA_TYPE, ...form.mediaTypes];
  const mediaType = negotiateMediaType(headers.accept, offered);
  if (mediaType === undefined) throw notAcceptable(`only the following media types are accepted: ${offered.join(", ")}`);
  if (mediaType === JSON_MEDIA_TYPE) return { contentType: JSON_MEDIA_TYPE, hash, bytes };
  return { contentType: form.contentType, hash, bytes: protobuf() };
}

function respondWith({ contentType, hash, bytes }: ChosenForm, { headers: asked }: DocumentRequest, headers: ResponseHeaders): APIResponse {
  const tagged = { ...headers, etag: `"${hash}"` };
  if (isNotModified(asked["if-none-match"], hash)) return { status: 304, headers: tagged, body: undefined };
  return { status: 200, headers: { ...tagged, "content-type": contentType }, body: bytes };
}
