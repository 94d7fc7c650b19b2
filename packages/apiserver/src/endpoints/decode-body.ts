import {
  BUILT_IN_FORMATS,
  badRequest,
  decodeProtobuf,
  decodeStrictJSON,
  decodeYAML,
  encodeJSON,
  formatYAMLDuplicates,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  OBJECT_FORMATS,
  OBJECT_META_SCHEMA,
  parseAPIVersion,
  parseContentType,
  pruneUnknown,
  requestEntityTooLarge,
  type Schema,
  sortedKeys,
  strictFaults,
} from "@annex/apimachinery";
import { decodeMetadata, jsonTypeName } from "../definition/decode-metadata.ts";
import { defaultAndPrune } from "../definition/default-and-prune.ts";
import type { Resource, ResourceVersion } from "../definition/resource.ts";
import { WrongTypeError } from "../definition/typed-kind.ts";
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
  /** What is said of these keys and of unknown fields, by their paths, in the order of the text. Absent of a text that has no such order. */
  readonly inOrder?: (unknown: readonly string[]) => readonly string[];
}

/** @throws {APIError} `RequestEntityTooLarge`. */
export async function readBody(state: RequestState, maxBytes = MAX_BODY_BYTES): Promise<Uint8Array> {
  try {
    return await state.request.body(maxBytes);
  } catch (error) {
    if (error instanceof BodyTooLarge) throw requestEntityTooLarge(maxBytes);
    throw error;
  }
}

/** The form of the object that a client sends. @throws {APIError} `UnsupportedMediaType`. */
export function bodyFormat(state: RequestState, resource: Resource): "json" | "yaml" | "protobuf" {
  return parseContentType(state.request.headers["content-type"], resource.isBuiltIn ? BUILT_IN_FORMATS : OBJECT_FORMATS);
}

/**
 * Reads the object that a client wants: of the right kind, without fields that the kind does not have, with defaults.
 *
 * @throws {APIError} `UnsupportedMediaType`, `RequestEntityTooLarge`, `BadRequest` for a body that cannot be read, is of another kind, or is refused by strict
 *   field validation.
 */
export async function decodeObjectBody(state: RequestState, target: Target, fieldValidation: FieldValidation): Promise<KubernetesObject> {
  const { resource, version } = target;
  const format = bodyFormat(state, resource);
  const bytes = await readBody(state);
  const body = decodeBytes(bytes, format, target);
  const value = body.value ?? {};
  const missing = (): Error => {
    if (fieldValidation !== "Ignore") return unrecognized(resource, bytes, missingKind(bytes));
    // Where it is not strict, Go's reader is told of the kind, and has made JSON of what does not begin like JSON.
    return cannotBeHandled(target, missingKind(bytes[0] === OPEN_BRACE ? bytes : encodeJSON(value)));
  };
  const sent = typeOf(value, target, bytes, missing);
  const refuse = (why: string) => cannotBeHandled(target, why, sent);
  const mismatch = `the API version in the data (${sent.apiVersion}) does not match the expected API version (${version.apiVersion})`;
  const read = readTyped(sent, resource, refuse);
  if (read === undefined) throw badRequest(mismatch);
  checkStrict(state, fieldValidation, body, read.unknown, refuse);
  // An object of another version of the kind is read as one, and told its unknown fields, before it is refused.
  if (sent.apiVersion !== version.apiVersion) throw badRequest(mismatch);
  return read.object;
}

/** An object as it was read, and its fields that the kind does not have. */
export interface ReadObject {
  readonly object: KubernetesObject;
  readonly unknown: readonly string[];
}

/** JSON that says its type. */
export type TypedJSON = JSONObject & { readonly apiVersion: string; readonly kind: string };

/**
 * Reads an object as what it says it is: {@link readObject} at that version of the kind.
 *
 * @returns undefined where the kind has no such version. A custom resource is read all the same, as kube-apiserver reads it: of an unknown version nothing is
 *   known but type and metadata, of another kind nothing is looked at but metadata. What comes of it is for validation to tell.
 * Source: apiextensions-apiserver pkg/apiserver, unstructuredSchemaCoercer.
 */
export function readTyped(object: TypedJSON, resource: Resource, refuse: (text: string) => Error): ReadObject | undefined {
  const version = object.kind === resource.kind && resource.definedVersions.find(({ apiVersion }) => apiVersion === object.apiVersion);
  if (version) return readObject(object, version, refuse);
  if (!resource.isCustomResource) return undefined;
  const isOwnKind = object.kind === resource.kind && parseAPIVersion(object.apiVersion)?.group === resource.group;
  const { value, unknown } = pruneUnknown(decodedMetadata(object, false, refuse), isOwnKind ? OF_UNKNOWN_VERSION : OF_ANOTHER_KIND);
  // Type and metadata were read, and an object stays one.
  return { object: value as unknown as KubernetesObject, unknown };
}

const OF_UNKNOWN_VERSION: Schema = {
  type: "object",
  properties: { apiVersion: { type: "string" }, kind: { type: "string" }, metadata: OBJECT_META_SCHEMA },
};
const OF_ANOTHER_KIND: Schema = { ...OF_UNKNOWN_VERSION, "x-kubernetes-preserve-unknown-fields": true };

/**
 * Makes an object of a kind out of JSON: metadata read, unknown fields dropped and told, defaults filled in.
 *
 * @param isMerged as in {@link defaultAndPrune}.
 * @throws what `refuse` makes of the sentence, when metadata (or, of a compiled-in kind, any field) has a value of the wrong type.
 */
export function readObject(object: JSONObject, version: ResourceVersion, refuse: (text: string) => Error, isMerged = false): ReadObject {
  const sent = decodedMetadata(object, version.isTyped, refuse);
  try {
    const known = defaultAndPrune(sent, version, isMerged);
    // Type and metadata were just read; the fields of the kind are checked against the schema later.
    return { object: known.object as unknown as KubernetesObject, unknown: known.unknown };
  } catch (error) {
    throw error instanceof WrongTypeError ? refuse(error.message) : error;
  }
}

function decodedMetadata(object: JSONObject, isTyped: boolean, refuse: (text: string) => Error): JSONObject {
  try {
    return { ...object, metadata: decodeMetadata(object.metadata, isTyped) };
  } catch (error) {
    throw error instanceof WrongTypeError ? refuse(error.message) : error;
  }
}

/** The sentence of every body that does not decode. @param sent the type that the body says it has, where that was read. */
export function cannotBeHandled({ resource, version }: Pick<Target, "resource" | "version">, why: string, sent?: TypedJSON) {
  const { kind, apiVersion } = sent ?? { kind: resource.kind, apiVersion: version.name };
  const name = apiVersion.slice(apiVersion.indexOf("/") + 1);
  return badRequest(`${kind} in version ${JSON.stringify(name)} cannot be handled as a ${resource.kind}: ${why}`);
}

/**
 * Warns of fields that the kind does not have or that stand twice, or refuses them.
 *
 * @throws what `refuse` makes of the sentence. Source: KEP-2885.
 */
export function checkStrict(
  state: RequestState,
  fieldValidation: FieldValidation,
  { duplicates, duplicatesInError, inOrder }: Omit<DecodedBody, "value">,
  unknown: readonly string[],
  refuse: (text: string) => Error,
): void {
  if ((duplicates.length === 0 && unknown.length === 0) || fieldValidation === "Ignore") return;
  const isStrict = fieldValidation === "Strict";
  const unknownFields = unknown.map((path) => `unknown field ${JSON.stringify(path)}`);
  const faults = inOrder?.(unknown) ?? [...(isStrict ? duplicatesInError : duplicates), ...unknownFields];
  if (isStrict) throw refuse(`strict decoding error: ${faults.slice(0, MAX_STRICT_FAULTS).join(", ")}`);
  for (const fault of faults) state.warn(fault);
}

/** A body that said nothing twice. */
export const NO_DUPLICATES: Omit<DecodedBody, "value"> = { duplicates: [], duplicatesInError: [] };

/**
 * Reads text that a client sent.
 *
 * @throws {APIError} what `refuse` makes of the parser's sentence.
 */
export function decodeText(
  bytes: Uint8Array,
  format: "json" | "yaml",
  refuse: (text: string) => Error,
): DecodedBody & { readonly paths: readonly string[] } {
  try {
    if (format === "yaml") {
      const { value, duplicates } = decodeYAML(bytes);
      // Go makes JSON of it first, whose keys are sorted: so unknown fields are told.
      return {
        value: sortedKeys(value),
        duplicates,
        duplicatesInError: duplicates.length === 0 ? [] : [formatYAMLDuplicates(duplicates)],
        paths: [],
      };
    }
    const { value, duplicates: paths } = decodeStrictJSON(bytes);
    const faults = strictFaults(bytes, paths, []);
    return { value, duplicates: faults, duplicatesInError: faults, paths };
  } catch (error) {
    throw isSyntaxError(error) ? refuse(error.message) : error;
  }
}

function decodeBytes(bytes: Uint8Array, format: "json" | "yaml" | "protobuf", target: Target): DecodedBody {
  const { resource, version } = target;
  if (format !== "protobuf") {
    const body = decodeText(bytes, format, (text) => unrecognized(resource, bytes, format === "json" ? `${NO_TYPE}${text}` : text));
    return format === "json" && version.isTyped ? { ...body, inOrder: (unknown) => strictFaults(bytes, body.paths, unknown) } : body;
  }
  const { apiVersion, kind, value } = decodeProtobuf(bytes, { apiVersion: version.apiVersion, kind: resource.kind });
  return { value: { ...(value as JSONObject), apiVersion, kind }, ...NO_DUPLICATES };
}

function isSyntaxError(error: unknown): error is Error {
  return error instanceof Error && (error.name === "JSONSyntaxError" || error.name === "YAMLSyntaxError");
}

const decoder = new TextDecoder();
/** How much of a body that says nothing of its kind is shown to the client, in bytes. Go shows all of it. */
const MAX_SHOWN = 1024;
/** How much of it Go shows a second time. Source: apimachinery runtime, summarizeData. */
const MAX_SUMMARY = 30;
/** What begins the sentence about JSON of which not even the type can be read. */
export const NO_TYPE = "couldn't get version/kind; json parse error: ";
const OPEN_BRACE = 0x7b;

/** The 400 of a body of which not even the type can be read. Source: k8s.io/apiserver endpoints/handlers, transformDecodeError. */
function unrecognized({ kind }: Resource, bytes: Uint8Array, why: string): Error {
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`);
}

/** What begins like JSON is shown as it is, anything else in hexadecimal digits. */
function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const shown = bytes.subarray(0, MAX_SUMMARY);
  const text = bytes[0] === OPEN_BRACE ? decoder.decode(shown) : Array.from(shown, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return bytes.length > MAX_SUMMARY ? `${text} ...` : text;
}

/**
 * The object with its type. What a custom resource does not say of it is missing; any other kind has it from the path.
 *
 * @param missing makes the error of a custom resource without a kind.
 * @throws {APIError} `BadRequest` when it says none that can be read, or another kind.
 * Source: apimachinery unstructured, UnstructuredJSONScheme; serializer/json, Interpret.
 */
function typeOf(object: JSONValue, { resource, version }: Target, bytes: Uint8Array, missing: () => Error): TypedJSON {
  if (!isJSONObject(object)) throw unrecognized(resource, bytes, `${NO_TYPE}json: cannot unmarshal ${jsonTypeName(object)} into an object`);
  const said = saidType(object, (fault) => unrecognized(resource, bytes, fault));
  if (said.apiVersion !== "" && parseAPIVersion(said.apiVersion) === undefined) {
    throw unrecognized(resource, bytes, `unexpected GroupVersion string: ${said.apiVersion}`);
  }
  // `as`: what is said in these very letters was looked at, too.
  return resource.isCustomResource
    ? withOwnType(object as SaidType, { resource, version }, missing)
    : withType({ ...object, ...said }, { resource, version });
}

/** An object whose type is text, if it says one. */
type SaidType = JSONObject & { readonly apiVersion?: string | null; readonly kind?: string | null };

const TYPE_FIELDS: ReadonlyMap<string, "apiVersion" | "kind"> = new Map([
  ["apiversion", "apiVersion"],
  ["kind", "kind"],
]);

/**
 * The type that JSON says, empty where it says none. To Go the case of these two keys is nothing here, and of several the last counts. Of anything but a custom
 * resource, whose own reader wants the very letters, this is what it is.
 *
 * @throws what `refuse` makes of the sentence, when it is no text. Source: apimachinery serializer/json, Interpret.
 */
export function saidType(object: JSONObject, refuse: (text: string) => Error): { readonly apiVersion: string; readonly kind: string } {
  const said = { apiVersion: "", kind: "" };
  for (const [key, value] of Object.entries(object)) {
    const field = TYPE_FIELDS.get(key.toLowerCase());
    if (field === undefined || value === null || value === undefined) continue;
    if (typeof value !== "string")
      throw refuse(`${NO_TYPE}json: cannot unmarshal ${jsonTypeName(value)} into Go struct field .${field} of type string`);
    said[field] = value;
  }
  return said;
}

function withOwnType(object: SaidType, place: Pick<Target, "resource" | "version">, missing: () => Error): TypedJSON {
  const { apiVersion = "", kind } = object;
  if (!kind) throw missing();
  if (apiVersion !== null) return { ...object, apiVersion, kind };
  throw cannotBeHandled(place, ".apiVersion accessor error: <nil> is of the type <nil>, expected string", { ...object, apiVersion: "", kind });
}

function missingKind(json: Uint8Array): string {
  return `Object 'Kind' is missing in '${decoder.decode(json.subarray(0, MAX_SHOWN))}${json.length > MAX_SHOWN ? " ..." : ""}'`;
}

function withType(object: SaidType, { resource, version }: Pick<Target, "resource" | "version">): TypedJSON {
  const apiVersion = object.apiVersion || version.apiVersion;
  const kind = object.kind || resource.kind;
  const sent = { ...object, apiVersion, kind };
  if (kind !== resource.kind) throw cannotBeHandled({ resource, version }, "the kind in the data does not match the expected kind", sent);
  return sent;
}
