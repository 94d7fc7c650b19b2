import { badRequest, t, tooManyRequests } from "@annex/apimachinery";
import { ALICE, startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import type { Attributes } from "../authorization/index.ts";
import { defineResource } from "../definition/index.ts";
import type { RequestLabels } from "../metrics.ts";
import { authenticationFilter } from "./authentication-filter.ts";

const schema = { spec: t.object({ text: t.optional(t.string()) }) };
const Thing = defineResource({ group: "example.com", kind: "Thing", scope: "Namespaced", versions: { v1: { schema } } });
const THINGS = "/apis/example.com/v1/namespaces/default/things";
const thing = (name: string, text = "") => ({ apiVersion: "example.com/v1", kind: "Thing", metadata: { name }, spec: { text } });

function failing(error: unknown) {
  const list = () => Promise.reject(error);
  return defineResource({ group: "example.com", kind: "Failing", scope: "Cluster", versions: { v1: { schema } }, handlers: { list } });
}

describe("errors", () => {
  const FAILINGS = "/apis/example.com/v1/failings";

  test("an APIError is its Status, in the form that is accepted", async () => {
    await using server = await startHarness([failing(badRequest("no"))]);
    expect((await server.request("GET", FAILINGS)).json()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Failure",
      message: "no",
      reason: "BadRequest",
      code: 400,
    });
    const yaml = await server.request("GET", FAILINGS, { headers: { accept: "application/yaml" } });
    expect([yaml.headers["content-type"], yaml.text]).toEqual(["application/yaml", expect.stringContaining('message: "no"\n')]);
    expect((await server.request("GET", FAILINGS, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).json().kind).toBe(
      "Status",
    );
    expect(server.log).toEqual([]);
  });

  test("says when to come back", async () => {
    await using server = await startHarness([failing(tooManyRequests("busy", 7))]);
    const answer = await server.request("GET", FAILINGS);
    expect([answer.status, answer.headers["retry-after"]]).toEqual([429, "7"]);
  });

  test("anything else is a 500 under the request's audit id, whose message stands in the log alone", async () => {
    for (const error of [new Error("secret"), "secret", undefined]) {
      await using server = await startHarness([failing(error)]);
      const answer = await server.request("GET", FAILINGS, { headers: { "audit-id": "id-1" } });
      expect(answer.json()).toMatchObject({ code: 500, message: "Internal error occurred: the server failed; see its log for audit id id-1" });
      expect(answer.text).not.toContain("secret");
      expect(server.log).toEqual([expect.objectContaining({ level: "error", fields: expect.objectContaining({ auditID: "id-1", error }) })]);
    }
  });

  test("nothing is logged of a request whose client is gone", async () => {
    const abort = new AbortController();
    const list = ({ signal }: { signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("interrupted")));
        abort.abort();
      });
    const Waiting = defineResource({ group: "example.com", kind: "Failing", scope: "Cluster", versions: { v1: { schema } }, handlers: { list } });
    await using server = await startHarness([Waiting]);
    expect((await server.request("GET", FAILINGS, { signal: abort.signal })).status).toBe(504);
    expect(server.log).toEqual([]);
  });
});

describe("the token of a WebSocket", () => {
  test("is seen by nobody behind authentication", async () => {
    const seen: unknown[] = [];
    const state = { request: undefined as unknown, user: undefined };
    const sent = "base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.x";
    const headers = { "sec-websocket-protocol": sent, accept: "a" };
    state.request = { headers, headerValues: (name: string) => (name === "accept" ? ["a"] : [sent]) };
    const filter = authenticationFilter({
      authenticate: async ({ headers }) => {
        seen.push(headers["sec-websocket-protocol"]);
        return ALICE;
      },
    });
    await filter(state as never, async ({ request }) => {
      seen.push(request.headers, request.headerValues?.("sec-websocket-protocol"), request.headerValues?.("accept"));
      return { status: 200, headers: {}, body: undefined };
    });
    expect(seen).toEqual([sent, { accept: "a" }, [], ["a"]]);
  });
});

describe("responses", () => {
  const compress = async (bytes: Uint8Array) => new Uint8Array(Math.ceil(bytes.length / 10));

  test.each([
    { size: 200_000, accept: "gzip, deflate", isCompressed: true },
    { size: 200_000, accept: "gzip;q=0.5", isCompressed: false },
    { size: 200_000, accept: undefined, isCompressed: false },
    { size: 1_000, accept: "gzip", isCompressed: false },
  ])("of $size bytes to who accepts $accept", async ({ size, accept, isCompressed }) => {
    await using server = await startHarness([Thing], { compress });
    await server.request("POST", THINGS, { body: thing("a", "x".repeat(size)) });
    const { headers } = await server.request("GET", THINGS, { headers: accept === undefined ? {} : { "accept-encoding": accept } });
    expect([headers["content-encoding"], headers.vary]).toEqual(isCompressed ? ["gzip", "Accept-Encoding"] : [undefined, undefined]);
  });

  test("warnings are bounded, and said once", async () => {
    await using server = await startHarness([Thing]);
    const unknown = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`unknown${index}`, 1]));
    const { headers } = await server.request("POST", THINGS, { body: { ...thing("a"), ...unknown } });
    const warnings = headers.warning as readonly string[];
    expect(warnings.join("").length).toBeLessThan(5_000);
    expect(new Set(warnings).size).toBe(warnings.length);
    expect(warnings.length).toBeGreaterThan(50);
  });
});

describe("authorization", () => {
  async function asked(target: string, method = "GET"): Promise<Attributes | undefined> {
    const seen: Attributes[] = [];
    const authorizer = {
      authorize: async (attributes: Attributes) => {
        seen.push(attributes);
        return { decision: "Allow" as const, reason: "" };
      },
    };
    await using server = await startHarness([Thing], { authorizer });
    const watch = await server.request(method, target, { user: ALICE });
    if (watch.text === "" && watch.status === 200) await watch.events().return(undefined);
    return seen[0];
  }

  test.each([
    { target: THINGS, want: { verb: "list", name: "" } },
    { target: `${THINGS}?fieldSelector=metadata.name%3Da`, want: { verb: "list", name: "a" } },
    { target: `${THINGS}?watch=true&fieldSelector=metadata.name%3Da`, want: { verb: "watch", name: "a" } },
    // Asked of kube-apiserver 1.36: the old path asks for the right to watch all.
    { target: `${THINGS.replace("/v1/", "/v1/watch/")}?fieldSelector=metadata.name%3Da`, want: { verb: "watch", name: "" } },
    { target: `${THINGS}?fieldSelector=metadata.name!%3Da`, want: { verb: "list", name: "" } },
    { target: `${THINGS}?fieldSelector=metadata.name%3Da%2Fb`, want: { verb: "list", name: "" } },
    { target: `${THINGS}?fieldSelector=%2C%2C%3D`, want: { verb: "list", name: "" } },
    { target: `${THINGS}/a`, want: { verb: "get", name: "a" } },
    { target: `${THINGS}/a?watch=true`, want: { verb: "get", name: "a" } },
    { target: `${THINGS}?fieldSelector=metadata.name%3Da`, method: "DELETE", want: { verb: "deletecollection", name: "" } },
    { target: THINGS, method: "OPTIONS", want: { verb: "" } },
    { target: "/version", want: { type: "path", verb: "get", path: "/version" } },
  ])("$method $target", async ({ target, method = "GET", want }) => expect(await asked(target, method)).toMatchObject(want));

  const a = { key: "a", operator: "exists", values: [] };
  const b = { key: "b", operator: "!", values: [] };
  const named = { field: "metadata.name", operator: "=", value: "x" };

  // Source: k8s.io/apiserver endpoints/filters, TestGetAuthorizerAttributes; endpoints/request, TestSelectorParsing.
  test.each<{ target: string; method?: string; want: object }>([
    { target: `${THINGS}?fieldSelector=metadata.name%3Dx&labelSelector=a,!b`, want: { fieldSelector: [named], labelSelector: [a, b] } },
    { target: `${THINGS}?fieldSelector=unknown!%3Dx`, want: { fieldSelector: [{ field: "unknown", operator: "!=", value: "x" }] } },
    { target: `${THINGS}?labelSelector=c+in+(e,d)`, want: { labelSelector: [{ key: "c", operator: "in", values: ["d", "e"] }] } },
    { target: `${THINGS}?watch=true&labelSelector=a&labelSelector=b`, want: { labelSelector: [a] } },
    { target: `${THINGS}?labelSelector=a`, method: "DELETE", want: { labelSelector: [a] } },
    { target: `${THINGS}?labelSelector=a+b&fieldSelector=metadata.name%3Dx`, want: { fieldSelector: [named] } },
    { target: `${THINGS}?labelSelector=a&fieldSelector=x`, want: { labelSelector: [a] } },
    { target: `${THINGS}?labelSelector=&fieldSelector=%2C`, want: {} },
    { target: `${THINGS.replace("/v1/", "/v1/watch/")}?labelSelector=a`, want: {} },
    { target: `${THINGS}/one?labelSelector=a`, want: {} },
    { target: `${THINGS}/one?labelSelector=a`, method: "DELETE", want: {} },
    { target: `${THINGS}?labelSelector=a`, method: "POST", want: {} },
    { target: "/version?labelSelector=a", want: {} },
  ])("$method $target is limited to $want", async ({ target, method = "GET", want }) => {
    const { fieldSelector, labelSelector } = { fieldSelector: undefined, labelSelector: undefined, ...(await asked(target, method)) };
    expect({ fieldSelector, labelSelector }).toEqual(want);
  });

  test("what nobody allows is forbidden, before anything is looked at", async () => {
    await using server = await startHarness([Thing]);
    for (const [method, target] of [
      ["POST", `${THINGS}?dryRun=None`],
      ["GET", `${THINGS}?labelSelector=a%20b`],
      ["GET", "/apis/example.com/v1/nothings"],
      ["HEAD", `${THINGS}/a`],
    ] as const) {
      const { status, headers } = await server.request(method, target, { user: ALICE, ...(method === "POST" ? { body: "{" } : {}) });
      // Asked of kube-apiserver 1.36.
      expect([status, headers["x-content-type-options"]]).toEqual([403, "nosniff"]);
    }
    expect((await server.request("GET", `${THINGS}/a`)).headers).not.toHaveProperty("x-content-type-options");
  });
});

test("every request is counted once, with what it was and how it ended", async () => {
  const finished: (readonly [verb: string, resource: string, scope: string, code: number])[] = [];
  const results: string[] = [];
  const requests = {
    observeRequest: ({ verb, resource, scope }: RequestLabels, code: number) => void finished.push([verb, resource, scope, code]),
    countAuthentication: (result: string) => void results.push(`authentication ${result}`),
    countAuthorization: (result: string) => void results.push(`authorization ${result}`),
    setInflight: () => undefined,
    longRunningStarted: () => undefined,
    longRunningEnded: () => undefined,
  };
  await using server = await startHarness([Thing], { metrics: { requests, render: async () => ({ contentType: "text/plain", text: "" }) } });
  await server.request("POST", THINGS, { body: thing("a") });
  await server.request("GET", `${THINGS}/none`);
  await server.request("GET", THINGS, { user: ALICE });
  for await (const _event of (await server.request("GET", `${THINGS}?watch=true`)).events()) break;
  expect(finished).toEqual([
    ["POST", "things", "namespace", 201],
    ["GET", "things", "resource", 404],
    ["LIST", "things", "namespace", 403],
    ["WATCH", "things", "namespace", 200],
  ]);
  const [known, allowed] = ["authentication success", "authorization allowed"];
  expect(results).toEqual([known, allowed, known, allowed, known, "authorization no-opinion", known, allowed]);
});
