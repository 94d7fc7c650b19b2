// One object and what is done to it, as our server does it: the steps of a write that managedFields depend on.
import {
  APIError,
  applyConfiguration,
  applyDefaults,
  type FieldManagement,
  FieldSet,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  keepManagedFieldsTimes,
  type ManagedFieldsEntry,
  SchemaMismatchError,
  updateManagedFields,
  type VersionedObject,
} from "@annex/apimachinery";
import { apiVersionOf, KIND, type ManagedCase, type ManagedOp, type VersionDef } from "./cases.ts";

type Write = Exclude<ManagedOp, { readonly op: "redefine" | "delete" }>;
type Apply = Extract<ManagedOp, { readonly op: "apply" }>;
type Update = Exclude<Write, Apply>;

/** One answer an operation: the object in the version of the request. */
export function answerManaged({ versions, dropsUnknown, ops }: ManagedCase): unknown {
  const session = new Session(versions, dropsUnknown);
  return ops.map((op) => {
    switch (op.op) {
      case "redefine":
        session.versions = op.versions;
        return {};
      case "delete":
        session.live = undefined;
        return {};
      default:
        return session.write(op);
    }
  });
}

class Session {
  versions: readonly VersionDef[];
  /** In the first version. */
  live: KubernetesObject | undefined;
  private readonly dropsUnknown: boolean;

  constructor(versions: readonly VersionDef[], dropsUnknown: boolean) {
    this.versions = versions;
    this.dropsUnknown = dropsUnknown;
  }

  write(op: Write): unknown {
    try {
      return this.written(op);
    } catch (error) {
      if (APIError.is(error)) return refusal(error);
      return { threw: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }

  private written(op: Write): unknown {
    const version = this.version(op.version);
    const live = this.live && withDefaults(this.converted(this.live, version), version);
    const next = op.op === "apply" ? this.applied(op, live, version) : this.updated(op, live, version);
    const settled = live === undefined ? next : keepManagedFieldsTimes(live, next);
    const own = version.hasStatus ? onlyOwnFields(settled, live ?? emptyObject(op.version), op.subresource) : settled;
    const answer = { ...own, metadata: { ...own.metadata, uid: "u" } };
    this.live = this.converted(answer, this.stored);
    return { object: answer };
  }

  private updated(op: Update, live: KubernetesObject | undefined, version: VersionDef): KubernetesObject {
    const wanted = withDefaults(wantedObject(op, live), version);
    const managedFields = updateManagedFields({ ...this.management(op, version), live, next: wanted });
    return withManagedFields(wanted, managedFields.length === 0 ? undefined : managedFields);
  }

  private applied(op: Apply, live: KubernetesObject | undefined, version: VersionDef): KubernetesObject {
    const empty = emptyObject(op.version);
    const { object: configuration, force } = op;
    // As custom resources are: a null that comes of it is refused later.
    return withDefaults(
      applyConfiguration({ ...this.management(op, version), kind: KIND, live: live ?? empty, empty, configuration, force }),
      version,
      true,
    );
  }

  private management(op: Write, version: VersionDef): FieldManagement {
    return {
      schema: version.schema,
      manager: op.manager,
      apiVersion: apiVersionOf(op.version),
      subresource: op.subresource,
      now: timeOf(op.second),
      toVersion: (object, apiVersion) => this.inVersion(object, apiVersion),
      // Where all versions have the same fields, however these are owned, nothing is lost, and there is nothing to spare.
      sparesOwned: this.versions.every(({ drops, renames }) => drops.length === 0 && Object.keys(renames).length === 0)
        ? "whereVersionsLose"
        : undefined,
      resetFields: resetFields(this.versions, version, op.subresource),
    };
  }

  private inVersion(object: KubernetesObject, apiVersion: string): VersionedObject | undefined {
    const target = this.versions.find(({ name }) => apiVersionOf(name) === apiVersion);
    if (target === undefined && !this.dropsUnknown) throw new SchemaMismatchError([], `no version ${apiVersion}`);
    return target && { object: this.converted(object, target), schema: target.schema };
  }

  private converted(object: KubernetesObject, target: VersionDef): KubernetesObject {
    const source = this.versions.find(({ name }) => apiVersionOf(name) === object.apiVersion);
    if (source === undefined) throw new SchemaMismatchError([], `no version ${object.apiVersion}`);
    if (source === target) return object;
    const { spec } = object;
    return { ...object, ...(isJSONObject(spec) ? { spec: convertSpec(spec, source, target) } : {}), apiVersion: apiVersionOf(target.name) };
  }

  private version(name: string): VersionDef {
    const version = this.versions.find((candidate) => candidate.name === name);
    if (version === undefined) throw new Error(`the case has no version ${name}`);
    return version;
  }

  private get stored(): VersionDef {
    const [first] = this.versions;
    if (first === undefined) throw new Error("the case has no versions");
    return first;
  }
}

const timeOf = (second: number): string => `${new Date(Date.UTC(2000, 0, 1) + second * 1000).toISOString().slice(0, 19)}Z`;

const emptyObject = (version: string): KubernetesObject => ({ apiVersion: apiVersionOf(version), kind: KIND, metadata: {} });

/** Causes by what they say: which manager comes first is a matter of chance in Go. */
function refusal({ message, details }: APIError): unknown {
  const conflicts = (details?.causes ?? []).map(({ field, message: sentence = "" }) => ({ field, message: sentence }));
  return { message, conflicts: conflicts.sort((left, right) => compareText(left.message, right.message)) };
}

const compareText = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

/** An object is JSON all through, and stays one when defaults are filled in. */
function withDefaults(object: KubernetesObject, { schema }: VersionDef, keepsNulls = false): KubernetesObject {
  return applyDefaults(object as unknown as JSONObject, schema, keepsNulls) as unknown as KubernetesObject;
}

function wantedObject(op: Update, live: KubernetesObject | undefined): KubernetesObject {
  // `as`: the generator makes objects with a metadata that is an object, and no patch takes it away.
  if (op.op === "patch") return mergePatch(asJSON(live ?? emptyObject(op.version)), op.object) as unknown as KubernetesObject;
  const object = op.object as unknown as KubernetesObject;
  const { uid, managedFields } = live?.metadata ?? {};
  const next = uid === undefined ? object : { ...object, metadata: { ...object.metadata, uid } };
  return op.keepsManagedFields && managedFields !== undefined ? withManagedFields(next, managedFields) : next;
}

// `as`: an object is decoded JSON; its interface leaves the values open.
const asJSON = (object: KubernetesObject): JSONValue => object as unknown as JSONValue;

/** RFC 7386. */
function mergePatch(target: JSONValue | undefined, patch: JSONValue): JSONValue {
  if (!isJSONObject(patch)) return patch;
  const fields = new Map(isJSONObject(target) ? Object.entries(target) : []);
  for (const [name, change = null] of Object.entries(patch)) {
    if (change === null) fields.delete(name);
    else fields.set(name, mergePatch(fields.get(name), change));
  }
  return Object.fromEntries(fields);
}

function withManagedFields(object: KubernetesObject, managedFields: readonly ManagedFieldsEntry[] | undefined): KubernetesObject {
  const { managedFields: _, ...metadata } = object.metadata;
  return { ...object, metadata: managedFields === undefined ? metadata : { ...metadata, managedFields } };
}

/** Undoes what a request cannot write: the status, or everything but the status and managedFields. */
function onlyOwnFields(next: KubernetesObject, live: KubernetesObject, subresource: string): KubernetesObject {
  return subresource === "" ? withStatusOf(next, live) : withManagedFields(withStatusOf(live, next), next.metadata.managedFields);
}

function withStatusOf(object: KubernetesObject, { status }: KubernetesObject): KubernetesObject {
  const { status: _, ...rest } = object;
  return (status === undefined || status === null ? rest : { ...rest, status }) as KubernetesObject;
}

const STATUS = FieldSet.of(["status"]);
const ALL_BUT_STATUS = FieldSet.of(["metadata"], ["spec"]);

/** What a request cannot write: the rules of the strategies of custom resources. */
function resetFields(
  versions: readonly VersionDef[],
  { name, hasStatus }: VersionDef,
  subresource: string,
): ReadonlyMap<string, FieldSet> | undefined {
  if (!hasStatus) return undefined;
  if (subresource === "") return new Map([[apiVersionOf(name), STATUS]]);
  return new Map(versions.filter((version) => version.hasStatus).map((version) => [apiVersionOf(version.name), ALL_BUT_STATUS]));
}

function convertSpec(fields: JSONObject, from: VersionDef, to: VersionDef): JSONObject {
  const toFirst = new Map(Object.entries(from.renames).map(([first, name]) => [name, first]));
  const converted = new Map<string, JSONValue | undefined>();
  // In order: two fields may come to have one name.
  for (const name of Object.keys(fields).sort()) {
    const first = toFirst.get(name) ?? name;
    if (to.drops.includes(first)) continue;
    converted.set(Object.hasOwn(to.renames, first) ? (to.renames[first] ?? first) : first, fields[name]);
  }
  return Object.fromEntries(converted);
}
