import {
  BUILT_IN_FORMATS,
  badRequest,
  decodeProtobuf,
  decodeStrictJSON,
  decodeYAML,
  formatYAMLDuplicates,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  OBJECT_FORMATS,
  parseContentType,
  requestEntityTooLarge,
} from "@annex/apimachinery";
import { defaultAndPrune } from "../definition/compile-resource.ts";
import type { ResourceVersion } from "../definition/resource.ts";
import { WrongTypeError } from "../definition/typed-kind.ts";
import { decodeMetadata } from "./decode-metadata.ts";
import { BodyTooLarge } from "./http.ts";
import type { FieldValidation } from "./options.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";

/** The largest body, in bytes. Source: kube-apiserver's limit of resource requests. */
export const MAX_BODY_BYTES = 3 * 1024 * 1024;
/** How many strict decoding faults one answer names. */
const MAX_STRICT_FAULTS = 100;

export interface DecodedBody {
  readonly value: JSONValue;
  /** What is said of keys that were written twice: in warnings one by one, in an error together. */
  readonly duplicates: readonly string[];
  readonly duplicatesInError: readonly string[];
}

/** @throws {APIError} `RequestEntityTooLarge`. */
export async function readBody(state: RequestState): Promise<Uint8Array> {
  try {
    return await state.request.body(MAX_BODY_BYTES);
  } catch (error) {
    if (error instanceof BodyTooLarge) throw requestEntityTooLarge(MAX_BODY_BYTES);
    throw error;
  }
}

/**
 * Reads the object that a client wants: of the right kind, without fields that the kind does not have, with defaults.
 *
 * @throws {APIError} `UnsupportedMediaType`, `RequestEntityTooLarge`, `BadRequest` for a body that cannot be read, is of another kind, or is refused by strict
 *   field validation.
 */
export async function decodeObjectBody(state: RequestState, target: Target, fieldValidation: FieldValidation): Promise<KubernetesObject> {
  const { resource, version } = target;
  const format = parseContentType(state.request.headers["content-type"], resource.isBuiltIn ? BUILT_IN_FORMATS : OBJECT_FORMATS);
  const bytes = await readBody(state);
  if (bytes.length === 0) throw cannotBeHandled(target, "EOF");
  const body = decodeBytes(bytes, format, target);
  const value = body.value === null ? {} : body.value;
  if (!isJSONObject(value)) throw cannotBeHandled(target, "json: cannot unmarshal a value that is not an object");
  const refuse = (text: string) => cannotBeHandled(target, text);
  const sent = withType(value, target);
  const sentVersion = resource.versions.find(({ apiVersion }) => apiVersion === sent.apiVersion);
  const mismatch = `the API version in the data (${sent.apiVersion}) does not match the expected API version (${version.apiVersion})`;
  if (sentVersion === undefined) throw badRequest(mismatch);
  const { object, unknown } = readObject(sent, sentVersion, refuse);
  checkStrict(state, fieldValidation, body, unknown, refuse);
  // An object of another version of the kind is read as one, and told its unknown fields, before it is refused.
  if (sentVersion !== version) throw badRequest(mismatch);
  return object;
}

/**
 * Makes an object of a kind out of JSON: metadata read, unknown fields dropped and told, defaults filled in.
 *
 * @throws what `refuse` makes of the sentence, when metadata (or, of a compiled-in kind, any field) has a value of the wrong type.
 */
export function readObject(
  object: JSONObject,
  version: ResourceVersion,
  refuse: (text: string) => Error,
): { readonly object: KubernetesObject; readonly unknown: readonly string[] } {
  try {
    const known = defaultAndPrune({ ...object, metadata: decodeMetadata(object.metadata) }, version);
    // Type and metadata were just read; the fields of the kind are checked against the schema later.
    return { object: known.object as unknown as KubernetesObject, unknown: known.unknown };
  } catch (error) {
    throw error instanceof WrongTypeError ? refuse(error.message) : error;
  }
}

/** The sentence of every body that does not decode. */
export function cannotBeHandled({ resource, version }: Pick<Target, "resource" | "version">, why: string) {
  return badRequest(`${resource.kind} in version ${JSON.stringify(version.name)} cannot be handled as a ${resource.kind}: ${why}`);
}

/**
 * Warns of fields that the kind does not have or that stand twice, or refuses them.
 *
 * @throws what `refuse` makes of the sentence. Source: KEP-2885.
 */
export function checkStrict(
  state: RequestState,
  fieldValidation: FieldValidation,
  { duplicates, duplicatesInError }: Omit<DecodedBody, "value">,
  unknown: readonly string[],
  refuse: (text: string) => Error,
): void {
  if ((duplicates.length === 0 && unknown.length === 0) || fieldValidation === "Ignore") return;
  const unknownFields = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  if (fieldValidation === "Strict") {
    throw refuse(`strict decoding error: ${[...duplicatesInError, ...unknownFields].slice(0, MAX_STRICT_FAULTS).join(", ")}`);
  }
  for (const fault of [...duplicates, ...unknownFields]) state.warn(fault);
}

/** A body that said nothing twice. */
export const NO_DUPLICATES: Omit<DecodedBody, "value"> = { duplicates: [], duplicatesInError: [] };

/**
 * Reads text that a client sent.
 *
 * @throws {APIError} what `refuse` makes of the parser's sentence.
 */
export function decodeText(bytes: Uint8Array, format: "json" | "yaml", refuse: (text: string) => Error): DecodedBody {
  try {
    if (format === "yaml") {
      const { value, duplicates } = decodeYAML(bytes);
      return { value, duplicates, duplicatesInError: duplicates.length === 0 ? [] : [formatYAMLDuplicates(duplicates)] };
    }
    const { value, duplicates } = decodeStrictJSON(bytes);
    const faults = duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`);
    return { value, duplicates: faults, duplicatesInError: faults };
  } catch (error) {
    throw isSyntaxError(error) ? refuse(error.message) : error;
  }
}

function decodeBytes(bytes: Uint8Array, format: "json" | "yaml" | "protobuf", target: Target): DecodedBody {
  const { resource, version } = target;
  if (format !== "protobuf") return decodeText(bytes, format, (text) => cannotBeHandled(target, text));
  const { apiVersion, kind, value } = decodeProtobuf(bytes, { apiVersion: version.apiVersion, kind: resource.kind });
  return { value: { ...(value as JSONObject), apiVersion, kind }, ...NO_DUPLICATES };
}

function isSyntaxError(error: unknown): error is Error {
  return error instanceof Error && (error.name === "JSONSyntaxError" || error.name === "YAMLSyntaxError");
}

/** The object with its type, which the path supplies where the body does not. @throws {APIError} `BadRequest` when it is of another kind. */
function withType(object: JSONObject, { resource, version }: Target): JSONObject & { readonly apiVersion: string } {
  const { apiVersion: sentVersion, kind: sentKind } = object;
  const apiVersion = sentVersion || version.apiVersion;
  const kind = sentKind || resource.kind;
  if (typeof apiVersion !== "string" || typeof kind !== "string") throw badRequest("apiVersion and kind must be strings");
  if (kind !== resource.kind) {
    throw badRequest(
      `${kind} in version ${JSON.stringify(version.name)} cannot be handled as a ${resource.kind}: the kind in the data does not match the expected kind`,
    );
  }
  return { ...object, apiVersion, kind };
}
