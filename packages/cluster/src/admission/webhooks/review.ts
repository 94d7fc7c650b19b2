import {
  decodeJSONPatch,
  decodeStrictJSON,
  illegalBase64At,
  isJSONObject,
  type JSONObject,
  type JSONPatchOperation,
  type JSONValue,
  quoteGo,
  type StatusDetails,
} from "@annex/apimachinery";
import type { AdmissionAttributes, AdmissionContext } from "@annex/apiserver";
import type { VersionedObjects } from "../matching/admission-input.ts";
import { kindAt } from "../matching/write-versions.ts";
import type { Webhook } from "./configuration.ts";
import { type RefusalStatus, WebhookCallError } from "./errors.ts";

const GROUP = "admission.k8s.io";
const VERSIONS = ["v1", "v1beta1"] as const;
type ReviewVersion = (typeof VERSIONS)[number];

/** What a webhook is asked, and by what its answer is known. */
export interface Review {
  readonly uid: string;
  readonly version: ReviewVersion;
  readonly body: JSONObject;
}

/** What a webhook answered, by the rules of the version that it was asked in. */
export interface ReviewAnswer {
  readonly isAllowed: boolean;
  readonly status: RefusalStatus;
  /** Empty where it changes nothing, or was not asked to. */
  readonly patch: readonly JSONPatchOperation[];
  readonly warnings: readonly string[];
  readonly auditAnnotations: Readonly<Record<string, string>>;
}

/**
 * Makes the AdmissionReview for a webhook, in the first version it takes that is known here.
 *
 * @throws {WebhookCallError} when there is none.
 * Source: k8s.io/apiserver/pkg/admission/plugin/webhook/request/admissionreview.go.
 */
export function createReview(webhook: Webhook, attributes: AdmissionAttributes, objects: VersionedObjects, context: AdmissionContext): Review {
  const version = VERSIONS.find((one) => one === webhook.reviewVersions.find((accepted) => (VERSIONS as readonly string[]).includes(accepted)));
  if (version === undefined)
    throw new WebhookCallError(
      webhook.name,
      "could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)",
    );
  const uid = crypto.randomUUID();
  return {
    uid,
    version,
    body: { kind: "AdmissionReview", apiVersion: `${GROUP}/${version}`, request: { uid, ...requestOf(attributes, objects, context) } },
  };
}

function requestOf(
  attributes: AdmissionAttributes,
  { version, object, previous }: VersionedObjects,
  { user, isDryRun }: AdmissionContext,
): JSONObject {
  const { resource, subresource, namespace, name, operation, options } = attributes;
  const placeAt = (one: string) => ({ group: resource.group, version: one, resource: resource.resource });
  const given = (key: string, value: string): JSONObject => (value === "" ? {} : { [key]: value });
  return {
    kind: { ...kindAt(attributes, version) },
    resource: placeAt(version),
    ...given("subResource", subresource),
    requestKind: { ...kindAt(attributes, attributes.version) },
    requestResource: placeAt(attributes.version),
    ...given("requestSubResource", subresource),
    ...given("name", name),
    ...given("namespace", namespace),
    operation,
    userInfo: {
      ...given("username", user.name),
      ...given("uid", user.uid ?? ""),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    },
    // Objects of the registry are JSON all through.
    object: object as JSONObject | null,
    oldObject: previous as JSONObject | null,
    dryRun: isDryRun,
    options,
  };
}

/**
 * Reads what a webhook answered.
 *
 * @param isMutating whether it may answer with a patch.
 * @throws {WebhookCallError} for what is no answer to this review.
 * Source: admissionreview.go VerifyAdmissionResponse.
 */
export function readAnswer(webhook: string, { uid, version }: Review, answer: JSONValue, isMutating: boolean): ReviewAnswer {
  const invalid = (why: string) => new WebhookCallError(webhook, `received invalid webhook response: ${why}`);
  if (!isJSONObject(answer)) throw new WebhookCallError(webhook, "failed to call webhook: the answer is no object");
  const { response } = answer;
  if (!isJSONObject(response)) throw invalid("webhook response was absent");
  checkForms(webhook, response);
  if (version === "v1") {
    if (response.uid !== uid) throw invalid(`expected response.uid=${quoteGo(uid)}, got ${quoteGo(textIn(response.uid))}`);
    if (answer.apiVersion !== `${GROUP}/v1` || answer.kind !== "AdmissionReview")
      throw invalid(`expected webhook response of ${GROUP}/v1, Kind=AdmissionReview, got ${shownType(answer)}`);
    checkPatchType(response, isMutating, invalid);
  }
  return {
    isAllowed: response.allowed === true,
    status: refusalStatus(response.status ?? null, invalid),
    patch: isMutating ? readPatch(webhook, response) : [],
    warnings: texts(response.warnings ?? null, invalid),
    auditAnnotations: textMap(response.auditAnnotations ?? null, invalid),
  };
}

const textIn = (value: JSONValue | undefined): string => (typeof value === "string" ? value : "");

function shownType({ apiVersion, kind }: JSONObject): string {
  return `${textIn(apiVersion) || "/"}, Kind=${textIn(kind)}`;
}

type Fault = (why: string) => WebhookCallError;

/** What Go reads into fields of a type is told before anything that an answer says. */
function checkForms(webhook: string, { allowed, patch, patchType }: JSONObject): void {
  const failed = (why: string) => new WebhookCallError(webhook, `failed to call webhook: ${why}`);
  for (const [name, value] of Object.entries({ patch, patchType }))
    if (value !== undefined && value !== null && typeof value !== "string") throw failed(`response.${name} must be a string`);
  if (allowed !== undefined && allowed !== null && typeof allowed !== "boolean") throw failed("response.allowed must be a boolean");
  const at = illegalBase64At(textIn(patch));
  if (at !== undefined) throw failed(`illegal base64 data at input byte ${at}`);
}

/** In v1 a patch says of what type it is, and who only validates sends none. */
function checkPatchType({ patch, patchType }: JSONObject, isMutating: boolean, invalid: Fault): void {
  const hasPatch = textIn(patch) !== "";
  const hasType = patchType !== undefined && patchType !== null;
  if (!isMutating) {
    if (hasPatch) throw invalid("validating webhook may not return response.patch");
    if (hasType) throw invalid("validating webhook may not return response.patchType");
    return;
  }
  if (hasPatch && !hasType) throw invalid("webhook returned response.patch but not response.patchType");
  if (!hasPatch && hasType) throw invalid("webhook returned response.patchType but not response.patch");
  if (hasType && patchType === "") throw invalid('webhook returned invalid response.patchType of ""');
}

/** The operations of the patch; that of a refusal is not looked at. @throws {WebhookCallError} */
function readPatch(webhook: string, { patch, patchType, allowed }: JSONObject): readonly JSONPatchOperation[] {
  if (allowed !== true || typeof patch !== "string" || patch === "") return [];
  const undecodable = (cause: unknown) =>
    new WebhookCallError(webhook, `received undecodable patch in webhook response: ${cause instanceof Error ? cause.message : String(cause)}`, cause);
  let operations: readonly JSONPatchOperation[];
  try {
    operations = decodeJSONPatch(decodeStrictJSON(Buffer.from(patch, "base64")).value);
  } catch (error) {
    throw undecodable(error);
  }
  if (operations.length > 0 && (patchType ?? "JSONPatch") !== "JSONPatch")
    throw new WebhookCallError(webhook, `unsupported patch type ${quoteGo(textIn(patchType))}`);
  return operations;
}

function refusalStatus(value: JSONValue, invalid: Fault): RefusalStatus {
  if (value === null) return {};
  if (!isJSONObject(value)) throw invalid("response.status is no object");
  const { message, reason, code, details } = value;
  if (![message, reason].every((text) => text === undefined || text === null || typeof text === "string"))
    throw invalid("response.status has fields of other types");
  if (code !== undefined && code !== null && !isInt32(code)) throw invalid("response.status.code is no 32-bit integer");
  return {
    message: textIn(message),
    reason: textIn(reason),
    ...(isInt32(code) ? { code } : {}),
    // It is handed on as it is: to the client who asked, about their own request.
    ...(isJSONObject(details) ? { details: details as StatusDetails } : {}),
  };
}

function isInt32(code: JSONValue | undefined): code is number {
  return typeof code === "number" && (code | 0) === code;
}

function texts(value: JSONValue, invalid: Fault): readonly string[] {
  if (value === null) return [];
  if (!Array.isArray(value) || !value.every((text): text is string => typeof text === "string"))
    throw invalid("response.warnings is no list of texts");
  return value;
}

function textMap(value: JSONValue, invalid: Fault): Readonly<Record<string, string>> {
  if (value === null) return {};
  if (!isJSONObject(value) || !Object.values(value).every((text) => typeof text === "string"))
    throw invalid("response.auditAnnotations is no map of texts");
  return value as Readonly<Record<string, string>>; // its values were looked at
}
