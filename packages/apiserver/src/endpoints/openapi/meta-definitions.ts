import { formatAPIVersion, type GroupVersionKind, OBJECT_META_SCHEMA } from "@annex/apimachinery";
import type { Definitions, DocumentSchema } from "./model.ts";
import { metaName, RAW_EXTENSION_NAME, VERSION_INFO_NAME } from "./names.ts";

/** Properties that every kind has. */
export const TYPE_META_PROPERTIES = {
  apiVersion: {
    type: "string",
    description:
      "APIVersion defines the versioned schema of this representation of an object. Servers should convert recognized schemas to the latest internal value, and may reject unrecognized values. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#resources",
  },
  kind: {
    type: "string",
    description:
      "Kind is a string value representing the REST resource this object represents. Servers may infer this from the endpoint the client submits requests to. Cannot be updated. In CamelCase. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
  },
} as const satisfies Readonly<Record<string, DocumentSchema>>;

export function metaRef(type: string, description: string): DocumentSchema {
  return { description, $ref: metaName(type) };
}

const text = (description: string): DocumentSchema => ({ type: "string", description });
const flag = (description: string): DocumentSchema => ({ type: "boolean", description });
const integer = (format: "int32" | "int64", description: string): DocumentSchema => ({ type: "integer", format, description });
const list = (items: DocumentSchema, description: string): DocumentSchema => ({
  type: "array",
  description,
  items,
  "x-kubernetes-list-type": "atomic",
});

function object(description: string, properties: Readonly<Record<string, DocumentSchema>> = {}, required: readonly string[] = []): DocumentSchema {
  return {
    type: "object",
    description,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    ...(required.length === 0 ? {} : { required }),
  };
}

function kind(
  name: string,
  description: string,
  properties: Readonly<Record<string, DocumentSchema>>,
  required: readonly string[] = [],
): DocumentSchema {
  return {
    ...object(description, { ...TYPE_META_PROPERTIES, ...properties }, required),
    "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: name }],
  };
}

const meta = OBJECT_META_SCHEMA.properties;

/** The one schema of metadata, taken apart into the definitions that Kubernetes has of it. */
const OBJECT_META: DocumentSchema = {
  ...OBJECT_META_SCHEMA,
  properties: {
    ...meta,
    creationTimestamp: metaRef("Time", meta.creationTimestamp.description),
    deletionTimestamp: metaRef("Time", meta.deletionTimestamp.description),
    managedFields: { ...meta.managedFields, items: { $ref: metaName("ManagedFieldsEntry") } },
    ownerReferences: { ...meta.ownerReferences, items: { $ref: metaName("OwnerReference") } },
  },
};

const entry = meta.managedFields.items;
const MANAGED_FIELDS_ENTRY: DocumentSchema = {
  ...entry,
  properties: {
    ...entry.properties,
    time: metaRef("Time", entry.properties.time.description),
    fieldsV1: metaRef("FieldsV1", entry.properties.fieldsV1.description),
  },
};

const META: Definitions = {
  ObjectMeta: OBJECT_META,
  OwnerReference: meta.ownerReferences.items,
  ManagedFieldsEntry: MANAGED_FIELDS_ENTRY,
  FieldsV1: object(
    "FieldsV1 stores a set of fields in a data structure like a Trie, in JSON format.\n\nEach key is either a '.' representing the field itself, and will always map to an empty set, or a string representing a sub-field or item. The string will follow one of these four formats: 'f:<name>', where <name> is the name of a field in a struct, or key in a map 'v:<value>', where <value> is the exact json formatted value of a list item 'i:<index>', where <index> is position of a item in a list 'k:<keys>', where <keys> is a map of  a list item's key fields to their unique values If a key maps to an empty Fields value, the field that key represents is part of the set.\n\nThe exact format is defined in sigs.k8s.io/structured-merge-diff",
  ),
  Time: {
    type: "string",
    format: "date-time",
    description:
      "Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.  Wrappers are provided for many of the factory methods that the time package offers.",
  },
  ListMeta: object(
    "ListMeta describes metadata that synthetic resources must have, including lists and various status objects. A resource may have only one of {ObjectMeta, ListMeta}.",
    {
      continue: text(
        "continue may be set if the user set a limit on the number of items returned, and indicates that the server has more data available. The value is opaque and may be used to issue another request to the endpoint that served this list to retrieve the next set of available objects. Continuing a consistent list may not be possible if the server configuration has changed or more than a few minutes have passed. The resourceVersion field returned when using this continue value will be identical to the value in the first response, unless you have received this token from an error message.",
      ),
      remainingItemCount: integer(
        "int64",
        "remainingItemCount is the number of subsequent items in the list which are not included in this list response. If the list request contained label or field selectors, then the number of remaining items is unknown and the field will be left unset and omitted during serialization. If the list is complete (either because it is not chunking or because this is the last chunk), then there are no more remaining items and this field will be left unset and omitted during serialization. Servers older than v1.15 do not set this field. The intended use of the remainingItemCount is *estimating* the size of a collection. Clients should not rely on the remainingItemCount to be set or to be exact.",
      ),
      resourceVersion: text(
        "String that identifies the server's internal version of this object that can be used by clients to determine when objects have changed. Value must be treated as opaque by clients and passed unmodified back to the server. Populated by the system. Read-only. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#concurrency-control-and-consistency",
      ),
      selfLink: text("Deprecated: selfLink is a legacy read-only field that is no longer populated by the system."),
      shardInfo: metaRef(
        "ShardInfo",
        "shardInfo is set when the list is a filtered subset of the full collection, as selected by a shard selector on the request. It echoes back the selector so clients can verify which shard they received and merge sharded responses. Clients should not cache sharded list responses as a full representation of the collection.\n\nThis is an alpha field and requires enabling the ShardedListAndWatch feature gate.",
      ),
    },
  ),
  ShardInfo: object(
    "ShardInfo describes the shard selector that was applied to produce a list response. Its presence on a list response indicates the list is a filtered subset.",
    {
      selector: text(
        "selector is the shard selector string from the request, echoed back so clients can verify which shard they received and merge responses from multiple shards.",
      ),
    },
    ["selector"],
  ),
  Patch: object("Patch is provided to give a concrete name and type to the Kubernetes PATCH request body."),
  DeleteOptions: kind("DeleteOptions", "DeleteOptions may be provided when deleting an API object.", {
    dryRun: list(
      { type: "string" },
      "When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will result in an error response and no further processing of the request. Valid values are: - All: all dry run stages will be processed",
    ),
    gracePeriodSeconds: integer(
      "int64",
      "The duration in seconds before the object should be deleted. Value must be non-negative integer. The value zero indicates delete immediately. If this value is nil, the default grace period for the specified type will be used. Defaults to a per object value if not specified. zero means delete immediately.",
    ),
    ignoreStoreReadErrorWithClusterBreakingPotential: flag(
      "if set to true, it will trigger an unsafe deletion of the resource in case the normal deletion flow fails with a corrupt object error. A resource is considered corrupt if it can not be retrieved from the underlying storage successfully because of a) its data can not be transformed e.g. decryption failure, or b) it fails to decode into an object. NOTE: unsafe deletion ignores finalizer constraints, skips precondition checks, and removes the object from the storage. WARNING: This may potentially break the cluster if the workload associated with the resource being unsafe-deleted relies on normal deletion flow. Use only if you REALLY know what you are doing. The default value is false, and the user must opt in to enable it",
    ),
    orphanDependents: flag(
      'Deprecated: please use the PropagationPolicy, this field will be deprecated in 1.7. Should the dependent objects be orphaned. If true/false, the "orphan" finalizer will be added to/removed from the object\'s finalizers list. Either this field or PropagationPolicy may be set, but not both.',
    ),
    preconditions: metaRef(
      "Preconditions",
      "Must be fulfilled before a deletion is carried out. If not possible, a 409 Conflict status will be returned.",
    ),
    propagationPolicy: text(
      "Whether and how garbage collection will be performed. Either this field or OrphanDependents may be set, but not both. The default policy is decided by the existing finalizer set in the metadata.finalizers and the resource-specific default policy. Acceptable values are: 'Orphan' - orphan the dependents; 'Background' - allow the garbage collector to delete the dependents in the background; 'Foreground' - a cascading policy that deletes all dependents in the foreground.",
    ),
  }),
  Preconditions: object("Preconditions must be fulfilled before an operation (update, delete, etc.) is carried out.", {
    resourceVersion: text("Specifies the target ResourceVersion"),
    uid: text("Specifies the target UID."),
  }),
  Status: kind("Status", "Status is a return value for calls that don't return other objects.", {
    code: integer("int32", "Suggested HTTP return code for this status, 0 if not set."),
    details: metaRef(
      "StatusDetails",
      "Extended data associated with the reason.  Each reason may define its own extended details. This field is optional and the data returned is not guaranteed to conform to any schema except that defined by the reason type.",
    ),
    message: text("A human-readable description of the status of this operation."),
    metadata: metaRef(
      "ListMeta",
      "Standard list metadata. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
    ),
    reason: text(
      'A machine-readable description of why this operation is in the "Failure" status. If this value is empty there is no information available. A Reason clarifies an HTTP status code but does not override it.',
    ),
    status: text(
      'Status of the operation. One of: "Success" or "Failure". More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#spec-and-status',
    ),
  }),
  StatusDetails: object(
    "StatusDetails is a set of additional properties that MAY be set by the server to provide additional information about a response. The Reason field of a Status object defines what attributes will be set. Clients must ignore fields that do not match the defined type of each attribute, and should assume that any attribute may be empty, invalid, or under defined.",
    {
      causes: list(
        { $ref: metaName("StatusCause") },
        "The Causes array includes more details associated with the StatusReason failure. Not all StatusReasons may provide detailed causes.",
      ),
      group: text("The group attribute of the resource associated with the status StatusReason."),
      kind: text(
        "The kind attribute of the resource associated with the status StatusReason. On some operations may differ from the requested resource Kind. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#types-kinds",
      ),
      name: text("The name attribute of the resource associated with the status StatusReason (when there is a single name which can be described)."),
      retryAfterSeconds: integer(
        "int32",
        "If specified, the time in seconds before the operation should be retried. Some errors may indicate the client must take an alternate action - for those errors this field may indicate how long to wait before taking the alternate action.",
      ),
      uid: text(
        "UID of the resource. (when there is a single resource which can be described). More info: https://kubernetes.io/docs/concepts/overview/working-with-objects/names#uids",
      ),
    },
  ),
  StatusCause: object("StatusCause provides more information about an api.Status failure, including cases when multiple errors are encountered.", {
    field: text(
      'The field of the resource that has caused this error, as named by its JSON serialization. May include dot and postfix notation for nested attributes. Arrays are zero-indexed.  Fields may appear more than once in an array of causes due to fields having multiple errors. Optional.\n\nExamples:\n  "name" - the field "name" on the current resource\n  "items[0].name" - the field "name" on the first array entry in "items"',
    ),
    message: text("A human-readable description of the cause of the error.  This field may be presented as-is to a reader."),
    reason: text("A machine-readable description of the cause of the error. If this value is empty there is no information available."),
  }),
  WatchEvent: {
    ...object(
      "Event represents a single event to a watched resource.",
      {
        object: {
          $ref: RAW_EXTENSION_NAME,
          description:
            "Object is:\n * If Type is Added or Modified: the new state of the object.\n * If Type is Deleted: the state of the object immediately before deletion.\n * If Type is Error: *Status is recommended; other types may make sense\n   depending on context.",
        },
        type: { type: "string" },
      },
      ["type", "object"],
    ),
    "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: "WatchEvent" }],
  },
  APIVersions: kind(
    "APIVersions",
    "APIVersions lists the versions that are available, to allow clients to discover the API at /api, which is the root path of the legacy v1 API.",
    {
      serverAddressByClientCIDRs: list(
        { $ref: metaName("ServerAddressByClientCIDR") },
        "a map of client CIDR to server address that is serving this group. This is to help clients reach servers in the most network-efficient way possible. Clients can use the appropriate server address as per the CIDR that they match. In case of multiple matches, clients should use the longest matching CIDR. The server returns only those CIDRs that it thinks that the client can match. For example: the master will return an internal IP CIDR only, if the client reaches the server using an internal IP. Server looks at X-Forwarded-For header or X-Real-Ip header or request.RemoteAddr (in that order) to get the client IP.",
      ),
      versions: list({ type: "string" }, "versions are the api versions that are available."),
    },
    ["versions", "serverAddressByClientCIDRs"],
  ),
  ServerAddressByClientCIDR: object(
    "ServerAddressByClientCIDR helps the client to determine the server address that they should use, depending on the clientCIDR that they match.",
    {
      clientCIDR: text("The CIDR with which clients can match their IP to figure out the server address that they should use."),
      serverAddress: text(
        "Address of this server, suitable for a client that matches the above CIDR. This can be a hostname, hostname:port, IP or IP:port.",
      ),
    },
    ["clientCIDR", "serverAddress"],
  ),
  APIGroupList: kind(
    "APIGroupList",
    "APIGroupList is a list of APIGroup, to allow clients to discover the API at /apis.",
    { groups: list({ $ref: metaName("APIGroup") }, "groups is a list of APIGroup.") },
    ["groups"],
  ),
  APIGroup: kind(
    "APIGroup",
    "APIGroup contains the name, the supported versions, and the preferred version of a group.",
    {
      name: text("name is the name of the group."),
      preferredVersion: metaRef(
        "GroupVersionForDiscovery",
        "preferredVersion is the version preferred by the API server, which probably is the storage version.",
      ),
      serverAddressByClientCIDRs: list(
        { $ref: metaName("ServerAddressByClientCIDR") },
        "a map of client CIDR to server address that is serving this group. This is to help clients reach servers in the most network-efficient way possible. Clients can use the appropriate server address as per the CIDR that they match. In case of multiple matches, clients should use the longest matching CIDR. The server returns only those CIDRs that it thinks that the client can match. For example: the master will return an internal IP CIDR only, if the client reaches the server using an internal IP. Server looks at X-Forwarded-For header or X-Real-Ip header or request.RemoteAddr (in that order) to get the client IP.",
      ),
      versions: list({ $ref: metaName("GroupVersionForDiscovery") }, "versions are the versions supported in this group."),
    },
    ["name", "versions"],
  ),
  GroupVersionForDiscovery: object(
    'GroupVersion contains the "group/version" and "version" string of a version. It is made a struct to keep extensibility.',
    {
      groupVersion: text('groupVersion specifies the API group and version in the form "group/version"'),
      version: text('version specifies the version in the form of "version". This is to save the clients the trouble of splitting the GroupVersion.'),
    },
    ["groupVersion", "version"],
  ),
  APIResourceList: kind(
    "APIResourceList",
    "APIResourceList is a list of APIResource, it is used to expose the name of the resources supported in a specific group and version, and if the resource is namespaced.",
    {
      groupVersion: text("groupVersion is the group and version this APIResourceList is for."),
      resources: list({ $ref: metaName("APIResource") }, "resources contains the name of the resources and if they are namespaced."),
    },
    ["groupVersion", "resources"],
  ),
  APIResource: object(
    "APIResource specifies the name of a resource and whether it is namespaced.",
    {
      categories: list({ type: "string" }, "categories is a list of the grouped resources this resource belongs to (e.g. 'all')"),
      group: text(
        'group is the preferred group of the resource.  Empty implies the group of the containing resource list. For subresources, this may have a different value, for example: Scale".',
      ),
      kind: text("kind is the kind for the resource (e.g. 'Foo' is the kind for a resource 'foo')"),
      name: text("name is the plural name of the resource."),
      namespaced: flag("namespaced indicates if a resource is namespaced or not."),
      shortNames: list({ type: "string" }, "shortNames is a list of suggested short names of the resource."),
      singularName: text(
        "singularName is the singular name of the resource.  This allows clients to handle plural and singular opaquely. The singularName is more correct for reporting status on a single item and both singular and plural are allowed from the kubectl CLI interface.",
      ),
      storageVersionHash: text(
        "The hash value of the storage version, the version this resource is converted to when written to the data store. Value must be treated as opaque by clients. Only equality comparison on the value is valid. This is an alpha feature and may change or be removed in the future. The field is populated by the apiserver only if the StorageVersionHash feature gate is enabled. This field will remain optional even if it graduates.",
      ),
      verbs: {
        type: "array",
        description:
          "verbs is a list of supported kube verbs (this includes get, list, watch, create, update, patch, delete, deletecollection, and proxy)",
        items: { type: "string" },
      },
      version: text(
        "version is the preferred version of the resource.  Empty implies the version of the containing resource list For subresources, this may have a different value, for example: v1 (while inside a v1beta1 version of the core resource's group)\".",
      ),
    },
    ["name", "singularName", "namespaced", "kind", "verbs"],
  ),
};

const BUILD_FIELDS = ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"] as const;
const COMPATIBILITY_FIELDS = ["emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"] as const;

const OTHERS: Definitions = {
  [RAW_EXTENSION_NAME]: object(
    'RawExtension is used to hold extensions in external versions.\n\nTo use this, make a field which has RawExtension as its type in your external, versioned struct, and Object in your internal struct. You also need to register your various plugin types.\n\n// Internal package:\n\n\ttype MyAPIObject struct {\n\t\truntime.TypeMeta `json:",inline"`\n\t\tMyPlugin runtime.Object `json:"myPlugin"`\n\t}\n\n\ttype PluginA struct {\n\t\tAOption string `json:"aOption"`\n\t}\n\n// External package:\n\n\ttype MyAPIObject struct {\n\t\truntime.TypeMeta `json:",inline"`\n\t\tMyPlugin runtime.RawExtension `json:"myPlugin"`\n\t}\n\n\ttype PluginA struct {\n\t\tAOption string `json:"aOption"`\n\t}\n\n// On the wire, the JSON will look something like this:\n\n\t{\n\t\t"kind":"MyAPIObject",\n\t\t"apiVersion":"v1",\n\t\t"myPlugin": {\n\t\t\t"kind":"PluginA",\n\t\t\t"aOption":"foo",\n\t\t},\n\t}\n\nSo what happens? Decode first uses json or yaml to unmarshal the serialized data into your external MyAPIObject. That causes the raw JSON to be stored, but not unpacked. The next step is to copy (using pkg/conversion) into the internal struct. The runtime package\'s DefaultScheme has conversion functions installed which will unpack the JSON stored in RawExtension, turning it into the correct object type, and storing it in the Object. (TODO: In the case where the object is of an unknown type, a runtime.Unknown object will be created and stored.)',
  ),
  [VERSION_INFO_NAME]: object(
    "What runs here.",
    Object.fromEntries([...BUILD_FIELDS, ...COMPATIBILITY_FIELDS].map((name) => [name, { type: "string" }])),
    BUILD_FIELDS,
  ),
};

/**
 * The definitions of meta/v1 and what belongs to them.
 *
 * @param groupVersions what a document describes: DeleteOptions and WatchEvent are known in each of them.
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1 of Kubernetes 1.36 (Apache-2.0), the sentences too: whoever puts documents together, as the aggregator does, renames what is not the same.
 */
export function metaDefinitions(groupVersions: readonly { readonly group: string; readonly version: string }[]): Definitions {
  const definitions: Record<string, DocumentSchema> = { ...OTHERS };
  for (const [type, schema] of Object.entries(META)) {
    const isEverywhere = type === "DeleteOptions" || type === "WatchEvent";
    definitions[metaName(type)] = isEverywhere ? { ...schema, "x-kubernetes-group-version-kind": kindsOf(type, groupVersions) } : schema;
  }
  return definitions;
}

function kindsOf(kind: string, groupVersions: readonly { readonly group: string; readonly version: string }[]): GroupVersionKind[] {
  const served = groupVersions.filter(({ group, version }) => formatAPIVersion(group, version) !== "v1");
  return [{ group: "", version: "v1", kind }, ...served.map(({ group, version }) => ({ group, version, kind }))];
}
