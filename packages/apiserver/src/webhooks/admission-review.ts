import {
  APIError,
  badRequest,
  createJSONPatch,
  encodeBase64,
  encodeJSON,
  type GroupVersionKind,
  type GroupVersionResource,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
} from "@annex/apimachinery";
import type { UserInfo } from "../authentication/user-info.ts";
import type { AdmissionWebhook, AdmissionWebhookRequest } from "./admission-webhook.ts";

const API_VERSION = "admission.k8s.io/v1";
const OPERATIONS: readonly string[] = ["CREATE", "UPDATE", "DELETE", "CONNECT"];

/** An AdmissionRequest as it was read: what was sent, without the functions of {@link AdmissionWebhookRequest}. */
export type SentReview = Omit<AdmissionWebhookRequest, "warn" | "audit" | "signal">;

/** Reads the request of an AdmissionReview. What is missing counts as empty, but for `uid` and `operation`. @throws {APIError} `BadRequest`. */
export function decodeReview(body: JSONValue): SentReview {
  const { apiVersion, kind, request } = isJSONObject(body) ? body : {};
  if (apiVersion !== API_VERSION || kind !== "AdmissionReview") throw badRequest(`the body must be an AdmissionReview of ${API_VERSION}`);
  if (!isJSONObject(request)) throw badRequest("the AdmissionReview has no request");
  const uid = textOf(request, "uid");
  const operation = textOf(request, "operation");
  if (uid === "") throw badRequest("request.uid must not be empty");
  if (!OPERATIONS.includes(operation)) throw badRequest(`request.operation must be one of ${OPERATIONS.join(", ")}`);
  return {
    uid,
    operation: operation as SentReview["operation"],
    kind: namesOf(request, "kind", ["group", "version", "kind"]) as unknown as GroupVersionKind,
    resource: namesOf(request, "resource", ["group", "version", "resource"]) as unknown as GroupVersionResource,
    subResource: textOf(request, "subResource"),
    name: textOf(request, "name"),
    namespace: textOf(request, "namespace"),
    userInfo: userInfoOf(objectOf(request, "userInfo") ?? {}),
    // Of which kind they are is up to the rules, and what the author makes of it.
    object: objectOf(request, "object") as unknown as KubernetesObject | undefined,
    oldObject: objectOf(request, "oldObject") as unknown as KubernetesObject | undefined,
    dryRun: request.dryRun === true,
    options: objectOf(request, "options"),
  };
}

function textOf(fields: JSONObject, field: string): string {
  const value = fields[field] ?? "";
  if (typeof value !== "string") throw badRequest(`${field} must be a string`);
  return value;
}

function objectOf(fields: JSONObject, field: string): JSONObject | undefined {
  const value = fields[field] ?? undefined;
  if (value !== undefined && !isJSONObject(value)) throw badRequest(`${field} must be an object`);
  return value;
}

function namesOf(request: JSONObject, field: string, names: readonly string[]): Readonly<Record<string, string>> {
  const object = objectOf(request, field) ?? {};
  return Object.fromEntries(names.map((name) => [name, textOf(object, name)]));
}

function userInfoOf(userInfo: JSONObject): UserInfo {
  const uid = textOf(userInfo, "uid");
  const extra = Object.entries(objectOf(userInfo, "extra") ?? {}).map(([key, values]) => [key, textsOf(values)] as const);
  return {
    name: textOf(userInfo, "username"),
    ...(uid === "" ? {} : { uid }),
    groups: textsOf(userInfo.groups),
    extra: Object.fromEntries(extra),
  };
}

function textsOf(values: JSONValue | undefined): readonly string[] {
  const list: JSONValue = values ?? [];
  if (!Array.isArray(list) || !list.every((value) => typeof value === "string"))
    throw badRequest("groups and values of extra must be lists of strings");
  return list as readonly string[];
}

/**
 * Has a webhook judge a request.
 *
 * @returns an AdmissionReview with the response: refused with the Status of the `APIError` that it threw, or allowed, with a patch where it made another object of the one sent.
 * @throws whatever else it throws.
 */
export async function review(webhook: Pick<AdmissionWebhook, "name" | "admit">, sent: SentReview, signal: AbortSignal): Promise<JSONObject> {
  const warnings: string[] = [];
  const auditAnnotations: Record<string, string> = {};
  const said = () => ({
    ...(warnings.length === 0 ? {} : { warnings }),
    ...(Object.keys(auditAnnotations).length === 0 ? {} : { auditAnnotations }),
  });
  const request: AdmissionWebhookRequest = {
    ...sent,
    // A copy: an author may change it in place, and what was sent is still there to compare with.
    object: sent.object && withMetadata(structuredClone(sent.object)),
    oldObject: sent.oldObject && withMetadata(sent.oldObject),
    warn: (text) => void warnings.push(text),
    audit: (key, value) => {
      auditAnnotations[key] = value;
    },
    signal,
  };
  try {
    const patch = patchOf(webhook, sent, await webhook.admit(request));
    return answer({ uid: sent.uid, allowed: true, ...patch, ...said() });
  } catch (error) {
    if (!APIError.is(error)) throw error;
    const { status, message, reason, code, details } = error.toStatus();
    const refusal = { status, message, reason, code, ...(details === undefined ? {} : { details }) } as unknown as JSONObject;
    return answer({ uid: sent.uid, allowed: false, status: refusal, ...said() });
  }
}

/** With the metadata that every object of the API has: what comes with CONNECT has none. */
function withMetadata(object: KubernetesObject): KubernetesObject {
  return isJSONObject(object.metadata as unknown as JSONValue) ? object : { ...object, metadata: {} };
}

function answer(response: JSONObject): JSONObject {
  return { apiVersion: API_VERSION, kind: "AdmissionReview", response };
}

function patchOf({ name }: Pick<AdmissionWebhook, "name">, { object }: SentReview, wanted: KubernetesObject | undefined): JSONObject {
  if (wanted === undefined) return {};
  if (object === undefined) throw new TypeError(`the webhook ${name} returned an object where none was sent`);
  // Metadata that was not sent, and that nobody wrote into, is no change.
  const before = Object.keys(wanted.metadata ?? {}).length === 0 ? withMetadata(object) : object;
  const operations = createJSONPatch(before as unknown as JSONValue, wanted as unknown as JSONValue);
  return operations.length === 0 ? {} : { patchType: "JSONPatch", patch: encodeBase64(encodeJSON(operations)) };
}
