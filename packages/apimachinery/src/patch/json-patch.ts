import { APIError, badRequest, isJSONObject, type JSONValue, jsonEquals } from "../meta/index.ts";
import { Draft } from "./draft.ts";
import { checkPatchDepth, getOwn, isJSONArray, isNestedAtMost, MAX_PATCH_DEPTH } from "./json-value.ts";

/** One step of a JSON patch, as the client sent it: which members it needs is up to `op`. Source: RFC 6902. */
export interface JSONPatchOperation {
  readonly op: string;
  readonly path?: string;
  readonly from?: string;
  /** Absent counts as null. */
  readonly value?: JSONValue;
}

/** The most operations of one patch. Source: maxJSONPatchOperations of apiserver's patch handler. */
export const MAX_JSON_PATCH_OPERATIONS = 10_000;
/** The most bytes, as JSON, that the `copy` operations of one patch may copy. Source: JSONPatchMaxCopyBytes of apiserver's config. */
export const MAX_JSON_PATCH_COPY_BYTES = 3 * 1024 * 1024;

const MEMBERS: ReadonlySet<string> = new Set(["op", "path", "from", "value"]);

/**
 * Reads a JSON patch; null is the patch without operations.
 *
 * @throws {APIError} `BadRequest` when it is not a list of operations, or nests deeper than 1,000; `RequestEntityTooLarge` (413) beyond
 *   10,000 operations. An unknown or missing `op` is found when the patch is applied.
 *
 * Source: apiserver pkg/endpoints/handlers/patch.go. The sentences of undecodable patches are ours: Go's show its types.
 */
export function decodeJSONPatch(value: JSONValue): readonly JSONPatchOperation[] {
  if (value === null) return [];
  if (!isJSONArray(value)) throw badRequest("error decoding patch: a JSON patch must be a list of operations");
  if (value.length > MAX_JSON_PATCH_OPERATIONS) {
    const sentence = `The allowed maximum operations in a JSON patch is ${MAX_JSON_PATCH_OPERATIONS}, got ${value.length}`;
    throw new APIError("RequestEntityTooLarge", `Request entity too large: ${sentence}`);
  }
  checkPatchDepth(value);
  return value.map((element, index) => {
    if (element === null) return { op: "unknown" };
    if (!isJSONObject(element)) throw badRequest(`error decoding patch: [${index}] must be an object`);
    const text = (member: "op" | "path" | "from"): string | undefined => {
      const given = getOwn(element, member) ?? undefined;
      if (given === undefined || typeof given === "string") return given;
      throw badRequest(`error decoding patch: [${index}].${member} must be a string`);
    };
    const [op, path, from] = [text("op"), text("path"), text("from")];
    return {
      op: op ?? "unknown",
      ...(path === undefined ? {} : { path }),
      ...(from === undefined ? {} : { from }),
      value: getOwn(element, "value") ?? null,
    };
  });
}

/**
 * What strict field validation finds in a JSON patch: a sentence for each member that no operation has.
 *
 * @param value a patch that {@link decodeJSONPatch} accepts.
 * @returns `json patch unknown field "[0].foo"`; a warning or a fault, as the request's `fieldValidation` says.
 */
export function unknownJSONPatchFields(value: JSONValue): readonly string[] {
  if (!isJSONArray(value)) return [];
  return value.flatMap((element, index) =>
    isJSONObject(element)
      ? Object.keys(element)
          .filter((member) => !MEMBERS.has(member))
          .map((member) => `json patch unknown field "[${index}].${member}"`)
      : [],
  );
}

/**
 * Applies a JSON patch: all operations, or none.
 *
 * As Kubernetes' library does, and RFC 6902 does not: `replace` of a member that is not there adds it, `test` of one that is not there finds
 * null, a negative index counts from the end, and what stands before the first slash of a path is ignored.
 *
 * @param target never changed; what the patch leaves alone is shared with the result.
 * @throws {APIError} `Invalid` (422) without details when an operation cannot be done or a test fails; the cause says which.
 *
 * Source: RFC 6902; evanphx/json-patch v4.13, Patch.Apply; apiserver pkg/endpoints/handlers/patch.go.
 */
export function applyJSONPatch(target: JSONValue, operations: readonly JSONPatchOperation[]): JSONValue {
  const draft = new Draft(target, MAX_JSON_PATCH_COPY_BYTES);
  let hasMoved = false;
  for (const [index, operation] of operations.entries()) {
    try {
      applyOperation(draft, operation);
    } catch (cause) {
      throw APIError.is(cause) ? cause : failed(new FailedOperation(index, operation, cause));
    }
    hasMoved ||= operation.op === "move";
  }
  // Moving a tree into another deepens it at the price of a path: many moves would make what nobody can encode.
  if (hasMoved && !isNestedAtMost(draft.root, 10 * MAX_PATCH_DEPTH)) throw failed(new Error("the result nests too deep"));
  return draft.root;
}

/** Which operation of a patch could not be done; its cause says why. */
export class FailedOperation extends Error {
  override readonly name = "FailedOperation";
  readonly operation: JSONPatchOperation;

  constructor(index: number, operation: JSONPatchOperation, cause: unknown) {
    super(`operation ${index} (${operation.op}) failed`, { cause });
    this.operation = operation;
  }
}

function applyOperation(draft: Draft, { op, path, from, value = null }: JSONPatchOperation): void {
  switch (op) {
    case "add":
      draft.add(parsePointer(path), value);
      return;
    case "remove":
      draft.remove(parsePointer(path));
      return;
    case "replace":
      if (path === "") draft.replaceRoot(value);
      else draft.replace(parsePointer(path), value);
      return;
    case "move":
      draft.add(parsePointer(path), draft.remove(parsePointer(from)));
      return;
    case "copy":
      draft.add(parsePointer(path), draft.copy(parsePointer(from)));
      return;
    case "test": {
      const found = path === "" ? draft.root : (draft.get(parsePointer(path)) ?? null);
      if (!jsonEquals(found, value)) throw new Error(`testing value ${path} failed`);
      return;
    }
    default:
      throw new Error(`unexpected kind: ${op}`);
  }
}

/** @returns at least one key, unescaped. Source: RFC 6901; findObject of evanphx/json-patch. */
function parsePointer(pointer: string | undefined): readonly string[] {
  if (pointer === undefined) throw new Error("a path is missing");
  const keys = pointer.split("/", MAX_PATCH_DEPTH + 2).slice(1);
  if (keys.length === 0) throw new Error(`no place has the path ${JSON.stringify(pointer)}`);
  if (keys.length > MAX_PATCH_DEPTH) throw new Error("a path is too long");
  return keys.map((key) => (key.includes("~") ? key.replace(/~[01]/g, (escaped) => (escaped === "~1" ? "/" : "~")) : key));
}

/** Source: NewGenericServerResponse for 422: Kubernetes keeps the reason of the failure to itself. */
function failed(cause: Error): APIError {
  return new APIError("Invalid", "the server rejected our request due to an error in our request", { details: {}, cause });
}
