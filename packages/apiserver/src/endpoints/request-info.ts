import { badRequest } from "@annex/apimachinery";
import { parseQuery } from "./query.ts";

/** What a request is about: parsed from method, path and query once, and what authorization, flow control and the router go by. */
export type RequestInfo =
  | {
      readonly type: "resource";
      readonly path: string;
      /** get list watch create update patch delete deletecollection; empty for a method that is none of them. */
      readonly verb: string;
      /** Whether the path says that it is a watch, in the old form, and not the query. */
      readonly isWatchPath: boolean;
      readonly group: string;
      readonly version: string;
      /** `""` for cluster-scoped places and for all namespaces. Of a namespace itself, its own name: as Kubernetes has it. */
      readonly namespace: string;
      readonly resource: string;
      readonly subresource: string;
      readonly name: string;
      /** Segments behind the subresource, or a slash too many: no place that exists. */
      readonly hasExtraSegments: boolean;
    }
  | { readonly type: "path"; readonly path: string; readonly verb: string };

export type ResourceRequestInfo = Extract<RequestInfo, { type: "resource" }>;

const VERBS: Readonly<Record<string, string | undefined>> = {
  POST: "create",
  GET: "get",
  HEAD: "get",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};
const NAMESPACE_SUBRESOURCES: ReadonlySet<string> = new Set(["status", "finalize"]);

/**
 * Parses a request's target.
 *
 * @param path percent-encoded, without the query.
 * @throws {APIError} `BadRequest` when the path is not valid percent-encoding of UTF-8.
 * Source: k8s.io/apiserver/pkg/endpoints/request, RequestInfoFactory.
 */
export function parseRequestInfo(method: string, path: string, query: string): RequestInfo {
  const decoded = decodePath(path);
  const parts = (decoded.endsWith("/") ? decoded.slice(1, -1) : decoded.slice(1)).split("/");
  const isCore = parts[0] === "api";
  if ((!isCore && parts[0] !== "apis") || parts.length < (isCore ? 3 : 4) || parts.includes("")) {
    return { type: "path", path: decoded, verb: method.toLowerCase() };
  }
  const group = isCore ? "" : (parts[1] as string);
  const version = parts[isCore ? 1 : 2] as string;
  let rest = parts.slice(isCore ? 2 : 3);
  let verb = VERBS[method] ?? "";
  const isWatchPath = rest[0] === "watch" && rest.length > 1;
  if (isWatchPath) {
    // The old form of a watch, `/watch/` before the resource: still answered. Other methods than GET are refused as one, too.
    rest = rest.slice(1);
    verb = "watch";
  }
  let namespace = "";
  if (rest[0] === "namespaces" && rest[1] !== undefined) {
    namespace = rest[1];
    if (rest[2] !== undefined && !NAMESPACE_SUBRESOURCES.has(rest[2])) rest = rest.slice(2);
  }
  const [resource = "", name = "", subresource = ""] = rest;
  return {
    type: "resource",
    path: decoded,
    verb: verb === "get" || verb === "delete" ? collectionVerb(verb, name, query) : verb,
    isWatchPath,
    group,
    version,
    namespace,
    resource,
    subresource,
    name,
    hasExtraSegments: rest.length > 3,
  };
}

/** A GET or DELETE without a name is about the collection. With `watch` such a GET is a watch; of a named object it is not, `watch` means nothing there. */
function collectionVerb(verb: "get" | "delete", name: string, query: string): string {
  if (name !== "") return verb;
  if (verb === "delete") return "deletecollection";
  return isWatchQuery(query) ? "watch" : "list";
}

/** `watch` is true unless it is absent or says no. Source: conversion of booleans in queries: all but "false" and "0" is true. */
function isWatchQuery(query: string): boolean {
  if (!query.includes("watch")) return false;
  const value = parseQuery(query).get("watch");
  return value !== null && value.toLowerCase() !== "false" && value !== "0";
}

function decodePath(path: string): string {
  if (!path.includes("%")) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    throw badRequest("the path of the request is not valid percent-encoding");
  }
}
