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
  const object = body.value === null ? {} : body.value;
  if (!isJSONObject(object)) throw cannotBeHandled(target, "json: cannot unmarshal a value that is not an object");
  const typed = withType(object, target);
  const { object: known, unknown } = defaultAndPrune(typed, version);
  checkStrict(state, fieldValidation, body, unknown, (text) => cannotBeHandled(target, text));
  return checkShape(known, (text) => cannotBeHandled({ resource, version }, text));
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

/**
 * Checks that metadata has the types that everything behind relies on.
 *
 * @throws what `refuse` makes of the sentence.
 */
export function checkShape(object: JSONObject, refuse: (text: string) => Error): KubernetesObject {
  const { metadata = {} } = object;
  if (!isJSONObject(metadata)) throw refuse("metadata must be an object");
  for (const [field, type] of METADATA_TYPES) {
    const value = metadata[field];
    if (value !== undefined && value !== null && !type.is(value)) throw refuse(`json: metadata.${field} must be ${type.text}`);
  }
  const present = Object.fromEntries(Object.entries(metadata).filter(([, value]) => value !== null && value !== undefined));
  // Its own fields were just checked, and those of the kind are checked against the schema later.
  return { ...object, metadata: present } as unknown as KubernetesObject;
}

interface FieldType {
  readonly text: string;
  readonly is: (value: JSONValue) => boolean;
}

const STRING: FieldType = { text: "a string", is: (value) => typeof value === "string" };
const INTEGER: FieldType = { text: "an integer", is: (value) => typeof value === "bigint" || Number.isInteger(value) };
const TIME: FieldType = { text: "a time as in RFC 3339", is: (value) => typeof value === "string" && !Number.isNaN(Date.parse(value)) };
const STRINGS: FieldType = {
  text: "a list of strings",
  is: (value) => Array.isArray(value) && value.every((element) => typeof element === "string"),
};
const STRING_MAP: FieldType = {
  text: "a map of strings",
  is: (value) => isJSONObject(value) && Object.values(value).every((element) => typeof element === "string"),
};
const OWNERS: FieldType = {
  text: "a list of owner references",
  is: (value) =>
    Array.isArray(value) &&
    value.every(
      (owner) =>
        isJSONObject(owner) && ["apiVersion", "kind", "name", "uid"].every((key) => owner[key] === undefined || typeof owner[key] === "string"),
    ),
};
const OBJECTS: FieldType = { text: "a list of objects", is: (value) => Array.isArray(value) && value.every(isJSONObject) };

const METADATA_TYPES: readonly (readonly [string, FieldType])[] = [
  ["name", STRING],
  ["generateName", STRING],
  ["namespace", STRING],
  ["selfLink", STRING],
  ["uid", STRING],
  ["resourceVersion", STRING],
  ["generation", INTEGER],
  ["creationTimestamp", TIME],
  ["deletionTimestamp", TIME],
  ["deletionGracePeriodSeconds", INTEGER],
  ["labels", STRING_MAP],
  ["annotations", STRING_MAP],
  ["ownerReferences", OWNERS],
  ["finalizers", STRINGS],
  ["managedFields", OBJECTS],
];

function decodeBytes(bytes: Uint8Array, format: "json" | "yaml" | "protobuf", target: Target): DecodedBody {
  const { resource, version } = target;
  if (format !== "protobuf") return decodeText(bytes, format, (text) => cannotBeHandled(target, text));
  const { apiVersion, kind, value } = decodeProtobuf(bytes, { apiVersion: version.apiVersion, kind: resource.kind });
  return { value: { ...(value as JSONObject), apiVersion, kind }, ...NO_DUPLICATES };
}

function isSyntaxError(error: unknown): error is Error {
  return error instanceof Error && (error.name === "JSONSyntaxError" || error.name === "YAMLSyntaxError");
}

/** The object with its type, which the path supplies where the body does not. @throws {APIError} `BadRequest` when it is of another one. */
function withType(object: JSONObject, { resource, version }: Target): JSONObject {
  const { apiVersion: sentVersion, kind: sentKind } = object;
  for (const value of [sentVersion, sentKind]) {
    if (value !== undefined && value !== null && typeof value !== "string") throw badRequest("apiVersion and kind must be strings");
  }
  const apiVersion = sentVersion || version.apiVersion;
  const kind = sentKind || resource.kind;
  if (apiVersion !== version.apiVersion) {
    throw badRequest(`the API version in the data (${String(apiVersion)}) does not match the expected API version (${version.apiVersion})`);
  }
  if (kind !== resource.kind) {
    throw badRequest(
      `${String(kind)} in version ${JSON.stringify(version.name)} cannot be handled as a ${resource.kind}: the kind in the data does not match the expected kind`,
    );
  }
  return { ...object, apiVersion, kind };
}
