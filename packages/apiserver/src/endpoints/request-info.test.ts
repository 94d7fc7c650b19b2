import { describe, expect, test } from "vitest";
import { parseRequestInfo } from "./request-info.ts";

const wardle = { type: "resource", group: "wardle.example.com", version: "v1", namespace: "", name: "", subresource: "", hasExtraSegments: false };

describe("paths", () => {
  test.each([
    { path: "/apis/wardle.example.com/v1/flunders", want: { ...wardle, verb: "list", resource: "flunders" } },
    { path: "/apis/wardle.example.com/v1/flunders/", want: { ...wardle, verb: "list", resource: "flunders" } },
    { path: "/apis/wardle.example.com/v1/namespaces/a/flunders", want: { ...wardle, verb: "list", namespace: "a", resource: "flunders" } },
    {
      path: "/apis/wardle.example.com/v1/namespaces/a/flunders/b",
      want: { ...wardle, verb: "get", namespace: "a", resource: "flunders", name: "b" },
    },
    { path: "/apis/wardle.example.com/v1/namespaces/a/flunders/b/status", want: { verb: "get", name: "b", subresource: "status" } },
    { path: "/apis/wardle.example.com/v1/namespaces/a/flunders/b/status/x", want: { name: "b", subresource: "status", hasExtraSegments: true } },
    { path: "/apis/wardle.example.com/v1/namespaces/a/flunders/b%20c", want: { name: "b c" } },
    { path: "/apis/wardle.example.com/v1/namespaces/a/flunders/b%2Fc", want: { name: "b", subresource: "c" } },
    { path: "/apis/wardle.example.com/v1/watch/namespaces/a/flunders", want: { verb: "watch", namespace: "a", resource: "flunders", name: "" } },
    { path: "/apis/wardle.example.com/v1/watch/namespaces/a/flunders/b", want: { verb: "watch", namespace: "a", resource: "flunders", name: "b" } },
    { path: "/api/v1/namespaces", want: { group: "", version: "v1", verb: "list", resource: "namespaces", namespace: "", name: "" } },
    { path: "/api/v1/namespaces/a", want: { verb: "get", resource: "namespaces", namespace: "a", name: "a" } },
    { path: "/api/v1/namespaces/a/status", want: { resource: "namespaces", namespace: "a", name: "a", subresource: "status" } },
    { path: "/api/v1/namespaces/a/finalize", want: { resource: "namespaces", namespace: "a", name: "a", subresource: "finalize" } },
    { path: "/api/v1/namespaces/a/secrets/b", want: { resource: "secrets", namespace: "a", name: "b" } },
    { path: "/", want: { type: "path", path: "/" } },
    { path: "/apis", want: { type: "path" } },
    { path: "/apis/wardle.example.com/v1", want: { type: "path" } },
    { path: "/apis//v1/flunders", want: { type: "path" } },
    { path: "/healthz", want: { type: "path", verb: "get" } },
  ])("$path", ({ path, want }) => expect(parseRequestInfo("GET", path, "")).toMatchObject(want));

  test("what is no percent-encoding is a bad request", () => {
    expect(() => parseRequestInfo("GET", "/apis/a/v1/things/%zz", "")).toThrow(expect.objectContaining({ reason: "BadRequest" }));
  });
});

describe("verbs", () => {
  const collection = "/apis/wardle.example.com/v1/namespaces/a/flunders";
  test.each([
    { method: "GET", path: collection, query: "watch=true", want: "watch" },
    { method: "GET", path: collection, query: "watch=1&limit=2", want: "watch" },
    { method: "GET", path: collection, query: "watch=perhaps", want: "watch" },
    { method: "GET", path: collection, query: "watch=", want: "watch" },
    { method: "GET", path: collection, query: "watch=False", want: "list" },
    { method: "GET", path: collection, query: "watch=0", want: "list" },
    { method: "GET", path: collection, query: "xwatch=1", want: "list" },
    { method: "GET", path: `${collection}/b`, query: "watch=true", want: "get" },
    { method: "HEAD", path: `${collection}/b`, query: "", want: "get" },
    { method: "POST", path: collection, query: "", want: "create" },
    { method: "PUT", path: `${collection}/b`, query: "", want: "update" },
    { method: "PATCH", path: `${collection}/b`, query: "", want: "patch" },
    { method: "DELETE", path: `${collection}/b`, query: "", want: "delete" },
    { method: "DELETE", path: collection, query: "", want: "deletecollection" },
    { method: "OPTIONS", path: collection, query: "", want: "" },
    { method: "POST", path: "/apis/wardle.example.com/v1/watch/namespaces/a/flunders", query: "", want: "watch" },
    { method: "DELETE", path: "/api/v1/watch/namespaces/a/secrets/b", query: "", want: "watch" },
  ])("$method $query is $want", ({ method, path, query, want }) => expect(parseRequestInfo(method, path, query).verb).toBe(want));
});
