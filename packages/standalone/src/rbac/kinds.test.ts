import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RBACServer, startRBACServer } from "../testing/rbac-server.ts";

interface Step {
  readonly method: string;
  readonly path: string;
  readonly contentType: string;
  readonly body: unknown;
  readonly status: number;
  readonly message?: string;
  readonly details?: unknown;
  readonly warnings?: readonly string[];
  readonly object?: { readonly metadata: object };
}

/** What kube-apiserver 1.36.3 answered, without uid, times and versions. */
const recorded = JSON.parse(await readFile(new URL("../testing/rbac-kinds.json", import.meta.url), "utf8")) as readonly Step[];

describe("the kinds, as kube-apiserver has them", () => {
  let server: RBACServer;
  beforeAll(async () => {
    server = await startRBACServer();
    await server.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "rbac-v" } } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test.each(["roles", "rolebindings", "clusterroles", "clusterrolebindings"])("a table of no %s has rows: none", async (resource) => {
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const answer = await server.request("GET", `/apis/rbac.authorization.k8s.io/v1/${resource}?labelSelector=none`, { headers });
    expect(answer.json().rows).toEqual([]);
  });

  test.each<{ resource: string; columns: readonly string[] }>([
    { resource: "roles", columns: ["Name", "Created At"] },
    { resource: "clusterroles", columns: ["Name", "Created At"] },
    { resource: "rolebindings", columns: ["Name", "Role", "Age", "Users", "Groups", "ServiceAccounts"] },
    { resource: "clusterrolebindings", columns: ["Name", "Role", "Age", "Users", "Groups", "ServiceAccounts"] },
  ])("a table of $resource has the columns $columns", async ({ resource, columns }) => {
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const { columnDefinitions } = (await server.request("GET", `/apis/rbac.authorization.k8s.io/v1/${resource}`, { headers })).json();
    expect(columnDefinitions.map(({ name }: { name: string }) => name)).toEqual(columns);
  });

  test.each<{ path: string; cells: readonly unknown[] }>([
    { path: "/api/v1/secrets", cells: ["", "", 0, "<unknown>"] },
    { path: "/api/v1/namespaces", cells: ["", "", "<unknown>"] },
    { path: "/apis/rbac.authorization.k8s.io/v1/roles", cells: ["", "0001-01-01T00:00:00Z"] },
    { path: "/apis/rbac.authorization.k8s.io/v1/rolebindings", cells: ["", "/", "<unknown>", "", "", ""] },
  ])("the bookmark of a watch of tables at $path has the cells of an empty object", async ({ path, cells }) => {
    const headers = { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" };
    const query = "watch=1&sendInitialEvents=true&allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&labelSelector=none";
    const watch = await server.request("GET", `${path}?${query}`, { headers });
    for await (const { type, object } of watch.events()) {
      expect({ type, cells: object.rows[0]?.cells }).toEqual({ type: "BOOKMARK", cells });
      break;
    }
  });

  test.each(["Role", "ClusterRole"])("the rules of a %s have their type in OpenAPI v2, for kubectl explain", async (kind) => {
    const { definitions } = JSON.parse((await server.request("GET", "/openapi/v2")).text);
    const { description: _description, ...rules } = definitions[`io.k8s.api.rbac.v1.${kind}`].properties.rules;
    expect(rules).toEqual({ type: "array", items: { $ref: "#/definitions/io.k8s.api.rbac.v1.PolicyRule" }, "x-kubernetes-list-type": "atomic" });
  });

  test.each(recorded.map((step, index) => ({ ...step, index, text: JSON.stringify(step.body) })))(
    "$index $method $path $text: $status",
    async (step) => {
      const { method, path, contentType, body, status, message, details, object, warnings } = step;
      const answer = await server.request(method, path, { headers: { "content-type": contentType }, ...(body === null ? {} : { body }) });
      const json = answer.json();
      expect({ status: answer.status, message: status < 400 ? undefined : json.message }).toEqual({ status, message });
      if (status >= 400) expect(json.details ?? null).toEqual(details);
      if (warnings !== undefined) expect(answer.headers.warning).toEqual(warnings);
      if (object === undefined) return;
      const { uid: _uid, creationTimestamp: _time, resourceVersion: _version, managedFields, ...metadata } = json.metadata;
      // In Go an empty list is one until it is stored, and has an owner; here it is none.
      const expected = JSON.stringify(body).endsWith('"rules":[]}') && method === "POST" ? { ...object, metadata: { name: "v-x" } } : object;
      const fields = (managedFields ?? []).map(({ manager: _manager, time: _written, ...entry }) => entry);
      expect({ ...json, metadata: { ...metadata, ...(fields.length === 0 ? {} : { managedFields: fields }) } }).toEqual(expected);
    },
  );
});
