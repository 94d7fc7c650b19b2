import type { FieldError, GroupResource, JSONObject, KubernetesObject, NameRule, ObjectMeta, Schema, TablePrinter } from "@annex/apimachinery";
import type { AdmissionChain } from "../admission/admission.ts";
import type { UserInfo } from "../authentication/user-info.ts";
import type { Authorizer } from "../authorization/authorizer.ts";
import type { Clock } from "../clock.ts";
import type { Logger } from "../logger.ts";
import type { Random } from "../random.ts";
import type { ResourceVerbs } from "../registry/verbs.ts";

/** One served version of a kind. */
export interface ResourceVersion {
  readonly name: string;
  /** `group/name`, or the name alone in the core group. */
  readonly apiVersion: string;
  /** Of the whole object: `apiVersion`, `kind`, `metadata` and the kind's own fields. */
  readonly schema: Schema;
  /** Whether objects are read and written as Go's compiled-in kinds are: {@link Resource.isBuiltIn}. */
  readonly isTyped: boolean;
  /** Sent as a `Warning` header with every answer at this version. */
  readonly deprecationWarning: string | undefined;
  /** Rewrites what a client sent in another spelling than the schema's, before anything looks at it. */
  readonly normalize: ((object: JSONObject) => JSONObject) | undefined;
  /** Makes the rows of its tables. */
  readonly printer: TablePrinter;
  /** Every fault of an object's form by the schema; the kind's own rules are not asked. */
  readonly validate: (object: KubernetesObject) => readonly FieldError[];
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

export type Invalid = (field: string, detail: string, options?: { readonly value?: unknown; readonly reason?: FieldError["reason"] }) => void;

/** A kind's own rules, all of them optional, all on objects of the storage version. */
export interface ResourceHooks<Obj> {
  /** Fills in what the server decides, after mutating admission and before validation. Returns the object to go on with. */
  readonly prepare?: (args: { readonly object: Obj; readonly previous: Obj | undefined; readonly subresource: string } & WriteContext) => Obj;
  /** Names every fault; called only with objects that satisfy the schema. */
  readonly validate?: (args: { readonly object: Obj; readonly previous: Obj | undefined; readonly invalid: Invalid } & WriteContext) => void;
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
  /** In the order of discovery: the preferred version first. */
  readonly versions: readonly ResourceVersion[];
  readonly storageVersion: ResourceVersion;
  readonly hasStatus: boolean;
  /** Subresources beside `status` that take a PUT of the whole object and nothing else; what it then changes, `prepare` says. */
  readonly updateSubresources: readonly string[];
  /** Verbs that are not served, though they could be. */
  readonly withoutVerbs: readonly (keyof ResourceVerbs)[];
  /** Whether `metadata.generation` counts changes of everything but metadata and status. */
  readonly tracksGeneration: boolean;
  /** Whether a PUT may leave `metadata.resourceVersion` out. */
  readonly allowsUnconditionalUpdate: boolean;
  /** Whether a PUT to a name that does not exist creates. */
  readonly allowsCreateOnUpdate: boolean;
  readonly allowsStrategicMergePatch: boolean;
  /**
   * Whether the kind is as the compiled-in ones of Kubernetes are, not as a custom resource: protobuf bodies are read; a value of another JSON type than its
   * field's is a 400 and not a 422; optional strings, lists and maps that are empty are left out (`omitempty`); unknown fields are told in the order
   * of the body; items of lists carry no kind and apiVersion, and bookmarks are whole empty objects; a kind without columns has the default ones; a patch of
   * an unknown media type is refused in go-restful's words.
   */
  readonly isBuiltIn: boolean;
  /** Fields that a fieldSelector may name beside `metadata.name` and `metadata.namespace`, and how each is read from a storage version object. */
  readonly selectableFields: ReadonlyMap<string, (object: KubernetesObject) => string>;
  readonly hooks: ResourceHooks<KubernetesObject>;
  /** The author's own verbs, for a kind that is not kept in the server's storage. */
  readonly handlers: ((resource: Resource, services: ResourceServices) => ResourceVerbs) | undefined;
  /** How a message and a table describe the kind; the schema's own description. */
  readonly description: string | undefined;
}

/** The version of this name, if it is served. */
export function versionOf(resource: Resource, name: string): ResourceVersion | undefined {
  return resource.versions.find((version) => version.name === name);
}

/** The fields that a compiled-in kind always has, empty: its structs. */
export function emptyFields({ schema }: ResourceVersion): Readonly<Record<string, JSONObject>> {
  const { metadata: _metadata, ...properties } = schema.properties ?? {};
  const structs = Object.entries(properties).filter(([, property]) => property.type === "object" && property.default !== undefined);
  return Object.fromEntries(structs.map(([field]) => [field, {}]));
}

/** Converts an object of one version to the storage version. Metadata is the same in all versions and is not the author's to change. */
export function toStorageVersion(resource: Resource, object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  if (version === resource.storageVersion) return object;
  return converted(object, version.toStorage?.(object) ?? object, resource.storageVersion);
}

/** Converts an object of the storage version to another one. */
export function fromStorageVersion(resource: Resource, object: KubernetesObject, version: ResourceVersion): KubernetesObject {
  if (version === resource.storageVersion) return object;
  return converted(object, version.fromStorage?.(object) ?? object, version);
}

function converted(source: KubernetesObject, result: KubernetesObject, target: ResourceVersion): KubernetesObject {
  const { apiVersion: _apiVersion, kind: _kind, metadata: _metadata, ...fields } = result;
  return { apiVersion: target.apiVersion, kind: source.kind, metadata: source.metadata as ObjectMeta, ...fields };
}
