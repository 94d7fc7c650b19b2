import { settled } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { type CoreServer, MERGE_PATCH, NAMESPACES, secretsOf, startCoreServer, widgetsOf } from "../testing/core-server.ts";

const read = async (server: CoreServer, target: string) => (await server.request("GET", target)).json();
const create = (server: CoreServer, name: string, more: object = {}) => server.request("POST", NAMESPACES, { body: { metadata: { name, ...more } } });
const patch = (server: CoreServer, target: string, body: object) => server.request("PATCH", target, { body, headers: MERGE_PATCH });
/** Everything that happens in so many milliseconds. */
const pass = (server: CoreServer, ms: number) => server.clock.step(ms);

describe("namespaces", () => {
  test.each(["default", "kube-system", "kube-public"])("%s is there from the start and cannot be deleted", async (name) => {
    await using server = await startCoreServer();
    expect(await read(server, `${NAMESPACES}/${name}`)).toMatchObject({ status: { phase: "Active" }, spec: { finalizers: ["kubernetes"] } });
    for (const query of ["", "?dryRun=All"]) {
      expect((await server.request("DELETE", `${NAMESPACES}/${name}${query}`)).json()).toEqual({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: `namespaces "${name}" is forbidden: this namespace may not be deleted`,
        reason: "Forbidden",
        details: { name, kind: "namespaces" },
        code: 403,
      });
    }
    expect((await read(server, `${NAMESPACES}/${name}`)).status).toEqual({ phase: "Active" });
  });

  // Asked of kube-apiserver 1.36.
  test("a status that is dropped may be of any content, and fields have their managers", async () => {
    await using server = await startCoreServer();
    const created = (await server.request("POST", NAMESPACES, { body: { metadata: { name: "a" }, status: { conditions: [{}] } } })).json();
    expect(created).toMatchObject({ status: { phase: "Active" }, metadata: { managedFields: [{ operation: "Update" }] } });
    const body = { metadata: { name: "a" }, status: { conditions: [{}] } };
    expect((await server.request("PUT", `${NAMESPACES}/a/status`, { body })).json()).toMatchObject({
      status: { phase: "Active", conditions: [{ type: "", status: "" }] },
    });
  });

  test("kube-node-lease is there from the start, can be deleted, and comes again", async () => {
    await using server = await startCoreServer();
    const path = `${NAMESPACES}/kube-node-lease`;
    const { uid } = (await read(server, path)).metadata;
    server.startController();
    expect((await server.request("DELETE", path)).status).toBe(200);
    await expect.poll(async () => (await read(server, path)).metadata.uid).toSatisfy((next) => typeof next === "string" && next !== uid);
  });

  // Asked of kube-apiserver 1.36.
  test("show their age as text", async () => {
    await using server = await startCoreServer();
    const headers = { accept: "application/json;as=Table;g=meta.k8s.io;v=v1" };
    await pass(server, 90_000);
    const { columnDefinitions, rows } = (await server.request("GET", `${NAMESPACES}/default`, { headers })).json();
    expect(columnDefinitions.map(({ name, type }) => [name, type]).slice(1)).toEqual([
      ["Status", "string"],
      ["Age", "string"],
    ]);
    expect(rows[0]?.cells).toEqual(["default", "Active", "90s"]);
  });

  test("lie in the one version of the core group", async () => {
    await using server = await startCoreServer();
    expect(await read(server, "/api/v2")).toMatchObject({ code: 404, message: "the server could not find the requested resource", details: {} });
    expect(await read(server, "/apiv2")).toMatchObject({ paths: expect.arrayContaining(["/api/v1"]) });
  });

  test("belong to who applies them in what was written, and are active again without a phase", async () => {
    await using server = await startCoreServer();
    await create(server, "a");
    const apply = async (fields: object, subresource = "") => {
      const body = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" }, ...fields };
      const headers = { "content-type": "application/apply-patch+yaml" };
      return (await server.request("PATCH", `${NAMESPACES}/a${subresource}?fieldManager=me`, { body, headers })).json();
    };
    const labelled = await apply({ metadata: { name: "a", labels: { b: "c" } } });
    expect(labelled.metadata.labels).toEqual({ b: "c", "kubernetes.io/metadata.name": "a" });
    expect(labelled.metadata.managedFields[0]?.fieldsV1).toEqual({ "f:metadata": { "f:labels": { "f:b": {} } } });
    expect((await apply({ status: { phase: "Active", conditions: [{ type: "A", status: "True" }] } }, "/status")).status).toMatchObject({
      phase: "Active",
      conditions: [{ type: "A", status: "True" }],
    });
    expect((await apply({}, "/status")).status).toEqual({ phase: "Active" });
  });

  test("begin active, with their name as a label and the finalizer, whatever was sent", async () => {
    await using server = await startCoreServer();
    const body = {
      metadata: { name: "a", labels: { "kubernetes.io/metadata.name": "other", team: "x" } },
      spec: { finalizers: ["example.com/x"] },
      status: { phase: "Terminating" },
    };
    const created = (await server.request("POST", NAMESPACES, { body })).json();
    expect(created).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "a", team: "x" } },
      spec: { finalizers: ["example.com/x", "kubernetes"] },
      status: { phase: "Active" },
    });
    expect(created.metadata.generation).toBeUndefined();
    expect(created.metadata.managedFields[0]?.fieldsV1).toEqual({
      "f:metadata": { "f:labels": { ".": {}, "f:kubernetes.io/metadata.name": {}, "f:team": {} } },
      "f:spec": { "f:finalizers": {} },
    });
    const generated = (await server.request("POST", NAMESPACES, { body: { metadata: { generateName: "g-" } } })).json();
    expect(generated.metadata.labels).toEqual({ "kubernetes.io/metadata.name": generated.metadata.name });
    const replaced = await server.request("PUT", `${NAMESPACES}/a`, { body: { metadata: { name: "a" } } });
    expect(replaced.json()).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "a" } },
      spec: created.spec,
      status: { phase: "Active" },
    });
    expect((await patch(server, `${NAMESPACES}/a`, { metadata: { labels: null }, spec: { finalizers: [] } })).json()).toMatchObject({
      metadata: { labels: { "kubernetes.io/metadata.name": "a" } },
      spec: created.spec,
    });
  });

  test.each([
    { body: { metadata: { name: "a.b" } }, want: 'metadata.name: Invalid value: "a.b": must not contain dots' },
    {
      body: { metadata: { name: "a", finalizers: ["foo"] } },
      want: 'metadata.finalizers[0]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
    },
    {
      body: { metadata: { name: "a" }, spec: { finalizers: ["foo"] } },
      want: 'spec.finalizers: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
    },
  ])("are refused in Kubernetes' words: $want", async ({ body, want }) => {
    await using server = await startCoreServer();
    const refused = (await server.request("POST", NAMESPACES, { body })).json();
    expect(refused).toMatchObject({ code: 422, message: `Namespace "${body.metadata.name}" is invalid: ${want}` });
  });

  test.each([
    { metadata: { generateName: "a%" }, fields: ["metadata.generateName", "metadata.name"] },
    { metadata: { name: "a%" }, fields: ["metadata.name", "metadata.labels"] },
  ])("of $metadata the label with the name is told only where the name was sent", async ({ metadata, fields }) => {
    await using server = await startCoreServer();
    const { code, details } = (await server.request("POST", NAMESPACES, { body: { metadata } })).json();
    expect({ code, fields: details.causes.map(({ field }) => field) }).toEqual({ code: 422, fields });
  });

  test("a phase that does not fit is refused", async () => {
    await using server = await startCoreServer();
    await create(server, "a", { finalizers: ["example.com/hold"] });
    expect((await patch(server, `${NAMESPACES}/a/status`, { status: { phase: "Terminating" } })).json()).toMatchObject({
      code: 422,
      message: 'Namespace "a" is invalid: status.Phase: Invalid value: "Terminating": may only be \'Active\' if `deletionTimestamp` is empty',
    });
    await server.request("DELETE", `${NAMESPACES}/a`);
    expect((await patch(server, `${NAMESPACES}/a/status`, { status: { phase: "Active" } })).json()).toMatchObject({
      code: 422,
      message: 'Namespace "a" is invalid: status.Phase: Invalid value: "Active": may only be \'Terminating\' if `deletionTimestamp` is not empty',
    });
    const conditions = [{ type: "NamespaceContentRemaining", status: "True" }];
    expect((await patch(server, `${NAMESPACES}/a/status`, { status: { conditions } })).json().status).toEqual({ phase: "Terminating", conditions });
  });
});

describe("creating in a namespace", () => {
  test.each([secretsOf("gone"), widgetsOf("gone")])("that is not there is refused: %s", async (path) => {
    await using server = await startCoreServer();
    for (const query of ["", "?dryRun=All"]) {
      expect((await server.request("POST", `${path}${query}`, { body: { metadata: { name: "a" } } })).json()).toEqual({
        kind: "Status",
        apiVersion: "v1",
        metadata: {},
        status: "Failure",
        message: 'namespaces "gone" not found',
        reason: "NotFound",
        details: { name: "gone", kind: "namespaces" },
        code: 404,
      });
    }
  });

  test("that is being deleted is refused, with the cause", async () => {
    await using server = await startCoreServer();
    await create(server, "a");
    await server.request("POST", secretsOf("a"), { body: { metadata: { name: "old" } } });
    await server.request("DELETE", `${NAMESPACES}/a`);
    expect((await server.request("POST", secretsOf("a"), { body: { metadata: { name: "late" } } })).json()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: 'secrets "late" is forbidden: unable to create new content in namespace a because it is being terminated',
      reason: "Forbidden",
      details: {
        name: "late",
        kind: "secrets",
        causes: [{ reason: "NamespaceTerminating", message: "namespace a is being terminated", field: "metadata.namespace" }],
      },
      code: 403,
    });
    // Asked of kube-apiserver 1.36: no name is made up yet.
    const unnamed = (await server.request("POST", secretsOf("a"), { body: { metadata: { generateName: "late-" } } })).json();
    expect(unnamed.message).toBe('secrets "late-" is forbidden: unable to create new content in namespace a because it is being terminated');
    // What is there may still be changed and removed.
    expect((await patch(server, `${secretsOf("a")}/old`, { stringData: { a: "b" } })).status).toBe(200);
    expect((await server.request("DELETE", `${secretsOf("a")}/old`)).status).toBe(200);
  });
});

describe("deleting a namespace", () => {
  test("empties it, then lets it go", async () => {
    await using server = await startCoreServer();
    server.startController();
    await create(server, "a");
    await server.request("POST", secretsOf("a"), { body: { metadata: { name: "s" } } });
    await server.request("POST", widgetsOf("a"), { body: { metadata: { name: "w" } } });
    await server.request("POST", secretsOf("default"), { body: { metadata: { name: "s" } } });
    const deleted = (await server.request("DELETE", `${NAMESPACES}/a`)).json();
    expect(deleted).toMatchObject({ kind: "Namespace", metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" }, status: { phase: "Terminating" } });
    expect(deleted.metadata.deletionGracePeriodSeconds).toBeUndefined();
    await settled();
    expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(404);
    expect((await read(server, "/api/v1/secrets")).items.map(({ metadata }) => metadata.namespace)).toEqual(["default"]);
    expect((await read(server, "/apis/example.com/v1/widgets")).items).toEqual([]);
    expect((await create(server, "a")).status).toBe(201);
    expect((await read(server, secretsOf("a"))).items).toEqual([]);
  });

  test("waits for a finalizer inside", async () => {
    await using server = await startCoreServer();
    server.startController();
    await create(server, "a");
    await server.request("POST", widgetsOf("a"), { body: { metadata: { name: "w", finalizers: ["example.com/hold"] } } });
    await server.request("POST", secretsOf("a"), { body: { metadata: { name: "s" } } });
    await server.request("DELETE", `${NAMESPACES}/a`);
    await settled();
    await pass(server, 10_000);
    expect(await read(server, `${NAMESPACES}/a`)).toMatchObject({ status: { phase: "Terminating" }, spec: { finalizers: ["kubernetes"] } });
    expect((await read(server, secretsOf("a"))).items).toEqual([]);
    expect((await read(server, `${widgetsOf("a")}/w`)).metadata.deletionTimestamp).toBeDefined();
    const { conditions } = (await read(server, `${NAMESPACES}/a`)).status;
    // Asked of kube-apiserver 1.36 with its namespace controller.
    const at = { lastTransitionTime: "2026-01-01T00:00:00Z" };
    expect(conditions).toEqual([
      {
        type: "NamespaceDeletionDiscoveryFailure",
        status: "False",
        reason: "ResourcesDiscovered",
        message: "All resources successfully discovered",
        ...at,
      },
      {
        type: "NamespaceDeletionGroupVersionParsingFailure",
        status: "False",
        reason: "ParsedGroupVersions",
        message: "All legacy kube types successfully parsed",
        ...at,
      },
      {
        type: "NamespaceDeletionContentFailure",
        status: "False",
        reason: "ContentDeleted",
        message: "All content successfully deleted, may be waiting on finalization",
        ...at,
      },
      {
        type: "NamespaceContentRemaining",
        status: "True",
        reason: "SomeResourcesRemain",
        message: "Some resources are remaining: widgets.example.com has 1 resource instances",
        ...at,
      },
      {
        type: "NamespaceFinalizersRemaining",
        status: "True",
        reason: "SomeFinalizersRemain",
        message: "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances",
        ...at,
      },
    ]);
    await patch(server, `${widgetsOf("a")}/w`, { metadata: { finalizers: null } });
    await pass(server, 2_000);
    expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(404);
  });

  test.each([
    ["something is still held in it", false],
    ["what was held in it has just gone", true],
  ])("leaves alone a new one of its name, when %s", async (_when, isReleased) => {
    await using server = await startCoreServer();
    server.startController();
    const { metadata } = (await create(server, "a")).json();
    await server.request("POST", secretsOf("a"), { body: { metadata: { name: "held", finalizers: ["example.com/hold"] } } });
    await server.request("DELETE", `${NAMESPACES}/a`);
    await pass(server, 1_500);
    await server.request("PUT", `${NAMESPACES}/a/finalize`, { body: { metadata: { name: "a" }, spec: { finalizers: [] } } });
    expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(404);
    if (isReleased) await patch(server, `${secretsOf("a")}/held`, { metadata: { finalizers: null } });
    const next = (await create(server, "a")).json();
    expect(next.metadata.uid).not.toBe(metadata.uid);
    await server.request("POST", secretsOf("a"), { body: { metadata: { name: "precious" } } });
    await pass(server, 10_000);
    expect((await server.request("GET", `${secretsOf("a")}/precious`)).status).toBe(200);
    expect(await read(server, `${NAMESPACES}/a`)).toMatchObject({ spec: { finalizers: ["kubernetes"] }, status: { phase: "Active" } });
  });

  test("waits for a finalizer of its own", async () => {
    await using server = await startCoreServer();
    server.startController();
    await create(server, "a", { finalizers: ["example.com/hold"] });
    await server.request("DELETE", `${NAMESPACES}/a`);
    await pass(server, 5_000);
    const held = await read(server, `${NAMESPACES}/a`);
    expect(held).toMatchObject({ metadata: { finalizers: ["example.com/hold"] }, status: { phase: "Terminating" } });
    expect(held.status.conditions).toEqual(Array(5).fill(expect.objectContaining({ status: "False" })));
    await pass(server, 5_000);
    // Nothing is written where there is no news.
    expect((await read(server, `${NAMESPACES}/a`)).metadata.resourceVersion).toBe(held.metadata.resourceVersion);
    await patch(server, `${NAMESPACES}/a`, { metadata: { finalizers: null } });
    await pass(server, 2_000);
    expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(404);
  });

  test("goes on when the server starts anew", async () => {
    await using server = await startCoreServer();
    await create(server, "a");
    await server.request("POST", secretsOf("a"), { body: { metadata: { name: "s" } } });
    await server.request("DELETE", `${NAMESPACES}/a`);
    expect((await read(server, `${NAMESPACES}/a`)).status).toEqual({ phase: "Terminating" });
    server.startController();
    await settled();
    expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(404);
  });

  test("PUT of finalize sets the finalizers of the spec, and nothing else does", async () => {
    await using server = await startCoreServer();
    const created = (await create(server, "a")).json();
    const body = { ...created, spec: { finalizers: ["example.com/x"] }, status: { phase: "Terminating" } };
    expect((await server.request("PUT", `${NAMESPACES}/a/finalize`, { body })).json()).toMatchObject({
      spec: { finalizers: ["example.com/x"] },
      status: { phase: "Active" },
    });
    const wrong = { metadata: { name: "a" }, spec: { finalizers: ["foo"] } };
    expect((await server.request("PUT", `${NAMESPACES}/a/finalize`, { body: wrong })).json()).toMatchObject({
      code: 422,
      message:
        'Namespace "a" is invalid: spec.finalizers[0]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
    });
    for (const method of ["GET", "DELETE"]) expect((await server.request(method, `${NAMESPACES}/a/finalize`)).status).toBe(405);
    await server.request("DELETE", `${NAMESPACES}/a`);
    await server.request("PUT", `${NAMESPACES}/a/finalize`, { body: { metadata: { name: "a" }, spec: { finalizers: [] } } });
    expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(404);
  });
});

test("namespaces are deleted one by one", async () => {
  await using server = await startCoreServer();
  await create(server, "a");
  expect((await server.request("DELETE", NAMESPACES)).json()).toMatchObject({ code: 405, reason: "MethodNotAllowed" });
  expect((await server.request("GET", `${NAMESPACES}/a`)).status).toBe(200);
});

test("lists of namespaces can be asked for by phase", async () => {
  await using server = await startCoreServer();
  await create(server, "a", { finalizers: ["example.com/hold"] });
  await server.request("DELETE", `${NAMESPACES}/a`);
  const namesOf = async (query: string) => (await read(server, `${NAMESPACES}?fieldSelector=${query}`)).items.map(({ metadata }) => metadata.name);
  expect(await namesOf("status.phase%3DTerminating")).toEqual(["a"]);
  expect(await namesOf("status.phase%3DActive")).toEqual(["default", "kube-node-lease", "kube-public", "kube-system"]);
});
