import type { KubernetesObject, ObjectMeta } from "@annex/apimachinery";
import { decodeData, encodeData, type SecretObject } from "./secret-object.ts";

/** How the objects of a kind lie in Secrets. */
export interface SecretCodec {
  /** The Secrets' type; only Secrets of it are objects of the kind. */
  readonly type: string;
  /** The finalizer of ours that a Secret has while its object has any. */
  readonly finalizer: string;
  /** The namespace of the Secrets of a cluster-scoped kind. Undefined for namespaced kinds: theirs is the object's own. */
  readonly namespace: string | undefined;
  /**
   * The kind's own values.
   *
   * @param object to be kept, with its metadata. @param isNew whether it is being created.
   * @returns what to keep as text by data key, and what the one who created it is answered in place of the object.
   */
  readonly encode: (
    object: KubernetesObject,
    isNew: boolean,
  ) => { readonly data: Readonly<Record<string, string>>; readonly answer?: KubernetesObject };
  /** The kind's own fields, read back. Must take whatever somebody wrote into the Secret by hand. */
  readonly decode: (read: (key: string) => string | undefined, metadata: ObjectMeta) => Readonly<Record<string, unknown>>;
  readonly apiVersion: string;
  readonly kind: string;
}

/** The data key that holds the object's own metadata, as JSON: what the Secret's own metadata is not. */
const METADATA_KEY = "metadata";

/** The metadata of an object that its Secret's own cannot hold: the garbage collector tells objects apart by uid, and managedFields follow the schema of the kind. */
type OwnMetadata = Pick<
  ObjectMeta,
  | "uid"
  | "generateName"
  | "generation"
  | "creationTimestamp"
  | "deletionTimestamp"
  | "deletionGracePeriodSeconds"
  | "ownerReferences"
  | "finalizers"
  | "managedFields"
>;

const OWN_KEYS = [
  "uid",
  "generateName",
  "generation",
  "creationTimestamp",
  "deletionTimestamp",
  "deletionGracePeriodSeconds",
  "ownerReferences",
  "finalizers",
  "managedFields",
] as const satisfies readonly (keyof OwnMetadata)[];

/**
 * The Secret that an object is kept in.
 *
 * @param present the Secret as it is, of which everything that is not the object's stays; undefined for a new one.
 */
export function encodeSecret(
  codec: SecretCodec,
  object: KubernetesObject,
  present: SecretObject | undefined,
): { readonly secret: SecretObject; readonly answer: KubernetesObject } {
  const { metadata } = object;
  const { data, answer = object } = codec.encode(object, present === undefined);
  const own = Object.fromEntries(OWN_KEYS.filter((key) => metadata[key] !== undefined).map((key) => [key, metadata[key]]));
  const encoded = Object.fromEntries(Object.entries({ ...data, [METADATA_KEY]: JSON.stringify(own) }).map(([key, text]) => [key, encodeData(text)]));
  const { labels: _labels, annotations: _annotations, finalizers: presentFinalizers = [], ...rest } = present?.metadata ?? {};
  const others = presentFinalizers.filter((finalizer) => finalizer !== codec.finalizer);
  const finalizers = (metadata.finalizers?.length ?? 0) > 0 ? [...others, codec.finalizer] : others;
  const secret: SecretObject = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...rest,
      name: metadata.name ?? "",
      namespace: codec.namespace ?? metadata.namespace ?? "",
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(finalizers.length === 0 ? {} : { finalizers }),
    },
    type: codec.type,
    data: encoded,
  };
  return { secret, answer };
}

/** The object that a Secret holds; undefined when it is a Secret of another kind. Whatever stands in it, an object comes out: a list never fails because of one. */
export function decodeSecret(codec: SecretCodec, secret: SecretObject): KubernetesObject | undefined {
  if (secret.type !== codec.type) return undefined;
  const { metadata } = secret;
  const own = readOwnMetadata(secret);
  // A Secret that is being deleted takes its object along, whoever began.
  const deletionTimestamp = own.deletionTimestamp ?? metadata.deletionTimestamp;
  const object: ObjectMeta = {
    ...own,
    name: metadata.name ?? "",
    ...(codec.namespace === undefined ? { namespace: metadata.namespace ?? "" } : {}),
    uid: own.uid ?? metadata.uid ?? "",
    resourceVersion: metadata.resourceVersion ?? "",
    creationTimestamp: own.creationTimestamp ?? metadata.creationTimestamp ?? "",
    ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
    ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp, deletionGracePeriodSeconds: own.deletionGracePeriodSeconds ?? 0 }),
  };
  return { apiVersion: codec.apiVersion, kind: codec.kind, metadata: object, ...codec.decode((key) => decodeData(secret.data, key), object) };
}

/** What stands under the metadata key, as far as it has the right form; anybody may have edited it. */
function readOwnMetadata(secret: SecretObject): OwnMetadata {
  let value: unknown;
  try {
    value = JSON.parse(decodeData(secret.data, METADATA_KEY) ?? "{}");
  } catch {
    return {};
  }
  if (typeof value !== "object" || value === null) return {};
  const fields = value as Record<string, unknown>;
  return Object.fromEntries(OWN_KEYS.filter((key) => FORMS[key](fields[key])).map((key) => [key, fields[key]])) as OwnMetadata;
}

const isString = (value: unknown) => typeof value === "string";
const isCount = (value: unknown) => Number.isSafeInteger(value);
const isList = (is: (element: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(is);
const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const isTime = (value: unknown) => typeof value === "string" && !Number.isNaN(Date.parse(value));

const FORMS: Readonly<Record<keyof OwnMetadata, (value: unknown) => boolean>> = {
  uid: isString,
  generateName: isString,
  generation: isCount,
  creationTimestamp: isTime,
  deletionTimestamp: isTime,
  deletionGracePeriodSeconds: isCount,
  ownerReferences: isList(isRecord),
  finalizers: isList(isString),
  managedFields: isList(isRecord),
};
