import { badRequest, conflict, formatYAMLDuplicates, isJSONObject, type JSONObject, type KubernetesObject } from "@annex/apimachinery";
import { readableMetadata } from "../definition/decode-metadata.ts";
import type { Resource, ResourceVersion } from "../definition/resource.ts";
import { type AppliedConfiguration, applyFields, emptyObject } from "../registry/field-managers.ts";
import type { FieldManager, UpdateInput } from "../registry/verbs.ts";
import { inNamespace } from "./create.ts";
import { type DecodedBody, decodeText, readObject } from "./decode-body.ts";
import type { WriteQuery } from "./options.ts";
import type { RequestState } from "./request-state.ts";
import type { Target } from "./target.ts";
import { checkName } from "./update.ts";

/** The media type of server-side apply. Its body is a partial object in YAML, of which JSON is a part. */
export const APPLY_PATCH = "application/apply-patch+yaml";

export interface AppliedChange extends AppliedConfiguration {
  readonly resource: Resource;
  /** That of the configuration. */
  readonly version: ResourceVersion;
  readonly fieldManager: FieldManager;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What a server-side apply makes of an object: for an update of any kind. It creates what is not there. */
export function applyChange({ resource, version, fieldManager, now, ...applied }: AppliedChange) {
  return {
    isApply: true,
    transform: (live, empty = live ?? emptyObject(resource, version)) =>
      readApplied(resource, version, applyFields(resource, applied, live, empty, version, fieldManager, now)),
  } satisfies Pick<UpdateInput, "isApply" | "transform">;
}

/**
 * What the body of a request applies. Source: k8s.io/apiserver endpoints/handlers, applyPatcher.
 *
 * @throws {APIError} `BadRequest` for a body that is no YAML, or no object.
 */
export function applyPatch(state: RequestState, target: Target, query: WriteQuery, bytes: Uint8Array): Pick<UpdateInput, "isApply" | "transform"> {
  const { resource, version, info } = target;
  const body = decodeText(bytes, "yaml", (fault) => badRequest(`error decoding YAML: error converting YAML to JSON: ${fault}`));
  const configuration = body.value ?? {};
  if (!isJSONObject(configuration)) throw badRequest("error decoding YAML: the configuration must be an object");
  const fieldManager = { manager: query.manager, subresource: info.subresource };
  const change = applyChange({ resource, version, configuration, force: query.force, fieldManager, now: state.now });
  return {
    ...change,
    transform(live, empty) {
      const object = change.transform(live, empty);
      checkDuplicates(state, query, body);
      const { uid } = object.metadata;
      // An apply that means an object by its uid creates no other. Source: k8s.io/apiserver endpoints/handlers, patcher.
      if (live === undefined && uid)
        throw conflict(resource, info.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
      const placed = inNamespace(object, target);
      checkName(placed, info.name);
      return placed;
    },
  };
}

/** The object that came of an apply, as the kind reads it. What the schema has no place for was refused before. */
function readApplied(resource: Resource, version: ResourceVersion, merged: KubernetesObject): KubernetesObject {
  const refuse = (fault: string) => badRequest(`failed to convert the applied object: ${fault}`);
  // Objects of the registry are JSON all through. A custom resource's nulls are left for validation, which refuses them: also what is left of an object or list of
  // which the applier took away all. In its metadata a time that is none, or a number with a fraction, is nobody's fault: no client has a say there.
  // Source: apimachinery unstructured, GetCreationTimestamp and the like.
  const json = merged as unknown as JSONObject;
  const { metadata } = json;
  const readable = resource.isCustomResource && isJSONObject(metadata) ? { ...json, metadata: readableMetadata(metadata) } : json;
  return readObject(readable, version, refuse, resource.isCustomResource).object;
}

function checkDuplicates(state: RequestState, { fieldValidation }: WriteQuery, { duplicates }: DecodedBody): void {
  if (duplicates.length === 0 || fieldValidation === "Ignore") return;
  if (fieldValidation === "Strict") {
    throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${formatYAMLDuplicates(duplicates)}`);
  }
  for (const fault of duplicates) state.warn(fault);
}
