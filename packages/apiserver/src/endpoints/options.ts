import {
  badRequest,
  type FieldError,
  type FieldSelector,
  fieldError,
  invalid,
  isJSONObject,
  type JSONValue,
  type LabelSelector,
  managerFromUserAgent,
  parseLabelSelector,
  quoteGo,
  readFieldSelector,
  requireSupportedFields,
  validateFieldManager,
} from "@annex/apimachinery";
import { requireReadableToken } from "../registry/continue-token.ts";
import { requireRevision } from "../registry/resource-version.ts";
import { selectableFieldNames, selectsByMetadataAlone, singleOf } from "../registry/selection.ts";
import type { DeleteOptions, PropagationPolicy, ReadConsistency, SentWriteOptions } from "../registry/verbs.ts";
import type { Target } from "./target.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

/** The options of create, update and patch. Source: meta/v1 CreateOptions, UpdateOptions, PatchOptions. */
export interface WriteQuery {
  readonly isDryRun: boolean;
  readonly fieldValidation: FieldValidation;
  readonly manager: string;
  /** What the client said, and nothing else. */
  readonly sent: SentWriteOptions;
  /** Of server-side apply: whether to take fields that others own. */
  readonly force: boolean;
}

/**
 * @param isApply whether it is a server-side apply, which names its manager and may be forced.
 * @throws {APIError} `Invalid` of the options' own kind, naming every fault.
 */
export function parseWriteQuery(
  query: URLSearchParams,
  kind: "CreateOptions" | "UpdateOptions" | "PatchOptions",
  userAgent: string | undefined,
  isApply = false,
): WriteQuery {
  const dryRun = query.getAll("dryRun");
  const fieldManager = query.get("fieldManager") ?? "";
  const fieldValidation = query.get("fieldValidation") ?? "";
  const faults: FieldError[] = [];
  if (isApply && fieldManager === "") faults.push(fieldError.required("fieldManager", "is required for apply patch"));
  if (!isApply && kind === "PatchOptions" && query.has("force"))
    faults.push(fieldError.forbidden("force", "may not be specified for non-apply patch"));
  faults.push(...validateFieldManager(fieldManager, "fieldManager"), ...dryRunFaults(dryRun));
  if (!["", "Ignore", "Warn", "Strict"].includes(fieldValidation)) {
    faults.push(fieldError.notSupported("fieldValidation", fieldValidation, ["", "Ignore", "Strict", "Warn"]));
  }
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind }, "", faults);
  return {
    isDryRun: dryRun.length > 0,
    fieldValidation: (fieldValidation || "Warn") as FieldValidation,
    manager: fieldManager || managerFromUserAgent(userAgent ?? ""),
    sent: { ...(fieldManager === "" ? {} : { fieldManager }), ...(fieldValidation === "" ? {} : { fieldValidation }) },
    force: isApply && booleanParameter(query.get("force")),
  };
}

/** @param dryRun each value that was given. Source: meta/v1 validation, ValidateDryRun. */
function dryRunFaults(dryRun: readonly string[]): FieldError[] {
  return dryRun.every((value) => value === "All") ? [] : [fieldError.notSupported("dryRun", dryRun, ["All"])];
}

/** What of a collection is asked for, and how. Source: meta/v1 ListOptions. */
export interface ListQuery {
  readonly labelSelector: LabelSelector;
  readonly fieldSelector: FieldSelector;
  readonly limit: number;
  readonly continue: string;
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
}

/**
 * @throws {APIError} `BadRequest` for what does not parse, `Invalid` for what does not go together, in Go's order.
 * Source: k8s.io/apiserver endpoints/handlers, ListResource; meta/v1 Convert_url_Values_To_v1_ListOptions; storage, ValidateListOptions.
 */
export function parseListQuery(query: URLSearchParams, { resource, version }: Pick<Target, "resource" | "version">, isWatch: boolean): ListQuery {
  // A deletion of a collection may say `watch` as well, to no effect but here.
  const isJudgedAsWatch = isWatch || booleanParameter(query.get("watch"));
  const sendInitialEvents = query.get("sendInitialEvents");
  const timeoutSeconds = integer(query, "timeoutSeconds");
  const limit = pageSize(query);
  const options: ListQuery = {
    labelSelector: parseLabelSelector(query.get("labelSelector") ?? ""),
    fieldSelector: readFieldSelector(query.get("fieldSelector") ?? ""),
    limit,
    continue: query.get("continue") ?? "",
    resourceVersion: query.get("resourceVersion") ?? "",
    resourceVersionMatch: query.get("resourceVersionMatch") ?? "",
    timeoutSeconds,
    allowWatchBookmarks: booleanParameter(query.get("allowWatchBookmarks")),
    sendInitialEvents: sendInitialEvents === null ? undefined : booleanParameter(sendInitialEvents),
  };
  const faults = isJudgedAsWatch ? watchFaults(options) : listFaults(options);
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind: "ListOptions" }, "", faults);
  requireSupportedFields(options.fieldSelector, new Set(selectableFieldNames(resource, version)), {
    refusal: selectsByMetadataAlone(resource) ? "metadata" : "kind",
  });
  const { resourceVersion, continue: token } = options;
  if (!isWatch && token !== "" && resourceVersion !== "" && resourceVersion !== "0") {
    requireReadableToken(token);
    throw badRequest("specifying resource version is not allowed when using continue");
  }
  if (resourceVersion !== "") requireRevision(resourceVersion, isWatch ? "" : "invalid resource version: ");
  return options;
}

/** A list at resourceVersion 0 comes out of memory, whole; so does what is left of one. Source: k8s.io/apiserver storage/cacher, Delegator. */
function pageSize(query: URLSearchParams): number {
  const limit = Math.max(0, integer(query, "limit") ?? 0);
  return query.get("resourceVersion") === "0" ? 0 : limit;
}

/** Source: apimachinery meta/internalversion validation, ValidateListOptions. */
function listFaults({ resourceVersion, resourceVersionMatch: match, continue: token, sendInitialEvents }: ListQuery): FieldError[] {
  const field = "resourceVersionMatch";
  const faults: FieldError[] = [];
  if (match !== "") {
    if (resourceVersion === "") faults.push(fieldError.forbidden(field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
    if (token !== "") faults.push(fieldError.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
    if (match !== "Exact" && match !== "NotOlderThan") faults.push(fieldError.notSupported(field, match, ["Exact", "NotOlderThan", ""]));
    if (match === "Exact" && resourceVersion === "0")
      faults.push(fieldError.forbidden(field, 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'));
  }
  if (sendInitialEvents !== undefined) faults.push(fieldError.forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
  return faults;
}

function watchFaults({ resourceVersion, resourceVersionMatch: match, sendInitialEvents, continue: token }: ListQuery): FieldError[] {
  const field = "resourceVersionMatch";
  const faults: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    if (match !== "NotOlderThan") faults.push(fieldError.forbidden(field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
  } else if (match !== "") {
    faults.push(fieldError.forbidden(field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
  }
  if (match !== "" && match !== "NotOlderThan") faults.push(fieldError.notSupported(field, match, ["NotOlderThan"]));
  // A watch that begins with the present state counts as one that asked for it. Source: meta/internalversion SetListOptionsDefaults.
  const startsWithState = resourceVersion === "" || resourceVersion === "0";
  if (token !== "" && (match !== "" || startsWithState)) {
    faults.push(fieldError.forbidden(field, "resourceVersionMatch is forbidden when continue is provided"));
  }
  return faults;
}

/**
 * How fresh a list is to be: pages are of the very resourceVersion that is given, but for one of a single object, which is a get.
 *
 * Source: API concepts, the table of "resourceVersion in list"; k8s.io/apiserver storage, ValidateListOptions.
 */
export function listConsistency(query: ListQuery, { resource, namespace }: Pick<Target, "resource" | "namespace">): ReadConsistency {
  const { resourceVersion, resourceVersionMatch, limit, fieldSelector } = query;
  if (resourceVersion === "") return { type: "MostRecent" };
  if (resourceVersion === "0") return { type: "Any" };
  const isOfPages = resourceVersionMatch === "" && limit > 0 && singleOf(resource, { namespace, fieldSelector }) === undefined;
  return { type: resourceVersionMatch === "Exact" || isOfPages ? "Exact" : "NotOlderThan", resourceVersion };
}

/** How fresh a get is to be. @throws {APIError} `BadRequest` for a resourceVersion that is none. */
export function getConsistency(query: URLSearchParams): ReadConsistency {
  const resourceVersion = query.get("resourceVersion") ?? "";
  if (resourceVersion === "") return { type: "MostRecent" };
  requireRevision(resourceVersion);
  return resourceVersion === "0" ? { type: "Any" } : { type: "NotOlderThan", resourceVersion };
}

const PROPAGATION_POLICIES: readonly string[] = ["Orphan", "Background", "Foreground"] satisfies PropagationPolicy[];

/**
 * Reads the options of a deletion.
 *
 * @param body the decoded DeleteOptions, which then count alone; undefined when there was none, and the query counts.
 * @throws {APIError} `BadRequest`, `Invalid`. Source: meta/v1 validation, ValidateDeleteOptions.
 */
export function parseDeleteOptions(query: URLSearchParams, body: JSONValue | undefined): DeleteOptions {
  const sent = body === undefined ? queryDeleteOptions(query) : body;
  if (!isJSONObject(sent)) throw badRequest("unable to decode DeleteOptions: the body is not an object");
  const { propagationPolicy, gracePeriodSeconds, orphanDependents } = sent;
  // Null among texts is an empty one, in Go's reading of JSON.
  const dryRun = Array.isArray(sent.dryRun) ? sent.dryRun.map((value) => value ?? "") : (sent.dryRun ?? []);
  const preconditions = sent.preconditions ?? {};
  if (!Array.isArray(dryRun) || !dryRun.every((value) => typeof value === "string") || !isJSONObject(preconditions))
    throw badRequest("unable to decode DeleteOptions: a field has the wrong type");
  const { uid, resourceVersion } = preconditions;
  for (const value of [uid, resourceVersion, propagationPolicy]) {
    if (value !== undefined && value !== null && typeof value !== "string")
      throw badRequest("unable to decode DeleteOptions: a field has the wrong type");
  }
  if (orphanDependents !== undefined && orphanDependents !== null && typeof orphanDependents !== "boolean") {
    throw badRequest("unable to decode DeleteOptions: orphanDependents must be a boolean");
  }
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !isWholeNumber(gracePeriodSeconds)) {
    throw badRequest("unable to decode DeleteOptions: gracePeriodSeconds must be an integer");
  }
  const faults: FieldError[] = [];
  const hasPolicy = typeof propagationPolicy === "string";
  if (hasPolicy && typeof orphanDependents === "boolean") {
    faults.push(fieldError.invalid("propagationPolicy", propagationPolicy, "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (hasPolicy && !PROPAGATION_POLICIES.includes(propagationPolicy)) {
    faults.push(fieldError.notSupported("propagationPolicy", propagationPolicy, ["Foreground", "Background", "Orphan", "nil"]));
  }
  faults.push(...dryRunFaults(dryRun));
  if (faults.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", faults);
  return {
    isDryRun: dryRun.length > 0,
    preconditions: {
      ...(typeof uid === "string" ? { uid } : {}),
      ...(typeof resourceVersion === "string" ? { resourceVersion } : {}),
    },
    // `as`: it was looked up in the list of policies.
    propagationPolicy: hasPolicy ? (propagationPolicy as PropagationPolicy) : undefined,
    orphanDependents: typeof orphanDependents === "boolean" ? orphanDependents : undefined,
    gracePeriodSeconds: isWholeNumber(gracePeriodSeconds) ? Number(gracePeriodSeconds) : undefined,
  };
}

/** One that 64 bits hold. */
function isWholeNumber(value: JSONValue | undefined): value is number | bigint {
  return typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value) && Math.abs(value) < 2 ** 63);
}

function queryDeleteOptions(query: URLSearchParams): JSONValue {
  const gracePeriodSeconds = integer(query, "gracePeriodSeconds");
  const propagationPolicy = query.get("propagationPolicy");
  const orphanDependents = query.get("orphanDependents");
  // Empty ones are none, unlike in a body. Source: meta/v1 Convert_url_Values_To_v1_DeleteOptions.
  const [uid, resourceVersion] = [query.get("uid"), query.get("resourceVersion")];
  return {
    dryRun: query.getAll("dryRun"),
    preconditions: { ...(uid ? { uid } : {}), ...(resourceVersion ? { resourceVersion } : {}) },
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === null ? {} : { propagationPolicy }),
    ...(orphanDependents === null ? {} : { orphanDependents: booleanParameter(orphanDependents) }),
  };
}

/** A 64-bit integer of the query. @throws {APIError} `BadRequest`, also for one without a value. Source: strconv.ParseInt. */
function integer(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  const parsing = `strconv.ParseInt: parsing ${quoteGo(text)}`;
  if (!/^[+-]?\d+$/.test(text)) throw badRequest(`${parsing}: invalid syntax`);
  if (!isInt64(text)) throw badRequest(`${parsing}: value out of range`);
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}

function isInt64(text: string): boolean {
  const digits = text.replace(/^[+-]?0*/, "");
  // BigInt takes time in the square of what it reads.
  if (digits.length > 19) return false;
  const value = BigInt(`${text.startsWith("-") ? "-" : ""}${digits || "0"}`);
  return BigInt.asIntN(64, value) === value;
}

/** Source: conversion of booleans in queries: absent, "false" and "0" are false, everything else is true. */
export function booleanParameter(text: string | null): boolean {
  return text !== null && text.toLowerCase() !== "false" && text !== "0";
}
