import {
  applyConfiguration,
  type FieldManagement,
  FieldSet,
  type JSONObject,
  type KubernetesObject,
  pruneUnknown,
  SchemaMismatchError,
  updateManagedFields,
  type VersionedObject,
} from "@annex/apimachinery";
import { defaultAndPrune } from "../definition/default-and-prune.ts";
import { definedVersionOf, emptyFields, inVersion, type Resource, type ResourceVersion } from "../definition/resource.ts";
import { withZeroValues } from "../definition/typed-kind.ts";
import { formatTime, withMetadata } from "./metadata.ts";
import type { FieldManager } from "./verbs.ts";

/**
 * Writes down in `managedFields` who owns what after a write that is no apply.
 *
 * @param object as the client wants it, also what this request cannot write. Of an object of another kind, or of no version of this one, nobody owns anything.
 */
export function trackFields(
  resource: Resource,
  object: KubernetesObject,
  live: KubernetesObject | undefined,
  version: ResourceVersion,
  fieldManager: FieldManager,
  now: number,
): KubernetesObject {
  const isOfKind = definedVersionOf(resource, object) !== undefined;
  const managedFields = !isOfKind
    ? []
    : updateManagedFields({
        ...management(resource, version, fieldManager, now),
        live: live ?? (resource.isBuiltIn ? emptyObject(resource, version) : undefined),
        next: inVersion(resource, object, version),
      });
  const { managedFields: _sent, ...metadata } = object.metadata;
  return withMetadata(object, managedFields.length === 0 ? metadata : { ...metadata, managedFields });
}

/** What a manager applies. */
export interface AppliedConfiguration {
  /** Decoded, and nothing else. */
  readonly configuration: JSONObject;
  /** Whether to take fields that others own. */
  readonly force: boolean;
}

/**
 * What an applied configuration makes of an object, with its managedFields; neither defaulted nor pruned.
 *
 * @param live undefined where the object is created.
 * @param empty an object in which nobody has written anything; `live` itself where nobody knows who wrote what there is.
 * @throws {APIError} as `applyConfiguration`.
 */
export function applyFields(
  resource: Resource,
  { configuration, force }: AppliedConfiguration,
  live: KubernetesObject | undefined,
  empty: KubernetesObject,
  version: ResourceVersion,
  fieldManager: FieldManager,
  now: number,
): KubernetesObject {
  const { toVersion, ...rest } = management(resource, version, fieldManager, now);
  return applyConfiguration({
    ...rest,
    kind: resource.kind,
    live: live ?? empty,
    empty,
    // Who applies a compiled-in kind owns what was written, not what a conversion or a default makes of it. Authors' kinds take other spellings, here too.
    configuration: resource.isBuiltIn ? configuration : asAuthorsHaveIt(configuration, version),
    force,
    // Fields of a version that is gone are forgotten. An update of a custom resource then forgets all of them, and Go refuses every apply.
    toVersion: (object, apiVersion) => (hasVersion(resource, apiVersion) ? toVersion(object, apiVersion) : undefined),
  });
}

/** In the schema's spelling, and with the numbers that its types promise. */
function asAuthorsHaveIt(configuration: JSONObject, { normalize, numbers }: ResourceVersion): JSONObject {
  const spelled = normalize?.(configuration) ?? configuration;
  return numbers?.plain(spelled) ?? spelled;
}

function management(resource: Resource, version: ResourceVersion, { manager, subresource }: FieldManager, now: number) {
  return {
    schema: version.schema,
    manager,
    apiVersion: version.apiVersion,
    subresource,
    now: formatTime(now),
    toVersion: (object: KubernetesObject, apiVersion: string) => inAPIVersion(resource, object, apiVersion),
    sparesOwned: sparesOwned(resource),
    resetFields: resetFieldsOf(resource, version, subresource),
  };
}

/** A compiled-in kind is as Go has it, come what may. What the versions of a custom resource have they have alike; an author's functions may make anything of a part. */
function sparesOwned({ isBuiltIn, isCustomResource }: Resource): FieldManagement["sparesOwned"] {
  if (isBuiltIn) return undefined;
  return isCustomResource ? "whereVersionsLose" : "always";
}

function hasVersion({ definedVersions }: Resource, apiVersion: string): boolean {
  return definedVersions.some((version) => version.apiVersion === apiVersion);
}

/** An object before anything was written to it: of what a compiled-in kind holds already nobody becomes the owner. */
export function emptyObject({ kind, isBuiltIn }: Resource, version: ResourceVersion): KubernetesObject {
  return { ...(isBuiltIn ? emptyFields(version) : {}), apiVersion: version.apiVersion, kind, metadata: {} };
}

function inAPIVersion(resource: Resource, object: KubernetesObject, apiVersion: string): VersionedObject | undefined {
  const target = resource.definedVersions.find((version) => version.apiVersion === apiVersion);
  // A custom resource with fields that are owned in an unknown version loses all its managers, any other object those of that version.
  if (target === undefined && resource.isCustomResource) throw new SchemaMismatchError([], `${resource.kind} has no version ${apiVersion}`);
  return target && { ...convertedParts(resource, object, target), schema: target.schema };
}

/**
 * Converts what an applied configuration leaves of an object: fields may be missing that an author's function counts on.
 *
 * @throws {SchemaMismatchError} where it cannot be converted, not even with defaults filled in, and with zero values for what is required.
 */
function convertedParts(resource: Resource, object: KubernetesObject, target: ResourceVersion): Omit<VersionedObject, "schema"> {
  const from = definedVersionOf(resource, object);
  if (from === undefined || from === target) return { object: inVersion(resource, object, target) };
  // Nulls stay, which conversion else drops: what is null is there. An object stays one.
  if (resource.isCustomResource) {
    const json = { ...object, apiVersion: target.apiVersion } as unknown as JSONObject;
    return { object: pruneUnknown(json, target.schema).value as unknown as KubernetesObject };
  }
  // As JSON, all through; and an object stays one.
  const defaulted = () => defaultAndPrune(object as unknown as JSONObject, from).object;
  const forms = [
    { isFilledIn: false, make: () => withObjects(object, from) },
    { isFilledIn: true, make: () => defaulted() as unknown as KubernetesObject },
    { isFilledIn: true, make: () => withZeroValues(defaulted(), from.schema) as unknown as KubernetesObject },
  ];
  let failure: unknown;
  for (const { isFilledIn, make } of forms) {
    try {
      const converted = inVersion(resource, make(), target);
      return { object: resource.isBuiltIn ? withoutEmptyMetadata(converted) : converted, isFilledIn };
    } catch (error) {
      failure = error;
    }
  }
  throw new SchemaMismatchError([], `cannot be converted to ${target.apiVersion}: ${failure instanceof Error ? failure.message : ""}`);
}

/** Metadata of a compiled-in kind has no empty lists and maps once it was converted, and nobody owns them any more. */
function withoutEmptyMetadata(object: KubernetesObject): KubernetesObject {
  const fields = Object.entries(object.metadata);
  const kept = fields.filter(([, value]) => typeof value !== "object" || (value !== null && Object.keys(value).length > 0));
  return kept.length === fields.length ? object : { ...object, metadata: Object.fromEntries(kept) };
}

/** With the objects that objects of this version always have, metadata among them, be they empty. */
function withObjects(object: KubernetesObject, { schema }: ResourceVersion): KubernetesObject {
  const missing = Object.entries(schema.properties ?? {}).filter(
    ([name, { type, default: value }]) => type === "object" && (value !== undefined || name === "metadata") && (object[name] ?? null) === null,
  );
  return missing.length === 0 ? object : { ...object, ...Object.fromEntries(missing.map(([name]) => [name, {}])) };
}

const STATUS = FieldSet.of(["status"]);
const ALL_BUT_STATUS = FieldSet.of(["metadata"], ["spec"]);

/**
 * What a request does not write, whatever it says, and so neither gives to its manager nor takes from others. As in Kubernetes, a write of the main resource takes
 * status from managers whose entries are of another version.
 *
 * Source: customresource strategies, GetResetFields; customresource_handler.go, getStatusResetFields.
 */
function resetFieldsOf(
  { definedVersions }: Resource,
  { apiVersion, hasStatus }: ResourceVersion,
  subresource: string,
): ReadonlyMap<string, FieldSet> | undefined {
  if (!hasStatus) return undefined;
  if (subresource !== "status") return new Map([[apiVersion, STATUS]]);
  return new Map(definedVersions.filter((version) => version.hasStatus).map((version) => [version.apiVersion, ALL_BUT_STATUS]));
}
