import {
  compileValidator,
  decodeJSON,
  encodeJSONText,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type KubernetesObject,
  OBJECT_META_SCHEMA,
  type ObjectMeta,
  validateObjectMeta,
} from "@annex/apimachinery";
import { decodeData, encodeData, type SecretObject } from "./secret-object.ts";

/** What lies in a Secret before it is written. */
export interface PresentSecret {
  /** The text under a data key; undefined when there is none, or no text. */
  readonly read: (key: string) => string | undefined;
  /** The object's metadata, as {@link decodeSecret} reads it. */
  readonly metadata: ObjectMeta;
  /** When somebody last wrote to the Secret, as far as its managedFields tell; else when it was created. RFC 3339. */
  readonly writtenAt: string;
}

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
   * @param object to be kept, with its metadata.
   * @param present what the Secret holds now, whoever wrote it; undefined when the object is being created.
   * @returns what to keep as text by data key (undefined: nothing), and what the one who created it is answered in place of the object.
   */
  readonly encode: (
    object: KubernetesObject,
    present: PresentSecret | undefined,
  ) => { readonly data: Readonly<Record<string, string | undefined>>; readonly answer?: KubernetesObject };
  /** The kind's own fields, read back. Must take whatever somebody wrote into the Secret by hand. */
  readonly decode: (present: PresentSecret) => Readonly<Record<string, unknown>>;
  /**
   * Whether the uid that stands in a Secret was given to the object there, and not written by somebody who wants it to be taken for another one: a garbage collector tells objects apart by
   * uid alone, in all namespaces. Where it was not, the Secret's own uid is the object's.
   */
  readonly isOwnUID: (present: PresentSecret) => boolean;
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
 * @param present the Secret as it is: data keys and finalizers that are not the object's stay. Undefined for a new one.
 */
export function encodeSecret(
  codec: SecretCodec,
  object: KubernetesObject,
  present: SecretObject | undefined,
): { readonly secret: SecretObject; readonly answer: KubernetesObject } {
  const { metadata } = object;
  const { data: own, answer = object } = codec.encode(object, present && presentSecret(codec, present));
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
    ...(present?.immutable === undefined ? {} : { immutable: present.immutable }),
    data: mergedData(present?.data, { ...own, [METADATA_KEY]: encodeOwnMetadata(metadata) }),
  };
  return { secret, answer };
}

function mergedData(present: SecretObject["data"], own: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const data: Record<string, string> = {};
  for (const [key, value] of Object.entries(present ?? {})) if (!Object.hasOwn(own, key)) data[key] = value;
  for (const [key, text] of Object.entries(own)) if (text !== undefined) data[key] = encodeData(text);
  return data;
}

/** The object that a Secret holds; undefined when it is a Secret of another kind. Whatever stands in it, an object comes out: a list never fails because of one. */
export function decodeSecret(codec: SecretCodec, secret: SecretObject): KubernetesObject | undefined {
  if (secret.type !== codec.type) return undefined;
  const present = presentSecret(codec, secret);
  return { apiVersion: codec.apiVersion, kind: codec.kind, metadata: present.metadata, ...codec.decode(present) };
}

function presentSecret(codec: SecretCodec, secret: SecretObject): PresentSecret {
  const own = readOwnMetadata(secret);
  const present = presentWith(codec, secret, own);
  if (own.uid === undefined || codec.isOwnUID(present)) return present;
  const { uid: _forged, ...others } = own;
  return presentWith(codec, secret, others);
}

function presentWith(codec: SecretCodec, secret: SecretObject, own: OwnMetadata): PresentSecret {
  const { metadata } = secret;
  // A Secret that is being deleted takes its object along, whoever began.
  const deletionTimestamp = own.deletionTimestamp ?? metadata.deletionTimestamp;
  return {
    read: (key) => decodeData(secret.data, key),
    writtenAt: writtenAt(metadata),
    metadata: {
      ...own,
      name: metadata.name ?? "",
      ...(codec.namespace === undefined ? { namespace: metadata.namespace ?? "" } : {}),
      uid: own.uid || metadata.uid || "",
      resourceVersion: metadata.resourceVersion ?? "",
      creationTimestamp: own.creationTimestamp ?? metadata.creationTimestamp ?? "",
      ...(metadata.labels === undefined ? {} : { labels: metadata.labels }),
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp, deletionGracePeriodSeconds: own.deletionGracePeriodSeconds ?? 0 }),
    },
  };
}

/** The times of RFC 3339 in UTC have the order of their texts. */
function writtenAt({ managedFields = [], creationTimestamp = "" }: ObjectMeta): string {
  return managedFields.reduce((newest, { time = "" }) => (time > newest ? time : newest), creationTimestamp);
}

function encodeOwnMetadata(metadata: ObjectMeta): string {
  const own = Object.fromEntries(OWN_KEYS.filter((key) => metadata[key] !== undefined).map((key) => [key, metadata[key]]));
  return encodeJSONText(own as JSONObject); // decoded metadata is JSON all through
}

const ANY_OBJECT = { isNamespaced: false, nameRule: "dnsSubdomain" } as const;
const VALIDATORS = OWN_KEYS.map((key) => [key, compileValidator(OBJECT_META_SCHEMA.properties[key])] as const);

/**
 * What stands under the metadata key, as far as it is what metadata may be; anybody may have edited it. The rest is left out: clients with static types could not
 * read a list that holds a value of another form, and no write of the object would pass with a forbidden one, not even the one that disables it.
 */
function readOwnMetadata(secret: SecretObject): OwnMetadata {
  const value = parsed(decodeData(secret.data, METADATA_KEY));
  if (!isJSONObject(value)) return {};
  const valid = VALIDATORS.filter(([key, validate]) => {
    const own = value[key];
    return own !== undefined && validate(own, "").length === 0 && validateObjectMeta({ name: "x", [key]: own }, ANY_OBJECT).length === 0;
  });
  return Object.fromEntries(valid.map(([key]) => [key, value[key]])) as OwnMetadata; // the schemas are those of its fields
}

const encoder = new TextEncoder();

/** Far deeper than the fields of any kind nest, and far from where a client's parser of lists gives up. */
const MAX_DEPTH = 200;

/** @returns undefined for what is no JSON, or nested deeper than {@link MAX_DEPTH}. */
function parsed(text: string | undefined): JSONValue | undefined {
  if (text === undefined) return undefined;
  try {
    const value = decodeJSON(encoder.encode(text));
    return isDeeper(value, MAX_DEPTH) ? undefined : value;
  } catch {
    return undefined;
  }
}

function isDeeper(value: JSONValue | undefined, depth: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return depth === 0 || Object.values(value).some((inner: JSONValue | undefined) => isDeeper(inner, depth - 1));
}
