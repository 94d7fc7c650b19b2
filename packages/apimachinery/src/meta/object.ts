import type { JSONObject } from "./json.ts";

/** Who owns an object; the garbage collector deletes it after its owners. Source: meta/v1 OwnerReference. */
export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** What one manager owns, as FieldsV1 in `fieldsV1`. Source: meta/v1 ManagedFieldsEntry. */
export interface ManagedFieldsEntry {
  readonly manager?: string;
  readonly operation?: "Apply" | "Update";
  readonly apiVersion?: string;
  /** RFC 3339, whole seconds, UTC. */
  readonly time?: string;
  readonly fieldsType?: "FieldsV1";
  readonly fieldsV1?: JSONObject;
  readonly subresource?: string;
}

/** The metadata that every object has. Times are RFC 3339 in UTC with whole seconds. Source: meta/v1 ObjectMeta. */
export interface ObjectMeta {
  readonly name?: string;
  readonly generateName?: string;
  readonly namespace?: string;
  readonly selfLink?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly deletionGracePeriodSeconds?: number;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly managedFields?: readonly ManagedFieldsEntry[];
}

/** Any API object, decoded: its type, its metadata, and whatever fields its kind has. Never changed in place once it was handed on. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Where an object of one resource is: `namespace` is `""` for cluster-scoped kinds. */
export interface ObjectName {
  readonly namespace: string;
  readonly name: string;
}
