import { APIError, t } from "@annex/apimachinery";
import { describe, expect, test } from "vitest";
import { defineResource, type Resource, type ResourceServices } from "../../definition/index.ts";
import type { ResourceVerbs } from "../../registry/verbs.ts";
import { type ServedResource, servedResource } from "../served-resource.ts";
import { discoveryDocuments } from "./discovery.ts";

const never = () => Promise.reject(new Error("discovery calls no verb"));
const ALL: ResourceVerbs = { get: never, list: never, watch: never, create: never, update: never, delete: never, deleteCollection: never };
const ALL_NAMES = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

const group = "wardle.example.com";
const Flunder = defineResource({
  group,
  kind: "Flunder",
  scope: "Namespaced",
  versions: {
    v1alpha1: { storage: true, schema: { spec: t.object({}) } },
    v1beta1: { schema: { spec: t.object({}) }, toStorage: (object) => object, fromStorage: (object) => object },
  },
});
const Fischer = defineResource({ group, kind: "Fischer", scope: "Cluster", versions: { v1alpha1: { schema: {} } } });
const Namespace = defineResource({
  group: "",
  kind: "Namespace",
  scope: "Cluster",
  shortNames: ["ns"],
  categories: ["all"],
  statusSubresource: true,
  versions: { v1: { schema: { spec: t.object({}), status: t.object({}) } } },
});
const Review = defineResource({
  group: "reviews.example.com",
  kind: "Review",
  scope: "Cluster",
  versions: { v1: { schema: {} } },
  handlers: { create: ({ object }) => object },
});

/** As the server makes it of a definition; no verb of these asks for services. */
const served = (resource: Resource, verbs: ResourceVerbs): ServedResource => servedResource(resource, verbs, {} as ResourceServices);
const { deleteCollection: _left, ...WITHOUT_COLLECTION } = ALL;
const SERVED: readonly ServedResource[] = [
  served(Flunder, ALL),
  served(Namespace, WITHOUT_COLLECTION),
  served(Fischer, ALL),
  served(Review, { create: never }),
];
const discovery = discoveryDocuments(SERVED, { serverAddress: "127.0.0.1:9443" });

function get(path: string, headers: Record<string, string> = {}, from = discovery, query = "") {
  const response = from.respond({ path, query, headers });
  const body = response?.body instanceof Uint8Array ? new TextDecoder().decode(response.body) : undefined;
  return { status: response?.status, headers: response?.headers, text: body, json: body?.startsWith("{") ? JSON.parse(body) : undefined };
}

const GROUP = {
  name: group,
  versions: [
    { groupVersion: "wardle.example.com/v1beta1", version: "v1beta1" },
    { groupVersion: "wardle.example.com/v1alpha1", version: "v1alpha1" },
  ],
  preferredVersion: { groupVersion: "wardle.example.com/v1beta1", version: "v1beta1" },
};

describe("the plain documents, as the Go servers answer them", () => {
  test.each([
    {
      path: "/api",
      want: { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: "127.0.0.1:9443" }] },
    },
    {
      path: "/apis",
      want: {
        kind: "APIGroupList",
        apiVersion: "v1",
        groups: [
          GROUP,
          {
            name: "reviews.example.com",
            versions: [{ groupVersion: "reviews.example.com/v1", version: "v1" }],
            preferredVersion: { groupVersion: "reviews.example.com/v1", version: "v1" },
          },
        ],
      },
    },
    { path: "/apis/wardle.example.com", want: { kind: "APIGroup", apiVersion: "v1", ...GROUP } },
    {
      path: "/apis/wardle.example.com/v1alpha1",
      want: {
        kind: "APIResourceList",
        apiVersion: "v1",
        groupVersion: "wardle.example.com/v1alpha1",
        resources: [
          { name: "fischers", singularName: "fischer", namespaced: false, kind: "Fischer", verbs: ALL_NAMES, storageVersionHash: "YS5qRiSxzNM=" },
          { name: "flunders", singularName: "flunder", namespaced: true, kind: "Flunder", verbs: ALL_NAMES, storageVersionHash: "UHqNx5H3K7A=" },
        ],
      },
    },
    {
      path: "/api/v1",
      want: {
        kind: "APIResourceList",
        groupVersion: "v1",
        resources: [
          {
            name: "namespaces",
            singularName: "namespace",
            namespaced: false,
            kind: "Namespace",
            verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
            shortNames: ["ns"],
            categories: ["all"],
            storageVersionHash: "Q3oi5N2YM8M=",
          },
          { name: "namespaces/status", singularName: "", namespaced: false, kind: "Namespace", verbs: ["get", "patch", "update"] },
        ],
      },
    },
    {
      path: "/apis/reviews.example.com/v1",
      want: {
        kind: "APIResourceList",
        apiVersion: "v1",
        groupVersion: "reviews.example.com/v1",
        resources: [{ name: "reviews", singularName: "review", namespaced: false, kind: "Review", verbs: ["create"] }],
      },
    },
  ])("GET $path, with and without a trailing slash", ({ path, want }) => {
    for (const spelling of [path, `${path}/`]) {
      const answer = get(spelling);
      expect(answer).toMatchObject({ status: 200, headers: { "content-type": "application/json", "cache-control": "no-cache, private" } });
      expect(answer.json).toEqual(want);
      expect(answer.headers).not.toHaveProperty("etag");
    }
  });

  test("lists every path that answers", () => {
    expect(discovery.paths).toEqual([
      "/api",
      "/api/v1",
      "/apis",
      "/apis/wardle.example.com",
      "/apis/wardle.example.com/v1beta1",
      "/apis/wardle.example.com/v1alpha1",
      "/apis/reviews.example.com",
      "/apis/reviews.example.com/v1",
    ]);
    for (const path of discovery.paths) expect(get(path).status).toBe(200);
  });

  test.each([
    "/",
    "/apis//",
    "/apis/nope.example.com",
    "/apis/wardle.example.com/v9",
    "/api/v2",
    "/apis/wardle.example.com/v1alpha1/flunders",
    "/version",
  ])("has nothing at %s", (path) => expect(get(path).status).toBeUndefined());

  test("has no /api where nothing is in the core group, and an empty list of groups where nothing is anywhere", () => {
    const empty = discoveryDocuments([]);
    expect(get("/api", {}, empty).status).toBeUndefined();
    expect(get("/apis", {}, empty).json).toEqual({ kind: "APIGroupList", apiVersion: "v1", groups: [] });
  });

  test("says that no address is known, if none is", () => {
    expect(get("/api", {}, discoveryDocuments(SERVED)).json.serverAddressByClientCIDRs).toEqual([]);
  });

  test("writes YAML, and indents for people", () => {
    expect(get("/apis/reviews.example.com", { accept: "application/yaml" })).toMatchObject({
      headers: { "content-type": "application/yaml" },
      text: expect.stringContaining("kind: APIGroup\nname: reviews.example.com\n"),
    });
    expect(get("/apis/reviews.example.com").text).not.toContain("\n");
    expect(get("/apis/reviews.example.com", { "user-agent": "curl/8.0" }).text).toContain('{\n  "kind"');
    expect(get("/apis/reviews.example.com", {}, discovery, "pretty=true").text).toContain('{\n  "kind"');
  });

  test.each([
    { path: "/apis", accept: "text/plain", message: "only the following media types are accepted: application/json, application/yaml" },
    {
      path: "/apis",
      accept: "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
      message: "only the following media types are accepted: application/json, application/yaml",
    },
    {
      path: "/apis/wardle.example.com/v1alpha1",
      accept: "text/plain",
      message: "406: Not Acceptable\n\nAvailable representations: application/json, application/yaml",
    },
  ])("refuses $accept at $path", ({ path, accept, message }) => {
    let thrown: unknown;
    try {
      get(path, { accept });
    } catch (error) {
      thrown = error;
    }
    expect(APIError.is(thrown) && { reason: thrown.reason, message: thrown.message }).toEqual({ reason: "NotAcceptable", message });
  });
});

describe("subresources", () => {
  const get1 = { get: never };
  const Scaled = defineResource({
    group,
    kind: "Scaled",
    scope: "Namespaced",
    statusSubresource: true,
    updateSubresources: ["finalize"],
    withoutVerbs: ["update"],
    subresources: {
      review: { kind: Review, verbs: () => ({ create: never }) },
      // Of the parent's own group and version.
      fish: { kind: Fischer, verbs: (_parent, { update }) => ({ get: never, ...(update === undefined ? {} : { update }) }) },
      // Only in one version of the parent.
      late: { kind: Review, verbs: (_parent, _verbs, _services, { name }) => (name === "v2" ? get1 : {}) },
    },
    versions: {
      v1alpha1: { storage: true, schema: { spec: t.object({}), status: t.object({}) } },
      v2: { schema: { spec: t.object({}), status: t.object({}) }, toStorage: (object) => object, fromStorage: (object) => object },
    },
  });
  const documents = discoveryDocuments([served(Scaled, ALL)]);
  const reviewType = { group: "reviews.example.com", version: "v1", kind: "Review" };

  test("have group and version of their kind where these are not the parent's", () => {
    const below = { singularName: "", namespaced: true };
    expect(get("/apis/wardle.example.com/v1alpha1", {}, documents).json.resources.slice(1)).toEqual([
      { ...below, name: "scaleds/fish", kind: "Fischer", verbs: ["get", "patch", "update"] },
      { ...below, name: "scaleds/review", ...reviewType, verbs: ["create"] },
      { ...below, name: "scaleds/status", kind: "Scaled", verbs: ["get"] },
    ]);
    expect(get("/apis/wardle.example.com/v2", {}, documents).json.resources.slice(1)).toEqual([
      { ...below, name: "scaleds/fish", group, version: "v1alpha1", kind: "Fischer", verbs: ["get", "patch", "update"] },
      { ...below, name: "scaleds/late", ...reviewType, verbs: ["get"] },
      { ...below, name: "scaleds/review", ...reviewType, verbs: ["create"] },
      { ...below, name: "scaleds/status", kind: "Scaled", verbs: ["get"] },
    ]);
  });

  test("so has the aggregated document, but both empty instead of absent", () => {
    const [, v1alpha1] = get("/apis", { accept: AGGREGATED }, documents).json.items[0].versions;
    expect(v1alpha1.resources[0].subresources).toEqual([
      { subresource: "fish", responseKind: { group: "", version: "", kind: "Fischer" }, verbs: ["get", "patch", "update"] },
      { subresource: "review", responseKind: reviewType, verbs: ["create"] },
      { subresource: "status", responseKind: { group: "", version: "", kind: "Scaled" }, verbs: ["get"] },
    ]);
  });
});

describe("the aggregated documents", () => {
  const responseKind = { group: "", version: "", kind: "Flunder" };
  const flunders = { resource: "flunders", responseKind, scope: "Namespaced", singularResource: "flunder", verbs: ALL_NAMES };

  test("GET /apis", () => {
    const answer = get("/apis", { accept: AGGREGATED });
    expect(answer).toMatchObject({ status: 200, headers: { "content-type": AGGREGATED, "cache-control": "public", vary: "Accept" } });
    expect(answer.headers?.etag).toMatch(/^"[0-9A-F]{64}"$/);
    expect(answer.json).toMatchObject({ kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {} });
    expect(answer.json.items[0]).toEqual({
      metadata: { name: group },
      versions: [
        { version: "v1beta1", resources: [flunders], freshness: "Current" },
        {
          version: "v1alpha1",
          resources: [
            {
              resource: "fischers",
              responseKind: { ...responseKind, kind: "Fischer" },
              scope: "Cluster",
              singularResource: "fischer",
              verbs: ALL_NAMES,
            },
            flunders,
          ],
          freshness: "Current",
        },
      ],
    });
  });

  test("GET /api, with a status subresource", () => {
    const namespace = { ...responseKind, kind: "Namespace" };
    expect(get("/api/", { accept: AGGREGATED }).json.items).toEqual([
      {
        metadata: {},
        versions: [
          {
            version: "v1",
            resources: [
              {
                resource: "namespaces",
                responseKind: namespace,
                scope: "Cluster",
                singularResource: "namespace",
                verbs: ["create", "delete", "get", "list", "patch", "update", "watch"],
                shortNames: ["ns"],
                categories: ["all"],
                subresources: [{ subresource: "status", responseKind: namespace, verbs: ["get", "patch", "update"] }],
              },
            ],
            freshness: "Current",
          },
        ],
      },
    ]);
  });

  test("a status subresource has the verbs that its resource can do", () => {
    const readOnly = discoveryDocuments([served(Namespace, { get: never })]);
    expect(get("/api/v1", {}, readOnly).json.resources.map(({ verbs }: { verbs: unknown }) => verbs)).toEqual([["get"], ["get"]]);
    const createOnly = discoveryDocuments([served(Namespace, { create: never })]);
    expect(get("/api/v1", {}, createOnly).json.resources).toHaveLength(1);
  });

  test.each([
    {
      accept: `${AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`,
      kind: "APIGroupDiscoveryList",
    },
    { accept: "application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json", kind: "APIGroupList" },
    { accept: "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json", kind: "APIGroupList" },
    { accept: "*/*", kind: "APIGroupList" },
  ])("answers $accept with $kind", ({ accept, kind }) => expect(get("/apis", { accept }).json.kind).toBe(kind));

  test("are not offered for a group alone", () => {
    expect(get("/apis/wardle.example.com", { accept: `${AGGREGATED},application/json` }).json.kind).toBe("APIGroup");
  });

  test("answer 304 to those who have them", () => {
    const etag = String(get("/apis", { accept: AGGREGATED }).headers?.etag);
    const answer = discovery.respond({ path: "/apis", query: "", headers: { accept: AGGREGATED, "if-none-match": etag } });
    expect(answer).toEqual({ status: 304, headers: { "cache-control": "public", etag, vary: "Accept" }, body: undefined });
    // Asked of sample-apiserver 0.36: no other form of the header is read.
    for (const ifNoneMatch of [`W/${etag}`, `"0000", ${etag}`, "*", '"0000"']) {
      expect(get("/apis", { accept: AGGREGATED, "if-none-match": ifNoneMatch }).status).toBe(200);
    }
    expect(get("/apis", { "if-none-match": etag }).status).toBe(200);
  });

  test("have another ETag once something else is served", () => {
    const etag = (served: readonly ServedResource[]) => get("/apis", { accept: AGGREGATED }, discoveryDocuments(served)).headers?.etag;
    expect(etag(SERVED)).toBe(etag(SERVED));
    expect(etag(SERVED)).not.toBe(etag(SERVED.slice(0, 3)));
  });
});

describe("the order of versions", () => {
  const same = { schema: {}, toStorage: (object: object) => object, fromStorage: (object: object) => object };
  const versions = { v2alpha1: same, v1: { ...same, storage: true }, v10beta1: same, v2: same, foo: same, v11: same };
  const Thing = defineResource({ group, kind: "Thing", scope: "Namespaced", versions });
  const orders = (...resources: Resource[]) => {
    const documents = discoveryDocuments(resources.map((resource) => served(resource, ALL)));
    const { versions: listed, preferredVersion } = get(`/apis/${group}`, {}, documents).json;
    const aggregated = get("/apis", { accept: AGGREGATED }, documents).json.items[0].versions;
    const names = (entries: readonly { readonly version: string }[]) => entries.map(({ version }) => version);
    expect(names(aggregated)).toEqual(names(listed));
    expect(get("/apis", {}, documents).json.groups[0]).toEqual({ name: group, versions: listed, preferredVersion });
    expect(listed[0]).toEqual(preferredVersion);
    return names(listed);
  };

  test("is that of Kubernetes' version priority", () => {
    expect(orders(Thing)).toEqual(["v11", "v2", "v1", "v10beta1", "v2alpha1", "foo"]);
    expect(Thing.versions.map(({ name }) => name)).toEqual(orders(Thing));
  });

  test("has the preferred one first, whichever kind names it", () => {
    const Preferring = defineResource({ group, kind: "Other", scope: "Namespaced", preferredVersion: "v1", versions });
    const want = ["v1", "v11", "v2", "v10beta1", "v2alpha1", "foo"];
    expect(Preferring.versions.map(({ name }) => name)).toEqual(want);
    for (const resources of [[Preferring], [Thing, Preferring], [Preferring, Thing]]) expect(orders(...resources)).toEqual(want);
  });

  test("is one for a group: kinds that prefer different versions are not served together", () => {
    const One = defineResource({ group, kind: "One", scope: "Namespaced", preferredVersion: "v1", versions });
    const Two = defineResource({ group, kind: "Two", scope: "Namespaced", preferredVersion: "v2", versions });
    expect(() => orders(One, Thing, Two)).toThrow(
      new TypeError("wardle.example.com: One prefers v1, Two prefers v2; a group has one preferred version"),
    );
    const Elsewhere = defineResource({ group: "other.example.com", kind: "Two", scope: "Namespaced", preferredVersion: "v2", versions });
    expect(orders(One, Elsewhere)[0]).toBe("v1");
  });

  test("does not know a preferred version that there is not", () => {
    // @ts-expect-error the types do not allow it either
    const define = () => defineResource({ group, kind: "Thing", scope: "Namespaced", preferredVersion: "v3", versions });
    expect(define).toThrow(new TypeError('Thing: preferredVersion: "v3" is none of v11, v2, v1, v10beta1, v2alpha1, foo'));
  });
});

test.each([
  { path: "/apis/wardle.example.com/v1beta1", type: "text/plain", code: 415 },
  { path: "/apis/wardle.example.com", type: "APPLICATION/JSON", code: 415 },
  { path: "/api/v1", type: "application/cbor", code: 415 },
  { path: "/api", type: "*/*", code: 415 },
  { path: "/api", type: "", code: undefined },
  { path: "/api", type: "a/b, application/yaml;x", code: undefined },
  { path: "/apis", type: "text/plain", code: undefined },
])("$path takes a Content-Type of '$type': $code", ({ path, type, code }) => {
  const read = () => get(path, { "content-type": type });
  if (code === undefined) expect(read().status).toBe(200);
  else expect(read).toThrow(expect.objectContaining({ code, message: "415: Unsupported Media Type" }));
});
