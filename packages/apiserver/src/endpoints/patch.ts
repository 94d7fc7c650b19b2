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
  jsonEquals,
  type KubernetesObject,
  methodNotAllowed,
  OBJECT_OFFERS,
  unknownJSONPatchFields,
  unsupportedMediaType,
  unsupportedRoute,
} from "@annex/apimachinery";
import { inNamespace } from "./create.ts";
import { checkStrict, type DecodedBody, decodeText, readBody, readObject } from "./decode-body.ts";
import type { APIResponse } from "./http.ts";
import { parseWriteQuery, type WriteQuery } from "./options.ts";
import { negotiate, respondView } from "./represent.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";

/** The media types of patches that a kind takes, as OpenAPI and the 415 list them. */
export function patchMediaTypes(allowsStrategicMergePatch: boolean): readonly string[] {
  return allowsStrategicMergePatch ? [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH] : [JSON_PATCH, MERGE_PATCH];
}

/** PATCH of an object, or of its status: an update whose object is made of the present one. */
export async function servePatch(state: RequestState, target: Target): Promise<APIResponse> {
  const { verbs, namespace, info, version, resource } = target;
  if (verbs.update === undefined || info.name === "") throw methodNotAllowed();
  const mediaTypes = patchMediaTypes(resource.allowsStrategicMergePatch);
  const mediaType = (state.request.headers["content-type"] ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (!mediaTypes.includes(mediaType)) throw resource.isBuiltIn ? unsupportedRoute() : unsupportedMediaType(mediaTypes);
  const negotiated = negotiate(state, target, OBJECT_OFFERS);
  const query = parseWriteQuery(state.query, "PatchOptions", state.request.headers["user-agent"]);
  const body = decodeText(await readBody(state), "json", (text) => badRequest(`error decoding patch: ${text}`));
  const patch = compilePatch(mediaType, body, target);
  const { view } = await verbs.update(
    {
      version: version.name,
      target: { namespace, name: info.name },
      isDryRun: query.isDryRun,
      fieldManager: { manager: query.manager, subresource: info.subresource },
      isPatch: true,
      transform: (live) => patched(state, target, query, patch, live),
    },
    state.context(),
  );
  return respondView(state, target, negotiated, view, 200);
}

interface Patch {
  readonly body: DecodedBody;
  /** What the patch itself holds that no patch of its kind does. */
  readonly unknown: readonly string[];
  readonly apply: (object: JSONObject) => JSONValue;
}

/** @throws {APIError} `BadRequest` for what is no patch of this kind. */
function compilePatch(mediaType: string, body: DecodedBody, { version }: Target): Patch {
  if (mediaType === JSON_PATCH) {
    const operations = decodeJSONPatch(body.value);
    return { body, unknown: unknownJSONPatchFields(body.value), apply: (object) => applyJSONPatch(object, operations) };
  }
  const { value } = body;
  if (!isJSONObject(value)) throw badRequest("error decoding patch: the patch must be an object");
  if (mediaType === MERGE_PATCH) return { body, unknown: [], apply: (object) => applyMergePatch(object, value) };
  return { body, unknown: [], apply: (object) => applyStrategicMergePatch(object, value, version.schema) };
}

/** The object that a patch makes of the present one. Source: k8s.io/apiserver endpoints/handlers, patcher. */
function patched(state: RequestState, target: Target, query: WriteQuery, patch: Patch, live: KubernetesObject | undefined): KubernetesObject {
  const { version, resource, info } = target;
  if (live === undefined) throw new Error("a patch never creates");
  // Objects of the registry are JSON all through.
  const present = live as unknown as JSONObject;
  const result = patch.apply(present);
  const refuse = (text: string) => unprocessable(result, text);
  if (!isJSONObject(result)) throw refuse("the result is not an object");
  if (result.apiVersion !== version.apiVersion || result.kind !== resource.kind) throw refuse("apiVersion and kind cannot be patched");
  const { object: wanted, unknown } = readObject(result, version, refuse);
  checkStrict(state, query.fieldValidation, patch.body, unknown, refuse);
  if (patch.unknown.length > 0 && query.fieldValidation !== "Ignore") {
    if (query.fieldValidation === "Strict") throw badRequest(`strict decoding error: ${patch.unknown.join(", ")}`);
    for (const sentence of patch.unknown) state.warn(sentence);
  }
  const { name } = wanted.metadata;
  if (name !== info.name) {
    throw badRequest(
      name
        ? `the name of the object (${name}) does not match the name on the URL (${info.name})`
        : `the name of the object (${info.name} based on URL) was undeterminable: name must be provided`,
    );
  }
  return jsonEquals(result, present) ? live : inNamespace(wanted, target);
}

/** The 422 of a patch whose result is no object of the kind. */
function unprocessable(result: JSONValue, why: string): APIError {
  return invalid({ group: "", kind: "" }, "", [fieldError.invalid("patch", encodeJSONText(result), why)]);
}
