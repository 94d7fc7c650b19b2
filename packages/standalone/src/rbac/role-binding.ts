import {
  fieldError,
  isDNS1123Subdomain,
  isJSONObject,
  type JSONObject,
  type JSONValue,
  type ObjectMeta,
  type Static,
  type TSchema,
  t,
} from "@annex/apimachinery";
import { defineResource, type Invalid, type ObjectOf } from "@annex/apiserver";
import { AGE } from "../age-column.ts";
import { checkObjectMeta, checkObjectMetaUpdate } from "../core/object-meta.ts";
import { RBAC_GROUP, rbacName } from "./policy-rule.ts";
import { RBAC_KIND } from "./role.ts";

// What is left out is empty, as in Go's structs: the rules below say what has to be there.
const subjectFields = t.object(
  {
    kind: t.string({ default: "", description: "User, Group or ServiceAccount." }),
    apiGroup: t.optional(t.string({ description: `${RBAC_GROUP} of users and groups, "" of service accounts; it can be left out.` })),
    name: t.string({ default: "", description: "The name of the user, group or service account." }),
    namespace: t.optional(t.string({ description: "The namespace of a service account. In a RoleBinding without it, that of the binding." })),
  },
  { title: "Subject", description: "Somebody who may do what the role allows.", "x-kubernetes-map-type": "atomic" },
);

const roleRefFields = t.object(
  {
    apiGroup: t.string({ default: "", description: `${RBAC_GROUP}; it can be left out.` }),
    kind: t.string({ default: "", description: "Role or ClusterRole." }),
    name: t.string({ default: "", description: "The name of the role." }),
  },
  { title: "RoleRef", description: "The role whose rules are granted. It cannot be changed.", "x-kubernetes-map-type": "atomic" },
);

export type Subject = Static<typeof subjectFields>;
export type RoleRef = Static<typeof roleRefFields>;

// Whoever reads finds both, and whoever writes has to give them.
const required = ["kind", "name"];
const subject: TSchema<Subject> = { ...subjectFields, required };
const roleRef: TSchema<RoleRef> = { ...roleRefFields, required };

/** What both kinds hold. */
interface Binding {
  readonly metadata: ObjectMeta;
  readonly roleRef: RoleRef;
  readonly subjects?: readonly Subject[];
}

const version = {
  schema: { subjects: t.optional(t.atomic(subject, { description: "Who may do what the role allows." })), roleRef },
  required: ["roleRef"],
  normalize: normalizeBinding,
  columns: [
    {
      name: "Role",
      type: "string",
      description: "The role whose rules are granted.",
      value: ({ roleRef: { kind, name } }: Binding) => `${kind}/${name}`,
    },
    AGE,
    { name: "Users", type: "string", description: "The users it is for.", priority: 1, value: ({ subjects }: Binding) => namesOf(subjects, "User") },
    {
      name: "Groups",
      type: "string",
      description: "The groups it is for.",
      priority: 1,
      value: ({ subjects }: Binding) => namesOf(subjects, "Group"),
    },
    {
      name: "ServiceAccounts",
      type: "string",
      description: "The service accounts it is for.",
      priority: 1,
      value: ({ subjects }: Binding) => namesOf(subjects, "ServiceAccount"),
    },
  ],
} as const;

/** rbac/v1 RoleBinding: grants the rules of a Role of its namespace, or of a ClusterRole, in its namespace. */
export const RoleBinding = defineResource({
  ...RBAC_KIND,
  kind: "RoleBinding",
  scope: "Namespaced",
  versions: { v1: { ...version, description: "Grants the rules of a role in the namespace of the binding." } },
  validate: ({ object, previous, invalid }) => validateBinding(object, previous, ["Role", "ClusterRole"], invalid),
});

export type RoleBinding = ObjectOf<typeof RoleBinding>;

/** rbac/v1 ClusterRoleBinding: grants the rules of a ClusterRole everywhere. */
export const ClusterRoleBinding = defineResource({
  ...RBAC_KIND,
  kind: "ClusterRoleBinding",
  scope: "Cluster",
  versions: { v1: { ...version, description: "Grants the rules of a cluster role everywhere." } },
  validate: ({ object, previous, invalid }) => validateBinding(object, previous, ["ClusterRole"], invalid),
});

export type ClusterRoleBinding = ObjectOf<typeof ClusterRoleBinding>;

/** Source: rbac.SubjectsStrings. */
function namesOf(subjects: readonly Subject[] = [], kind: string): string {
  const names = subjects.filter((one) => one.kind === kind);
  return names.map(({ name, namespace = "" }) => (kind === "ServiceAccount" ? `${namespace}/${name}` : name)).join(", ");
}

/** The API groups go without saying. Source: rbac/v1 SetDefaults_RoleBinding, SetDefaults_Subject. */
function normalizeBinding(object: JSONObject): JSONObject {
  const { roleRef: sent = {}, subjects } = object;
  const role = isJSONObject(sent) && (sent.apiGroup ?? "") === "" ? { ...sent, apiGroup: RBAC_GROUP } : sent;
  return { ...object, roleRef: role, ...(Array.isArray(subjects) ? { subjects: subjects.map(withGroup) } : {}) };
}

function withGroup(sent: JSONValue): JSONValue {
  if (!isJSONObject(sent) || (sent.kind !== "User" && sent.kind !== "Group")) return sent;
  return (sent.apiGroup ?? "") === "" ? { ...sent, apiGroup: RBAC_GROUP } : sent;
}

/** How many subjects are complained of. */
const MAX_FAULTY = 300;

/** Source: rbac/validation ValidateRoleBinding, ValidateClusterRoleBinding and their updates. */
function validateBinding(object: Binding, previous: Binding | undefined, kinds: readonly string[], invalid: Invalid): void {
  const { roleRef: role, subjects = [] } = object;
  const isNamespaced = kinds.includes("Role");
  checkObjectMeta(object, { isNamespaced, nameRule: rbacName }, invalid);
  if (role.apiGroup !== RBAC_GROUP) notSupported("roleRef.apiGroup", role.apiGroup, [RBAC_GROUP], invalid);
  if (!kinds.includes(role.kind)) notSupported("roleRef.kind", role.kind, kinds, invalid);
  if (role.name === "") invalid("roleRef.name", "", { reason: "FieldValueRequired" });
  else for (const complaint of rbacName(role.name)) invalid("roleRef.name", complaint);
  let faulty = 0;
  const complain: Invalid = (field, detail, options) => {
    faulty++;
    invalid(field, detail, options);
  };
  for (const [index, one] of subjects.entries()) {
    if (faulty >= MAX_FAULTY) break;
    validateSubject(one, `subjects[${index}]`, isNamespaced, complain);
  }
  if (previous === undefined) return;
  checkObjectMetaUpdate(object, previous, invalid);
  const { apiGroup, kind, name } = previous.roleRef;
  if (role.apiGroup === apiGroup && role.kind === kind && role.name === name) return;
  invalid("roleRef", "cannot change roleRef", { value: { APIGroup: role.apiGroup, Kind: role.kind, Name: role.name } });
}

/** Source: rbac/validation ValidateRoleBindingSubject. */
function validateSubject({ kind, apiGroup = "", name, namespace = "" }: Subject, path: string, isNamespaced: boolean, invalid: Invalid): void {
  const required = { reason: "FieldValueRequired" } as const;
  if (name === "") invalid(`${path}.name`, "", required);
  switch (kind) {
    case "ServiceAccount":
      if (name !== "") for (const complaint of isDNS1123Subdomain(name)) invalid(`${path}.name`, complaint);
      if (apiGroup !== "") notSupported(`${path}.apiGroup`, apiGroup, [""], invalid);
      if (!isNamespaced && namespace === "") invalid(`${path}.namespace`, "", required);
      return;
    case "User":
    case "Group":
      if (apiGroup !== RBAC_GROUP) notSupported(`${path}.apiGroup`, apiGroup, [RBAC_GROUP], invalid);
      return;
    default:
      notSupported(`${path}.kind`, kind, ["ServiceAccount", "User", "Group"], invalid);
  }
}

function notSupported(field: string, value: string, supported: readonly string[], invalid: Invalid): void {
  const { reason, message } = fieldError.notSupported(field, value, supported);
  invalid(field, message, { reason, isWhole: true });
}
