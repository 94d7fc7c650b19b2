import { APIError, type KubernetesObject } from "@annex/apimachinery";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { unionAuthorizer } from "../authorization/index.ts";
import { BodyTooLarge } from "../endpoints/http.ts";
import { type AdmissionWebhookRequest, admissionWebhook, webhookPathsAuthorizer } from "./index.ts";

const rules = [{ apiGroups: [""], apiVersions: ["v1"], resources: ["configmaps"], operations: ["*"] }] as const;
const seen: AdmissionWebhookRequest[] = [];
const webhooks = [
  admissionWebhook({
    name: "notes.example.com",
    path: "/notes",
    rules,
    mutate: ({ object, warn, audit }) => {
      warn("careful");
      audit("seen", "yes");
      return object && { ...object, metadata: { ...object.metadata, annotations: { note: "ä→" } } };
    },
  }),
  admissionWebhook<{ metadata: { labels?: Record<string, string> } }>({
    name: "in-place.example.com",
    path: "/in-place",
    rules,
    mutate({ object }) {
      if (object !== undefined) object.metadata.labels = { a: "b" };
      return object;
    },
  }),
  admissionWebhook({ name: "as-is.example.com", path: "/as-is", rules, mutate: ({ object }) => (object?.kind === "ConfigMap" ? undefined : object) }),
  admissionWebhook({ name: "made-up.example.com", path: "/made-up", rules, mutate: () => ({ metadata: {} }) as KubernetesObject }),
  admissionWebhook({
    name: "guard.example.com",
    path: "/guard",
    rules,
    validate(request) {
      seen.push(request);
      if (request.name === "blocked") throw new APIError("Forbidden", "none shall pass!");
      if (request.name === "broken") throw new Error("a secret of the author's");
    },
  }),
];
const authorizer = unionAuthorizer([webhookPathsAuthorizer(webhooks)]);
const start = () => startHarness([], { webhooks, authorizer });

const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" }, data: { n: "1" } };
const reviewOf = (request: object) => ({
  apiVersion: "admission.k8s.io/v1",
  kind: "AdmissionReview",
  request: { uid: "u-1", operation: "CREATE", object, ...request },
});

/** As the kube-apiserver asks: as nobody. */
async function ask(path: string, body: unknown, options: { method?: string; headers?: Record<string, string> } = {}) {
  await using server = await start();
  const { method = "POST", headers = {} } = options;
  const answer = await server.request(method, path, { body, headers, user: null });
  return {
    status: answer.status,
    json: answer.json() as unknown as { response?: { patch?: string } & Record<string, unknown>; message?: string },
    log: server.log,
  };
}

const patchOf = ({ patch = "" }: { patch?: string } = {}) => JSON.parse(Buffer.from(patch, "base64").toString());

test("a patch is what makes the object of the author's out of the one sent", async () => {
  const { json } = await ask("/notes?timeout=10s", reviewOf({}));
  expect(json).toMatchObject({
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: { uid: "u-1", allowed: true, patchType: "JSONPatch", warnings: ["careful"], auditAnnotations: { seen: "yes" } },
  });
  expect(patchOf(json.response)).toEqual([{ op: "add", path: "/metadata/annotations", value: { note: "ä→" } }]);
  expect(patchOf((await ask("/in-place", reviewOf({}))).json.response)).toEqual([{ op: "add", path: "/metadata/labels", value: { a: "b" } }]);
});

test.each([
  { what: "undefined", path: "/as-is", request: {} },
  { what: "the object as it came", path: "/as-is", request: { object: { ...object, kind: "Other" } } },
  { what: "nothing, of a deletion", path: "/notes", request: { operation: "DELETE", object: null, oldObject: object } },
])("$what makes no patch", async ({ path, request }) => {
  const { json } = await ask(path, reviewOf(request));
  expect(json.response).toMatchObject({ uid: "u-1", allowed: true });
  expect(Object.keys(json.response ?? {}).filter((key) => key.startsWith("patch"))).toEqual([]);
});

test("what an author throws is the refusal, word for word", async () => {
  const { status, json } = await ask("/guard", reviewOf({ name: "blocked" }));
  expect(status).toBe(200);
  expect(json.response).toEqual({
    uid: "u-1",
    allowed: false,
    status: { status: "Failure", message: "none shall pass!", reason: "Forbidden", code: 403 },
  });
});

test.each([
  { path: "/guard", request: { name: "broken" } },
  { path: "/made-up", request: { operation: "DELETE", object: null } },
])("any other failure at $path is a 500 for failurePolicy, and told to the log alone", async ({ path, request }) => {
  const { status, json, log } = await ask(path, reviewOf(request));
  expect(status).toBe(500);
  expect(json.message).not.toContain("secret");
  expect(log.some(({ level }) => level === "error")).toBe(true);
});

test("an author is told what the kube-apiserver said", async () => {
  const userInfo = { username: "jane", uid: "7", groups: ["a"], extra: { k: ["v"] } };
  const resource = { group: "", version: "v1", resource: "configmaps" };
  const request = {
    operation: "UPDATE",
    userInfo,
    resource,
    namespace: "ns",
    name: "a",
    oldObject: object,
    dryRun: true,
    subResource: "status",
    options: { kind: "UpdateOptions" },
  };
  await ask("/guard", reviewOf(request));
  expect(seen.at(-1)).toMatchObject({ ...request, uid: "u-1", object, userInfo: { name: "jane", uid: "7", groups: ["a"], extra: { k: ["v"] } } });
});

test.each([
  { what: "is shown with some", path: "/as-is", patch: undefined },
  { what: "gets what is written there", path: "/in-place", patch: [{ op: "add", path: "/metadata", value: { labels: { a: "b" } } }] },
])("an object without metadata $what", async ({ path, patch }) => {
  const options = { apiVersion: "v1", kind: "PodExecOptions", stdin: true };
  const { status, json } = await ask(path, reviewOf({ operation: "CONNECT", object: options }));
  expect([status, json.response?.allowed]).toEqual([200, true]);
  const sent = json.response?.patch;
  expect(sent && JSON.parse(Buffer.from(sent, "base64").toString())).toEqual(patch);
});

describe("what is no review", () => {
  test.each([
    { what: "no JSON", body: "{", status: 400, message: "the body is no JSON" },
    { what: "another kind", body: object, status: 400, message: "must be an AdmissionReview" },
    { what: "v1beta1", body: { ...reviewOf({}), apiVersion: "admission.k8s.io/v1beta1" }, status: 400, message: "of admission.k8s.io/v1" },
    { what: "a list", body: [], status: 400, message: "must be an AdmissionReview" },
    { what: "without a request", body: { ...reviewOf({}), request: null }, status: 400, message: "has no request" },
    { what: "without a uid", body: reviewOf({ uid: "" }), status: 400, message: "request.uid" },
    { what: "of an operation unknown", body: reviewOf({ operation: "PATCH" }), status: 400, message: "request.operation" },
    { what: "with a list as object", body: reviewOf({ object: [] }), status: 400, message: "object must be an object" },
    { what: "with groups of numbers", body: reviewOf({ userInfo: { groups: [1] } }), status: 400, message: "lists of strings" },
  ])("$what", async ({ body, status, message }) => {
    const answer = await ask("/guard", body);
    expect(answer.status).toBe(status);
    expect(answer.json.message).toContain(message);
  });

  test("another form", async () => {
    expect((await ask("/guard", "a: b", { headers: { "content-type": "application/yaml" } })).status).toBe(415);
  });

  test("one of more than 7 MiB", async () => {
    await using server = await start();
    let limit = 0;
    const body = async (maxBytes: number) => {
      limit = maxBytes;
      throw new BodyTooLarge("");
    };
    const peer = { address: "", certificates: undefined };
    const answer = await server.server.handle({
      method: "POST",
      path: "/guard",
      query: "",
      headers: {},
      body,
      peer,
      signal: new AbortController().signal,
    });
    expect([answer.status, limit]).toEqual([413, 7 * 1024 * 1024]);
  });
});

describe("who may", () => {
  test.each([
    { method: "GET", path: "/guard" },
    { method: "PUT", path: "/guard" },
    { method: "POST", path: "/guard/" },
    { method: "POST", path: "/guard/more" },
    { method: "POST", path: "/Guard" },
    { method: "GET", path: "/" },
  ])("nobody may $method $path but those who may anyhow", async ({ method, path }) => {
    expect((await ask(path, reviewOf({}), { method })).status).toBe(403);
  });

  test("another method is a 405 to those who may", async () => {
    await using server = await startHarness([], { webhooks });
    expect((await server.request("GET", "/guard")).status).toBe(405);
    expect((await server.request("GET", "/")).json().paths).toContain("/guard");
  });
});

describe("what cannot be a webhook", () => {
  const base = { name: "a.example.com", path: "/a", rules, validate: () => undefined };
  test.each([
    { what: "a short name", options: { name: "a.b" } },
    { what: "no name", options: { name: "A_b.c.d" } },
    { what: "a path of the server's", options: { path: "/apis/x" } },
    { what: "health", options: { path: "/readyz" } },
    { what: "no path", options: { path: "a" } },
    { what: "the root", options: { path: "/" } },
    { what: "a slash at the end", options: { path: "/a/" } },
    { what: "dots", options: { path: "/a/../b" } },
    { what: "too long a time", options: { timeoutSeconds: 31 } },
  ])("$what", ({ options }) => expect(() => admissionWebhook({ ...base, ...options })).toThrow(TypeError));

  test("two at one path", async () => {
    const one = admissionWebhook(base);
    await expect(startHarness([], { webhooks: [one, one] })).rejects.toThrow("two webhooks are to be served at /a");
  });
});
