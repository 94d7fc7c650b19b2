import type { KubernetesObject } from "@annex/apimachinery";
import type { Attributes, ObjectObserver, ObjectView, UserInfo } from "@annex/apiserver";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decide, subjectRules } from "./authorizer.ts";
import { PolicyIndex } from "./policy-index.ts";
import { readRules, ruleAllows } from "./rule.ts";

/** The index, and what fills it. */
function startIndex() {
  const index = new PolicyIndex();
  return {
    index,
    observers: {
      Role: index.roleObserver(true),
      ClusterRole: index.roleObserver(false),
      RoleBinding: index.bindingObserver(true),
      ClusterRoleBinding: index.bindingObserver(false),
    } satisfies Record<string, ObjectObserver>,
  };
}

type Kind = keyof ReturnType<typeof startIndex>["observers"];

function viewOf(kind: Kind, namespace: string, name: string, fields: object): ObjectView {
  const object: KubernetesObject = { apiVersion: "rbac.authorization.k8s.io/v1", kind, metadata: { name, namespace }, ...fields };
  return { namespace, name, resourceVersion: "1", isStale: false, object, in: () => object, bytes: () => new Uint8Array() };
}

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups, extra: {} });
const get = (who: UserInfo, namespace: string, resource = "pods"): Attributes => ({
  type: "resource",
  user: who,
  verb: "get",
  group: "",
  version: "v1",
  resource,
  subresource: "",
  namespace,
  name: "a",
});
const rules = (resource: string) => ({ rules: [{ verbs: ["get"], apiGroups: [""], resources: [resource] }] });
const binding = (kind: string, name: string, ...subjects: object[]) => ({ roleRef: { kind, name }, subjects });

describe("decisions", () => {
  function withPolicy() {
    const { index, observers } = startIndex();
    observers.ClusterRole.put(viewOf("ClusterRole", "", "pods", rules("pods")));
    observers.Role.put(viewOf("Role", "x", "secrets", rules("secrets")));
    const put = (name: string, fields: object) => observers.ClusterRoleBinding.put(viewOf("ClusterRoleBinding", "", name, fields));
    const putIn = (namespace: string, name: string, fields: object) => observers.RoleBinding.put(viewOf("RoleBinding", namespace, name, fields));
    return { index, observers, put, putIn };
  }

  test.each<{ why: string; subject: object; who: UserInfo; reason: string | undefined }>([
    { why: "a user", subject: { kind: "User", name: "u" }, who: user("u"), reason: 'User "u"' },
    { why: "another user", subject: { kind: "User", name: "u" }, who: user("U"), reason: undefined },
    { why: "a group", subject: { kind: "Group", name: "g" }, who: user("u", "f", "g"), reason: 'Group "g"' },
    { why: "a group of the user's name", subject: { kind: "Group", name: "u" }, who: user("u"), reason: undefined },
    { why: "a user of the group's name", subject: { kind: "User", name: "g" }, who: user("u", "g"), reason: undefined },
    {
      why: "a service account",
      subject: { kind: "ServiceAccount", name: "s", namespace: "n" },
      who: user("system:serviceaccount:n:s"),
      reason: 'ServiceAccount "s/n"',
    },
    {
      why: "one of another namespace",
      subject: { kind: "ServiceAccount", name: "s", namespace: "m" },
      who: user("system:serviceaccount:n:s"),
      reason: undefined,
    },
    { why: "one of no namespace", subject: { kind: "ServiceAccount", name: "s" }, who: user("system:serviceaccount::s"), reason: undefined },
    {
      why: "the user of a service account",
      subject: { kind: "User", name: "system:serviceaccount:n:s" },
      who: user("system:serviceaccount:n:s"),
      reason: 'User "system:serviceaccount:n:s"',
    },
    { why: "an unknown kind", subject: { kind: "Robot", name: "u" }, who: user("u"), reason: undefined },
    { why: "what is no subject", subject: [], who: user("u"), reason: undefined },
    { why: "a name that is a number", subject: { kind: "User", name: 1 }, who: user("1"), reason: undefined },
  ])("for $why everywhere", ({ subject, who, reason }) => {
    const { index, put } = withPolicy();
    put("b", binding("ClusterRole", "pods", subject));
    const expected =
      reason === undefined
        ? { decision: "NoOpinion", reason: "" }
        : { decision: "Allow", reason: `RBAC: allowed by ClusterRoleBinding "b" of ClusterRole "pods" to ${reason}` };
    expect(decide(index, get(who, ""))).toEqual(expected);
    expect(decide(index, get(who, "x"))).toEqual(expected);
    expect(decide(index, get(who, "", "secrets")).decision).toBe("NoOpinion");
  });

  test("of a RoleBinding in its namespace", () => {
    const { index, putIn } = withPolicy();
    putIn("x", "b", binding("Role", "secrets", { kind: "User", name: "u" }, { kind: "ServiceAccount", name: "s" }));
    putIn("x", "c", binding("ClusterRole", "pods", { kind: "User", name: "u" }));
    const allowed = { decision: "Allow", reason: 'RBAC: allowed by RoleBinding "b/x" of Role "secrets" to User "u"' };
    expect(decide(index, get(user("u"), "x", "secrets"))).toEqual(allowed);
    expect(decide(index, get(user("system:serviceaccount:x:s"), "x", "secrets")).reason).toBe(
      'RBAC: allowed by RoleBinding "b/x" of Role "secrets" to ServiceAccount "s/x"',
    );
    expect(decide(index, get(user("u"), "x")).reason).toBe('RBAC: allowed by RoleBinding "c/x" of ClusterRole "pods" to User "u"');
    for (const namespace of ["", "y"]) expect(decide(index, get(user("u"), namespace)).decision).toBe("NoOpinion");
    // Paths have no namespace: a RoleBinding never speaks of them.
    expect(decide(index, { type: "path", user: user("u"), verb: "get", path: "/x" }).decision).toBe("NoOpinion");
  });

  test("name the first subject of the binding that the user is", () => {
    const { index, put } = withPolicy();
    put("b", binding("ClusterRole", "pods", { kind: "Group", name: "other" }, { kind: "Group", name: "g" }, { kind: "User", name: "u" }));
    expect(decide(index, get(user("u", "g"), "")).reason).toMatch(/ to Group "g"$/);
  });

  test("tell of roles that are not there, unless another one allows", () => {
    const { index, put, putIn } = withPolicy();
    put("a", binding("ClusterRole", "missing", { kind: "User", name: "u" }, { kind: "Group", name: "g" }));
    expect(decide(index, get(user("u", "g"), ""))).toEqual({
      decision: "NoOpinion",
      reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "missing" not found',
    });
    putIn("x", "b", binding("Role", "missing", { kind: "User", name: "u" }));
    putIn("x", "c", binding("Robot", "r", { kind: "User", name: "u" }));
    expect(decide(index, get(user("u"), "x")).reason).toBe(
      'RBAC: [clusterrole.rbac.authorization.k8s.io "missing" not found, role.rbac.authorization.k8s.io "missing" not found, unsupported role reference kind: "Robot"]',
    );
    put("z", binding("ClusterRole", "pods", { kind: "User", name: "u" }));
    expect(decide(index, get(user("u"), "x")).decision).toBe("Allow");
    for (let round = 0; round < 200; round++) put(`m${round}`, binding("ClusterRole", `m${round}`, { kind: "User", name: "many" }));
    expect(decide(index, get(user("many"), "")).reason.split(", ")).toHaveLength(100);
  });

  test("follow every change", () => {
    const { index, observers, put } = withPolicy();
    const decision = () => decide(index, get(user("u"), "")).decision;
    const view = viewOf("ClusterRoleBinding", "", "b", binding("ClusterRole", "pods", { kind: "User", name: "u" }));
    observers.ClusterRoleBinding.put(view);
    expect(decision()).toBe("Allow");
    put("b", binding("ClusterRole", "pods", { kind: "User", name: "v" }));
    expect(decision()).toBe("NoOpinion");
    observers.ClusterRoleBinding.put(view);
    observers.ClusterRole.put(viewOf("ClusterRole", "", "pods", { rules: null }));
    expect(decision()).toBe("NoOpinion");
    observers.ClusterRole.put(viewOf("ClusterRole", "", "pods", rules("pods")));
    expect(decision()).toBe("Allow");
    observers.ClusterRole.deleted(viewOf("ClusterRole", "", "pods", {}));
    expect(decision()).toBe("NoOpinion");
    observers.ClusterRole.reset([viewOf("ClusterRole", "", "pods", rules("pods"))]);
    expect(decision()).toBe("Allow");
    observers.RoleBinding.reset([]);
    expect(decision()).toBe("Allow");
    observers.ClusterRoleBinding.deleted(view);
    expect(decision()).toBe("NoOpinion");
    observers.ClusterRoleBinding.reset([view]);
    expect(decision()).toBe("Allow");
    observers.ClusterRoleBinding.reset([]);
    expect(decision()).toBe("NoOpinion");
  });

  test.each<{ why: string; fields: object }>([
    { why: "no roleRef", fields: { roleRef: undefined } },
    { why: "a roleRef that is a list", fields: { roleRef: ["ClusterRole"] } },
    { why: "subjects that are no list", fields: { subjects: { 0: { kind: "User", name: "u" }, length: 1 } } },
    { why: "a role's name that is none", fields: { roleRef: { kind: "ClusterRole", name: 1 } } },
  ])("a stored binding with $why grants nothing", ({ fields }) => {
    const { index, put } = withPolicy();
    put("b", { ...binding("ClusterRole", "pods", { kind: "User", name: "u" }), ...fields });
    expect(decide(index, get(user("u"), "")).decision).toBe("NoOpinion");
  });

  test("a stored object that cannot even be decoded grants nothing, and is put right by the next", () => {
    const { index, observers, put } = withPolicy();
    const brokenOf = (kind: Kind, name: string) => Object.defineProperty(viewOf(kind, "", name, {}), "object", { get: () => JSON.parse("{") });
    put("b", binding("ClusterRole", "pods", { kind: "User", name: "u" }));
    observers.ClusterRole.put(brokenOf("ClusterRole", "pods"));
    expect(decide(index, get(user("u"), "")).decision).toBe("NoOpinion");
    observers.ClusterRole.put(viewOf("ClusterRole", "", "pods", rules("pods")));
    expect(decide(index, get(user("u"), "")).decision).toBe("Allow");
    observers.ClusterRoleBinding.put(brokenOf("ClusterRoleBinding", "b"));
    expect(decide(index, get(user("u"), "")).decision).toBe("NoOpinion");
  });
});

test("the rules of a user, each binding once", () => {
  const { index, observers } = startIndex();
  observers.ClusterRole.put(
    viewOf("ClusterRole", "", "r", { rules: [...rules("pods").rules, { verbs: ["get"], nonResourceURLs: ["/x"] }, { verbs: ["get"] }] }),
  );
  observers.Role.put(viewOf("Role", "n", "l", { rules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: ["o"] }] }));
  const put = (name: string, fields: object) => observers.ClusterRoleBinding.put(viewOf("ClusterRoleBinding", "", name, fields));
  put("a", binding("ClusterRole", "r", { kind: "User", name: "u" }, { kind: "Group", name: "g" }, { kind: "User", name: "u" }));
  put("b", binding("ClusterRole", "gone", { kind: "User", name: "u" }));
  observers.RoleBinding.put(viewOf("RoleBinding", "n", "c", binding("Role", "l", { kind: "Group", name: "g" })));
  const onPods = { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: [] };
  const everywhere = {
    resourceRules: [onPods],
    nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/x"] }],
    incomplete: false,
    evaluationError: 'clusterrole.rbac.authorization.k8s.io "gone" not found',
  };
  expect(subjectRules(index, user("u", "g"), "")).toEqual(everywhere);
  expect(subjectRules(index, user("u", "g"), "n")).toEqual({
    ...everywhere,
    resourceRules: [onPods, { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: ["o"] }],
  });
  expect(subjectRules(index, user("v"), "n")).toEqual({ resourceRules: [], nonResourceRules: [], incomplete: false, evaluationError: "" });
});

describe("a role that many bindings give", () => {
  /** Rules nobody has, and how often they are looked at. */
  function withBindings(bindings: number) {
    const { index, observers } = startIndex();
    let looks = 0;
    const verbs = new Proxy(["none"], {
      get(target, property, receiver) {
        if (property === "includes") looks++;
        return Reflect.get(target, property, receiver);
      },
    });
    observers.Role.put(viewOf("Role", "n", "r", { rules: [{ verbs, apiGroups: [""], resources: ["pods"] }] }));
    for (let at = 0; at < bindings; at++) {
      observers.RoleBinding.put(
        viewOf("RoleBinding", "n", `b${at}`, binding("Role", "r", { kind: "User", name: "u" }, { kind: "Group", name: "g" })),
      );
    }
    return { index, looks: () => looks };
  }

  test("is looked at once for a decision", () => {
    const [one, many] = [withBindings(1), withBindings(50)];
    for (const { index } of [one, many]) expect(decide(index, get(user("u", "g"), "n")).decision).toBe("NoOpinion");
    expect(one.looks()).toBeGreaterThan(0);
    expect(many.looks()).toBe(one.looks());
  });

  test("is told once in a review", () => {
    expect(subjectRules(withBindings(50).index, user("u", "g"), "n").resourceRules).toHaveLength(1);
  });
});

test("a review tells a MiB of rules, and that there are more", () => {
  const { index, observers } = startIndex();
  const rule = (name: string) => ({ verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: [name] });
  const many = { rules: Array.from({ length: 9_000 }, (_, at) => rule(`a${at}`)) };
  for (const name of ["a", "b"]) {
    observers.Role.put(viewOf("Role", "n", name, many));
    observers.RoleBinding.put(viewOf("RoleBinding", "n", name, binding("Role", name, { kind: "User", name: "u" })));
  }
  const { resourceRules, incomplete, evaluationError } = subjectRules(index, user("u"), "n");
  expect({ incomplete, evaluationError }).toEqual({ incomplete: true, evaluationError: "the rules are longer than 1048576 characters" });
  expect(resourceRules[8_999]).toEqual(rule("a8999"));
  expect(JSON.stringify(resourceRules).length).toBeLessThan(1024 * 1024 * 1.1);
  expect(JSON.stringify(resourceRules).length).toBeGreaterThan(1024 * 1024 * 0.7);
});

test("a user of 200,000 groups is decided as any other", () => {
  const { index, observers } = startIndex();
  observers.ClusterRole.put(viewOf("ClusterRole", "", "pods", rules("pods")));
  const subjects = [
    { kind: "Group", name: "first" },
    { kind: "Group", name: "last" },
  ];
  observers.ClusterRoleBinding.put(viewOf("ClusterRoleBinding", "", "b", binding("ClusterRole", "pods", ...subjects)));
  const groups = Array.from({ length: 200_000 }, (_, at) => `g${at}`);
  expect(decide(index, get(user("u", ...groups.slice(0, 10), "last"), "")).reason).toMatch(/ to Group "last"$/);
  expect(decide(index, get({ ...user("u"), groups: [...groups, "last"] }, "")).reason).toMatch(/ to Group "last"$/);
});

describe("against an evaluation that knows no index", () => {
  const name = fc.constantFrom("a", "b");
  const namespace = fc.constantFrom("n", "m");
  // Mostly such as allow something.
  const ruleArbitrary = fc.record({
    verbs: fc.constantFrom(["*"], ["get"], ["list", "get"], ["list"], []),
    apiGroups: fc.constantFrom(["*"], [""], ["", "g"], ["g"], []),
    resources: fc.constantFrom(["*"], ["p"], ["q", "p"], ["p/s"], ["*/s"], []),
    resourceNames: fc.constantFrom([], [], ["a"], ["a", "b"]),
    nonResourceURLs: fc.constantFrom([], ["/x"], ["/x/*"], ["*"]),
  });
  const subject = fc.record({
    kind: fc.constantFrom("User", "Group", "ServiceAccount", "X"),
    name,
    namespace: fc.option(namespace, { nil: undefined }),
  });
  const roleFields = fc.record({ rules: fc.option(fc.array(ruleArbitrary, { minLength: 1, maxLength: 4 })) });
  const bindingFields = fc.record({
    roleRef: fc.record({ kind: fc.constantFrom("Role", "ClusterRole"), name }),
    subjects: fc.option(fc.array(subject, { minLength: 1, maxLength: 4 }), { nil: undefined }),
  });
  const command = fc.oneof(
    fc.tuple(fc.constant("Role" as const), namespace, name, fc.option(roleFields)),
    fc.tuple(fc.constant("ClusterRole" as const), fc.constant(""), name, fc.option(roleFields)),
    fc.tuple(fc.constant("RoleBinding" as const), namespace, name, fc.option(bindingFields)),
    fc.tuple(fc.constant("ClusterRoleBinding" as const), fc.constant(""), name, fc.option(bindingFields)),
  );
  const who = fc.record({
    name: fc.constantFrom("a", "b", "system:serviceaccount:n:a", "system:serviceaccount:m:b"),
    groups: fc.subarray(["a", "b"]),
    extra: fc.constant({}),
  });
  const question = fc.oneof(
    fc.record({
      type: fc.constant("resource" as const),
      user: who,
      verb: fc.constantFrom("get", "list"),
      group: fc.constantFrom("", "g"),
      version: fc.constant("v1"),
      resource: fc.constantFrom("p", "q"),
      subresource: fc.constantFrom("", "s"),
      namespace: fc.constantFrom("", "n", "m"),
      name: fc.constantFrom("", "a", "b"),
    }),
    fc.record({ type: fc.constant("path" as const), user: who, verb: fc.constantFrom("get", "list"), path: fc.constantFrom("/x", "/x/y", "/z") }),
  );

  /** Reads everything that is stored for each question, as Go does. */
  function isAllowed(stored: ReadonlyMap<string, ObjectView>, asked: Attributes): boolean {
    const namespace = asked.type === "resource" ? asked.namespace : "";
    for (const view of stored.values()) {
      const {
        kind,
        roleRef,
        subjects = [],
      } = view.object as unknown as {
        kind: string;
        roleRef: { kind: string; name: string };
        subjects?: { kind: string; name: string; namespace?: string }[];
      };
      if (kind !== "ClusterRoleBinding" && !(kind === "RoleBinding" && namespace !== "" && view.namespace === namespace)) continue;
      const applies = subjects.some((one) => {
        if (one.kind === "User") return one.name === asked.user.name;
        if (one.kind === "Group") return asked.user.groups.includes(one.name);
        const home = one.namespace ?? view.namespace;
        return one.kind === "ServiceAccount" && home !== "" && asked.user.name === `system:serviceaccount:${home}:${one.name}`;
      });
      const role = stored.get(roleRef.kind === "Role" ? `Role/${view.namespace}/${roleRef.name}` : `ClusterRole//${roleRef.name}`);
      if (applies && role !== undefined && readRules(role.object.rules).some((rule) => ruleAllows(rule, asked))) return true;
    }
    return false;
  }

  test("every decision is the same, whatever was written and deleted before, and after a restart", () => {
    let allowed = 0;
    fc.assert(
      fc.property(fc.array(command, { minLength: 5, maxLength: 30 }), fc.array(question, { minLength: 5, maxLength: 20 }), (commands, questions) => {
        const { index, observers } = startIndex();
        const stored = new Map<string, ObjectView>();
        for (const [kind, namespace, name, fields] of commands) {
          const key = `${kind}/${namespace}/${name}`;
          const previous = stored.get(key);
          if (fields !== null) {
            const view = viewOf(kind, namespace, name, fields);
            stored.set(key, view);
            observers[kind].put(view);
          } else if (previous !== undefined) {
            stored.delete(key);
            observers[kind].deleted(previous);
          }
        }
        const restarted = startIndex();
        for (const [kind, observer] of Object.entries(restarted.observers))
          observer.reset([...stored.values()].filter(({ object }) => object.kind === kind));
        for (const asked of questions) {
          const expected = isAllowed(stored, asked);
          if (expected) allowed++;
          expect(decide(index, asked).decision === "Allow").toBe(expected);
          expect(decide(restarted.index, asked).decision === "Allow").toBe(expected);
        }
      }),
      { numRuns: 1_000 },
    );
    expect(allowed).toBeGreaterThan(200);
  });
});
