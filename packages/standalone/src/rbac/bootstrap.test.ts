import type { KubernetesObject } from "@annex/apimachinery";
import { memoryStorage } from "@annex/apiserver";
import { ALICE, settled } from "@annex/testing";
import { describe, expect, test, vi } from "vitest";
import { RBAC_V1, type RBACServer, roleRefOf, startRBACServer, subjectOf, userOf } from "../testing/rbac-server.ts";
import { BOOTSTRAP_CLUSTER_ROLE_BINDINGS, BOOTSTRAP_CLUSTER_ROLES } from "./bootstrap-policy.ts";
import { reconciled } from "./reconcile.ts";

const ROLES = `${RBAC_V1}/clusterroles`;
const BINDINGS = `${RBAC_V1}/clusterrolebindings`;
const MERGE = { "content-type": "application/merge-patch+json" };
const patch = (server: RBACServer, path: string, body: object) => server.request("PATCH", path, { body, headers: MERGE });
const read = async (server: RBACServer, path: string) => (await server.request("GET", path)).json();
const rulesOf = async (server: RBACServer, name: string) => (await read(server, `${ROLES}/${name}`)).rules;
const pods = { verbs: ["get"], apiGroups: [""], resources: ["pods"] };

describe("the roles that are there from the beginning", () => {
  test("say who may do what", async () => {
    await using server = await startRBACServer();
    const listed = await read(server, ROLES);
    expect(listed.items.map(({ metadata }) => metadata.name)).toEqual(BOOTSTRAP_CLUSTER_ROLES.map(({ metadata }) => metadata.name).sort());
    expect((await read(server, BINDINGS)).items).toHaveLength(BOOTSTRAP_CLUSTER_ROLE_BINDINGS.length);
    const secrets = "/api/v1/namespaces/default/secrets";
    await server.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "team" } } });
    const bind = async (role: string) => {
      const body = { metadata: { name: role }, roleRef: roleRefOf("ClusterRole", role), subjects: [subjectOf("User", role)] };
      expect((await server.request("POST", `${RBAC_V1}/namespaces/default/rolebindings`, { body })).status).toBe(201);
    };
    for (const role of ["view", "edit", "admin", "cluster-admin"]) await bind(role);
    const status = async (user: string, method: string, path: string) => (await server.request(method, path, { user: userOf(user) })).status;
    const RB = `${RBAC_V1}/namespaces/default/rolebindings`;
    expect({
      view: [await status("view", "GET", secrets), await status("view", "GET", "/api/v1/namespaces/default"), await status("view", "GET", RB)],
      edit: [await status("edit", "GET", secrets), await status("edit", "DELETE", secrets), await status("edit", "GET", RB)],
      admin: [await status("admin", "GET", secrets), await status("admin", "GET", RB), await status("admin", "DELETE", "/api/v1/namespaces/team")],
      elsewhere: [await status("cluster-admin", "GET", RB), await status("cluster-admin", "GET", "/api/v1/namespaces/team/secrets")],
    }).toEqual({ view: [403, 200, 403], edit: [200, 200, 403], admin: [200, 200, 403], elsewhere: [200, 403] });
  });

  // Asked of kube-apiserver 1.36.
  test.each([
    { path: "/healthz", anonymous: 200, alice: 200 },
    { path: "/livez", anonymous: 200, alice: 200 },
    { path: "/readyz", anonymous: 200, alice: 200 },
    { path: "/version", anonymous: 200, alice: 200 },
    { path: "/version/", anonymous: 200, alice: 200 },
    { path: "/livez/ping", anonymous: 403, alice: 403 },
    { path: "/metrics", anonymous: 403, alice: 403 },
    { path: "/api", anonymous: 403, alice: 200 },
    { path: "/apis", anonymous: 403, alice: 200 },
    { path: "/apis/rbac.authorization.k8s.io/v1", anonymous: 403, alice: 200 },
    { path: "/openapi/v2", anonymous: 403, alice: 200 },
    { path: "/openapi/v3", anonymous: 403, alice: 200 },
    { path: "/apisx", anonymous: 403, alice: 403 },
    { path: "/", anonymous: 403, alice: 403 },
    { path: "/nope", anonymous: 403, alice: 403 },
  ])("$path: $anonymous to everybody, $alice to who is somebody", async ({ path, anonymous, alice }) => {
    await using server = await startRBACServer();
    const status = async (user: typeof ALICE | null) => (await server.request("GET", path, { user })).status;
    expect([await status(null), await status(ALICE)]).toEqual([anonymous, alice]);
    expect((await server.request("POST", path, { user: ALICE })).status).toBe(403);
  });

  test("are public no longer when an operator says so", async () => {
    await using server = await startRBACServer();
    await server.request("DELETE", `${BINDINGS}/system:discovery`);
    expect((await server.request("GET", "/apis", { user: ALICE })).json()).toMatchObject({
      code: 403,
      message: 'forbidden: User "alice" cannot get path "/apis"',
    });
    expect((await server.request("GET", "/version", { user: ALICE })).status).toBe(200);
  });

  test("are completed at the next start, and keep what users added", async () => {
    const storage = memoryStorage();
    {
      await using server = await startRBACServer({ storage });
      await patch(server, `${ROLES}/system:discovery`, { rules: [pods], metadata: { labels: { mine: "1", "kubernetes.io/bootstrapping": "x" } } });
      await patch(server, `${ROLES}/system:monitoring`, {
        rules: [],
        metadata: { annotations: { "rbac.authorization.kubernetes.io/autoupdate": "false" } },
      });
      await patch(server, `${ROLES}/cluster-admin`, { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: "y" } }] } });
      await patch(server, `${BINDINGS}/system:basic-user`, { subjects: [subjectOf("User", "mine")] });
      await server.request("DELETE", `${BINDINGS}/system:discovery`);
      const body = { metadata: { name: "system:discovery" }, roleRef: roleRefOf("ClusterRole", "view"), subjects: [subjectOf("User", "mine")] };
      expect((await server.request("POST", BINDINGS, { body })).status).toBe(201);
      await server.request("DELETE", `${ROLES}/system:aggregate-to-view`);
      const mine = { metadata: { name: "mine" }, roleRef: roleRefOf("ClusterRole", "view"), subjects: [subjectOf("User", "me")] };
      await server.request("POST", BINDINGS, { body: mine });
    }
    await using server = await startRBACServer({ storage });
    const discovery = await read(server, `${ROLES}/system:discovery`);
    expect((discovery.rules as unknown[])[0]).toEqual(pods);
    expect(discovery.metadata.labels).toEqual({ mine: "1", "kubernetes.io/bootstrapping": "x" });
    expect((await server.request("GET", "/apis", { user: ALICE })).status).toBe(200);
    expect(await rulesOf(server, "system:monitoring")).toBeNull();
    expect(await read(server, `${ROLES}/cluster-admin`)).not.toHaveProperty("aggregationRule");
    expect((await read(server, `${BINDINGS}/system:basic-user`)).subjects).toEqual([
      subjectOf("User", "mine"),
      subjectOf("Group", "system:authenticated"),
    ]);
    expect(await read(server, `${BINDINGS}/system:discovery`)).toMatchObject({
      roleRef: { name: "system:discovery" },
      subjects: [subjectOf("Group", "system:authenticated")],
    });
    expect(await rulesOf(server, "view")).toHaveLength(3);
    expect((await server.request("GET", "/api/v1/namespaces", { user: userOf("me") })).status).toBe(200);
  });

  test("are not written again when nothing is missing", async () => {
    const storage = memoryStorage();
    const versions = async (server: RBACServer) =>
      [await read(server, ROLES), await read(server, BINDINGS)].flatMap(({ items }) => items.map(({ metadata }) => metadata.resourceVersion));
    let before: string[];
    {
      await using server = await startRBACServer({ storage });
      before = await versions(server);
    }
    await using server = await startRBACServer({ storage });
    expect(await versions(server)).toEqual(before);
  });
});

describe("what a role lacks", () => {
  const role = (fields: object): KubernetesObject => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "a" },
    rules: null,
    ...fields,
  });
  test.each<{ why: string; existing: object; expected: object; want: object }>([
    {
      why: "verbs, one rule each",
      existing: { rules: [pods] },
      expected: { rules: [{ ...pods, verbs: ["get", "list", "watch"] }] },
      want: { rules: [pods, { ...pods, verbs: ["list"] }, { ...pods, verbs: ["watch"] }] },
    },
    {
      why: "nothing, when more is there",
      existing: { rules: [{ ...pods, verbs: ["*"] }] },
      expected: { rules: [pods] },
      want: { rules: [{ ...pods, verbs: ["*"] }] },
    },
    {
      why: "a selector",
      existing: { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }] } },
      expected: { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { c: "d" } }, { matchLabels: { a: "b" } }] } },
      want: { aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: "b" } }, { matchLabels: { c: "d" } }] } },
    },
    {
      why: "an aggregation rule",
      existing: {},
      expected: { aggregationRule: { clusterRoleSelectors: [{}] } },
      want: { aggregationRule: { clusterRoleSelectors: [{}] } },
    },
  ])("$why", ({ existing, expected, want }) => {
    expect(reconciled(role(existing), role(expected))).toEqual({ ...role(want), metadata: { name: "a", labels: {}, annotations: {} } });
  });
});

describe("aggregation", () => {
  const created = async (server: RBACServer, name: string, fields: object, labels: object = {}) =>
    expect((await server.request("POST", ROLES, { body: { metadata: { name, labels }, ...fields } })).status).toBe(201);
  const selecting = (...labels: object[]) => ({ aggregationRule: { clusterRoleSelectors: labels.map((matchLabels) => ({ matchLabels })) } });
  const ruleOn = (resource: string) => ({ ...pods, resources: [resource] });

  test("gathers rules in the order of selectors and names, each once, and lives", async () => {
    await using server = await startRBACServer();
    await created(server, "all", { ...selecting({ b: "1" }, { a: "1" }), rules: [ruleOn("stomped")] }, { a: "1" });
    await settled();
    // Rules by hand stay while none are gathered, as with kube-controller-manager 1.36.
    expect(await rulesOf(server, "all")).toEqual([ruleOn("stomped")]);
    await created(server, "z", { rules: [ruleOn("z"), ruleOn("shared")] }, { a: "1" });
    await created(server, "y", { rules: [ruleOn("y"), ruleOn("shared")] }, { a: "1" });
    await created(server, "x", { rules: [ruleOn("x")] }, { b: "1" });
    await created(server, "other", { rules: [ruleOn("other")] });
    await settled();
    expect(await rulesOf(server, "all")).toEqual([ruleOn("x"), ruleOn("y"), ruleOn("shared"), ruleOn("z")]);
    await patch(server, `${ROLES}/all`, { rules: [ruleOn("by hand")] });
    await patch(server, `${ROLES}/y`, { metadata: { labels: { a: "2" } } });
    await settled();
    expect(await rulesOf(server, "all")).toEqual([ruleOn("x"), ruleOn("z"), ruleOn("shared")]);
    await server.request("DELETE", `${ROLES}/x`);
    await server.request("DELETE", `${ROLES}/z`);
    await settled();
    expect(await rulesOf(server, "all")).toBeNull();
  });

  test("applies the rules, by force", async () => {
    await using server = await startRBACServer();
    await created(server, "all", { ...selecting({ a: "1" }), rules: [ruleOn("by hand")] });
    await created(server, "x", { rules: [ruleOn("x")] }, { a: "1" });
    await settled();
    const controller = { manager: "clusterrole-aggregation-controller", operation: "Apply", fieldsV1: { "f:rules": {} } };
    const creator = { operation: "Update", fieldsV1: { "f:aggregationRule": { ".": {}, "f:clusterRoleSelectors": {} } } };
    const managers = async () => (await read(server, `${ROLES}/all`)).metadata.managedFields;
    expect(await managers()).toMatchObject([controller, creator]);
    const body = { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "all" }, rules: [ruleOn("applied")] };
    const headers = { "content-type": "application/apply-patch+yaml" };
    const apply = async (query: string) => (await server.request("PATCH", `${ROLES}/all?fieldManager=me${query}`, { body, headers })).json();
    const message = 'Apply failed with 1 conflict: conflict with "clusterrole-aggregation-controller": .rules';
    expect(await apply("")).toMatchObject({ code: 409, message });
    expect(await apply("&force=true")).toMatchObject({ rules: [ruleOn("applied")] });
    await settled();
    expect(await rulesOf(server, "all")).toEqual([ruleOn("x")]);
    expect(await managers()).toMatchObject([controller, creator]);
    await server.request("DELETE", `${ROLES}/x`);
    await settled();
    expect(await rulesOf(server, "all")).toBeNull();
    expect(await managers()).toMatchObject([creator]);
  });

  test("goes through several roles, also where they gather each other, and the rights with it", async () => {
    await using server = await startRBACServer();
    await created(server, "one", selecting({ two: "1" }), { one: "1" });
    await created(server, "two", selecting({ one: "1" }, { leaf: "1" }), { two: "1" });
    await created(server, "leaf", { rules: [{ verbs: ["list"], apiGroups: [""], resources: ["secrets"] }] }, { leaf: "1" });
    const body = { metadata: { name: "alice" }, roleRef: roleRefOf("ClusterRole", "one"), subjects: [subjectOf("Group", "devs")] };
    await server.request("POST", BINDINGS, { body });
    await settled();
    const version = (await read(server, `${ROLES}/one`)).metadata.resourceVersion;
    expect((await server.request("GET", "/api/v1/secrets", { user: ALICE })).status).toBe(200);
    await settled();
    expect((await read(server, `${ROLES}/one`)).metadata.resourceVersion).toBe(version);
  });

  test("of rules too long to be stored leaves the role as it is, and says so once", async () => {
    await using server = await startRBACServer();
    const bigRole = (name: string) =>
      created(
        server,
        name,
        { rules: Array.from({ length: 10 }, (_, at) => ({ ...pods, resourceNames: [`${name}${at}`.repeat(45_000)] })) },
        { a: "1" },
      );
    const until = (length: number) => vi.waitFor(async () => expect(await rulesOf(server, "all")).toHaveLength(length), { timeout: 10_000 });
    await created(server, "all", selecting({ a: "1" }));
    await bigRole("x");
    await until(10);
    await bigRole("y");
    await vi.waitFor(() => expect(server.warnings).toHaveLength(1), { timeout: 10_000 });
    await created(server, "other", selecting({ b: "1" }));
    await created(server, "small", { rules: [ruleOn("z")] }, { b: "1" });
    await vi.waitFor(async () => expect(await rulesOf(server, "other")).toEqual([ruleOn("z")]), { timeout: 10_000 });
    expect(await rulesOf(server, "all")).toHaveLength(10);
    const text = "a cluster role keeps its rules: those that it gathers are too long";
    expect(server.warnings).toEqual([[{ name: "all", maxCharacters: 1_572_864 }, text]]);
    await server.request("DELETE", `${ROLES}/x`);
    await patch(server, `${ROLES}/small`, { metadata: { labels: { a: "1" } } });
    await until(11);
  });

  test("what an author's kinds need is added to view by a label", async () => {
    await using server = await startRBACServer();
    const rules = [{ verbs: ["get", "list", "watch"], apiGroups: ["example.com"], resources: ["widgets"] }];
    await created(server, "widgets-view", { rules }, { "rbac.authorization.k8s.io/aggregate-to-view": "true" });
    await settled();
    for (const role of ["view", "edit", "admin"]) expect(await rulesOf(server, role)).toContainEqual(rules[0]);
  });
});

describe("a decision after a write", () => {
  test("knows of it, however soon it is asked for", async () => {
    await using server = await startRBACServer();
    const body = { metadata: { name: "alice" }, roleRef: roleRefOf("ClusterRole", "cluster-admin"), subjects: [subjectOf("User", "alice")] };
    for (let round = 0; round < 50; round++) {
      expect((await server.request("POST", BINDINGS, { body })).status).toBe(201);
      expect((await server.request("GET", "/api/v1/secrets", { user: ALICE })).status).toBe(200);
      expect((await server.request("DELETE", `${BINDINGS}/alice`)).status).toBe(200);
      expect((await server.request("GET", "/api/v1/secrets", { user: ALICE })).status).toBe(403);
    }
  });

  test("holds before the server has begun: it is no", async () => {
    const { createRBAC } = await import("./rbac.ts");
    const attributes = { type: "path", user: ALICE, verb: "get", path: "/healthz" } as const;
    expect(await createRBAC().authorizer.authorize(attributes, new AbortController())).toEqual({ decision: "NoOpinion", reason: "" });
  });
});
