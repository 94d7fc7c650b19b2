import { t } from "@annex/apimachinery";
import { type HarnessResponse, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { defineResource } from "../definition/index.ts";

const schema = { spec: t.object({ n: t.optional(t.integer()) }), status: t.object({}) };
const Thing = defineResource({
  group: "example.com",
  kind: "Thing",
  scope: "Namespaced",
  isBuiltIn: true,
  withoutVerbs: ["deleteCollection"],
  versions: {
    v1alpha1: { deprecated: "old", schema, toStorage: (object) => object, fromStorage: (object) => object },
    v1: { storage: true, schema },
  },
});
const Wide = defineResource({
  group: "example.com",
  kind: "Wide",
  scope: "Cluster",
  statusSubresource: true,
  updateSubresources: ["finalize"],
  versions: { v1: { schema } },
});
const V1 = "/apis/example.com/v1";
const OLD = "/apis/example.com/v1alpha1";
const THINGS = `${V1}/namespaces/default/things`;
const OLD_THINGS = `${OLD}/namespaces/default/things`;
const body = (apiVersion: string, name: string) => ({ apiVersion, kind: "Thing", metadata: { name } });

describe("places that there are not", () => {
  test.each([
    ["GET", `${V1}/nothings`],
    ["GET", "/apis/example.com/v9/things"],
    ["GET", "/apis/example.com/v9"],
    ["GET", `${V1}/things/a`],
    ["GET", `${V1}/namespaces/default/wides`],
    ["GET", `${THINGS}/a/status`],
    ["GET", `${THINGS}/a/b/c`],
    ["GET", `${V1}/wides/a/scale`],
  ])("%s %s is 404", async (method, path) => {
    await using server = await startHarness([Thing, Wide]);
    const answer = (await server.request(method, path)).json();
    expect(answer).toMatchObject({ code: 404, message: "the server could not find the requested resource", details: {} });
  });

  test("any other path is 404 with the list of those that there are", async () => {
    await using server = await startHarness([Thing]);
    for (const path of ["/nope", "/apis/other.example.com/v1"]) {
      const answer = await server.request("GET", path);
      expect(answer.status).toBe(404);
      expect(answer.json().paths).toContain("/apis/example.com");
    }
  });
});

// Asked of kube-apiserver 1.36.
test.each([
  { path: "/version/", status: 200 },
  { path: "/apis/", status: 200 },
  { path: "/apis/example.com/", status: 200 },
  { path: "/apis/example.com/v1/", status: 200 },
  { path: "/openapi/v2/", status: 404 },
  { path: "/openapi/v3/", status: 404 },
  { path: "/openapi/v3/apis/example.com/v1/", status: 404 },
  { path: "/healthz/", status: 404 },
  { path: "/metrics/", status: 404 },
])("a slash at the end: $path is $status", async ({ path, status }) => {
  const metrics = { requests: COUNTS_NOTHING, render: async () => ({ contentType: "text/plain", text: "" }) };
  await using server = await startHarness([Thing], { metrics });
  expect((await server.request("GET", path)).status).toBe(status);
  expect((await server.request("GET", path.slice(0, -1))).status).toBe(200);
});

const ignore = () => undefined;
const COUNTS_NOTHING = {
  observeRequest: ignore,
  countAuthentication: ignore,
  countAuthorization: ignore,
  setInflight: ignore,
  longRunningStarted: ignore,
  longRunningEnded: ignore,
};

describe("verbs that a place does not have", () => {
  test.each([
    ["POST", `${THINGS}/a`],
    ["PUT", THINGS],
    ["PATCH", THINGS],
    ["POST", `${V1}/things`],
    ["DELETE", `${V1}/things`],
    ["DELETE", THINGS],
    ["OPTIONS", THINGS],
    ["HEAD", `${THINGS}/a`],
    ["POST", `${V1}/wides/a/status`],
    ["DELETE", `${V1}/wides/a/status`],
    ["GET", `${V1}/wides/a/finalize`],
    ["PATCH", `${V1}/wides/a/finalize`],
    ["POST", `${V1}/watch/namespaces/default/things`],
    ["HEAD", `${V1}/watch/namespaces/default/things`],
    ["DELETE", `${V1}/watch/namespaces/default/things`],
    ["PUT", `${V1}/watch/namespaces/default/things/a`],
    ["PATCH", `${V1}/watch/namespaces/default/things/a`],
    ["DELETE", `${V1}/watch/namespaces/default/things/a`],
    ["POST", "/version"],
    ["HEAD", "/apis"],
    ["DELETE", "/openapi/v3"],
  ])("%s %s is 405", async (method, path) => {
    await using server = await startHarness([Thing, Wide]);
    const answer = (await server.request(method, path, method === "GET" ? {} : { body: {} })).json();
    expect(answer).toMatchObject({ code: 405, message: "the server does not allow this method on the requested resource", details: {} });
  });

  test("HEAD of OpenAPI is answered, as Kubernetes does", async () => {
    await using server = await startHarness([Thing]);
    expect((await server.request("HEAD", "/openapi/v3")).status).toBe(200);
  });
});

describe("the warning of a deprecated version", () => {
  const warnings = ({ headers }: HarnessResponse) => headers.warning;

  test("comes with whatever reaches the resource", async () => {
    await using server = await startHarness([Thing]);
    const created = await server.request("POST", OLD_THINGS, { body: body("example.com/v1alpha1", "a") });
    expect(created.status).toBe(201);
    expect(warnings(created)).toEqual(['299 - "old"']);
    for (const path of [`${OLD_THINGS}/a`, `${OLD_THINGS}/none`, OLD_THINGS, `${OLD_THINGS}?limit=x`])
      expect(warnings(await server.request("GET", path))).toEqual(['299 - "old"']);
    const accept = "application/json;as=Odd;v=v1;g=meta.k8s.io";
    expect(warnings(await server.request("GET", OLD_THINGS, { headers: { accept } }))).toEqual(['299 - "old"']);
  });

  test.each([
    ["HEAD", `${OLD_THINGS}/a`, {}],
    ["POST", `${OLD_THINGS}/a`, {}],
    ["GET", `${OLD_THINGS}/a/status`, {}],
    ["GET", OLD_THINGS, { accept: "text/html" }],
    ["PATCH", `${OLD_THINGS}/a`, { "content-type": "text/plain" }],
    ["GET", THINGS, {}],
  ])("and not with %s %s %o", async (method, path, headers) => {
    await using server = await startHarness([Thing]);
    expect(warnings(await server.request(method, path, { headers, ...(method === "GET" ? {} : { body: "{}" }) }))).toBeUndefined();
  });
});

describe("bodies", () => {
  test("an object of another version is told its unknown fields, then refused", async () => {
    await using server = await startHarness([Thing]);
    const sent = { ...body("example.com/v1alpha1", "a"), spec: { odd: 1 } };
    const refused = await server.request("POST", THINGS, { body: sent });
    expect(refused.json().message).toBe(
      "the API version in the data (example.com/v1alpha1) does not match the expected API version (example.com/v1)",
    );
    expect(refused.headers.warning).toEqual(['299 - "unknown field \\"spec.odd\\""']);
  });

  test("unknown fields are told in the order of the body, in UTF-8", async () => {
    await using server = await startHarness([Thing]);
    const { headers } = await server.request("POST", THINGS, {
      body: { ...body("example.com/v1", "a"), zwölf: 1, spec: { b: 1, a: '"' }, metadata: { name: "a", odd: 1 } },
    });
    const text = (value: unknown) => Buffer.from(String(value), "latin1").toString("utf8");
    expect((headers.warning as readonly string[]).map(text)).toEqual([
      '299 - "unknown field \\"metadata.odd\\""',
      '299 - "unknown field \\"zwölf\\""',
      '299 - "unknown field \\"spec.b\\""',
      '299 - "unknown field \\"spec.a\\""',
    ]);
  });

  test("nothing is written for an answer that cannot be made", async () => {
    await using server = await startHarness([Thing]);
    const headers = { accept: "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io" };
    expect((await server.request("POST", THINGS, { body: body("example.com/v1", "a"), headers })).status).toBe(406);
    expect((await server.request("GET", `${THINGS}/a`)).status).toBe(404);
  });
});

describe("names that are mere path segments", () => {
  test("may be anything without a slash, and are told from each other", async () => {
    const Loose = defineResource({
      group: "example.com",
      kind: "Loose",
      scope: "Cluster",
      nameRule: "pathSegment",
      versions: { v1: { schema: {} } },
    });
    await using server = await startHarness([Loose]);
    const post = (name: string) =>
      server.request("POST", `${V1}/looses`, { body: { apiVersion: "example.com/v1", kind: "Loose", metadata: { name } } });
    const names = ["ü b", "A_1", "a", "~x", "名前"];
    for (const name of names) expect((await post(name)).status).toBe(201);
    for (const name of names) expect((await server.request("GET", `${V1}/looses/${encodeURIComponent(name)}`)).json().metadata.name).toBe(name);
    expect(new Set((await server.request("GET", `${V1}/looses`)).json().items.map(({ metadata }) => metadata.name))).toEqual(new Set(names));
    expect((await server.request("GET", `${V1}/looses?fieldSelector=metadata.name%3D${encodeURIComponent("ü b")}`)).json().items).toHaveLength(1);
    expect((await post("x".repeat(1_100))).json()).toMatchObject({
      code: 422,
      message: expect.stringMatching(/metadata\.name: Too long: may not be more than \d+ bytes$/),
    });
    expect((await post("a/b")).status).toBe(422);
  });
});
