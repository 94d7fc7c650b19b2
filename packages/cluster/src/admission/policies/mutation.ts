import {
  AdmissionActivation,
  type AdmissionInput,
  APIError,
  applyConfigurationOf,
  checkForm,
  isFailedTest,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  jsonPatchFault,
  jsonPatchOf,
  type KubernetesObject,
  merge,
  objectType,
  SchemaMismatchError,
  type StructuralType,
} from "@annex/apimachinery";
import type { Resource, ResourceVersion } from "@annex/apiserver";
import { patchedObject } from "../matching/patched-object.ts";
import type { MutatingPolicy, Mutation } from "./policy.ts";

/** A mutation comes to nothing. The message is told to the client. */
export class MutationError extends Error {
  override readonly name = "MutationError";
}

/**
 * What a mutation of a policy makes of an object.
 *
 * @param at the version of the object; it has to be known, for its lists and maps to be merged.
 * @throws {MutationError}
 * @throws {APIError} `InternalError` where no object comes of it.
 * Source: k8s.io/apiserver/pkg/admission/plugin/policy/mutating/patch.
 */
export async function mutatedObject(
  { variables }: MutatingPolicy,
  { type, expression }: Mutation,
  object: KubernetesObject,
  at: { readonly resource: Resource; readonly version: ResourceVersion },
  input: AdmissionInput,
): Promise<KubernetesObject> {
  const { value, error } = await new AdmissionActivation(input, variables).evaluate(expression);
  if (error !== undefined) throw new MutationError(error);
  if (type === "JSONPatch") {
    const { patch, error: fault } = jsonPatchOf(value);
    if (fault !== undefined) throw new MutationError(fault);
    try {
      return patchedObject(object, patch, at.resource);
    } catch (failure) {
      // What a test of the patch does not find leaves the object as it is.
      if (isFailedTest(failure)) return object;
      throw APIError.is(failure, "InternalError") ? failure : new MutationError(`JSON Patch: ${jsonPatchFault(failure)}`);
    }
  }
  const { patch, error: fault } = applyConfigurationOf(value);
  if (fault !== undefined) throw new MutationError(fault);
  return applied(object, patch, objectType(at.version.schema));
}

/** Merges a configuration into an object. Nobody comes to own what it says. */
function applied(object: KubernetesObject, configuration: JSONObject, type: StructuralType): KubernetesObject {
  const { apiVersion, kind } = object;
  const wanted = { ...configuration, apiVersion, kind };
  const failed = (why: string) => new MutationError(`error applying patch: ${why}`);
  const fitting = (what: string, value: JSONValue, allowsDuplicates: boolean) => {
    try {
      checkForm(value, type, { allowsDuplicates });
    } catch (error) {
      if (!(error instanceof SchemaMismatchError)) throw error;
      throw failed(`failed to convert ${what} object to typed object: ${error.message}`);
    }
  };
  fitting("patch", wanted, false);
  const atomics = atomicPlaces(wanted, type, "");
  if (atomics.length > 0) throw failed(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${atomics.join(", ")}`);
  // Objects of the registry are JSON all through, and stay objects.
  const live = object as unknown as JSONObject;
  fitting("original", live, true);
  return merge(live, wanted, type) as unknown as KubernetesObject;
}

/** Where a configuration would replace a list or map as a whole: whoever wants to change a part of it would take away the rest. */
function atomicPlaces(value: JSONValue, type: StructuralType, path: string): readonly string[] {
  if (isJSONObject(value) && type.map !== undefined) {
    const { map } = type;
    const within = Object.entries(value).flatMap(([name, field]) => {
      const fieldType = map.fields.get(name)?.type ?? map.element;
      return field === undefined || fieldType === undefined ? [] : atomicPlaces(field, fieldType, `${path}.${name}`);
    });
    return map.isAtomic ? [path, ...within] : within;
  }
  if (Array.isArray(value) && type.list !== undefined) {
    const { list } = type;
    const within = value.flatMap((element, index) => atomicPlaces(element, list.element, `${path}[${index}]`));
    return list.isAtomic ? [path, ...within] : within;
  }
  return [];
}
