import {
  BUILT_IN_FORMATS,
  badRequest,
  decodeProtobuf,
  isJSONObject,
  type JSONValue,
  methodNotAllowed,
  parseContentType,
  type Status,
} from "@annex/apimachinery";
import { jsonTypeName } from "../definition/decode-metadata.ts";
import type { DeleteOptions } from "../registry/verbs.ts";
import { decodeText, NO_TYPE, readBody, saidType } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import { listConsistency, parseDeleteOptions, parseListQuery } from "./options.ts";
import { negotiateWrite, respondList, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import { respondValue } from "./respond.ts";
import type { Target } from "./target.ts";

/** DELETE of an object. */
export async function serveDelete(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, info, namespace, resource, version } = target;
  if (verbs.delete === undefined || info.subresource !== "") throw methodNotAllowed();
  const negotiated = negotiateWrite(state, target, "object");
  const options = await readDeleteOptions(state);
  const { view, isGone } = await verbs.delete({ namespace, name: info.name }, { ...options, version: version.name }, state);
  // 202 would be right for every deletion that is held, and would break clients: it is for those who ask as one asked before there were policies.
  if (!isGone) return respondView(state, target, negotiated, view, options.orphanDependents === false ? 202 : 200);
  if (resource.returnsDeletedObject) return respondView(state, target, negotiated, view, 200);
  const { uid } = view.object.metadata;
  const status: Omit<Status, "code"> = {
    kind: "Status",
    apiVersion: "v1",
    metadata: {},
    status: "Success",
    details: {
      name: view.name,
      ...(resource.group === "" ? {} : { group: resource.group }),
      kind: resource.resource,
      ...(uid === undefined ? {} : { uid }),
    },
  };
  return respondValue(state, 200, { ...negotiated, transform: undefined }, status);
}

/** DELETE of a collection: answers the list of what it deleted. */
export async function serveDeleteCollection(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace, resource } = target;
  if (verbs.deleteCollection === undefined || (resource.isNamespaced && namespace === "")) throw methodNotAllowed();
  const negotiated = negotiateWrite(state, target, "list");
  const query = parseListQuery(state.query, target, false);
  const options = await readDeleteOptions(state);
  const { labelSelector, fieldSelector, limit, continue: token } = query;
  // Go deletes page by page, and pages of a resourceVersion are of that very one. Source: k8s.io/apiserver registry/generic, DeleteCollection.
  const consistency = listConsistency({ ...query, limit: limit || 1 }, target);
  const selection = { namespace, labelSelector, fieldSelector, limit, continue: token, consistency };
  const deleted = await verbs.deleteCollection(selection, { ...options, version: target.version.name }, state);
  return respondList(state, target, negotiated, deleted);
}

/** @throws {APIError} `UnsupportedMediaType`, `RequestEntityTooLarge`, `BadRequest`, `Invalid`. */
async function readDeleteOptions(state: RequestState): Promise<DeleteOptions> {
  const bytes = await readBody(state);
  if (bytes.length === 0) return parseDeleteOptions(state.query, undefined);
  const format = parseContentType(state.request.headers["content-type"], BUILT_IN_FORMATS);
  return parseDeleteOptions(state.query, decodeOptions(bytes, format));
}

function decodeOptions(bytes: Uint8Array, format: "json" | "yaml" | "protobuf"): JSONValue {
  if (format === "protobuf") return decodeProtobuf(bytes, { apiVersion: "v1", kind: "DeleteOptions" }).value;
  const refuse = (text: string) => badRequest(`unable to decode DeleteOptions: ${text}`);
  const unreadable = (text: string) => (format === "json" ? badRequest(`${NO_TYPE}${text}`) : refuse(text));
  // Nobody is told what is said twice: Go reads options leniently, whatever fieldValidation says.
  const { value } = decodeText(bytes, format, unreadable);
  if (value === null) return {};
  if (!isJSONObject(value)) throw badRequest(`${NO_TYPE}json: cannot unmarshal ${jsonTypeName(value)} into an object`);
  const { kind } = saidType(value, badRequest);
  if (kind !== "" && kind !== "DeleteOptions") throw refuse(`the body is a ${kind}`);
  return value;
}
