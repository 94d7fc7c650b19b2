import {
  applyDefaults,
  type CompiledRules,
  compareVersionPriority,
  type FieldError,
  type GroupResource,
  type JSONObject,
  type KubernetesObject,
  type NameRule,
  type ObjectMeta,
  type Schema,
  type TablePrinter,
} from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import type { UserInfo } from "../authentication/user-info.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { ResourceVerbs } from "../registry/verbs.ts";
import type { PromisedNumbers } from "./promised-numbers.ts";

/** One version of a kind. */
export interface ResourceVersion {
  readonly name: string;
  /** `group/name`, or the name alone in the core group. */
  readonly apiVersion: string;
  /** Of the whole object: `apiVersion`, `kind`, `metadata` and the kind's own fields. */
  readonly schema: Schema;
  /** Whether objects are read and written as Go's compiled-in kinds are: {@link Resource.isBuiltIn}. */
  readonly isTyped: boolean;
  /** Whether it is found at a path and in discovery. One that is not is still read from storage. */
  readonly isServed: boolean;
  /** Whether status is written at the subresource `status` alone, and everything else not there. */
  readonly hasStatus: boolean;
  /** The rules in CEL of the schema (`x-kubernetes-validations`); undefined without any. */
  readonly rules: CompiledRules | undefined;
  /** Whether objects within the objects (`x-kubernetes-embedded-resource`) are somewhere in the schema. */
  readonly hasEmbeddedResources: boolean;
  /** Those of {@link Resource.selectableFields} that a fieldSelector may name in this version. */
  readonly selectableFields: readonly string[];
  /** Sent as a `Warning` header with every answer at this version. */
  readonly deprecationWarning: string | undefined;
  /** Rewrites what a client sent in another spelling than the schema's, before anything looks at it. */
  readonly normalize: ((object: JSONObject) => JSONObject) | undefined;
  /** What an author's types promise of numbers; undefined where nothing is promised, as of CustomResourceDefinitions. */
  readonly numbers: PromisedNumbers | undefined;
  /** Makes the rows of its tables. */
  readonly printer: TablePrinter;
  /**
   * Every fault of an object's form by the schema; the kind's own rules are not asked.
   *
   * @param live of an update, what is there, in this version: what is as it was there is let through. Undefined to be told every fault.
   * @param subresource of a write to `status` only status is looked at.
   */
  readonly validate: (object: KubernetesObject, live: KubernetesObject | undefined, subresource: string) => readonly FieldError[];
  /** Of these faults those of objects within the object, and of duplicates in its lists: what is looked at in an object of another kind, too. */
  readonly validateInner: ResourceVersion["validate"];
  /** Absent in the storage version itself. */
  readonly toStorage: ((object: KubernetesObject) => KubernetesObject) | undefined;
  readonly fromStorage: ((object: KubernetesObject) => KubernetesObject) | undefined;
}

/** What every hook of a definition is told about the write. */
export interface WriteContext {
  readonly user: UserInfo;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  /** Asks whether a user may do something; the default is no. */
  readonly authorizer: Authorizer;
}

export interface InvalidOptions {
  /** Default: what stands at the field. */
  readonly value?: unknown;
  /** Default `FieldValueInvalid`. */
  readonly reason?: FieldError["reason"];
  /** Whether `detail` is the whole message, as of a `FieldError` that was made elsewhere. Default false. */
  readonly isWhole?: boolean;
}

/** Names a fault: `spec.size`, `must be even`. */
export type Invalid = (field: string, detail: string, options?: InvalidOptions) => void;

/** A kind's own rules, all of them optional, all on objects of the storage version. */
export interface ResourceHooks<Obj> {
  /** Fills in what the server decides, after mutating admission and before validation. Returns the object to go on with. */
  readonly prepare?: (args: { readonly object: Obj; readonly previous: Obj | undefined; readonly subresource: string } & WriteContext) => Obj;
  /** Names every fault; called only with objects that satisfy the schema. */
  readonly validate?: (
    args: { readonly object: Obj; readonly previous: Obj | undefined; readonly subresource: string; readonly invalid: Invalid } & WriteContext,
  ) => void;
  /** Normalizes a new object that is valid, now that its name is known: again for each name that is generated. */
  readonly canonicalize?: (object: Obj) => Obj;
  /** The last word before the write: throws an APIError (`forbidden` of the arguments makes one) to refuse it. `object` is undefined in a deletion. */
  readonly admit?: (
    args: {
      readonly operation: "CREATE" | "UPDATE" | "DELETE";
      readonly object: Obj | undefined;
      readonly previous: Obj | undefined;
      readonly forbidden: (why: string) => Error;
    } & WriteContext,
  ) => Promise<void> | void;
  /**
   * Whether a user may know of an object. What is not visible is NotFound in get and in writes, and absent from lists, watches, counts and
   * deletecollection. Asked of the present object for each request: it must be cheap and depend on nothing but its arguments.
   */
  readonly visibleTo?: (args: { readonly object: Obj; readonly user: UserInfo }) => boolean;
  /** When a deletion begins and is held (by finalizers): what else changes in the object. */
  readonly prepareDeletion?: (args: { readonly object: Obj } & WriteContext) => Obj;
  /** Whether something beside `metadata.finalizers` holds the object after its deletion began (`spec.finalizers` of a Namespace). */
  readonly isDeletionHeld?: (object: Obj) => boolean;
}

/** What a package that brings verbs of its own may use of the server it is served by. */
export interface ResourceServices {
  readonly authorizer: Authorizer;
  readonly admission: AdmissionChain;
  readonly random: Random;
  /** {@link RegistryOptions.hasGarbageCollector} of this server. */
  readonly hasGarbageCollector: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** The verbs of another resource of this server; may be asked once all are defined. @throws when it is not served. */
  readonly verbsOf: (group: string, resource: string) => ResourceVerbs;
}

/**
 * A subresource with a kind of its own, such as `scale` and `token`. Its verbs are those of any kind (`get`, `update` and with it patch, `create`); the
 * `name` and `namespace` of their target are the parent's.
 */
export interface Subresource {
  /** The kind of its objects, in its storage version; it need not be served at a path of its own. */
  readonly kind: Resource;
  /**
   * @param parent the kind that it lies below; its objects are what `parentVerbs` reads and writes, whether or not clients may.
   * @param parentVersion the version of the path. Called once for each version of the parent that is served.
   * @returns the verbs; without any the subresource is not there in this version.
   */
  readonly verbs: (parent: Resource, parentVerbs: ResourceVerbs, services: ResourceServices, parentVersion: ResourceVersion) => ResourceVerbs;
  /**
   * What it forbids of the parent's objects, however they are written.
   *
   * @param object of a version of this name, defaulted; of any form.
   * @param subresource of the write: one to `status` cannot mend the rest.
   */
  readonly validateParent?: (object: KubernetesObject, version: string, subresource: string) => readonly FieldError[];
}

/** A kind as the framework sees it: what `defineResource` makes of an author's definition, with its types erased. */
export interface Resource extends GroupResource {
  readonly kind: string;
  readonly listKind: string;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly isNamespaced: boolean;
  /** The rule for `metadata.name`. */
  readonly nameRule: NameRule;
  /** Whether an object may go without a name: of kinds that are asked and not kept. */
  readonly isNameOptional: boolean;
  /** Those that are served, in the order of discovery: the preferred version first. */
  readonly versions: readonly ResourceVersion[];
  /** The version that clients of the whole group are to use where they have no wish of their own; undefined: by priority. It is served. */
  readonly preferredVersion: string | undefined;
  /** All, in that order: objects may have been stored in, and fields be owned in, one that is not served. */
  readonly definedVersions: readonly ResourceVersion[];
  /** Of the defined versions; it need not be served. */
  readonly storageVersion: ResourceVersion;
  /** Subresources beside `status` that take a PUT of the whole object and nothing else; what it then changes, `prepare` says. */
  readonly updateSubresources: readonly string[];
  /** Subresources with a kind of their own, by name. */
  readonly subresources: ReadonlyMap<string, Subresource>;
  /** Verbs that are not served, though they could be. */
  readonly withoutVerbs: readonly (keyof ResourceVerbs)[];
  /** Whether `metadata.generation` counts changes of everything but metadata and status. */
  readonly tracksGeneration: boolean;
  /** Whether a PUT may leave `metadata.resourceVersion` out. */
  readonly allowsUnconditionalUpdate: boolean;
  /** Whether a PUT to a name that does not exist creates. */
  readonly allowsCreateOnUpdate: boolean;
  readonly allowsStrategicMergePatch: boolean;
  /** Whether a deletion answers the object that is gone, and not that it succeeded. */
  readonly returnsDeletedObject: boolean;
  /**
   * Whether the kind is as the compiled-in ones of Kubernetes are, not as a custom resource: protobuf bodies are read; a value of another JSON type than its
   * field's is a 400 and not a 422; optional strings, lists and maps that are empty are left out (`omitempty`); unknown fields are told in the order
   * of the body; items of lists carry no kind and apiVersion, and bookmarks are whole empty objects; columns end in no age that the kind does not name,
   * and a kind without columns has the default ones; a patch of an unknown media type is refused in go-restful's words.
   */
  readonly isBuiltIn: boolean;
  /**
   * Whether the kind is of a CustomResourceDefinition and answers as kube-apiserver's handler of these does where it differs from that of the compiled-in ones: a
   * body says its type itself, another kind in it is a 422 and not a 400; lists have an empty `continue`; discovery has verbs and subresources in its order.
   */
  readonly isCustomResource: boolean;
  /** Fields that a fieldSelector may name beside `metadata.name` and, where there are any, `metadata.namespace`, and how each is read from a storage version object. */
  readonly selectableFields: ReadonlyMap<string, (object: KubernetesObject) => string>;
  readonly hooks: ResourceHooks<KubernetesObject>;
  /** The author's own verbs, for a kind that is not kept in the server's storage. */
  readonly handlers: ((resource: Resource, services: ResourceServices) => ResourceVerbs) | undefined;
  /** How a message and a table describe the kind; the schema's own description. */
  readonly description: string | undefined;
}

/** Orders the names of versions as discovery lists them. @param preferred comes first, if it is among them. */
export function versionOrder(preferred: string | undefined): (left: string, right: string) => number {
  return (left, right) => Number(right === preferred) - Number(left === preferred) || compareVersionPriority(left, right);
}

/** The version of this name, if it is served. */
export function versionOf(resource: Resource, name: string): ResourceVersion | undefined {
  return resource.versions.find((version) => version.name === name);
}

/** The fields that a compiled-in kind always has, empty: its structs, and the lists that are null when there are none. */
export function emptyFields({ schema }: ResourceVersion): Readonly<Record<string, JSONObject | null>> {
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  const kept = Object.entries(properties).filter(
    ([, { type, default: value, nullable }]) => (type === "object" && value !== undefined) || nullable === true,
  );
  // Defaults leave an object one.
  return Object.fromEntries(
    kept.map(([field, property]) => [field, property.nullable === true ? null : (applyDefaults({}, property) as JSONObject)]),
  );
}

/**
 * Converts an object of one version to the storage version. Of metadata only the annotations are the author's to change: what a version has no field for may be
 * kept there. All else is the same in every version.
 *
 * Source: apiextensions-apiserver conversion, restoreObjectMeta (which lets labels change, too; here selectors go by those of the storage version).
 */
export function toStorageVersion(resource: Resource, object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  if (version === resource.storageVersion) return object;
  return converted(object, version.toStorage?.(object) ?? object, resource.storageVersion);
}

/** What is stored of an object of any version, with the defaults of the storage version: a conversion need not know them. */
export function toStoredObject(resource: Resource, object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  const { storageVersion } = resource;
  if (version === storageVersion) return object;
  // Objects of the registry are JSON all through, and stay objects.
  const json = toStorageVersion(resource, object, version) as unknown as JSONObject;
  return applyDefaults(json, storageVersion.schema) as unknown as KubernetesObject;
}

/** Converts an object of the storage version to another one. */
export function fromStorageVersion(resource: Resource, object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  if (version === resource.storageVersion) return object;
  return converted(object, version.fromStorage?.(object) ?? object, version);
}

/** An object of any defined version of the kind, converted to one of them. @throws {Error} when it is of none. */
export function inVersion(resource: Resource, object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  if (object.apiVersion === version.apiVersion) return object;
  const from = definedVersionOf(resource, object);
  if (from === undefined) throw new Error(`${resource.kind} has no version ${object.apiVersion}`);
  return fromStorageVersion(resource, toStorageVersion(resource, object, from), version);
}

/** The version of the kind that an object says it has; undefined where it is of none. */
export function definedVersionOf(resource: Resource, { apiVersion, kind }: KubernetesObject): ResourceVersion | undefined {
  return kind === resource.kind ? resource.definedVersions.find((version) => version.apiVersion === apiVersion) : undefined;
}

function converted(source: KubernetesObject, result: KubernetesObject, target: ResourceVersion): KubernetesObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...fields } = result;
  return { apiVersion: target.apiVersion, kind: source.kind, metadata: withConvertedAnnotations(source.metadata, metadata), ...fields };
}

/** @param converted undefined, or without annotations of its own making, where the author's function left metadata alone. */
function withConvertedAnnotations(metadata: ObjectMeta, converted: ObjectMeta | undefined): ObjectMeta {
  if (converted === undefined || converted.annotations === metadata.annotations) return metadata;
  const { annotations: _annotations, ...rest } = metadata;
  const annotations = converted.annotations ?? {};
  return Object.keys(annotations).length === 0 ? rest : { ...rest, annotations };
}
