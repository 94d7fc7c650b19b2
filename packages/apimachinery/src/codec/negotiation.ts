import { APIError, notAcceptable } from "../meta/index.ts";
import { type AcceptClause, parseAccept, trimSpaces } from "./accept.ts";

/** The forms that answers have. */
export type ResponseMediaType = "application/json" | "application/yaml";

const RESPONSE_MEDIA_TYPES: readonly ResponseMediaType[] = ["application/json", "application/yaml"];
const STREAM_MEDIA_TYPES: readonly string[] = ["application/json;stream=watch"];

/** Another kind of object that the client asked for in place of the object or list itself. */
export interface ResponseTransform {
  readonly kind: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** The version of `meta.k8s.io`. */
  readonly version: "v1" | "v1beta1";
}

/** What a client gets. */
export interface NegotiatedResponse {
  readonly mediaType: ResponseMediaType;
  /** The Accept header asked for indentation (`pretty=1`). The query and the User-Agent can too: {@link prefersPretty}. */
  readonly pretty: boolean;
  readonly transform: ResponseTransform | undefined;
}

/** What an endpoint can answer. */
export interface ResponseOffers {
  /** Whether it answers Table, PartialObjectMetadata and PartialObjectMetadataList. */
  readonly allowsTransforms: boolean;
  /** Whether this answer is a stream of watch events: those are JSON. */
  readonly isWatch: boolean;
  /** Whether the same path also serves watches: its 406 then names their media types too. */
  readonly listsStreams: boolean;
}

/** One object of a resource: get, and the answers of create, update, patch and delete. */
export const OBJECT_OFFERS: ResponseOffers = { allowsTransforms: true, isWatch: false, listsStreams: false };
/** A list of a resource. */
export const LIST_OFFERS: ResponseOffers = { allowsTransforms: true, isWatch: false, listsStreams: true };
/** A watch of a resource. */
export const WATCH_OFFERS: ResponseOffers = { allowsTransforms: true, isWatch: true, listsStreams: true };
/** A document that is what it is: discovery of a group or version. */
export const DOCUMENT_OFFERS: ResponseOffers = { allowsTransforms: false, isWatch: false, listsStreams: false };

/**
 * Chooses the form of an answer by the Accept header. Media types that are accepted and not offered (clients list protobuf and CBOR first) are
 * passed over, as are those with an `as` that is not offered, another `stream` than `watch`, or an `sv`; parameters that mean nothing are ignored.
 *
 * @param accept the header; absent or empty accepts JSON.
 * @param isRouted whether go-restful looks at the header first, as it does of all but custom resources: `application/*` alone is nothing to it.
 * @throws {APIError} NotAcceptable, in one of two sentences: with `406: Not Acceptable` when none of the media types is offered, or
 *   `application/*` is all there is; with `only the following media types are accepted` when their parameters, or a watch, leave none.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation; the first sentence is go-restful's, which looks at the header before.
 */
export function negotiateResponse(accept: string | undefined, offers: ResponseOffers, isRouted = true): NegotiatedResponse {
  if (accept === undefined || accept === "") return JSON_RESPONSE;
  if (isRouted && !routeProduces(accept, RESPONSE_MEDIA_TYPES)) {
    throw noRepresentation(offers.listsStreams ? [...RESPONSE_MEDIA_TYPES, ...STREAM_MEDIA_TYPES] : RESPONSE_MEDIA_TYPES);
  }
  const negotiated = choose(parseAccept(accept), offers.allowsTransforms);
  if (negotiated === undefined) throw notAcceptable(acceptedMessage(RESPONSE_MEDIA_TYPES));
  // As in Go, the preferred form decides: YAML before JSON is refused, not passed over.
  if (offers.isWatch && negotiated.mediaType !== "application/json") throw notAcceptable(acceptedMessage(STREAM_MEDIA_TYPES));
  return negotiated;
}

/**
 * Chooses the form of an error's Status: as the client would have it, and JSON where {@link negotiateResponse} fails. A Status has no other kinds,
 * so that an alternative with `as` does not count.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/responsewriters, ErrorNegotiated.
 */
export function negotiateStatus(accept: string | undefined): NegotiatedResponse {
  if (accept === undefined || accept === "") return JSON_RESPONSE;
  return choose(parseAccept(accept), false) ?? JSON_RESPONSE;
}

/** Which of two discovery documents a client gets at `/api` and `/apis`. */
export interface NegotiatedDiscovery extends NegotiatedResponse {
  /** Whether it is the APIGroupDiscoveryList of `apidiscovery.k8s.io/v2`; else the APIVersions or APIGroupList. */
  readonly isAggregated: boolean;
  /** The content type of the answer, which names the aggregated document. */
  readonly contentType: string;
}

const AGGREGATED_PARAMETERS = "g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/**
 * Chooses between the aggregated discovery document and the older one. The aggregated one wins wherever it stands in the header.
 *
 * @throws {APIError} NotAcceptable when the header accepts neither: `v2beta1` alone is no longer served.
 *
 * Source: k8s.io/apiserver/pkg/endpoints/discovery/aggregated, WrappedHandler. These paths are not behind go-restful, so that
 * `application/*` is JSON here.
 */
export function negotiateDiscovery(accept: string | undefined): NegotiatedDiscovery {
  if (accept === undefined || accept === "") return { ...JSON_RESPONSE, isAggregated: false, contentType: "application/json" };
  for (const clause of parseAccept(accept)) {
    if (!asksAggregated(clause)) continue;
    const mediaType = RESPONSE_MEDIA_TYPES.find((offered) => matches(clause, offered) && allowsParameters(clause, offered));
    if (mediaType === undefined) continue;
    return { ...response(clause, mediaType, undefined), isAggregated: true, contentType: `${mediaType};${AGGREGATED_PARAMETERS}` };
  }
  const plain = choose(parseAccept(accept), false);
  if (plain === undefined) throw notAcceptable(acceptedMessage(RESPONSE_MEDIA_TYPES));
  return { ...plain, isAggregated: false, contentType: plain.mediaType };
}

/**
 * Chooses among the media types of a document that has its own: OpenAPI, `/version`.
 *
 * @param offered in the order of the server's preference, without parameters.
 * @returns the one that the header prefers, `undefined` when it accepts none.
 */
export function negotiateMediaType<Offered extends string>(accept: string | undefined, offered: readonly Offered[]): Offered | undefined {
  if (accept === undefined || accept === "") return offered[0];
  for (const clause of parseAccept(accept)) {
    const match = offered.find((mediaType) => matches(clause, mediaType));
    if (match !== undefined) return match;
  }
  return undefined;
}

/** The 406 of an Accept header that names nothing of what is there. Source: go-restful, RouterJSR311. */
export function noRepresentation(available: readonly string[]): APIError {
  return new APIError("NotAcceptable", `406: Not Acceptable\n\nAvailable representations: ${available.join(", ")}`, { details: {} });
}

const TRUE_WORDS: ReadonlySet<string> = new Set(["1", "t", "T", "TRUE", "true", "True"]);
const PEOPLES_CLIENTS = /^(?:curl|Wget|Mozilla\/5\.0)/;

/**
 * Whether JSON is to be indented for a person's eyes: `pretty` in the query decides, else whether the User-Agent is curl's, Wget's or a browser's.
 *
 * @param query without `?`, as sent.
 * Source: k8s.io/apiserver/pkg/endpoints/handlers/negotiation, isPrettyPrint.
 */
export function prefersPretty(query: string, userAgent: string | undefined): boolean {
  if (query.includes("pretty")) {
    const asked = query.split("&").find((pair) => pair.startsWith("pretty="));
    const value = asked?.slice("pretty=".length) ?? "";
    if (value !== "") return TRUE_WORDS.has(value);
  }
  return userAgent !== undefined && PEOPLES_CLIENTS.test(userAgent);
}

const JSON_RESPONSE: NegotiatedResponse = { mediaType: "application/json", pretty: false, transform: undefined };

function choose(clauses: readonly AcceptClause[], allowsTransforms: boolean): NegotiatedResponse | undefined {
  for (const clause of clauses) {
    const transform = transformOf(clause);
    if (transform === "unknown" || (transform !== undefined && !allowsTransforms)) continue;
    const mediaType = RESPONSE_MEDIA_TYPES.find((offered) => matches(clause, offered) && allowsParameters(clause, offered));
    if (mediaType !== undefined) return response(clause, mediaType, transform);
  }
  return undefined;
}

function response({ parameters }: AcceptClause, mediaType: ResponseMediaType, transform: ResponseTransform | undefined): NegotiatedResponse {
  return { mediaType, pretty: parameters.pretty === "1", transform };
}

function transformOf({ parameters }: AcceptClause): ResponseTransform | "unknown" | undefined {
  const { as: kind, g: group, v: version } = parameters;
  if (kind === undefined && group === undefined && version === undefined) return undefined;
  if (group !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) return "unknown";
  if (kind === "Table" || kind === "PartialObjectMetadata" || kind === "PartialObjectMetadataList") return { kind, version };
  return "unknown";
}

function asksAggregated({ parameters }: AcceptClause): boolean {
  return parameters.g === "apidiscovery.k8s.io" && parameters.v === "v2" && parameters.as === "APIGroupDiscoveryList";
}

/** `stream` other than `watch`, any stream of YAML, and any server version (`sv`) are offered by nobody. */
function allowsParameters({ parameters }: AcceptClause, mediaType: ResponseMediaType): boolean {
  const { stream, sv } = parameters;
  if ((sv ?? "") !== "") return false;
  return (stream ?? "") === "" || (stream === "watch" && mediaType === "application/json");
}

function matches({ type, subtype }: AcceptClause, mediaType: string): boolean {
  if (subtype === "*") return type === "*" || mediaType.startsWith(`${type}/`);
  return mediaType === `${type}/${subtype}`;
}

/**
 * Whether an Accept header names a form that answers have, whatever else it says: only then does a request reach the resource, and is told what there is to
 * tell of it (that it is deprecated). The 406 of {@link negotiateResponse} has two sentences for it.
 */
export function acceptsRepresentation(accept: string | undefined): boolean {
  return accept === undefined || accept === "" || routeProduces(accept, RESPONSE_MEDIA_TYPES);
}

/** The first look at the header: whole media types and `*`/`*` only, whatever their parameters and quality. */
function routeProduces(accept: string, produced: readonly string[]): boolean {
  return accept.split(",").some((alternative) => {
    const end = alternative.indexOf(";");
    const mediaType = trimSpaces(end === -1 ? alternative : alternative.slice(0, end));
    return mediaType === "*/*" || produced.includes(mediaType);
  });
}

function acceptedMessage(mediaTypes: readonly string[]): string {
  return `only the following media types are accepted: ${mediaTypes.join(", ")}`;
}
