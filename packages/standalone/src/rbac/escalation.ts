import { badRequest, fieldError, forbidden, invalid, jsonEquals, type KubernetesObject, notFound, quoteGo } from "@annex/apimachinery";
import { type AdmissionAttributes, type AdmissionPlugin, SYSTEM_MASTERS, type UserInfo, type WriteContext } from "@annex/apiserver";
import { joinErrors, rulesOfUser } from "./authorizer.ts";
import { missingRules } from "./covers.ts";
import type { PolicyIndex } from "./policy-index.ts";
import { RBAC_GROUP, rbacName } from "./policy-rule.ts";
import { formatRule, formatStrings, type Rule, readRules } from "./rule.ts";

/** How much of a user's rules is asked whether it covers others, as {@link rulesOfUser} counts: some 100,000 rules. Whoever has more has to do with those of the cluster and of the first bindings. */
const MAX_OWNED_TEXT = 8 * 1024 * 1024;

type Write = AdmissionAttributes & { readonly object: KubernetesObject };

/** What cluster-admin has, and what it takes to gather rules that are not known yet. */
const EVERYTHING: readonly Rule[] = [
  { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [], nonResourceURLs: [] },
  { verbs: ["*"], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ["*"] },
];

/**
 * Keeps everybody from granting what they do not have themselves: rules of a role need these rules or the verb `escalate`, a binding needs the rules of its role or the verb `bind`, an
 * aggregation rule needs everything. The group system:masters may, and so may whoever changes nothing but finalizers and owners.
 *
 * It changes nothing, and yet stands among those that do: as in Go it comes behind them and before validation. To be the last in the chain.
 *
 * Source: kubernetes pkg/registry/rbac, policybased storage of the four kinds.
 */
export function escalationCheck(index: PolicyIndex): AdmissionPlugin {
  return {
    name: "RBACEscalation",
    async mutate(write, context) {
      const { group, resource } = write.resource;
      if (group !== RBAC_GROUP || context.user.groups.includes(SYSTEM_MASTERS)) return write.object;
      if (resource === "roles" || resource === "clusterroles") await checkRole(index, write, context);
      if (resource === "rolebindings" || resource === "clusterrolebindings") await checkBinding(index, write, context);
      return write.object;
    },
  };
}

async function checkRole(index: PolicyIndex, write: Write, context: WriteContext): Promise<void> {
  const { object, previous, resource } = write;
  if (await mayDo("escalate", resource.resource, write.requestName, write.namespace, context)) return;
  if (previous !== undefined && isGarbageCollection(object, previous)) return;
  confirmNoEscalation(index, readRules(object.rules), write, context.user);
  if (!hasAggregation(object) && !(previous !== undefined && hasAggregation(previous))) return;
  const { rules } = rulesOfUser(index, context.user, write.namespace, MAX_OWNED_TEXT);
  if (missingRules(rules, EVERYTHING).length === 0) return;
  throw refuse(write, "must have cluster-admin privileges to use the aggregationRule");
}

async function checkBinding(index: PolicyIndex, write: Write, context: WriteContext): Promise<void> {
  const { object, previous, resource, namespace } = write;
  if (previous !== undefined && isGarbageCollection(object, previous)) return;
  const { kind, name } = roleRefOf(object);
  if (kind !== "Role" && kind !== "ClusterRole") {
    // Nothing can be granted by it. Go answers a 500.
    throw invalid({ group: RBAC_GROUP, kind: resource.kind }, object.metadata.name ?? "", [unsupportedKind(kind, resource.isNamespaced)]);
  }
  if (await mayDo("bind", kind === "Role" ? "roles" : "clusterroles", name, namespace, context)) return;
  if (kind === "Role" && namespace === "") throw badRequest("Namespace parameter required.");
  // Whoever may bind any role is told by validation. Source: registry/generic/registry NamespaceKeyFunc.
  if (name === "") throw badRequest("Name parameter required.");
  const complaints = rbacName(name);
  if (complaints.length > 0) throw badRequest(`Name parameter invalid: ${quoteGo(name)}: ${complaints.join(";")}`);
  const rules = index.rulesOf(kind, name, namespace);
  // Go names the resource of the request, whatever the role is of.
  if (rules === undefined) throw notFound(resource, name);
  confirmNoEscalation(index, rules, write, context.user);
}

function unsupportedKind(kind: string, isNamespaced: boolean) {
  return fieldError.notSupported("roleRef.kind", kind, isNamespaced ? ["Role", "ClusterRole"] : ["ClusterRole"]);
}

async function mayDo(verb: string, resource: string, name: string, namespace: string, context: WriteContext): Promise<boolean> {
  const { user, authorizer } = context;
  const attributes = { type: "resource", user, verb, group: RBAC_GROUP, version: "*", resource, subresource: "", namespace, name } as const;
  return (await authorizer.authorize(attributes, context)).decision === "Allow";
}

/** @throws {APIError} `Forbidden` with the rules that are missing. Source: registry/rbac/validation ConfirmNoEscalation. */
function confirmNoEscalation(index: PolicyIndex, granted: readonly Rule[], write: Write, user: UserInfo): void {
  const { rules, unresolved, isCut } = rulesOfUser(index, user, write.namespace, MAX_OWNED_TEXT);
  const missing = missingRules(rules, granted);
  if (missing.length === 0) return;
  const lines = typeof missing === "string" ? [missing] : [...new Set(missing.map(formatRule))].sort();
  const who = `user ${quoteGo(user.name)} (groups=${formatStrings(user.groups)})`;
  const problems = unresolved.map(({ roleName }) => notFound(write.resource, roleName).message);
  if (isCut) problems.push(`the rules of the user are longer than ${MAX_OWNED_TEXT} characters`);
  const errors = joinErrors(problems);
  throw refuse(
    write,
    `${who} is attempting to grant RBAC permissions not currently held:\n${lines.join("\n")}${errors === "" ? "" : `; resolution errors: [${errors}]`}`,
  );
}

function refuse({ resource, operation, object }: Write, why: string): Error {
  const { name = "", generateName = "" } = object.metadata;
  // A name that the server made up means nothing to the client.
  const isGenerated = operation === "CREATE" && generateName !== "" && name.startsWith(generateName);
  return forbidden(resource, isGenerated ? "" : name, why);
}

/** Whether only what the garbage collector writes differs. Source: registry/rbac IsOnlyMutatingGCFields. */
function isGarbageCollection(object: KubernetesObject, previous: KubernetesObject): boolean {
  const withoutIts = ({ metadata, ...fields }: KubernetesObject) => {
    const { ownerReferences: _owners, finalizers: _finalizers, selfLink: _link, managedFields: _fields, ...rest } = metadata;
    return { ...fields, metadata: rest };
  };
  return jsonEquals(withoutIts(object), withoutIts(previous));
}

function hasAggregation({ aggregationRule }: KubernetesObject): boolean {
  const selectors = (aggregationRule as { readonly clusterRoleSelectors?: readonly unknown[] } | undefined)?.clusterRoleSelectors; // as its schema has it
  return selectors !== undefined && selectors.length > 0;
}

/** The schema has seen to the types, and an admission plugin may have had its way since. */
function roleRefOf({ roleRef }: KubernetesObject): { readonly kind: string; readonly name: string } {
  const { kind, name } = (roleRef ?? {}) as Readonly<Record<string, unknown>>;
  return { kind: typeof kind === "string" ? kind : "", name: typeof name === "string" ? name : "" };
}
