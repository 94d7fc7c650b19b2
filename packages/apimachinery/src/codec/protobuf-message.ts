/**
 * What one field of a message becomes in JSON.
 *
 * - `type`: a scalar, or the message inside. `bytes` become base64 text, `time` (seconds and nanos) RFC 3339 text with whole
 *   seconds, `json` is a message whose field 1 is JSON text and stands for that text's value, as FieldsV1 does; `strings` is a message whose field 1 is
 *   repeated text and stands for the list, as ExtraValue does.
 * - `form`: `single`; `list` (repeated); `map` (repeated entries of a string key, 1, and a value, 2).
 * - `keepsZero`: written to JSON even when it is the type's zero value: what is a pointer in Go, or has no `omitempty`.
 */
export interface ProtobufField {
  readonly name: string;
  readonly type: "string" | "bool" | "int64" | "bytes" | "time" | "json" | "strings" | ProtobufMessage;
  readonly form: "single" | "list" | "map";
  readonly keepsZero: boolean;
}

/** The fields of a message by their number on the wire. */
export interface ProtobufMessage {
  readonly [number: number]: ProtobufField;
}

type FieldType = ProtobufField["type"];

/** A Go value with `omitempty`: its zero is absence. */
export const value = (name: string, type: FieldType): ProtobufField => ({ name, type, form: "single", keepsZero: false });
/** A Go pointer, a Go value without `omitempty`, or a struct, for which `omitempty` does nothing. */
export const kept = (name: string, type: FieldType): ProtobufField => ({ name, type, form: "single", keepsZero: true });
export const list = (name: string, type: FieldType): ProtobufField => ({ name, type, form: "list", keepsZero: true });
export const map = (name: string, type: FieldType): ProtobufField => ({ name, type, form: "map", keepsZero: true });

const ownerReference: ProtobufMessage = {
  1: kept("kind", "string"),
  3: kept("name", "string"),
  4: kept("uid", "string"),
  5: kept("apiVersion", "string"),
  6: kept("controller", "bool"),
  7: kept("blockOwnerDeletion", "bool"),
};

const managedFieldsEntry: ProtobufMessage = {
  1: value("manager", "string"),
  2: value("operation", "string"),
  3: value("apiVersion", "string"),
  4: value("time", "time"),
  6: value("fieldsType", "string"),
  7: value("fieldsV1", "json"),
  8: value("subresource", "string"),
};

export const objectMeta: ProtobufMessage = {
  1: value("name", "string"),
  2: value("generateName", "string"),
  3: value("namespace", "string"),
  4: value("selfLink", "string"),
  5: value("uid", "string"),
  6: value("resourceVersion", "string"),
  7: value("generation", "int64"),
  8: value("creationTimestamp", "time"),
  9: value("deletionTimestamp", "time"),
  10: kept("deletionGracePeriodSeconds", "int64"),
  11: map("labels", "string"),
  12: map("annotations", "string"),
  13: list("ownerReferences", ownerReference),
  14: list("finalizers", "string"),
  17: list("managedFields", managedFieldsEntry),
};

const preconditions: ProtobufMessage = { 1: kept("uid", "string"), 2: kept("resourceVersion", "string") };

/** Registered in every group and version. */
export const deleteOptions: ProtobufMessage = {
  1: kept("gracePeriodSeconds", "int64"),
  2: kept("preconditions", preconditions),
  3: kept("orphanDependents", "bool"),
  4: kept("propagationPolicy", "string"),
  5: list("dryRun", "string"),
  6: kept("ignoreStoreReadErrorWithClusterBreakingPotential", "bool"),
};

export const labelSelectorRequirement: ProtobufMessage = { 1: kept("key", "string"), 2: kept("operator", "string"), 3: list("values", "string") };

export const labelSelector: ProtobufMessage = { 1: map("matchLabels", "string"), 2: list("matchExpressions", labelSelectorRequirement) };
