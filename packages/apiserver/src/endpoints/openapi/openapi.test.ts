import { APIError, t } from "@annex/apimachinery";
import { describe, expect, test } from "vitest";
import { resourceFromCRD } from "../../definition/crd/index.ts";
import { defineResource, type Resource, type ResourceServices } from "../../definition/index.ts";
import type { ResourceVerbs } from "../../registry/verbs.ts";
import { type ServedResource, servedResource } from "../served-resource.ts";
import { versionInfo } from "../version.ts";
import { kindDefinitions } from "./kind-definitions.ts";
import { TYPE_META_PROPERTIES } from "./meta-definitions.ts";
import { openAPIDocuments } from "./openapi.ts";

const never = () => Promise.reject(new Error("OpenAPI calls no verb"));
const ALL: ResourceVerbs = { get: never, list: never, watch: never, create: never, update: never, delete: never, deleteCollection: never };
const META = "io.k8s.apimachinery.pkg.apis.meta.v1";
const NOW = Date.UTC(2026, 10, 23, 13, 0, 0);

const Widget = defineResource({
  group: "conformance.example.com",
  kind: "Widget",
  scope: "Namespaced",
  statusSubresource: true,
  selectableFields: ["spec.color"],
  versions: {
    v1: {
      description: "A Widget exercises every schema feature.",
      schema: {
        spec: t.object({
          color: t.literals(["red", "green", "blue"], { default: "red", description: "Paint of the widget." }),
          nick: t.optional(t.nullable(t.string())),
          port: t.optional(t.intOrString()),
          ports: t.optional(t.listMap(t.object({ port: t.integer({ format: "int32" }) }), { keys: ["port"] })),
          template: t.optional(t.embeddedResource()),
          source: t.optional(t.object({ url: t.optional(t.string()) }, { oneOf: [{ required: ["url"] }] })),
        }),
        status: t.object({}),
      },
    },
  },
});
const Secret = defineResource({
  group: "",
  kind: "Secret",
  scope: "Namespaced",
  isBuiltIn: true,
  allowsStrategicMergePatch: true,
  selectableFields: ["type"],
  versions: { v1: { schema: { data: t.optional(t.record(t.string({ format: "byte" }))), type: t.optional(t.string()) } } },
});
const Review = defineResource({ group: "reviews.example.com", kind: "Review", scope: "Cluster", versions: { v1: { schema: {} } } });

/** As the server makes it of a definition; no verb of these asks for services. */
const served = (resource: Resource, verbs: ResourceVerbs): ServedResource => servedResource(resource, verbs, {} as ResourceServices);
const SERVED: readonly ServedResource[] = [served(Widget, ALL), served(Secret, ALL), served(Review, { create: never })];
const openapi = openAPIDocuments(SERVED, { title: "Annex", version: "0.1.0" });

function get(path: string, query = "", headers: Record<string, string> = {}, from = openapi) {
  return from.respond({ path, query, headers, now: NOW });
}

// What comes out of JSON.parse is looked into freely here.
type Loose = ReturnType<typeof JSON.parse>;
function document(path: string, from = openapi): Loose {
  const body = get(path, "", {}, from)?.body;
  return JSON.parse(new TextDecoder().decode(body as Uint8Array));
}

const v3 = document("/openapi/v3/apis/conformance.example.com/v1");
const v2 = document("/openapi/v2");
const core = document("/openapi/v3/api/v1");
const names = (parameters: Loose = []) => parameters.map((parameter: Loose) => `${parameter.in}:${parameter.name}`).sort();
const query = (...wanted: string[]) => wanted.map((name) => `query:${name}`);

describe("answers", () => {
  const path = "/openapi/v3/apis/conformance.example.com/v1";
  const etag = String(get(path)?.headers.etag);
  const hash = etag.slice(1, -1);

  test("the index names each document by its hash", () => {
    const response = get("/openapi/v3", "", { accept: "text/plain" });
    expect(response).toMatchObject({ status: 200, headers: { "content-type": "application/json", "cache-control": "no-cache, private" } });
    expect(response?.headers).not.toHaveProperty("vary");
    const { paths } = document("/openapi/v3");
    expect(Object.keys(paths)).toEqual(["api", "api/v1", "apis", "apis/conformance.example.com/v1", "apis/reviews.example.com/v1", "version"]);
    for (const [name, { serverRelativeURL }] of Object.entries<Loose>(paths)) {
      const [documentPath, search] = serverRelativeURL.split("?");
      expect(documentPath).toBe(`/openapi/v3/${name}`);
      expect(get(documentPath, search)?.headers["cache-control"]).toBe("public, immutable");
    }
  });

  test("a document without a hash is asked for anew each time", () => {
    expect(etag).toMatch(/^"[0-9A-F]{64}"$/);
    for (const search of ["", "hash=", "timeout=32s"]) {
      expect(get(path, search)).toMatchObject({
        status: 200,
        headers: { "content-type": "application/json", "cache-control": "no-cache, private", etag, vary: "Accept" },
      });
      expect(get(path, search)?.headers).not.toHaveProperty("expires");
    }
  });

  test("the right hash lets the client keep the document for a year", () => {
    expect(get(path, `hash=${hash}&timeout=32s`)).toMatchObject({
      status: 200,
      headers: { "cache-control": "public, immutable", expires: "Tue, 23 Nov 2027 13:00:00 GMT", etag, vary: "Accept" },
    });
  });

  test("a wrong hash leads to the right one", () => {
    expect(get(path, "hash=0000")).toEqual({
      status: 301,
      headers: { "cache-control": "no-cache, private", "content-type": "application/json", etag, location: `${path}?hash=${hash}`, vary: "Accept" },
      body: undefined,
    });
    expect(() => get(path, "hash=0000", { accept: "text/plain" })).toThrow(APIError);
  });

  test.each(["/openapi/v2", "/openapi/v3", path])("%s answers 304 to those who have it", (place) => {
    const own = String(get(place)?.headers.etag);
    expect(get(place, "", { "if-none-match": own })).toMatchObject({ status: 304, body: undefined, headers: { etag: own } });
    expect(get(place, "", { "if-none-match": '"0000"' })?.status).toBe(200);
  });

  test("v2 is one document", () => {
    expect(get("/openapi/v2")).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "no-cache, private", vary: "Accept-Encoding, Accept" },
    });
  });

  test.each(["/openapi", "/openapi/v2/"])("has nothing at %s", (place) => expect(get(place)).toBeUndefined());

  test.each(["/openapi/v3/", "/openapi/v3/apis/conformance.example.com/v9", `${path}/`, "/openapi/v3/apis/nope"])(
    "%s is no document, and a 404 without a body",
    (place) => expect(get(place)).toEqual({ status: 404, headers: { "cache-control": "no-cache, private" }, body: undefined }),
  );

  test.each([
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf, application/json;q=0.5",
  ])("v2 is protobuf for who accepts %s", (accept) => {
    const json = get("/openapi/v2");
    const protobuf = get("/openapi/v2", "", { accept });
    expect(protobuf).toMatchObject({
      status: 200,
      headers: { ...json?.headers, "content-type": "application/com.github.proto-openapi.spec.v2.v1.0+protobuf" },
    });
    const begin = protobuf?.body instanceof Uint8Array ? protobuf.body.subarray(0, 14) : undefined;
    expect(new TextDecoder().decode(begin)).toBe("\n\u00032.0\u0012\u000e\n\u0005Annex");
    expect(get("/openapi/v2", "", { accept, "if-none-match": String(json?.headers.etag) })?.status).toBe(304);
  });

  test.each([
    "application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3.v1.0+protobuf",
    "text/plain, application/com.github.proto-openapi.spec.v3@v1.0+protobuf, application/json;q=0.5",
  ])("a v3 document is protobuf for who accepts %s", (accept) => {
    const contentType = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";
    const json = get(path, `hash=${hash}`);
    const protobuf = get(path, `hash=${hash}`, { accept });
    expect(protobuf).toMatchObject({ status: 200, headers: { ...json?.headers, "content-type": contentType } });
    const begin = protobuf?.body instanceof Uint8Array ? protobuf.body.subarray(0, 23) : undefined;
    expect(new TextDecoder().decode(begin)).toBe("\n\u00053.0.0\u0012\u000e\n\u0005Annex2\u00050.1.0");
    expect(get(path, "", { accept, "if-none-match": etag })?.status).toBe(304);
    expect(get(path, "hash=0000", { accept })?.headers["content-type"]).toBe(contentType);
    expect(get("/openapi/v3", "", { accept })?.headers["content-type"]).toBe("application/json");
  });

  test.each([
    "application/json, application/com.github.proto-openapi.spec.v3@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v3@v1.0+protobuf;q=0.5, application/json",
    "application/*",
    "*/*",
    "",
  ])("and JSON for who accepts %s", (accept) => expect(get(path, "", { accept })?.headers["content-type"]).toBe("application/json"));

  test.each([path, "/openapi/v2"])("%s is no YAML and no text", (place) => {
    expect(get(place, "", { accept: "application/yaml;q=1, */*;q=0.1" })?.status).toBe(200);
    let thrown: unknown;
    try {
      get(place, "", { accept: "text/plain" });
    } catch (error) {
      thrown = error;
    }
    expect(APIError.is(thrown) && thrown.reason).toBe("NotAcceptable");
  });

  test("a change of one group version leaves the others' hashes", () => {
    const less = openAPIDocuments(SERVED.slice(0, 2), { title: "Annex", version: "0.1.0" });
    expect(get(path, "", {}, less)?.headers.etag).toBe(etag);
    expect(get("/openapi/v2", "", {}, less)?.headers.etag).not.toBe(get("/openapi/v2")?.headers.etag);
  });
});

describe("definitions", () => {
  const schemas = v3.components.schemas;
  const widget = schemas["com.example.conformance.v1.Widget"];

  test("a document has what it refers to, and nothing else", () => {
    expect(Object.keys(schemas)).toEqual([
      "com.example.conformance.v1.Widget",
      "com.example.conformance.v1.WidgetList",
      ...[
        "DeleteOptions",
        "FieldsV1",
        "ListMeta",
        "ManagedFieldsEntry",
        "ObjectMeta",
        "OwnerReference",
        "Patch",
        "Preconditions",
        "Status",
        "StatusCause",
        "StatusDetails",
        "Time",
      ].map((name) => `${META}.${name}`),
    ]);
    for (const text of [JSON.stringify(v3), JSON.stringify(core)]) {
      for (const [, name] of text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)) expect(text).toContain(`"${name}":{`);
    }
    for (const [, name] of JSON.stringify(v2).matchAll(/"#\/definitions\/([^"]+)"/g)) expect(Object.keys(v2.definitions)).toContain(name);
  });

  test("a kind is its schema, with its metadata by reference", () => {
    expect(widget).toMatchObject({
      type: "object",
      description: "A Widget exercises every schema feature.",
      properties: {
        apiVersion: { type: "string" },
        kind: { type: "string" },
        metadata: { allOf: [{ $ref: `#/components/schemas/${META}.ObjectMeta` }] },
      },
      "x-kubernetes-group-version-kind": [{ group: "conformance.example.com", version: "v1", kind: "Widget" }],
      "x-kubernetes-selectable-fields": [{ fieldPath: "spec.color" }],
    });
    expect(widget.properties.spec.properties).toMatchObject({
      color: { type: "string", enum: ["red", "green", "blue"], default: "red", description: "Paint of the widget." },
      nick: { type: "string", nullable: true },
      port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
      ports: { type: "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["port"], items: { required: ["port"] } },
      source: { oneOf: [{ required: ["url"] }] },
    });
  });

  // Asked of kube-apiserver 1.36.
  test("its type is that of every object, whatever a CustomResourceDefinition says of it", () => {
    const own = { type: "string", enum: ["mine"] };
    const openAPIV3Schema = { type: "object", properties: { apiVersion: own, kind: own, metadata: { type: "object" }, spec: { type: "object" } } };
    const names = { kind: "Own", plural: "owns" };
    const resource = resourceFromCRD({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "owns.example.com" },
      spec: { group: "example.com", names, scope: "Cluster", versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema } }] },
    });
    const { apiVersion, kind } = kindDefinitions(resource, resource.storageVersion)["com.example.v1.Own"]?.properties ?? {};
    expect([apiVersion, kind]).toEqual(Object.values(TYPE_META_PROPERTIES));
  });

  // Asked of kube-apiserver 1.36.
  test("an int-or-string says what it is once, beside other alternatives", () => {
    const intOrString = [{ type: "integer" }, { type: "string" }];
    const anyOf = [{ minimum: 3 }, { pattern: "^a" }];
    const own = { "x-kubernetes-int-or-string": true };
    const properties = { said: { ...own, anyOf: intOrString }, saidFirst: { ...own, allOf: [{ anyOf: intOrString }] }, other: { ...own, anyOf } };
    const resource = resourceFromCRD({
      apiVersion: "apiextensions.k8s.io/v1",
      kind: "CustomResourceDefinition",
      metadata: { name: "owns.example.com" },
      spec: {
        group: "example.com",
        names: { kind: "Own", plural: "owns" },
        scope: "Cluster",
        versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties } } }],
      },
    });
    expect(kindDefinitions(resource, resource.storageVersion)["com.example.v1.Own"]?.properties).toMatchObject({
      ...properties,
      other: { ...own, anyOf, allOf: [{ anyOf: intOrString }] },
    });
  });

  test("an object without properties says nothing of them", () => expect(widget.properties.status).toEqual({ type: "object", default: {} }));

  test("an embedded object is known to be one", () => {
    expect(widget.properties.spec.properties.template).toMatchObject({
      required: ["kind", "apiVersion"],
      properties: { kind: { type: "string" }, metadata: { allOf: [{ $ref: `#/components/schemas/${META}.ObjectMeta` }] } },
    });
  });

  test("v2 says less of what it does not know", () => {
    const { spec, metadata } = v2.definitions["com.example.conformance.v1.Widget"].properties;
    expect(spec.properties.nick).toEqual({});
    expect(spec.properties.source).not.toHaveProperty("oneOf");
    expect(spec.properties.template).not.toHaveProperty("properties");
    expect(metadata).toEqual({ description: expect.any(String), $ref: `#/definitions/${META}.ObjectMeta` });
  });

  test("a list has its items by reference", () => {
    expect(schemas["com.example.conformance.v1.WidgetList"]).toMatchObject({
      required: ["items"],
      properties: { items: { type: "array", items: { $ref: "#/components/schemas/com.example.conformance.v1.Widget" } } },
      "x-kubernetes-group-version-kind": [{ group: "conformance.example.com", version: "v1", kind: "WidgetList" }],
      "x-kubernetes-selectable-fields": [{ fieldPath: "spec.color" }],
    });
  });

  test("metadata is taken apart as in Kubernetes, with the ownership of its lists", () => {
    expect(schemas[`${META}.ObjectMeta`].properties).toMatchObject({
      creationTimestamp: { allOf: [{ $ref: `#/components/schemas/${META}.Time` }] },
      finalizers: { "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge" },
      ownerReferences: { "x-kubernetes-list-map-keys": ["uid"], items: { $ref: `#/components/schemas/${META}.OwnerReference` } },
    });
  });

  test("the version of the server has its fields", () => {
    const info = document("/openapi/v3/version").components.schemas["io.k8s.apimachinery.pkg.version.Info"];
    expect(Object.keys(info.properties).sort()).toEqual(Object.keys(versionInfo("0.1.0", "linux/amd64")).sort());
    expect(info.required).not.toContain("emulationMajor");
  });

  test("built-in kinds have the names and the kinds that Kubernetes gives them", () => {
    expect(core.components.schemas["io.k8s.api.core.v1.Secret"]["x-kubernetes-group-version-kind"]).toEqual([
      { group: "", version: "v1", kind: "Secret" },
    ]);
    expect(core.components.schemas["io.k8s.api.core.v1.Secret"]).not.toHaveProperty("x-kubernetes-selectable-fields");
    expect(core.components.schemas[`${META}.DeleteOptions`]["x-kubernetes-group-version-kind"]).toEqual([
      { group: "", version: "v1", kind: "DeleteOptions" },
    ]);
    expect(schemas[`${META}.DeleteOptions`]["x-kubernetes-group-version-kind"]).toEqual([
      { group: "", version: "v1", kind: "DeleteOptions" },
      { group: "conformance.example.com", version: "v1", kind: "DeleteOptions" },
    ]);
  });
});

describe("operations", () => {
  const root = "/apis/conformance.example.com/v1";
  const collection = `${root}/namespaces/{namespace}/widgets`;
  const lists = query(
    "allowWatchBookmarks",
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "resourceVersionMatch",
    "sendInitialEvents",
  );
  const watches = [...lists, ...query("shardSelector", "timeoutSeconds", "watch")];

  test("paths are those that are served", () => {
    const places = ["", "/{name}", "/{name}/status"].map((rest) => `namespaces/{namespace}/widgets${rest}`);
    expect(Object.keys(v3.paths)).toEqual([...places, "widgets"].map((place) => `${root}/${place}`));
    const ofCore = ["", "namespaces/{namespace}/secrets", "namespaces/{namespace}/secrets/{name}", "secrets"];
    const watched = ["namespaces/{namespace}/secrets", "namespaces/{namespace}/secrets/{name}", "secrets"].map((place) => `watch/${place}`);
    expect(Object.keys(core.paths)).toEqual([...ofCore, ...watched].map((place) => `/api/v1/${place}`));
  });

  test.each([
    { path: collection, method: "get", action: "list", id: "listConformanceExampleComV1NamespacedWidget", parameters: watches, codes: ["200"] },
    {
      path: collection,
      method: "post",
      action: "post",
      id: "createConformanceExampleComV1NamespacedWidget",
      parameters: query("dryRun", "fieldManager", "fieldValidation"),
      codes: ["200", "201", "202"],
      body: ["application/json", "application/yaml"],
    },
    {
      path: collection,
      method: "delete",
      action: "deletecollection",
      id: "deleteConformanceExampleComV1CollectionNamespacedWidget",
      parameters: watches,
      codes: ["200"],
    },
    {
      path: `${collection}/{name}`,
      method: "get",
      action: "get",
      id: "readConformanceExampleComV1NamespacedWidget",
      parameters: query("resourceVersion"),
      codes: ["200"],
    },
    {
      path: `${collection}/{name}`,
      method: "put",
      action: "put",
      id: "replaceConformanceExampleComV1NamespacedWidget",
      parameters: query("dryRun", "fieldManager", "fieldValidation"),
      codes: ["200", "201"],
      body: ["application/json", "application/yaml"],
    },
    {
      path: `${collection}/{name}`,
      method: "patch",
      action: "patch",
      id: "patchConformanceExampleComV1NamespacedWidget",
      parameters: query("dryRun", "fieldManager", "fieldValidation", "force"),
      codes: ["200"],
      body: ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"],
    },
    {
      path: `${collection}/{name}`,
      method: "delete",
      action: "delete",
      id: "deleteConformanceExampleComV1NamespacedWidget",
      parameters: query("dryRun", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents", "propagationPolicy"),
      codes: ["200", "202"],
      body: ["application/json", "application/yaml"],
    },
    {
      path: `${collection}/{name}/status`,
      method: "patch",
      action: "patch",
      id: "patchConformanceExampleComV1NamespacedWidgetStatus",
      parameters: query("dryRun", "fieldManager", "fieldValidation", "force"),
      codes: ["200"],
      body: ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"],
    },
    {
      path: `${root}/widgets`,
      method: "get",
      action: "list",
      id: "listConformanceExampleComV1WidgetForAllNamespaces",
      parameters: [],
      codes: ["200"],
    },
  ])("$method $path: $id", ({ path, method, action, id, parameters, codes, body }) => {
    const operation = v3.paths[path][method];
    expect(operation).toMatchObject({
      operationId: id,
      tags: ["conformanceExampleCom_v1"],
      "x-kubernetes-action": action,
      "x-kubernetes-group-version-kind": { group: "conformance.example.com", version: "v1", kind: "Widget" },
    });
    expect(names(operation.parameters)).toEqual(parameters);
    expect(Object.keys(operation.responses)).toEqual([...codes, "401"]);
    expect(Object.keys(operation.requestBody?.content ?? {}).sort()).toEqual(body ?? []);
    const swagger = v2.paths[path][method];
    expect([...swagger.consumes].sort()).toEqual(body ?? ["application/json", "application/yaml"]);
    expect(names(swagger.parameters)).toEqual([...(body === undefined ? [] : ["body:body"]), ...parameters]);
  });

  test("what all operations of a path take is said once", () => {
    expect(names(v3.paths[collection].parameters)).toEqual(["path:namespace", "query:pretty"]);
    expect(names(v3.paths[`${collection}/{name}`].parameters)).toEqual(["path:name", "path:namespace", "query:pretty"]);
    expect(names(v3.paths[`${root}/widgets`].parameters)).toEqual([...watches, "query:pretty"].sort());
    expect(names(v2.paths[`${root}/widgets`].parameters)).toEqual([...watches, "query:pretty"].sort());
  });

  test("of built-in kinds anything is sent, also to delete collections, and strategic merge patches", () => {
    const secrets = "/api/v1/namespaces/{namespace}/secrets";
    const secret = core.paths[`${secrets}/{name}`];
    expect(Object.keys(secret.patch.requestBody.content)).toEqual([
      "application/json-patch+json",
      "application/merge-patch+json",
      "application/strategic-merge-patch+json",
      "application/apply-patch+yaml",
    ]);
    expect(Object.keys(secret.patch.responses)).toEqual(["200", "201", "401"]);
    for (const { requestBody } of [secret.put, secret.delete, core.paths[secrets].post, core.paths[secrets].delete]) {
      expect(Object.keys(requestBody.content)).toEqual(["*/*"]);
    }
    expect(names(core.paths[secrets].delete.parameters)).toEqual([
      ...query("continue", "dryRun", "fieldSelector", "gracePeriodSeconds", "ignoreStoreReadErrorWithClusterBreakingPotential", "labelSelector"),
      ...query("limit", "orphanDependents", "propagationPolicy", "resourceVersion", "resourceVersionMatch", "sendInitialEvents"),
      ...query("shardSelector", "timeoutSeconds"),
    ]);
    expect(secret.get.parameters).toBeUndefined();
    expect(v2.paths[`${secrets}/{name}`].get.consumes).toEqual(["*/*"]);
    expect(v2.paths["/api/v1/"].get.consumes).toEqual(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]);
    expect(secret.put.operationId).toBe("replaceCoreV1NamespacedSecret");
    expect(core.paths["/api/v1/watch/secrets"].get).toMatchObject({
      operationId: "watchCoreV1SecretListForAllNamespaces",
      "x-kubernetes-action": "watchlist",
    });
  });

  test("only verbs that exist are described", () => {
    const { paths } = document("/openapi/v3/apis/reviews.example.com/v1");
    expect(Object.keys(paths)).toEqual(["/apis/reviews.example.com/v1/reviews"]);
    expect(Object.keys(paths["/apis/reviews.example.com/v1/reviews"])).toEqual(["post", "parameters"]);
  });

  test("a list that cannot be watched does not say so", () => {
    const listed = openAPIDocuments([served(Review, { list: never })], { title: "Annex", version: "0.1.0" });
    const { paths } = document("/openapi/v3/apis/reviews.example.com/v1", listed);
    const { get: list, parameters } = paths["/apis/reviews.example.com/v1/reviews"];
    expect(names(parameters)).not.toContain("query:watch");
    expect(Object.keys(list.responses[200].content)).toEqual(["application/json", "application/yaml"]);
    expect(list.description).toBe("list objects of kind Review");
    expect(Object.keys(paths)).toHaveLength(1);
  });

  test("subresources have the parent's words, and their own kind", () => {
    const Order = defineResource({ group: "orders.k8s.io", kind: "Order", scope: "Namespaced", isBuiltIn: true, versions: { v1: { schema: {} } } });
    const Robot = defineResource({
      group: "",
      kind: "Robot",
      scope: "Namespaced",
      isBuiltIn: true,
      allowsStrategicMergePatch: true,
      updateSubresources: ["finalize"],
      subresources: {
        order: { kind: Order, verbs: (_parent, { get, update }) => ({ create: never, ...(get && { get }), ...(update && { update }) }) },
      },
      versions: { v1: { schema: {} } },
    });
    const robots = document("/openapi/v3/api/v1", openAPIDocuments([served(Robot, ALL)], { title: "Annex", version: "0.1.0" }));
    const path = "/api/v1/namespaces/{namespace}/robots/{name}";
    const order = robots.paths[`${path}/order`];
    expect(Object.keys(order)).toEqual(["get", "put", "post", "patch", "parameters"]);
    const gvk = { group: "orders.k8s.io", version: "v1", kind: "Order" };
    expect(order.post).toMatchObject({
      operationId: "createCoreV1NamespacedRobotOrder",
      description: "create order of a Robot",
      "x-kubernetes-action": "post",
      "x-kubernetes-group-version-kind": gvk,
    });
    expect(order.get).toMatchObject({ operationId: "readCoreV1NamespacedRobotOrder", description: "read order of the specified Robot" });
    expect(order.put.requestBody.content["*/*"].schema.$ref).toBe("#/components/schemas/io.k8s.api.orders.v1.Order");
    expect(Object.keys(order.patch.requestBody.content)).toContain("application/strategic-merge-patch+json");
    expect(names(order.parameters)).toEqual(["path:name", "path:namespace", "query:pretty"]);
    expect(robots.components.schemas["io.k8s.api.orders.v1.Order"]["x-kubernetes-group-version-kind"]).toEqual([gvk]);
    const finalize = robots.paths[`${path}/finalize`];
    expect(Object.keys(finalize)).toEqual(["put", "parameters"]);
    expect(finalize.put).toMatchObject({ operationId: "replaceCoreV1NamespacedRobotFinalize", "x-kubernetes-group-version-kind": { kind: "Robot" } });
    // Of kinds that are not compiled in, the parent is named.
    const Own = defineResource({
      ...{ group: "own.io", kind: "Own", scope: "Cluster" },
      subresources: { order: { kind: Order, verbs: () => ({ get: never }) } },
      versions: { v1: { schema: {} } },
    });
    const owns = document("/openapi/v3/apis/own.io/v1", openAPIDocuments([served(Own, {})], { title: "Annex", version: "0.1.0" }));
    const read = owns.paths["/apis/own.io/v1/owns/{name}/order"].get;
    expect(read["x-kubernetes-group-version-kind"]).toEqual({ group: "own.io", version: "v1", kind: "Own" });
    expect(read.responses["200"].content["application/json"].schema.$ref).toBe("#/components/schemas/io.k8s.api.orders.v1.Order");
  });

  test("operation ids are unique", () => {
    const ids = Object.values<Loose>(v2.paths).flatMap((item) =>
      Object.values<Loose>(item)
        .map(({ operationId }) => operationId)
        .filter((id) => id !== undefined),
    );
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(25);
  });
});
