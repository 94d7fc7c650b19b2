import {
  formatAPIVersion,
  type GroupVersionKind,
  LABEL_SELECTOR_REQUIREMENT_SCHEMA,
  LABEL_SELECTOR_SCHEMA,
  OBJECT_META_SCHEMA,
} from "@annex/apimachinery";
import type { Definitions, DocumentSchema } from "./model.ts";
import { metaName, RAW_EXTENSION_NAME, VERSION_INFO_NAME } from "./names.ts";

/** Properties that every kind has. */
export const TYPE_META_PROPERTIES = {
  apiVersion: {
    type: "string",
    description: "The versioned schema of this representation of the object: `group/version`, or the version alone in the core group.",
  },
  kind: { type: "string", description: "The type of the object, in CamelCase. It cannot be changed." },
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

/** A condition of a selector of labels, and of fields. */
const selectorRequirement = (description: string): DocumentSchema => ({
  ...LABEL_SELECTOR_REQUIREMENT_SCHEMA,
  description,
  required: ["key", "operator"],
});

const LABEL_SELECTOR: DocumentSchema = {
  ...LABEL_SELECTOR_SCHEMA,
  properties: {
    ...LABEL_SELECTOR_SCHEMA.properties,
    matchExpressions: { ...LABEL_SELECTOR_SCHEMA.properties?.matchExpressions, items: { $ref: metaName("LabelSelectorRequirement") } },
  },
};

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
  LabelSelector: LABEL_SELECTOR,
  LabelSelectorRequirement: selectorRequirement("A condition on labels."),
  FieldSelectorRequirement: selectorRequirement("A condition on fields."),
  FieldsV1: object("A set of fields: keys are `f:name`, `k:{keys}`, `v:value` or `i:index`, and `.` is the field itself."),
  Time: { type: "string", format: "date-time", description: "A point in time as RFC 3339 has it, in whole seconds." },
  ListMeta: object("The metadata of a list.", {
    continue: text("Where the next page begins, when this one is not the last: the `continue` of the next request."),
    remainingItemCount: integer("int64", "How many objects come after this page, where that is known."),
    resourceVersion: text("The version that the list was read at, for watches that go on from here; opaque to clients."),
    selfLink: text("Deprecated, and no longer filled in."),
  }),
  Patch: object("The body of a PATCH; its media type says in which form."),
  DeleteOptions: kind("DeleteOptions", "How an object is to be deleted.", {
    dryRun: list({ type: "string" }, "With `All`, every step is taken but the last: nothing is deleted."),
    gracePeriodSeconds: integer("int64", "How many seconds the object has to end in good order; 0 is at once."),
    orphanDependents: flag("Deprecated, in favour of propagationPolicy: whether the objects that this one owns stay."),
    preconditions: metaRef("Preconditions", "What must be true of the object, or it is not deleted."),
    propagationPolicy: text("What becomes of the objects that this one owns: `Orphan`, `Background` or `Foreground`."),
  }),
  Preconditions: object("What must be true of an object before it is changed or deleted.", {
    resourceVersion: text("The version that it must have."),
    uid: text("The uid that it must have."),
  }),
  Status: kind("Status", "The answer of a call that has no object to answer: a failure, or that something is gone.", {
    code: integer("int32", "The HTTP status code."),
    details: metaRef("StatusDetails", "What the reason is about, in a form for programs."),
    message: text("What happened, for people."),
    metadata: metaRef("ListMeta", "The metadata of the answer."),
    reason: text("Why the call failed, in one word for programs."),
    status: text("`Success` or `Failure`."),
  }),
  StatusDetails: object("What the reason of a Status is about.", {
    causes: list({ $ref: metaName("StatusCause") }, "Each fault by itself."),
    group: text("The group of the resource."),
    kind: text("The resource, or the kind where an object is invalid."),
    name: text("The name of the object."),
    retryAfterSeconds: integer("int32", "After how many seconds to try again."),
    uid: text("The uid of the object."),
  }),
  StatusCause: object("One fault of several.", {
    field: text("The field that is at fault, as `spec.ports[0].name`."),
    message: text("What is wrong, for people."),
    reason: text("What is wrong, in one word for programs."),
  }),
  WatchEvent: {
    ...object(
      "One change that a watch tells of.",
      {
        type: text("`ADDED`, `MODIFIED`, `DELETED`, `BOOKMARK` or `ERROR`."),
        object: { $ref: RAW_EXTENSION_NAME, description: "The object after the change, or before its deletion; a Status if the type is `ERROR`." },
      },
      ["type", "object"],
    ),
    "x-kubernetes-group-version-kind": [{ group: "", version: "v1", kind: "WatchEvent" }],
  },
  APIVersions: kind(
    "APIVersions",
    "The versions of the core group.",
    {
      serverAddressByClientCIDRs: list({ $ref: metaName("ServerAddressByClientCIDR") }, "Under which address clients of a network reach the server."),
      versions: list({ type: "string" }, "The versions."),
    },
    ["versions", "serverAddressByClientCIDRs"],
  ),
  ServerAddressByClientCIDR: object(
    "Under which address clients of a network reach the server.",
    { clientCIDR: text("The network of the clients."), serverAddress: text("Host and port of the server.") },
    ["clientCIDR", "serverAddress"],
  ),
  APIGroupList: kind("APIGroupList", "All named groups that are served.", { groups: list({ $ref: metaName("APIGroup") }, "The groups.") }, [
    "groups",
  ]),
  APIGroup: kind(
    "APIGroup",
    "A group, and its versions that are served.",
    {
      name: text("The name of the group."),
      preferredVersion: metaRef("GroupVersionForDiscovery", "The version to use where nothing speaks for another."),
      serverAddressByClientCIDRs: list({ $ref: metaName("ServerAddressByClientCIDR") }, "Under which address clients of a network reach the server."),
      versions: list({ $ref: metaName("GroupVersionForDiscovery") }, "The versions."),
    },
    ["name", "versions"],
  ),
  GroupVersionForDiscovery: object("A version of a group.", { groupVersion: text("`group/version`."), version: text("The version alone.") }, [
    "groupVersion",
    "version",
  ]),
  APIResourceList: kind(
    "APIResourceList",
    "The resources of one version of a group.",
    {
      groupVersion: text("`group/version`, or the version alone in the core group."),
      resources: list({ $ref: metaName("APIResource") }, "The resources."),
    },
    ["groupVersion", "resources"],
  ),
  APIResource: object(
    "A resource, or a subresource.",
    {
      categories: list({ type: "string" }, "Groups of resources that it belongs to, as `all`."),
      group: text("The group of its kind, where that is not the group of the list."),
      kind: text("The kind of its objects."),
      name: text("Its name, a plural: what stands in paths. `name/subresource` for a subresource."),
      namespaced: flag("Whether its objects are in namespaces."),
      shortNames: list({ type: "string" }, "Other names for it in command lines."),
      singularName: text("The singular of its name."),
      storageVersionHash: text("Changes when the version that objects are stored in does; opaque to clients."),
      verbs: list({ type: "string" }, "What can be done with it."),
      version: text("The version of its kind, where that is not the version of the list."),
    },
    ["name", "singularName", "namespaced", "kind", "verbs"],
  ),
};

const BUILD_FIELDS = ["major", "minor", "gitVersion", "gitCommit", "gitTreeState", "buildDate", "goVersion", "compiler", "platform"] as const;
const COMPATIBILITY_FIELDS = ["emulationMajor", "emulationMinor", "minCompatibilityMajor", "minCompatibilityMinor"] as const;

const OTHERS: Definitions = {
  [RAW_EXTENSION_NAME]: object("An object of any kind."),
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
 * Source: k8s.io/apimachinery/pkg/apis/meta/v1, for names, types and what is required; the sentences are ours.
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
