import { quoteGo } from "@annex/apimachinery";
import type { ObjectObserver, ObjectView, UserInfo } from "@annex/apiserver";
import { RBAC_GROUP } from "./policy-rule.ts";
import { type Rule, readRules } from "./rule.ts";

interface IndexedSubject {
  readonly kind: string;
  readonly name: string;
  /** Of a service account. */
  readonly namespace: string;
}

/** A stored binding, as decisions read it. */
export interface IndexedBinding {
  readonly name: string;
  /** `""` of a ClusterRoleBinding. */
  readonly namespace: string;
  readonly roleKind: string;
  readonly roleName: string;
  readonly subjects: readonly IndexedSubject[];
}

/** The bindings of one namespace, or the cluster's. */
interface Scope {
  readonly byName: Map<string, IndexedBinding>;
  /** For each user and group that is named: the bindings, and the place of the first such subject in them. */
  readonly bySubject: Map<string, Map<IndexedBinding, number>>;
}

const NOTHING: ReadonlyMap<IndexedBinding, number> = new Map();

/**
 * The stored roles and bindings, by those whom they are about. It is told of changes by observers, and is therefore never older than what anybody reads. It holds what storage holds and
 * nothing else.
 */
export class PolicyIndex {
  readonly #clusterRoles = new Map<string, readonly Rule[]>();
  /** By namespace and name, which hold no slash. */
  readonly #roles = new Map<string, readonly Rule[]>();
  readonly #scopes = new Map<string, Scope>();

  /** Follows the objects of `roles` or `clusterroles`. */
  roleObserver(isNamespaced: boolean): ObjectObserver {
    const roles = isNamespaced ? this.#roles : this.#clusterRoles;
    const keyOf = ({ namespace, name }: ObjectView) => (isNamespaced ? `${namespace}/${name}` : name);
    const put = (view: ObjectView) => void roles.set(keyOf(view), rulesOf(view));
    return {
      reset: (views) => {
        roles.clear();
        for (const view of views) put(view);
      },
      put,
      deleted: (view) => void roles.delete(keyOf(view)),
    };
  }

  /** Follows the objects of `rolebindings` or `clusterrolebindings`. */
  bindingObserver(isNamespaced: boolean): ObjectObserver {
    return {
      reset: (views) => {
        for (const namespace of [...this.#scopes.keys()]) if ((namespace !== "") === isNamespaced) this.#scopes.delete(namespace);
        for (const view of views) this.#putBinding(view);
      },
      put: (view) => this.#putBinding(view),
      deleted: ({ namespace, name }) => this.#dropBinding(namespace, name),
    };
  }

  /** The rules of a role, undefined when it is not there. @param namespace of the binding that refers to it. */
  rulesOf(kind: string, name: string, namespace: string): readonly Rule[] | undefined {
    if (kind === "ClusterRole") return this.#clusterRoles.get(name);
    return kind === "Role" ? this.#roles.get(`${namespace}/${name}`) : undefined;
  }

  /** Visits the bindings that are about a user, those of the cluster first. One comes as often as it names the user and groups of theirs. @param visit answers false to stop. */
  visitBindings(user: UserInfo, namespace: string, visit: (binding: IndexedBinding) => boolean): void {
    const keys = keysOf(user);
    for (const scope of this.#scopesOf(namespace)) {
      for (const key of keys) for (const binding of (scope.bySubject.get(key) ?? NOTHING).keys()) if (!visit(binding)) return;
    }
  }

  /** The first subject of a binding that a user is. */
  subjectOf(user: UserInfo, binding: IndexedBinding): IndexedSubject | undefined {
    const { bySubject } = this.#scopes.get(binding.namespace) ?? { bySubject: undefined };
    let first = Number.POSITIVE_INFINITY;
    for (const key of keysOf(user)) first = Math.min(first, bySubject?.get(key)?.get(binding) ?? first);
    return binding.subjects[first];
  }

  #scopesOf(namespace: string): readonly Scope[] {
    const scopes = [this.#scopes.get(""), namespace === "" ? undefined : this.#scopes.get(namespace)];
    return scopes.filter((scope) => scope !== undefined);
  }

  #putBinding(view: ObjectView): void {
    this.#dropBinding(view.namespace, view.name);
    const binding = readBinding(view);
    if (binding === undefined) return;
    const known = this.#scopes.get(view.namespace);
    const scope: Scope = known ?? { byName: new Map(), bySubject: new Map() };
    if (known === undefined) this.#scopes.set(view.namespace, scope);
    scope.byName.set(binding.name, binding);
    for (const [place, subject] of binding.subjects.entries()) {
      const key = keyOfSubject(subject, binding.namespace);
      if (key === undefined) continue;
      const bindings = scope.bySubject.get(key) ?? new Map<IndexedBinding, number>();
      if (!bindings.has(binding)) bindings.set(binding, place);
      scope.bySubject.set(key, bindings);
    }
  }

  #dropBinding(namespace: string, name: string): void {
    const scope = this.#scopes.get(namespace);
    const binding = scope?.byName.get(name);
    if (scope === undefined || binding === undefined) return;
    scope.byName.delete(name);
    for (const subject of binding.subjects) {
      const key = keyOfSubject(subject, namespace);
      const bindings = key === undefined ? undefined : scope.bySubject.get(key);
      if (key !== undefined && bindings?.delete(binding) && bindings.size === 0) scope.bySubject.delete(key);
    }
    if (scope.byName.size === 0) this.#scopes.delete(namespace);
  }
}

/** What cannot be read grants nothing. */
function rulesOf(view: ObjectView): readonly Rule[] {
  try {
    return readRules(view.object.rules);
  } catch {
    return [];
  }
}

function readBinding(view: ObjectView): IndexedBinding | undefined {
  try {
    const { roleRef, subjects = [] } = view.object;
    const { kind, name } = fieldsOf(roleRef);
    if (typeof kind !== "string" || typeof name !== "string" || !Array.isArray(subjects)) return undefined;
    return { name: view.name, namespace: view.namespace, roleKind: kind, roleName: name, subjects: subjects.map(readSubject) };
  } catch {
    return undefined;
  }
}

/** A subject that is nobody keeps its place. */
function readSubject(subject: unknown): IndexedSubject {
  const { kind, name, namespace = "" } = fieldsOf(subject);
  const isSubject = typeof kind === "string" && typeof name === "string" && typeof namespace === "string";
  return isSubject ? { kind, name, namespace } : { kind: "", name: "", namespace: "" };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** Who a subject is: a service account is the user that its tokens name. Source: kubernetes pkg/registry/rbac/validation, appliesToUser. */
function keyOfSubject({ kind, name, namespace }: IndexedSubject, bindingNamespace: string): string | undefined {
  switch (kind) {
    case "User":
      return `user ${name}`;
    case "Group":
      return `group ${name}`;
    case "ServiceAccount": {
      const home = namespace === "" ? bindingNamespace : namespace;
      return home === "" ? undefined : `user system:serviceaccount:${home}:${name}`;
    }
    default:
      return undefined;
  }
}

function keysOf({ name, groups }: UserInfo): string[] {
  const keys = [`user ${name}`];
  for (const group of groups) keys.push(`group ${group}`);
  return keys;
}

/** `ClusterRoleBinding "x" of ClusterRole "y" to User "z"`. */
export function describeGrant({ name, namespace, roleKind, roleName }: IndexedBinding, subject: IndexedSubject | undefined): string {
  const binding = namespace === "" ? `ClusterRoleBinding ${quoteGo(name)}` : `RoleBinding ${quoteGo(`${name}/${namespace}`)}`;
  const home = subject?.namespace || namespace;
  const who = subject?.kind === "ServiceAccount" ? `${subject.name}/${home}` : (subject?.name ?? "");
  return `${binding} of ${roleKind} ${quoteGo(roleName)} to ${subject?.kind ?? ""} ${quoteGo(who)}`;
}

/** Why a binding grants nothing. */
export function describeMissingRole({ roleKind, roleName }: IndexedBinding): string {
  if (roleKind !== "Role" && roleKind !== "ClusterRole") return `unsupported role reference kind: ${quoteGo(roleKind)}`;
  return `${roleKind.toLowerCase()}.${RBAC_GROUP} ${quoteGo(roleName)} not found`;
}
