import {
  type APIError,
  badRequest,
  fieldError,
  invalid,
  isJSONObject,
  type JSONObject,
  type KubernetesObject,
  parseAPIVersion,
} from "../meta/index.ts";
import { applyConflict } from "./conflict-status.ts";
import {
  type FieldManagement,
  manageable,
  managerOf,
  managersAfterUpdate,
  managersFrom,
  typedObject,
  updaterOf,
  withManagedFields,
} from "./field-management.ts";
import { FieldSet } from "./field-set.ts";
import { clientSideFields, withLastApplied } from "./last-applied.ts";
import { decodeManagedFields, encodeManagedFields, type Manager, type Managers, managerIdentifier, NO_MANAGERS } from "./managed-fields.ts";
import { SchemaMismatchError } from "./typed.ts";
import { keepIfSame } from "./update.ts";
import { applyOwners, ConflictError, type TypedValue } from "./updater.ts";

/** A server-side apply of one manager. */
export interface ConfigurationApply extends FieldManagement {
  readonly kind: string;
  /** The object as it is stored, in the version of the request. For a create that of {@link empty}. */
  readonly live: KubernetesObject;
  /** An object of the kind in which nobody has written anything: what it holds (as `spec: {}`) nobody owns. */
  readonly empty: KubernetesObject;
  /** What the manager wants: decoded, and nothing else. */
  readonly configuration: JSONObject;
  /** Whether to take fields that others own. */
  readonly force: boolean;
}

/** The manager of kubectl's server-side apply: for it alone the annotation of client-side apply is minded. */
const KUBECTL = "kubectl";

/** Owns what was there before anybody's fields were tracked. Source: managedfields skipNonAppliedManager. */
const BEFORE_FIRST_APPLY = "before-first-apply";

/**
 * What an object becomes when a manager applies a configuration: the configuration merged into it, without what the manager applied the time before and does not
 * name now, with its new managedFields. Fields are neither defaulted nor pruned by the schema: that comes after.
 *
 * The time of the manager's entry is `now` if anything changes. An object whose fields nobody owns is owned by `before-first-apply` until now. Where kubectl applies
 * to what it applied client-side before, that is no conflict, and the annotation of client-side apply keeps in step.
 *
 * @throws {APIError} `BadRequest` for a configuration of another type, with managedFields, or of a form that the schema has no place for; `Conflict` with a cause
 *   for each field and owner, unless forced; `Invalid` where the stored object has not the form of its schema.
 * @throws {TypeError} for a schema that is not structural (see `structuralType`).
 * Source: k8s.io/apimachinery/pkg/util/managedfields, FieldManager.Apply.
 */
export function applyConfiguration(apply: ConfigurationApply): KubernetesObject {
  checkType(apply);
  const { live, empty, configuration, now } = apply;
  const { managedFields } = isJSONObject(configuration.metadata) ? configuration.metadata : {};
  if (managedFields !== undefined && managedFields !== null) throw badRequest("metadata.managedFields must be nil");
  const wanted = typedConfiguration(apply);
  const typedLive = liveObject(apply);
  let before: Managers = decodeManagedFields(live.metadata.managedFields ?? [], true) ?? NO_MANAGERS;
  if (before.size === 0 && live !== empty) before = managersAfterUpdate({ ...apply, manager: BEFORE_FIRST_APPLY }, empty, live, before);
  const { value, owners } = withConflicts(apply, before, typedLive, wanted, apply.force);

  const info = managerOf(apply, "Apply");
  const id = managerIdentifier(info);
  const managers = managersFrom(before, owners);
  const set = manageable(owners.get(id)?.set ?? FieldSet.empty);
  // As in Go, a null for managedFields changes them for a moment, and so the time.
  const isChanged = value !== typedLive.value || (managedFields === null && live.metadata.managedFields !== undefined);
  if (set.isEmpty) managers.delete(id);
  else managers.set(id, ownManager(before.get(id), { ...info, set, time: isChanged ? now : before.get(id)?.time, entry: undefined }));
  // `as`: what was merged into an object, and taken from one, leaves it one.
  const object = isChanged ? (withMetadata(value as JSONObject) as unknown as KubernetesObject) : live;
  const applied = apply.manager === KUBECTL ? withLastApplied(object, configuration) : object;
  return withManagedFields(applied, keepIfSame(encodeManagedFields(managers), live.metadata.managedFields));
}

/** The manager as it was, where nothing of it changed: its entry is then the same. */
function ownManager(before: Manager | undefined, now: Manager): Manager {
  const isSame = before !== undefined && before.apiVersion === now.apiVersion && before.time === now.time && before.set.equals(now.set);
  return isSame ? before : now;
}

function withConflicts(
  apply: ConfigurationApply,
  managers: Managers,
  live: TypedValue,
  wanted: TypedValue,
  force: boolean,
): ReturnType<typeof applyOwners> {
  const id = managerIdentifier(managerOf(apply, "Apply"));
  try {
    return applyOwners(updaterOf(apply, true), live, wanted, managers, id, force);
  } catch (error) {
    if (error instanceof SchemaMismatchError) throw misfit(apply, error);
    if (!(error instanceof ConflictError)) throw error;
    const ours = apply.manager === KUBECTL ? clientSideFields(apply.live, live) : undefined;
    const conflicts = ours === undefined ? error.conflicts : error.conflicts.filter(({ path }) => !ours.has(path));
    if (conflicts.length > 0) throw applyConflict(conflicts, managers);
    return withConflicts(apply, managers, live, wanted, true);
  }
}

/** Source: managedfields versionCheckManager. */
function checkType({ configuration, apiVersion, kind }: ConfigurationApply): void {
  if (configuration.apiVersion === apiVersion && configuration.kind === kind) return;
  throw badRequest(`invalid object type: ${formatType(configuration)}`);
}

/** As Go prints a group, a version and a kind. */
function formatType({ apiVersion, kind }: JSONObject): string {
  const { group = "", version = "" } = (typeof apiVersion === "string" ? parseAPIVersion(apiVersion) : undefined) ?? {};
  return `${group}/${version}, Kind=${typeof kind === "string" ? kind : ""}`;
}

function liveObject(apply: ConfigurationApply): TypedValue {
  try {
    return typedObject(apply.live, apply.schema, apply.apiVersion, true);
  } catch (error) {
    throw error instanceof SchemaMismatchError ? misfit(apply, error) : error;
  }
}

/** The stored object, or what it is in another version, has not the form of the schema: only an update can mend it. */
function misfit({ apiVersion, kind, live }: ConfigurationApply, { path, message }: SchemaMismatchError): APIError {
  const { group = "" } = parseAPIVersion(apiVersion) ?? {};
  const fault = {
    ...fieldError.invalid(path.replace(/^\./, ""), "", ""),
    message: `Invalid value: the stored object does not fit its schema: ${message}`,
  };
  return invalid({ group, kind }, live.metadata.name ?? "", [fault]);
}

/** @throws {APIError} `BadRequest`, where Go answers with an internal error. */
function typedConfiguration({ configuration, schema, apiVersion }: ConfigurationApply): TypedValue {
  try {
    // `as`: its type was checked; of what else it holds the typed value makes sure.
    return typedObject(withMetadata(configuration) as unknown as KubernetesObject, schema, apiVersion, false);
  } catch (error) {
    if (!(error instanceof SchemaMismatchError)) throw error;
    const { namespace = "", name = "" } = isJSONObject(configuration.metadata) ? configuration.metadata : {};
    throw badRequest(`failed to create typed patch object (${namespace}/${name}; ${formatType(configuration)}): ${error.message}`);
  }
}

/** Null metadata is as none. */
function withMetadata(object: JSONObject): JSONObject {
  return object.metadata === undefined || object.metadata === null ? { ...object, metadata: {} } : object;
}
