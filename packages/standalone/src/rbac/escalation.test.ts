import { readFile } from "node:fs/promises";
import { ADMIN } from "@annex/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { RBAC_V1, type RBACServer, roleRefOf, startRBACServer, subjectOf, userOf } from "../testing/rbac-server.ts";

interface Case {
  readonly why: string;
  readonly user: string;
  readonly groups: readonly string[];
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: unknown;
  readonly status: number;
  readonly message?: string;
  readonly reason?: string;
  readonly details?: unknown;
}

/** What kube-apiserver 1.36.3 answered to each of them, in this order. */
const recorded = JSON.parse(await readFile(new URL("../testing/escalation.json", import.meta.url), "utf8")) as {
  readonly setup: readonly { readonly path: string; readonly body: unknown }[];
  readonly cases: readonly Case[];
};

/** Where Go answers otherwise: docs/differences.md. */
const DIFFERENCES: Readonly<Record<string, Partial<Case>>> = {
  // A 500 in Go.
  "unknown kind": {
    status: 422,
    message: 'RoleBinding.rbac.authorization.k8s.io "b9" is invalid: roleRef.kind: Unsupported value: "X": supported values: "Role", "ClusterRole"',
    reason: "Invalid",
    details: expect.anything(),
  },
  // Go compares what was sent, which lacks the server's metadata; nothing is granted by what changes nothing.
  "PUT of the same": { status: 200, message: "" },
};

describe("escalation, as kube-apiserver has it", () => {
  let server: RBACServer;
  beforeAll(async () => {
    server = await startRBACServer();
    await server.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "rbac-e" } } });
    for (const { path, body } of recorded.setup) expect((await server.request("POST", path, { body })).status).toBe(201);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(recorded.cases.map((one) => ({ ...one, ...DIFFERENCES[one.why] })))("$why: $status", async (one) => {
    const { user: name, groups, method, path, contentType, body, status, message, reason, details } = one;
    const answer = await server.request(method, path, {
      user: userOf(name, ...groups),
      headers: { "content-type": contentType },
      ...(body === null ? {} : { body }),
    });
    expect({ status: answer.status, message: answer.status < 400 ? "" : answer.json().message }).toEqual({ status, message: message ?? "" });
    if (status >= 400) expect(answer.json()).toMatchObject({ reason, ...(details === null ? {} : { details }) });
  });
});

// Asked of kube-apiserver 1.36.
describe("a role of a name that there cannot be is nobody's to bind, and refused by validation to whom may bind all", () => {
  let server: RBACServer;
  beforeAll(async () => {
    server = await startRBACServer();
    const rules = [{ apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterrolebindings", "rolebindings"], verbs: ["create"] }];
    await server.request("POST", `${RBAC_V1}/clusterroles`, { body: { metadata: { name: "manager" }, rules } });
    const body = { metadata: { name: "bob" }, roleRef: roleRefOf("ClusterRole", "manager"), subjects: [subjectOf("User", "bob")] };
    expect((await server.request("POST", `${RBAC_V1}/clusterrolebindings`, { body })).status).toBe(201);
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each([
    { kind: "ClusterRole", name: "", message: "Name parameter required." },
    { kind: "ClusterRole", name: ".", message: `Name parameter invalid: ".": may not be '.'` },
    { kind: "ClusterRole", name: "/%", message: `Name parameter invalid: "/%": may not contain '/';may not contain '%'` },
    { kind: "Role", name: "", message: "Namespace parameter required." },
    { kind: "Role", name: "", namespace: "default", message: "Name parameter required." },
    { kind: "Role", name: "a/b", namespace: "default", message: `Name parameter invalid: "a/b": may not contain '/'` },
  ] as const)("$kind $name", async ({ kind, name, message, ...place }) => {
    const path = "namespace" in place ? `${RBAC_V1}/namespaces/${place.namespace}/rolebindings` : `${RBAC_V1}/clusterrolebindings`;
    const body = { metadata: { name: "x" }, roleRef: roleRefOf(kind, name) };
    expect((await server.request("POST", path, { body, user: userOf("bob") })).json()).toMatchObject({ code: 400, reason: "BadRequest", message });
    expect((await server.request("POST", path, { body })).json()).toMatchObject({ code: 422, reason: "Invalid" });
  });
});

// Asked of kube-apiserver 1.36: the name of the request counts, which a POST has not.
test("`escalate` of a name is enough for a PUT that creates it, and not for a POST", async () => {
  await using server = await startRBACServer();
  const onRoles = { apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"] };
  const rules = [
    { ...onRoles, verbs: ["create", "update"] },
    { ...onRoles, verbs: ["escalate"], resourceNames: ["r1"] },
  ];
  await server.request("POST", `${RBAC_V1}/clusterroles`, { body: { metadata: { name: "escalates" }, rules } });
  const binding = { metadata: { name: "bob" }, roleRef: roleRefOf("ClusterRole", "escalates"), subjects: [subjectOf("User", "bob")] };
  await server.request("POST", `${RBAC_V1}/clusterrolebindings`, { body: binding });
  const write = async (method: string, path: string, name: string) => {
    const body = { metadata: { name }, rules: [{ verbs: ["delete"], apiGroups: [""], resources: ["secrets"] }] };
    return (await server.request(method, `${RBAC_V1}/clusterroles${path}`, { body, user: userOf("bob") })).status;
  };
  expect([await write("POST", "", "r1"), await write("PUT", "/r2", "r2"), await write("PUT", "/r1", "r1")]).toEqual([403, 403, 201]);
});

describe("what is too much to be told", () => {
  const bob = userOf("bob");
  const list = (length: number, make = (index: number) => `x${index}`) => Array.from({ length }, (_, index) => make(index));

  async function startWithBob() {
    const server = await startRBACServer();
    const rules = [{ verbs: ["*"], apiGroups: ["rbac.authorization.k8s.io"], resources: ["clusterroles"], resourceNames: [] }];
    const body = {
      metadata: { name: "manager" },
      rules: [
        { ...rules[0], verbs: ["create"] },
        { verbs: ["get"], apiGroups: list(300), resources: ["*"] },
      ],
    };
    await server.request("POST", `${RBAC_V1}/clusterroles`, { body });
    const binding = { metadata: { name: "bob" }, roleRef: roleRefOf("ClusterRole", "manager"), subjects: [subjectOf("User", "bob")] };
    expect((await server.request("POST", `${RBAC_V1}/clusterrolebindings`, { body: binding })).status).toBe(201);
    return server;
  }

  test.each([
    { why: "permissions", rule: { verbs: list(101), apiGroups: list(100), resources: ["a"] } },
    { why: "names", rule: { verbs: list(101), apiGroups: ["a"], resources: ["a"], resourceNames: list(100) } },
    { why: "paths", rule: { verbs: list(101), nonResourceURLs: list(100, (index) => `/${index}`) } },
    { why: "text", rule: { verbs: ["update"], apiGroups: ["g".repeat(10_000)], resources: list(200) } },
  ])("$why", async ({ rule }) => {
    await using server = await startWithBob();
    const answer = await server.request("POST", `${RBAC_V1}/clusterroles`, { body: { metadata: { name: "big" }, rules: [rule] }, user: bob });
    expect(answer.json()).toMatchObject({ code: 403, message: expect.stringMatching(/not currently held:\nmore than 10000 permissions$/) });
    expect((await server.request("GET", `${RBAC_V1}/clusterroles/big`)).status).toBe(404);
  });

  test("is no matter where one rule covers it", async () => {
    await using server = await startWithBob();
    const rules = [{ verbs: ["get"], apiGroups: list(300), resources: list(300) }];
    expect((await server.request("POST", `${RBAC_V1}/clusterroles`, { body: { metadata: { name: "big" }, rules }, user: bob })).status).toBe(201);
    const one = { ...ADMIN, name: "root" };
    const all = [{ verbs: list(1_000), apiGroups: list(1_000), resources: list(1_000) }];
    expect((await server.request("POST", `${RBAC_V1}/clusterroles`, { body: { metadata: { name: "all" }, rules: all }, user: one })).status).toBe(
      201,
    );
  });
});
