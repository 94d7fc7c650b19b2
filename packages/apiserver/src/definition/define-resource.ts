import type {
  JSONObject,
  KubernetesObject,
  Lenient,
  NameRule,
  ObjectMeta,
  Properties,
  Schema,
  StaticProperties,
  TableColumn,
  ValidationRule,
} from "@annex/apimachinery";
import type { ResourceVerbs } from "../registry/verbs.ts";
import { compileResource } from "./compile-resource.ts";
import type { AuthorHandlers } from "./handlers.ts";
import type { Resource, ResourceHooks, ResourceServices, Subresource } from "./resource.ts";

/** An object of a version: its type, its metadata and the fields of its schema, defaulted and valid. */
export type VersionObject<P extends Properties> = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
} & StaticProperties<P>;

type Schemas = Record<string, Properties>;
type Flagged<Fs> = { [K in keyof Fs]: Fs[K] extends true ? K : never }[keyof Fs];
/** The version marked `storage: true`, or the only one there is. */
export type StorageVersionOf<Ss, Fs> = [Flagged<Fs>] extends [never] ? keyof Ss : Flagged<Fs> & keyof Ss;

/** A column of a version's tables, with the object's type known to `value`. */
export interface ColumnInput<Obj> extends Omit<TableColumn, "value"> {
  readonly value?: (object: Obj, now: number) => string | number | boolean | null | undefined;
}

/** What an author's conversion returns: the fields of the other version's objects, and where they change the annotations. */
export type Converted<Obj> = Lenient<Omit<Obj, "apiVersion" | "kind" | "metadata">> & { readonly metadata?: Pick<ObjectMeta, "annotations"> };

/** What an author says of one version. */
export interface VersionInput<Ss extends Schemas, K extends keyof Ss, St extends keyof Ss> {
  /** The fields of the kind beside apiVersion, kind and metadata; mostly `spec` and `status`. An object that is not optional is `{}` when left out. */
  readonly schema: Ss[K];
  /** Rules in CEL about the whole object, of which `self.metadata.name`, `self.spec`, … can be seen. Those about a part of it stand in the schema. Default none. */
  readonly rules?: readonly ValidationRule[];
  /** Objects among the fields that documents call required, though one that is left out is `{}`: as of Go types without `omitempty`. Default none. */
  readonly required?: readonly (keyof Ss[K] & string)[];
  /** What `kubectl explain` says of the kind. */
  readonly description?: string;
  /** True, or the sentence of the warning that every answer at this version carries. */
  readonly deprecated?: boolean | string;
  /**
   * Columns of `kubectl get`: between the name and the age, which are there without being asked for. A column named Age takes the age's place; an `isBuiltIn` kind
   * has no other.
   */
  readonly columns?: readonly ColumnInput<VersionObject<Ss[K]>>[];
  /**
   * Takes values in other spellings than the schema's, from clients that send them: called with every object that was sent, before defaults and
   * validation. Anything may stand anywhere in it. Must leave alone what it does not mean, and what it made itself. What is applied to an `isBuiltIn` kind is
   * merged as it was written, and goes through here then.
   */
  readonly normalize?: (object: JSONObject) => JSONObject;
  /**
   * Converts to the storage version. Needed in every version but that one. Metadata is carried over by itself; a `metadata` that is returned says which annotations there are, and nothing
   * else: there goes what the other version has no field for.
   */
  readonly toStorage?: (object: VersionObject<Ss[K]>) => Converted<VersionObject<Ss[St]>>;
  readonly fromStorage?: (object: VersionObject<Ss[St]>) => Converted<VersionObject<Ss[K]>>;
}

/** What an author says of a kind. */
export interface ResourceInput<Ss extends Schemas, Fs, Obj> extends ResourceHooks<Obj> {
  /** `wardle.example.com`; `""` is the core group. */
  readonly group: string;
  readonly kind: string;
  readonly scope: "Namespaced" | "Cluster";
  /** The plural of the path. Default: the kind in lower case, with an English plural. */
  readonly resource?: string;
  /** Default: the kind in lower case. */
  readonly singular?: string;
  readonly shortNames?: readonly string[];
  readonly categories?: readonly string[];
  /** Whether the kind has a `status` subresource: status is then written there alone, and everything else not there. Default false. */
  readonly statusSubresource?: boolean;
  /** Subresources beside `status` that take a PUT of the whole object; what it then changes, `prepare` says. Default none. */
  readonly updateSubresources?: readonly string[];
  /** Subresources with a kind of their own, by name: `scale`, `token`. Default none. */
  readonly subresources?: Readonly<Record<string, Subresource>>;
  /**
   * What `metadata.name` may be. Default `dnsSubdomain`. `pathSegment` is the rule of Go kinds that have none of their own: it leaves metadata to the check of every kind, which on
   * creation comes after `validate` and is told only if that finds nothing. Kinds with `handlers` and no `get` may leave the name out.
   */
  readonly nameRule?: NameRule;
  /** Fields, as JSON paths in the storage version without the first dot, that a fieldSelector may name: `spec.color`. */
  readonly selectableFields?: readonly string[];
  /** Whether a PUT may leave resourceVersion out, and then overwrites what is there. Default false, as for custom resources. */
  readonly allowsUnconditionalUpdate?: boolean;
  /** Whether a PUT to a new name creates. Default false. */
  readonly allowsCreateOnUpdate?: boolean;
  /** Whether strategic merge patches are taken, by `x-kubernetes-patch-strategy` and `-merge-key` of the schema. Default false: 415, as for custom resources. */
  readonly allowsStrategicMergePatch?: boolean;
  /** Whether a deletion answers the object that is gone, as of service accounts, and not that it succeeded. Default false. */
  readonly returnsDeletedObject?: boolean;
  /** Verbs that are not served, though the server could: 405, and absent from discovery. Default none. */
  readonly withoutVerbs?: readonly (keyof ResourceVerbs)[];
  /** Whether `metadata.generation` counts changes. Default true, as for custom resources. */
  readonly tracksGeneration?: boolean;
  /** For kinds that clients know as compiled-in ones: see {@link Resource.isBuiltIn}. Default false. */
  readonly isBuiltIn?: boolean;
  /**
   * The version that discovery lists first: what kubectl gets, prints and edits unless it is told another one. Default: the first by Kubernetes' version priority (v2, v1, v1beta1, v1alpha1).
   * It is the group's: its kinds that name one name the same, else the server does not start.
   */
  readonly preferredVersion?: NoInfer<keyof Ss & string>;
  readonly versions: { readonly [K in keyof Ss]: VersionInput<Ss, K, StorageVersionOf<Ss, Fs>> } & {
    readonly [K in keyof Fs]: {
      /** The version objects are stored in, and rules are written for. Needed when there are several. */ readonly storage?: Fs[K];
    };
  };
  /** Verbs of the author's own, instead of the server's storage: any subset. */
  readonly handlers?: AuthorHandlers<Obj>;
  /** As `handlers`, a floor lower: the verbs themselves. For packages that keep objects elsewhere. */
  readonly verbs?: (resource: Resource, services: ResourceServices) => ResourceVerbs;
}

/** A kind, ready to be served. The type parameter is that of its objects in the storage version. */
export interface ResourceDefinition<Obj = KubernetesObject> extends Resource {
  readonly objectType?: Obj;
}

/** The type of a definition's objects, in the storage version: `type Flunder = ObjectOf<typeof flunder>`. */
export type ObjectOf<D> = D extends ResourceDefinition<infer Obj> ? Obj : never;

/**
 * Describes a kind once; types, validation, defaults, OpenAPI, discovery, tables and patches follow from it.
 *
 * ```ts
 * const Flunder = defineResource({
 *   group: "wardle.example.com", kind: "Flunder", scope: "Namespaced",
 *   versions: { v1: { schema: { spec: t.object({ reference: t.optional(t.string()) }) } } },
 * });
 * ```
 *
 * @throws {TypeError} naming everything that is wrong with the definition: a schema that is not structural, a version without conversions, …
 * Source: API conventions; apiextensions/v1 CustomResourceDefinition for the rules on names and schemas.
 */
export function defineResource<Ss extends Schemas, const Fs>(
  input: ResourceInput<Ss, Fs, VersionObject<Ss[StorageVersionOf<Ss, Fs>]>>,
): ResourceDefinition<VersionObject<Ss[StorageVersionOf<Ss, Fs>]>> {
  // Inside the framework objects have no static type: schemas vouch for them.
  return compileResource(input as unknown as ErasedInput) as ResourceDefinition<VersionObject<Ss[StorageVersionOf<Ss, Fs>]>>;
}

/** A definition without its types. */
export interface ErasedInput extends Omit<ResourceInput<Schemas, unknown, KubernetesObject>, "versions"> {
  readonly versions: Readonly<Record<string, ErasedVersion>>;
}

export interface ErasedVersion {
  readonly schema: Readonly<Record<string, Schema | { readonly optional: Schema }>>;
  readonly required?: readonly string[];
  readonly rules?: readonly ValidationRule[];
  readonly description?: string;
  readonly deprecated?: boolean | string;
  readonly storage?: boolean;
  readonly columns?: readonly TableColumn[];
  readonly normalize?: (object: JSONObject) => JSONObject;
  readonly toStorage?: (object: KubernetesObject) => KubernetesObject;
  readonly fromStorage?: (object: KubernetesObject) => KubernetesObject;
}
