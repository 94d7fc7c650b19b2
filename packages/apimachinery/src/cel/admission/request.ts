import { isJSONObject, type JSONObject } from "../../meta/index.ts";
import type { StructType } from "../environment.ts";
import { BOOL, type CelType, DYN, INT, listType, mapType, STRING, structType, TIMESTAMP } from "../value/type.ts";

const struct = (name: string, fields: Readonly<Record<string, CelType>>): StructType => ({
  type: structType(`kubernetes.${name}`),
  fields: new Map(Object.entries(fields)),
});

const GROUP_VERSION_KIND = struct("GroupVersionKind", { group: STRING, version: STRING, kind: STRING });
const GROUP_VERSION_RESOURCE = struct("GroupVersionResource", { group: STRING, version: STRING, resource: STRING });
const USER_INFO = struct("UserInfo", {
  username: STRING,
  uid: STRING,
  groups: listType(STRING),
  extra: mapType(STRING, listType(STRING)),
});
const ADMISSION_REQUEST = struct("AdmissionRequest", {
  kind: GROUP_VERSION_KIND.type,
  resource: GROUP_VERSION_RESOURCE.type,
  subResource: STRING,
  requestKind: GROUP_VERSION_KIND.type,
  requestResource: GROUP_VERSION_RESOURCE.type,
  requestSubResource: STRING,
  name: STRING,
  namespace: STRING,
  operation: STRING,
  userInfo: USER_INFO.type,
  dryRun: BOOL,
  options: DYN,
});

/** The type of `request`. */
export const REQUEST = ADMISSION_REQUEST.type;
/** It, and what is in it. Source: k8s.io/apiserver/pkg/admission/plugin/cel/compile.go BuildRequestType. */
export const REQUEST_STRUCTS: readonly StructType[] = [GROUP_VERSION_KIND, GROUP_VERSION_RESOURCE, USER_INFO, ADMISSION_REQUEST];

const NAMESPACE_SPEC = struct("NamespaceSpec", { finalizers: listType(STRING) });
const NAMESPACE_CONDITION = struct("NamespaceCondition", {
  status: STRING,
  type: STRING,
  lastTransitionTime: TIMESTAMP,
  message: STRING,
  reason: STRING,
});
const NAMESPACE_STATUS = struct("NamespaceStatus", { conditions: listType(NAMESPACE_CONDITION.type), phase: STRING });
const NAMESPACE_METADATA = struct("NamespaceMetadata", {
  name: STRING,
  generateName: STRING,
  namespace: STRING,
  labels: mapType(STRING, STRING),
  annotations: mapType(STRING, STRING),
  // Written so in Kubernetes, where no namespace has such a field.
  UID: STRING,
  creationTimestamp: TIMESTAMP,
  deletionGracePeriodSeconds: INT,
  deletionTimestamp: TIMESTAMP,
  generation: INT,
  resourceVersion: STRING,
  finalizers: listType(STRING),
});
const NAMESPACE_OBJECT = struct("Namespace", { metadata: NAMESPACE_METADATA.type, spec: NAMESPACE_SPEC.type, status: NAMESPACE_STATUS.type });

/** The type of `namespaceObject`. Its times are declared as such, and are texts. */
export const NAMESPACE = NAMESPACE_OBJECT.type;
/** It, and what is in it. Source: compile.go BuildNamespaceType. */
export const NAMESPACE_STRUCTS: readonly StructType[] = [NAMESPACE_SPEC, NAMESPACE_CONDITION, NAMESPACE_STATUS, NAMESPACE_METADATA, NAMESPACE_OBJECT];

/** Source: condition.go CreateNamespaceObject. */
const NAMESPACE_METADATA_FIELDS =
  "name generateName namespace uid resourceVersion generation creationTimestamp deletionTimestamp deletionGracePeriodSeconds labels annotations finalizers".split(
    " ",
  );

/** What expressions see of a namespace: of its metadata without ownerReferences and managedFields, all of spec and status. */
export function visibleNamespace({ metadata, spec = {}, status = {} }: JSONObject): JSONObject {
  const given = isJSONObject(metadata) ? metadata : {};
  const seen = NAMESPACE_METADATA_FIELDS.flatMap((name) => (given[name] === undefined ? [] : [[name, given[name]] as const]));
  return { metadata: Object.fromEntries(seen), spec, status };
}

interface RequestedKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

interface RequestedResource {
  readonly group: string;
  readonly version: string;
  readonly resource: string;
}

/** What a request to be admitted is about. Source: admission/v1 AdmissionRequest. */
export interface AdmissionRequest {
  /** Of the object as the policy sees it. */
  readonly kind: RequestedKind;
  /** That the policy matches. */
  readonly resource: RequestedResource;
  /** Of the object that the client sent. */
  readonly requestKind: RequestedKind;
  /** That the client asked for. */
  readonly requestResource: RequestedResource;
  readonly subResource: string;
  /** Empty where the server is to make one. */
  readonly name: string;
  readonly namespace: string;
  readonly operation: "CREATE" | "UPDATE" | "DELETE" | "CONNECT";
  readonly user: {
    readonly name: string;
    readonly uid?: string;
    readonly groups: readonly string[];
    readonly extra: Readonly<Record<string, readonly string[]>>;
  };
  readonly isDryRun: boolean;
  /** The options of the operation, with their apiVersion and kind; null where there are none. */
  readonly options: JSONObject | null;
}

/** A request as `request` shows it: what is empty is not there. Source: condition.go CreateAdmissionRequest. */
export function requestObject({ user, isDryRun, subResource, requestKind, requestResource, ...request }: AdmissionRequest): JSONObject {
  const given = (name: string, value: string): JSONObject => (value === "" ? {} : { [name]: value });
  return {
    uid: "",
    kind: { ...request.kind },
    resource: { ...request.resource },
    ...given("subResource", subResource),
    requestKind: { ...requestKind },
    requestResource: { ...requestResource },
    ...given("requestSubResource", subResource),
    ...given("name", request.name),
    ...given("namespace", request.namespace),
    operation: request.operation,
    userInfo: {
      ...given("username", user.name),
      ...given("uid", user.uid ?? ""),
      ...(user.groups.length === 0 ? {} : { groups: user.groups }),
      ...(Object.keys(user.extra).length === 0 ? {} : { extra: user.extra }),
    },
    object: null,
    oldObject: null,
    dryRun: isDryRun,
    options: request.options,
  };
}
