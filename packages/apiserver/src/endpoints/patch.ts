import {
  type APIError,
  applyJSONPatch,
  applyMergePatch,
  applyStrategicMergePatch,
  badRequest,
  decodeJSONPatch,
  encodeJSONText,
  fieldError,
  invalid,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  methodNotAllowed,
  parseAPIVersion,
  sortedKeys,
  unknownJSONPatchFields,
  unsupportedMediaType,
  unsupportedRoute,
} from "@annex/apimachinery";
import { inVersion, type Resource } from "../definition/resource.ts";
import type { UpdateInput } from "../registry/verbs.ts";
import { APPLY_PATCH, applyPatch } from "./apply.ts";
import { inNamespace } from "./create.ts";
import { checkStrict, type DecodedBody, decodeText, readBody, readTyped, saidType, type TypedJSON } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import { parseWriteQuery, type WriteQuery } from "./options.ts";
import { negotiateWrite, respondView, warnOfDeprecation } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";
import { checkName } from "./update.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";

/** The media types of patches that a kind takes, as OpenAPI and the 415 list them. */
export function patchMediaTypes(allowsStrategicMergePatch: boolean): readonly string[] {
  return [JSON_PATCH, MERGE_PATCH, ...(allowsStrategicMergePatch ? [STRATEGIC_MERGE_PATCH] : []), APPLY_PATCH];
}

/** PATCH of an object, or of its status: an update whose object is made of the present one. A server-side apply creates, too. */
export async function servePatch(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace, info, version, parent } = target;
  if (verbs.update === undefined || info.name === "") throw methodNotAllowed();
  const mediaTypes = patchMediaTypes(parent.allowsStrategicMergePatch);
  const contentType = state.request.headers["content-type"] ?? "";
  // The router of compiled-in kinds takes a list; what comes behind it wants one, and to the letter.
  if (parent.isBuiltIn && !contentType.split(",").some((one) => mediaTypes.includes(withoutParameters(one).trim()))) throw unsupportedRoute();
  const mediaType = withoutParameters(contentType);
  if (!mediaTypes.includes(mediaType)) {
    warnOfDeprecation(state, target);
    throw unsupportedMediaType(mediaTypes);
  }
  const negotiated = negotiateWrite(state, target, "object");
  const isApply = mediaType === APPLY_PATCH;
  const query = parseWriteQuery(state.query, "PatchOptions", state.request.headers["user-agent"], isApply);
  const bytes = await readBody(state);
  const { view, isCreated } = await verbs.update(
    {
      version: version.name,
      target: { namespace, name: info.name },
      isDryRun: query.isDryRun,
      fieldManager: { manager: query.manager, subresource: info.subresource },
      sentOptions: query.sent,
      isPatch: true,
      ...(isApply ? applyPatch(state, target, query, bytes) : patchChange(state, target, query, mediaType, bytes)),
    },
    state,
  );
  return respondView(state, target, negotiated, view, isCreated ? 201 : 200);
}

function patchChange(state: RequestState, target: Target, query: WriteQuery, mediaType: string, bytes: Uint8Array): Pick<UpdateInput, "transform"> {
  let patch: Patch | undefined;
  const isUnread = mediaType === MERGE_PATCH && query.fieldValidation === "Ignore";
  return {
    transform(live) {
      // Read when there is an object to change: of one that is missing nothing else is said.
      patch ??= compilePatch(
        mediaType,
        decodeText(bytes, "json", (fault) => (isUnread ? badRequest(INVALID_PATCH) : badRequest(undecoded(mediaType, fault)))),
        target,
        isUnread,
      );
      return patched(state, target, query, patch, live);
    },
  };
}

const withoutParameters = (contentType: string): string => contentType.split(";", 1)[0] ?? "";

interface Patch {
  readonly body: DecodedBody;
  /** What the patch itself holds that no patch of its kind does. */
  readonly unknown: readonly string[];
  /** What is shown of a change that yields no object of the kind; by default what it yields. */
  readonly shown?: JSONValue;
  readonly apply: (object: JSONObject) => JSONValue;
}

const INVALID_PATCH = "Invalid JSON Patch";

/** Of a strategic merge patch only the fault is told. Source: k8s.io/apiserver endpoints/handlers, smpPatcher. */
const undecoded = (mediaType: string, fault: string) => (mediaType === STRATEGIC_MERGE_PATCH ? fault : `error decoding patch: ${fault}`);

/**
 * @param isUnread whether it is a merge patch whose fields nobody asks about: it is then merged as it is. Source: k8s.io/apiserver endpoints/handlers, applyJSPatch.
 * @throws {APIError} `BadRequest` for what is no patch of this kind.
 */
function compilePatch(mediaType: string, body: DecodedBody, { resource, version }: Target, isUnread: boolean): Patch {
  if (mediaType === JSON_PATCH) {
    const operations = decodeJSONPatch(body.value);
    return { body: asOfJSONPatch(body), unknown: unknownJSONPatchFields(body.value), apply: (object) => applyJSONPatch(object, operations) };
  }
  // A strategic merge patch may be null: it changes nothing.
  const value = body.value === null && mediaType === STRATEGIC_MERGE_PATCH ? {} : body.value;
  // A list in the place of an object replaces it, which makes no object of the kind.
  if (isUnread && Array.isArray(value)) return { body, unknown: [], apply: () => value };
  if (!isJSONObject(value)) {
    const isInvalid = isUnread || (value === null && mediaType === MERGE_PATCH);
    throw badRequest(isInvalid ? INVALID_PATCH : undecoded(mediaType, "the patch must be an object"));
  }
  if (mediaType === MERGE_PATCH) return { body, unknown: [], apply: (object) => applyMergePatch(object, value) };
  // Go merges into the kind's own structure, whose type no patch changes.
  const type = { apiVersion: version.apiVersion, kind: resource.kind };
  return { body, unknown: [], shown: value, apply: (object) => ({ ...applyStrategicMergePatch(object, value, version.schema), ...type }) };
}

/** What is said of a JSON patch says so. Source: k8s.io/apiserver endpoints/handlers, applyJSPatch. */
function asOfJSONPatch(body: DecodedBody): DecodedBody {
  const told = (faults: readonly string[]) => faults.map((fault) => `json patch ${fault}`);
  return { ...body, duplicates: told(body.duplicates), duplicatesInError: told(body.duplicatesInError) };
}

/** The object that a patch makes of the present one. Source: k8s.io/apiserver endpoints/handlers, patcher. */
function patched(state: RequestState, target: Target, query: WriteQuery, patch: Patch, live: KubernetesObject | undefined): KubernetesObject {
  const { version, resource, info } = target;
  if (live === undefined) throw new Error("a patch never creates");
  // Objects of the registry are JSON all through.
  const present = live as unknown as JSONObject;
  const made = patch.apply(present);
  const refuse = (text: string) => unprocessable(patch.shown ?? made, text);
  if (!isJSONObject(made)) throw refuse("the result is not an object");
  // What has lost its type is read as the kind's, as a body without one is.
  const said = saidType(sortedKeys(made) as JSONObject, refuse);
  const result = resource.isBuiltIn ? { ...made, apiVersion: said.apiVersion || version.apiVersion, kind: said.kind || resource.kind } : made;
  // A patched object has its keys sorted in Go, where they were touched: so its unknown fields are told.
  const read = isTyped(result) ? readTyped(resource.isCustomResource ? result : (sortedKeys(result) as TypedJSON), resource, refuse) : undefined;
  if (read === undefined) throw refuse(typeFault(result, resource));
  const { unknown } = read;
  const wanted = resource.isCustomResource ? read.object : inVersion(resource, read.object, version);
  checkStrict(state, query.fieldValidation, patch.body, unknown, refuse);
  if (patch.unknown.length > 0 && query.fieldValidation !== "Ignore") {
    if (query.fieldValidation === "Strict") throw badRequest(`strict decoding error: ${patch.unknown.join(", ")}`);
    for (const sentence of patch.unknown) state.warn(sentence);
  }
  checkName(wanted, info.name);
  return inNamespace(wanted, target);
}

/** Why an object is none of a kind. Source: apimachinery unstructured, UnstructuredJSONScheme. */
function typeFault(object: JSONObject, { kind, isCustomResource }: Resource): string {
  const { apiVersion } = object;
  if (isCustomResource && !object.kind) return `Object 'Kind' is missing in '${encodeJSONText(object)}'`;
  if (typeof apiVersion === "string" && parseAPIVersion(apiVersion) === undefined) return `unexpected GroupVersion string: ${apiVersion}`;
  return `apiVersion and kind must be those of a version of ${kind}`;
}

function isTyped(object: JSONObject): object is TypedJSON {
  const { apiVersion, kind } = object;
  return typeof kind === "string" && kind !== "" && typeof apiVersion === "string" && apiVersion !== "" && parseAPIVersion(apiVersion) !== undefined;
}

/** The 422 of a patch whose result is no object of the kind. */
function unprocessable(result: JSONValue, why: string): APIError {
  return invalid({ group: "", kind: "" }, "", [fieldError.invalid("patch", encodeJSONText(result), why)]);
}
