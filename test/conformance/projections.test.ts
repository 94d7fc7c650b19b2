import { describe, expect, test } from "vitest";
import { parseJSON } from "./json.ts";
import { ScenarioError } from "./placeholders.ts";
import { project } from "./projections.ts";

const list = {
  items: [
    { name: "a", n: 1 },
    { name: "b", n: 2 },
  ],
};

test.each([
  { spec: { kind: "keys" }, of: { b: 1, a: 2 }, is: ["a", "b"] },
  { spec: { kind: "keys" }, of: "text", is: null },
  {
    spec: { kind: "select", paths: ["items.*.name", "items.1.n", "items.2.n", "missing.*"] },
    of: list,
    is: { "items.*.name": ["a", "b"], "items.1.n": 2, "items.2.n": null, "missing.*": [] },
  },
  { spec: { kind: "find", path: "items", field: "name", value: "b" }, of: list, is: [{ name: "b", n: 2 }] },
  { spec: { kind: "find", path: "missing", field: "name", value: "b" }, of: list, is: null },
  { spec: { kind: "lines" }, of: "b\n\na\n", is: ["a", "b"] },
  { spec: { kind: "textMatches", patterns: ["^b$", "\\Ab", "\\Aa"] }, of: "a\nb\n", is: { "^b$": true, "\\Ab": false, "\\Aa": true } },
  {
    spec: { kind: "openapiIndex", match: "^apis/" },
    of: { paths: { "apis/x": { serverRelativeURL: "/openapi/v3/apis/x?hash=0AF" }, version: { serverRelativeURL: "" } } },
    is: { "apis/x": "/openapi/v3/apis/x?hash=<hash>" },
  },
])("$spec", ({ spec, of, is }) => {
  const text = typeof of === "string" ? of : JSON.stringify(of);
  expect(project(spec, text, parseJSON(text) ?? text)).toEqual(is);
});

test("a kind that there is not is an error, not an empty comparison", () => expect(() => project({ kind: "some" }, "", "")).toThrow(ScenarioError));

describe("openapi", () => {
  const gvk = { group: "a.example.com", version: "v1", kind: "A" };
  const kindSchema = {
    "x-kubernetes-group-version-kind": [gvk],
    description: "not compared",
    properties: { metadata: { allOf: [{ $ref: "#/x/io.k8s.meta.v1.ObjectMeta" }] }, spec: { $ref: "#/x/Spec" } },
  };
  const schemas = {
    A: kindSchema,
    Spec: { type: "object", "x-kubernetes-validations": [], "x-kubernetes-map-type": "atomic", items: { enum: ["x"] } },
  };
  const shape = { properties: { metadata: "<ref:ObjectMeta>", spec: { type: "object", "x-kubernetes-map-type": "atomic", items: { enum: ["x"] } } } };

  test("of version 2: operations with their shared parameters, and the shapes of the groups' kinds", () => {
    const document = {
      swagger: "2.0",
      parameters: { name: { in: "path", name: "name" } },
      paths: {
        "/apis/a/x": {
          parameters: [{ $ref: "#/parameters/name" }],
          get: { "x-kubernetes-action": "get", responses: { 401: {}, 200: {} }, consumes: ["b", "a"] },
        },
        "/other": { get: {} },
      },
      definitions: schemas,
    };
    expect(project({ kind: "openapi", pathPrefix: "/apis/", groups: ["a.example.com"] }, JSON.stringify(document), null)).toEqual({
      version: "2.0",
      paths: {
        "/apis/a/x": {
          parameters: ["path:name"],
          get: { "x-kubernetes-action": "get", parameters: [], responses: ["200", "401"], consumes: ["a", "b"] },
        },
      },
      definitions: { "a.example.com/v1/A": shape },
    });
  });

  test("of version 3: media types are those of the request's body", () => {
    const document = { openapi: "3.0.0", paths: { "/x": { post: { requestBody: { content: { b: {}, a: {} } } } } }, components: { schemas } };
    expect(project({ kind: "openapi", groups: ["a.example.com"] }, JSON.stringify(document), null)).toEqual({
      version: "3.0.0",
      paths: { "/x": { post: { parameters: [], responses: [], consumes: ["a", "b"] } } },
      definitions: { "a.example.com/v1/A": shape },
    });
  });
});
