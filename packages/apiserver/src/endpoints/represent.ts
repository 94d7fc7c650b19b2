import {
  acceptsRepresentation,
  encodeJSON,
  encodeJSONText,
  encodePrettyJSON,
  encodeYAML,
  type JSONObject,
  type JSONValue,
  type NegotiatedResponse,
  negotiateResponse,
  notAcceptable,
  OBJECT_OFFERS,
  partialObjectMetadata,
  partialObjectMetadataList,
  type ResponseOffers,
} from "@annex/apimachinery";
import { typeMetaText } from "../object-json.ts";
import type { ObjectView } from "../object-view.ts";
import type { ListResult } from "../registry/verbs.ts";
import type { APIResponse } from "./http.ts";
import type { RequestState } from "./request-state.ts";
import { isPretty, respond, respondValue } from "./respond.ts";
import { includeObject, tableOf } from "./table.ts";
import type { Target } from "./target.ts";

const encoder = new TextEncoder();
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;

/**
 * What form the client wants of the answer. From here on the request has reached its resource: the client is warned of a deprecated version.
 *
 * @throws {APIError} `NotAcceptable`.
 */
export function negotiate(state: RequestState, target: Target, offers: ResponseOffers): NegotiatedResponse {
  warnOfDeprecation(state, target);
  return negotiateResponse(state.request.headers.accept, offers, !target.parent.isCustomResource);
}

/** Warns of a version that is deprecated. */
export function warnOfDeprecation(state: RequestState, { parent, parentVersion }: Target): void {
  if (parentVersion.deprecationWarning === undefined) return;
  if (parent.isCustomResource || acceptsRepresentation(state.request.headers.accept)) state.warn(parentVersion.deprecationWarning);
}

/** {@link negotiate} of a write. @throws {APIError} `NotAcceptable`, also where the answer could not be made in the end: nothing is written first. */
export function negotiateWrite(state: RequestState, target: Target, form: "object" | "list"): NegotiatedResponse {
  const negotiated = negotiate(state, target, OBJECT_OFFERS);
  if (form === "list") checkListForm(negotiated);
  else checkObjectForm(negotiated);
  return negotiated;
}

function checkObjectForm({ transform }: NegotiatedResponse): void {
  if (transform?.kind === "PartialObjectMetadataList") throw notAcceptable(NOT_A_LIST);
}

function checkListForm({ transform }: NegotiatedResponse): void {
  if (transform?.kind === "PartialObjectMetadata") {
    throw notAcceptable("you requested PartialObjectMetadata, but the requested object is a list");
  }
}

const NOT_A_LIST = "you requested PartialObjectMetadataList, but the requested object is not a list";

/** One object: as the bytes that are kept of it, or as whatever else was asked for. @throws {APIError} `NotAcceptable` for the form of a list. */
export function respondView(state: RequestState, target: Target, negotiated: NegotiatedResponse, view: ObjectView, status: number): APIResponse {
  checkObjectForm(negotiated);
  const { version } = target;
  const { transform } = negotiated;
  if (transform === undefined) {
    if (negotiated.mediaType === "application/json" && !isPretty(state, negotiated))
      return respond(status, "application/json", view.bytes(version.name));
    return respondValue(state, status, negotiated, view.in(version.name));
  }
  if (transform.kind === "PartialObjectMetadata") {
    return respondValue(state, status, negotiated, partialObjectMetadata(view.in(version.name), transform.version));
  }
  const request = { version: transform.version, include: includeObject(state), includeColumns: true, now: state.now };
  return respondValue(state, status, negotiated, tableOf(target, [view], { ...request, listMeta: metaOfOne(view) }));
}

/** What the table of one object says of it. What was not kept has no version. */
function metaOfOne({ resourceVersion }: ObjectView): { readonly resourceVersion?: string } {
  return resourceVersion === "" ? {} : { resourceVersion };
}

/** A list: its items' kept bytes, joined, or whatever else was asked for. @throws {APIError} `NotAcceptable` for the form of an object. */
export function respondList(state: RequestState, target: Target, negotiated: NegotiatedResponse, list: ListResult): APIResponse {
  checkListForm(negotiated);
  const { version, resource } = target;
  const { transform } = negotiated;
  const metadata = listMeta(list);
  if (transform === undefined) {
    const own = resource.isCustomResource ? { continue: "", ...metadata } : metadata;
    if (negotiated.mediaType === "application/json" && !isPretty(state, negotiated)) {
      return respond(200, "application/json", listBytes(target, list, own));
    }
    const items = list.items.map((view) => itemValue(target, view));
    const value = { kind: resource.listKind, apiVersion: version.apiVersion, metadata: own, items } as unknown as JSONValue;
    return respond(200, negotiated.mediaType, negotiated.mediaType === "application/yaml" ? encodeYAML(value) : encodePrettyJSON(value));
  }
  if (transform.kind === "PartialObjectMetadataList") {
    const items = list.items.map((view) => view.in(version.name));
    return respondValue(state, 200, negotiated, partialObjectMetadataList(items, metadata, transform.version));
  }
  const request = { version: transform.version, include: includeObject(state), includeColumns: true, now: state.now, listMeta: metadata };
  return respondValue(state, 200, negotiated, tableOf(target, list.items, request));
}

/** The metadata of a list. Absent where there is nothing to say, as of compiled-in kinds. */
export function listMeta(list: ListResult): { readonly resourceVersion: string; readonly continue?: string; readonly remainingItemCount?: number } {
  return {
    resourceVersion: list.resourceVersion,
    ...(list.continue === "" ? {} : { continue: list.continue }),
    ...(list.remainingItemCount === undefined ? {} : { remainingItemCount: list.remainingItemCount }),
  };
}

/** The items of lists of compiled-in kinds have no type of their own: the list says it. */
function itemValue({ resource, version }: Target, view: ObjectView): JSONObject {
  const { apiVersion, kind, ...rest } = view.in(version.name) as unknown as JSONObject;
  return resource.isBuiltIn ? rest : { apiVersion, kind, ...rest };
}

/** While the bytes of a list are on their way somewhere, the list is held too: whoever asks for the same meanwhile finds both. */
const listsOfBytes = new WeakMap<Uint8Array, ListResult>();
/** What was encoded of each list, by version. */
const bytesOfLists = new WeakMap<ListResult, Map<string, WeakRef<Uint8Array>>>();

/** The JSON of a list: joined once for all who are answered the same list at a time. */
function listBytes(target: Target, list: ListResult, metadata: object): Uint8Array {
  const byVersion = bytesOfLists.get(list) ?? new Map<string, WeakRef<Uint8Array>>();
  bytesOfLists.set(list, byVersion);
  const known = byVersion.get(target.version.apiVersion)?.deref();
  if (known !== undefined) return known;
  const bytes = joinList(target, list, metadata);
  byVersion.set(target.version.apiVersion, new WeakRef(bytes));
  listsOfBytes.set(bytes, list);
  return bytes;
}

function joinList({ resource, version }: Target, { items }: ListResult, metadata: object): Uint8Array {
  const head = encoder.encode(
    `{"kind":${JSON.stringify(resource.listKind)},"apiVersion":${JSON.stringify(version.apiVersion)},"metadata":${encodeJSONText(metadata)},"items":[`,
  );
  // Where an item begins in its kept bytes: for compiled-in kinds behind its type, one byte earlier for the brace that is put there.
  const skip = resource.isBuiltIn ? typeMetaText(resource.kind, version.apiVersion).length - 1 : 0;
  const parts = items.map((view) => view.bytes(version.name));
  let length = head.length + 2 + Math.max(0, parts.length - 1);
  for (const part of parts) length += part.length - skip;
  const bytes = new Uint8Array(length);
  bytes.set(head);
  let offset = head.length;
  for (let index = 0; index < parts.length; index++) {
    if (index > 0) bytes[offset++] = COMMA;
    const part = parts[index] as Uint8Array;
    bytes.set(skip === 0 ? part : part.subarray(skip), offset);
    bytes[offset] = OPEN_BRACE;
    offset += part.length - skip;
  }
  bytes[offset] = 0x5d;
  bytes[offset + 1] = 0x7d;
  return bytes;
}

/** How a watch sends each of its objects. */
export interface EventForm {
  /** Names the form, so that what was encoded for one watcher serves every other of the same form. */
  readonly key: string;
  /** @param isFirst whether it is the first event of this watch: only that one names a table's columns. */
  readonly encode: (view: ObjectView, isFirst: boolean) => Uint8Array;
  /** Whether the first event is encoded differently, and shared with nobody. */
  readonly hasOwnFirst: boolean;
}

/** A watch has no lists to send: who asks for them gets a stream, and the refusal in the place of the first event. */
const NO_LISTS: EventForm = {
  key: "none",
  hasOwnFirst: true,
  encode: () => {
    throw notAcceptable(NOT_A_LIST);
  },
};

/** @throws {APIError} `BadRequest` for an unknown `includeObject`. */
export function eventForm(state: RequestState, target: Target, { transform }: NegotiatedResponse, now: () => number): EventForm {
  const { version } = target;
  if (transform === undefined) return { key: version.name, encode: (view) => view.bytes(version.name), hasOwnFirst: false };
  if (transform.kind === "PartialObjectMetadataList") return NO_LISTS;
  const key = `${version.name}/${transform.kind}/${transform.version}`;
  if (transform.kind === "PartialObjectMetadata") {
    return { key, encode: (view) => encodeJSON(partialObjectMetadata(view.in(version.name), transform.version)), hasOwnFirst: false };
  }
  const include = includeObject(state);
  return {
    key: `${key}/${include}`,
    hasOwnFirst: true,
    encode: (view, isFirst) => {
      const request = { version: transform.version, include, includeColumns: isFirst, now: now() };
      return encodeJSON(tableOf(target, [view], { ...request, listMeta: metaOfOne(view) }));
    },
  };
}
