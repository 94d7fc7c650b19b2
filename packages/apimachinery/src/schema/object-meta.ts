import type { Schema } from "./schema.ts";

const TIME = { type: "string", format: "date-time" } as const satisfies Schema;

const OWNER_REFERENCE = {
  type: "object",
  description: "Names an object that owns this one: of the same namespace, or cluster-scoped.",
  required: ["apiVersion", "kind", "name", "uid"],
  properties: {
    apiVersion: { type: "string", description: "The group and version of the owner." },
    kind: { type: "string", description: "The kind of the owner." },
    name: { type: "string", description: "The name of the owner." },
    uid: { type: "string", description: "The uid of the owner." },
    controller: { type: "boolean", description: "Whether the owner is the controller that manages this object." },
    blockOwnerDeletion: {
      type: "boolean",
      description: "Whether an owner that is deleted in the foreground stays until this object is gone.",
    },
  },
  "x-kubernetes-map-type": "atomic",
} as const satisfies Schema;

const MANAGED_FIELDS_ENTRY = {
  type: "object",
  description: "The fields that one manager owns in one version of the object.",
  properties: {
    manager: { type: "string", description: "Who manages these fields: a program, a controller, a user." },
    operation: { type: "string", description: "How the manager came to own the fields: Apply or Update." },
    apiVersion: { type: "string", description: "The group and version that the set of fields is written in." },
    time: { ...TIME, description: "When the manager last added, changed or removed a field of this entry." },
    fieldsType: { type: "string", description: "The format of the set of fields; FieldsV1 is the only one." },
    fieldsV1: { type: "object", description: "The set of fields in the format FieldsV1.", "x-kubernetes-preserve-unknown-fields": true },
    subresource: { type: "string", description: "The subresource that the manager wrote through, or empty for the object itself." },
  },
} as const satisfies Schema;

/**
 * The metadata of every object, with the ownership and merge rules of its lists: `finalizers` is a set, `ownerReferences` a map by `uid`,
 * `managedFields` is owned as a whole.
 *
 * Source: meta/v1 ObjectMeta as the OpenAPI documents of Kubernetes 1.36 have it.
 */
export const OBJECT_META_SCHEMA = {
  type: "object",
  description: "The metadata that every stored object has.",
  properties: {
    annotations: {
      type: "object",
      description: "Any text that tools attach to the object under a key of theirs; it cannot be searched for.",
      additionalProperties: { type: "string" },
    },
    creationTimestamp: { ...TIME, description: "When the server created the object, in UTC; set by the server." },
    deletionGracePeriodSeconds: {
      type: "integer",
      format: "int64",
      description: "How many seconds the object has to end in good order once deletionTimestamp is set; it may only become shorter.",
    },
    deletionTimestamp: {
      ...TIME,
      description: "When the object is to be gone, once a client asked for its deletion; finalizers keep it for longer. Set by the server.",
    },
    finalizers: {
      type: "array",
      description: "Who still has work to do before the object may go; the list must be empty before it is removed.",
      items: { type: "string" },
      "x-kubernetes-list-type": "set",
      "x-kubernetes-patch-strategy": "merge",
    },
    generateName: {
      type: "string",
      description: "A prefix from which the server makes a unique name, if no name is given.",
    },
    generation: { type: "integer", format: "int64", description: "Counts the changes of the desired state; set by the server." },
    labels: {
      type: "object",
      description: "Keys and values by which the object can be grouped and selected.",
      additionalProperties: { type: "string" },
    },
    managedFields: {
      type: "array",
      description: "Which manager owns which fields; kept by the server for server-side apply.",
      items: MANAGED_FIELDS_ENTRY,
      "x-kubernetes-list-type": "atomic",
    },
    name: { type: "string", description: "The name of the object, unique among those of its kind and namespace; it cannot change." },
    namespace: { type: "string", description: "The namespace that the object is in; empty for cluster-scoped kinds. It cannot change." },
    ownerReferences: {
      type: "array",
      description: "The objects that own this one; it is deleted once none of them is left. At most one of them is its controller.",
      items: OWNER_REFERENCE,
      "x-kubernetes-list-type": "map",
      "x-kubernetes-list-map-keys": ["uid"],
      "x-kubernetes-patch-merge-key": "uid",
      "x-kubernetes-patch-strategy": "merge",
    },
    resourceVersion: {
      type: "string",
      description: "The version of the stored object, for optimistic locking and watches; opaque to clients.",
    },
    selfLink: { type: "string", description: "Deprecated, and no longer filled in." },
    uid: { type: "string", description: "Tells the object from every other, earlier ones of the same name too; set by the server." },
  },
} as const satisfies Schema;
