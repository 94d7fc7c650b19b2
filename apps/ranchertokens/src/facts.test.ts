import { ADMIN, type HarnessResponse, settled } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { MERGE_PATCH, startTokenServer, TOKENS, take, token } from "./testing/token-server.ts";

// What surprises in Kubernetes' own answers, each asked of RancherToken: what a client of any kind relies on holds for this one.

const JSON_PATCH = { "content-type": "application/json-patch+json" };
const TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io";
const warnings = ({ headers }: HarnessResponse) => [headers.warning ?? []].flat();
const spec = { userID: "admin" };

describe("create", () => {
  test("uid, times and generation of the client are the server's to say", async () => {
    await using server = await startTokenServer();
    const sent = { uid: "mine", creationTimestamp: "2000-01-01T00:00:00Z", deletionTimestamp: "2000-01-01T00:00:00Z", generation: 7, selfLink: "/x" };
    const { metadata } = await server.create("a", spec, sent);
    expect(metadata).toMatchObject({ creationTimestamp: "2026-01-01T00:00:00Z", generation: 1 });
    expect(metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(metadata).not.toHaveProperty("deletionTimestamp");
    expect(metadata).not.toHaveProperty("selfLink");
  });

  test("a resourceVersion is refused", async () => {
    await using server = await startTokenServer();
    const refused = await server.request("POST", TOKENS, { body: token("a", spec, { resourceVersion: "5" }) });
    expect(refused.json()).toMatchObject({ code: 400, message: "resourceVersion should not be set on objects to be created" });
  });

  test.each(["{}", "null"])("a body of %s is of the path's kind", async (body) => {
    await using server = await startTokenServer();
    const refused = await server.request("POST", TOKENS, { body });
    expect(refused.json()).toMatchObject({ code: 422, details: { kind: "RancherToken" } });
    expect(refused.json().message).toContain("metadata.name: Required value: name or generateName is required");
  });

  test("an empty body is a bad request", async () => {
    await using server = await startTokenServer();
    expect((await server.request("POST", TOKENS, { body: "" })).json()).toMatchObject({ code: 400, reason: "BadRequest" });
  });

  test("generateName is cut to 58 characters before its 5", async () => {
    await using server = await startTokenServer();
    const generateName = "g".repeat(70);
    const created = (await server.request("POST", TOKENS, { body: { metadata: { generateName }, spec } })).json();
    expect(created.metadata.name).toMatch(/^g{58}[a-z0-9]{5}$/);
    expect(created.metadata.generateName).toBe(generateName);
    expect((await server.read(`${TOKENS}/${created.metadata.name}`)).metadata.generateName).toBe(generateName);
  });

  test.each([
    ["fieldValidation=Never", "fieldValidation"],
    ["dryRun=Some", "dryRun"],
    [`fieldManager=${"m".repeat(129)}`, "fieldManager"],
  ])("a bad option is a 422 of the options themselves: %s", async (query, field) => {
    await using server = await startTokenServer();
    const refused = (await server.request("POST", `${TOKENS}?${query}`, { body: token("a") })).json();
    expect(refused).toMatchObject({ code: 422, details: { group: "meta.k8s.io", kind: "CreateOptions", causes: [{ field }] } });
    expect(refused.message).toContain('CreateOptions.meta.k8s.io "" is invalid');
  });
});

describe("field validation", () => {
  const body = '{"metadata":{"name":"a"},"spec":{"userID":"admin","color":"red","ttl":1,"ttl":2}}';

  test("warns by default, of each field apart", async () => {
    await using server = await startTokenServer();
    const created = await server.request("POST", TOKENS, { body });
    expect(created.status).toBe(201);
    expect(warnings(created)).toEqual(['299 - "duplicate field \\"spec.ttl\\""', '299 - "unknown field \\"spec.color\\""']);
    expect(created.json().spec).toEqual({ userID: "admin", clusterName: "", ttl: "2", enabled: "true" });
  });

  test("Strict refuses, duplicates first; Ignore says nothing", async () => {
    await using server = await startTokenServer();
    expect((await server.request("POST", `${TOKENS}?fieldValidation=Strict`, { body })).json()).toMatchObject({
      code: 400,
      message:
        'RancherToken in version "v1alpha1" cannot be handled as a RancherToken: strict decoding error: duplicate field "spec.ttl", unknown field "spec.color"',
    });
    expect(warnings(await server.request("POST", `${TOKENS}?fieldValidation=Ignore`, { body }))).toEqual([]);
  });
});

describe("reading", () => {
  test("a get of the future waits 3 s, then is a timeout", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const waiting = server.request("GET", `${TOKENS}/a?resourceVersion=999999`);
    await settled();
    await server.clock.step(3_000);
    expect((await waiting).json()).toMatchObject({ code: 504, reason: "Timeout", details: { causes: [{ reason: "ResourceVersionTooLarge" }] } });
  });

  test("a list at no resourceVersion is a bad request", async () => {
    await using server = await startTokenServer();
    expect((await server.request("GET", `${TOKENS}?resourceVersion=x`)).json()).toMatchObject({ code: 400, reason: "BadRequest" });
  });

  test("there are two sentences for what is not acceptable", async () => {
    await using server = await startTokenServer();
    const answer = async (accept: string) => (await server.request("GET", TOKENS, { headers: { accept } })).json();
    const unknownType = await answer("text/html");
    const unknownForm = await answer("application/json;as=Chair;v=v1;g=meta.k8s.io");
    expect([unknownType.code, unknownForm.code]).toEqual([406, 406]);
    expect(unknownType.message).not.toBe(unknownForm.message);
  });

  test("includeObject takes three values", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const table = (query: string) => server.request("GET", `${TOKENS}?${query}`, { headers: { accept: TABLE } });
    expect((await table("includeObject=bad")).status).toBe(400);
    expect((await table("includeObject=None")).json().rows[0]).not.toHaveProperty("object.kind");
    expect((await table("includeObject=Metadata")).json().rows[0]?.object.kind).toBe("PartialObjectMetadata");
    expect((await table("includeObject=Object")).json().rows[0]?.object.kind).toBe("RancherToken");
  });

  test.each([
    ["curl/8", true],
    ["Wget/1", true],
    ["Mozilla/5.0", true],
    ["kubectl/v1.35", false],
  ])("is pretty for people: %s", async (agent, isPretty) => {
    await using server = await startTokenServer();
    expect((await server.request("GET", TOKENS, { headers: { "user-agent": agent } })).text.includes("\n  ")).toBe(isPretty);
    expect((await server.request("GET", `${TOKENS}?pretty=${!isPretty}`, { headers: { "user-agent": agent } })).text.includes("\n  ")).toBe(
      !isPretty,
    );
  });

  test("aggregated discovery has an ETag and may be kept; v2beta1 alone is not served", async () => {
    await using server = await startTokenServer();
    const accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
    const discovery = await server.request("GET", "/apis", { headers: { accept } });
    expect(discovery.headers.etag).toBeDefined();
    expect(discovery.headers["cache-control"]).toBe("public");
    expect(discovery.text).toContain('"ranchertokens"');
    expect((await server.request("GET", "/apis", { headers: { accept: accept.replace("v=v2", "v=v2beta1") } })).status).toBe(406);
  });

  test("an unknown path lists the paths; an unknown resource is a Status with empty details", async () => {
    await using server = await startTokenServer();
    const path = await server.request("GET", "/nowhere");
    expect(path.status).toBe(404);
    expect(path.json().paths).toContain("/apis/tomlebreux.com/v1alpha1");
    const resource = (await server.request("GET", "/apis/tomlebreux.com/v1alpha1/nowhere")).json();
    expect(resource).toMatchObject({ code: 404, reason: "NotFound", details: {} });
    expect(Object.keys(resource.details)).toEqual([]);
  });
});

describe("watch", () => {
  test("too old is 200 and one ERROR event", async () => {
    await using server = await startTokenServer();
    const watch = await server.request("GET", `${TOKENS}?watch=true&resourceVersion=1`);
    expect(watch.status).toBe(200);
    const events = [];
    for await (const event of watch.events()) events.push(event);
    expect(events).toMatchObject([{ type: "ERROR", object: { kind: "Status", code: 410, reason: "Expired" } }]);
  });

  test("far in the future is 200 and silence until the timeout", async () => {
    await using server = await startTokenServer();
    const watch = await server.request("GET", `${TOKENS}?watch=true&resourceVersion=999999&timeoutSeconds=5`);
    expect(watch.status).toBe(200);
    const events: unknown[] = [];
    const reading = (async () => {
      for await (const event of watch.events()) events.push(event);
    })();
    await server.create("a");
    await server.clock.step(5_000);
    await reading;
    expect(events).toEqual([]);
  });

  test("of one object is asked for by its name as a field: a GET of it is a GET", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    expect((await server.read(`${TOKENS}/a?watch=true`)).metadata.uid).toBe(metadata.uid);
  });

  test("tables after the first have no columns", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    await server.create("b");
    const watch = await server.request("GET", `${TOKENS}?watch=true`, { headers: { accept: TABLE } });
    const [first, second] = await take(watch.events(), 2);
    expect(first?.object.columnDefinitions.length).toBeGreaterThan(5);
    expect(second?.object.columnDefinitions).toBeNull();
    expect(second?.object.rows[0]?.cells[0]).toBe("b");
  });

  test.each([`${TOKENS}?watch=perhaps`, TOKENS.replace("/v1alpha1/", "/v1alpha1/watch/")])("%s is a stream", async (target) => {
    await using server = await startTokenServer();
    await server.create("a");
    expect(await take((await server.request("GET", target)).events(), 1)).toMatchObject([{ type: "ADDED", object: { metadata: { name: "a" } } }]);
  });
});

describe("changing", () => {
  test("a patch that changes nothing writes nothing, whoever sends it", async () => {
    await using server = await startTokenServer();
    await server.create("a", { ...spec, ttl: 5 });
    const before = await server.read(`${TOKENS}/a`);
    for (const ttl of ["5", 5]) expect((await server.patch(`${TOKENS}/a?fieldManager=other`, { spec: { ttl } })).json()).toEqual(before);
    expect((await server.request("PUT", `${TOKENS}/a?fieldManager=other`, { body: before })).json()).toEqual(before);
    expect(await server.read(`${TOKENS}/a`)).toEqual(before);
  });

  test("a failed test of a JSON patch is unprocessable", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const body = [{ op: "test", path: "/spec/ttl", value: "7" }];
    expect((await server.request("PATCH", `${TOKENS}/a`, { body, headers: JSON_PATCH })).json()).toMatchObject({ code: 422, reason: "Invalid" });
  });

  test("a wrong uid is a conflict in PUT, and unprocessable in PATCH", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const present = await server.read(`${TOKENS}/a`);
    const body = { ...present, metadata: { ...present.metadata, uid: "other" } };
    expect((await server.request("PUT", `${TOKENS}/a`, { body })).json()).toMatchObject({ code: 409, reason: "Conflict" });
    expect((await server.patch(`${TOKENS}/a`, { metadata: { uid: "other" } })).json()).toMatchObject({ code: 422, reason: "Invalid" });
  });

  test("a PUT wants a resourceVersion, and the present one", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    const put = (resourceVersion?: string) => server.request("PUT", `${TOKENS}/a`, { body: token("a", { ...spec, ttl: 5 }, { resourceVersion }) });
    expect((await put()).json()).toMatchObject({ code: 422, details: { causes: [{ field: "metadata.resourceVersion" }] } });
    expect((await put(metadata.resourceVersion)).status).toBe(200);
    expect((await put(metadata.resourceVersion)).json()).toMatchObject({ code: 409, reason: "Conflict" });
  });

  test("strategic merge is for kinds that kubectl knows", async () => {
    await using server = await startTokenServer();
    await server.create("a");
    const headers = { "content-type": "application/strategic-merge-patch+json" };
    expect((await server.request("PATCH", `${TOKENS}/a`, { body: { spec: { ttl: "5" } }, headers })).status).toBe(415);
  });

  test("a change of the spec counts in generation, of metadata not; beginning a deletion does", async () => {
    await using server = await startTokenServer();
    await server.create("a", spec, { finalizers: ["example.com/hold"] });
    const generation = async (body: object) => (await server.patch(`${TOKENS}/a`, body)).json().metadata.generation;
    expect(await generation({ metadata: { labels: { x: "y" } } })).toBe(1);
    expect(await generation({ spec: { ttl: "5" } })).toBe(2);
    expect((await server.request("DELETE", `${TOKENS}/a`)).json().metadata.generation).toBe(3);
  });
});

describe("deleting", () => {
  test("answers a Success without message and code", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    expect((await server.request("DELETE", `${TOKENS}/a`)).json()).toEqual({
      kind: "Status",
      apiVersion: "v1",
      metadata: {},
      status: "Success",
      details: { name: "a", group: "tomlebreux.com", kind: "ranchertokens", uid: metadata.uid },
    });
  });

  test("held by a finalizer answers the object", async () => {
    await using server = await startTokenServer();
    await server.create("a", spec, { finalizers: ["example.com/hold"] });
    const held = await server.request("DELETE", `${TOKENS}/a`, { user: ADMIN });
    expect(held.status).toBe(200);
    expect(held.json()).toMatchObject({ kind: "RancherToken", metadata: { deletionGracePeriodSeconds: 0 } });
  });

  test("a collection answers the list of what it deleted, and preconditions hold for each", async () => {
    await using server = await startTokenServer();
    const { metadata } = await server.create("a");
    await server.create("b");
    const refused = await server.request("DELETE", TOKENS, { body: { preconditions: { uid: metadata.uid } } });
    expect(refused.status).toBe(409);
    const deleted = await server.request("DELETE", TOKENS, { headers: MERGE_PATCH });
    expect(deleted.json()).toMatchObject({ kind: "RancherTokenList", items: [{ metadata: { name: "b" } }] });
  });
});
