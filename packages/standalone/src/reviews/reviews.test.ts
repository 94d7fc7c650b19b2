import type { TokenAuthenticator, UserInfo } from "@annex/apiserver";
import { ADMIN, ALICE } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { AUTHENTICATION, AUTHORIZATION, startAccountServer } from "../testing/account-server.ts";

const WHOAMI = `${AUTHENTICATION}/selfsubjectreviews`;
const TOKENS = `${AUTHENTICATION}/tokenreviews`;
const RULES = `${AUTHORIZATION}/selfsubjectrulesreviews`;
const ISSUER = "https://kubernetes.default.svc.cluster.local";
const allows = () => ({ decision: "Allow", reason: "" }) as const;

/** Knows one token, and nothing of audiences. */
const bob: TokenAuthenticator = {
  authenticateToken: async (token) => (token === "bob-token" ? { name: "bob", uid: "b", groups: ["ops"], extra: { k: ["v"] } } : undefined),
};

test.each([
  { path: WHOAMI, body: {} },
  { path: TOKENS, body: { spec: { token: "nobody's" } } },
  { path: RULES, body: { spec: { namespace: "default" } } },
  ...["selfsubjectaccessreviews", "subjectaccessreviews"].map((resource) => ({
    path: `${AUTHORIZATION}/${resource}`,
    body: { spec: { user: "alice", nonResourceAttributes: { path: "/x", verb: "get" } } },
  })),
  {
    path: `${AUTHORIZATION}/namespaces/default/localsubjectaccessreviews`,
    body: {
      metadata: { namespace: "default" },
      spec: { user: "alice", resourceAttributes: { namespace: "default", verb: "get", resource: "pods" } },
    },
  },
])("a review stores nothing, so a dry run of it is one: $path", async ({ path, body }) => {
  await using server = await startAccountServer({ allows });
  const answer = await server.request("POST", `${path}?dryRun=All`, { body });
  expect(answer.status, answer.text).toBe(201);
});

// Asked of kube-apiserver 1.36.
describe("SelfSubjectReview", () => {
  test.each<{ user: UserInfo; body: object; userInfo: object }>([
    { user: ALICE, body: {}, userInfo: { username: "alice", groups: ["devs", "system:authenticated"] } },
    {
      user: ADMIN,
      body: { metadata: { name: "x", labels: { a: "b" } }, status: { userInfo: { username: "evil" } } },
      userInfo: { username: "admin", groups: ["system:masters", "system:authenticated"] },
    },
    {
      user: { name: "carol", uid: "c", groups: [], extra: { k: ["v", "w"] } },
      body: {},
      userInfo: { username: "carol", uid: "c", extra: { k: ["v", "w"] } },
    },
  ])("$user", async ({ user, body, userInfo }) => {
    await using server = await startAccountServer({ allows });
    const answer = await server.request("POST", WHOAMI, { body, user });
    expect([answer.status, answer.json()]).toEqual([
      201,
      {
        kind: "SelfSubjectReview",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { creationTimestamp: "2026-01-01T00:00:00Z" },
        status: { userInfo },
      },
    ]);
  });

  test("reads protobuf, as kubectl auth whoami sends it", async () => {
    await using server = await startAccountServer();
    const hex =
      "6b3873000a2d0a1861757468656e7469636174696f6e2e6b38732e696f2f7631121153656c665375626a656374526576696577121a0a100a0012001a0022002a0032003800420012060a040a0012001a002200";
    const headers = { "content-type": "application/vnd.kubernetes.protobuf", accept: "application/vnd.kubernetes.protobuf,application/json" };
    const answer = await server.request("POST", WHOAMI, { body: new Uint8Array(Buffer.from(hex, "hex")), headers });
    expect([answer.status, answer.headers["content-type"], answer.json().status.userInfo]).toMatchObject([
      201,
      "application/json",
      { username: "admin" },
    ]);
  });

  test("is created and nothing else", async () => {
    await using server = await startAccountServer();
    for (const method of ["GET", "DELETE"]) expect((await server.request(method, WHOAMI)).status).toBe(405);
    const { resources } = (await server.request("GET", AUTHENTICATION)).json() as unknown as { resources: object[] };
    expect(resources).toEqual([
      { name: "selfsubjectreviews", singularName: "selfsubjectreview", namespaced: false, kind: "SelfSubjectReview", verbs: ["create"] },
      { name: "tokenreviews", singularName: "tokenreview", namespaced: false, kind: "TokenReview", verbs: ["create"] },
    ]);
  });
});

describe("TokenReview", () => {
  const BOB = { username: "bob", uid: "b", groups: ["ops", "system:authenticated"], extra: { k: ["v"] } };
  const NOBODY = { user: {}, error: "invalid bearer token" };

  test.each<{ spec: { token: string; audiences?: string[] }; status: object }>([
    { spec: { token: "bob-token" }, status: { authenticated: true, user: BOB, audiences: [ISSUER] } },
    { spec: { token: "bob-token", audiences: ["x", ISSUER] }, status: { authenticated: true, user: BOB, audiences: [ISSUER] } },
    { spec: { token: "bob-token", audiences: ["x"] }, status: NOBODY },
    { spec: { token: "nope" }, status: NOBODY },
    { spec: { token: "a b" }, status: NOBODY },
    { spec: { token: " " }, status: NOBODY },
  ])("$spec", async ({ spec, status }) => {
    await using server = await startAccountServer({ tokenAuthenticators: [bob] });
    const answer = await server.request("POST", TOKENS, { body: { metadata: { name: "q", labels: { a: "b" } }, spec, status: { error: "x" } } });
    expect([answer.status, answer.json()]).toEqual([
      201,
      { kind: "TokenReview", apiVersion: "authentication.k8s.io/v1", metadata: { name: "q", labels: { a: "b" } }, spec, status },
    ]);
  });

  test("wants a token, and is not for everybody", async () => {
    await using server = await startAccountServer();
    expect((await server.request("POST", TOKENS, { body: {} })).json()).toMatchObject({
      code: 400,
      reason: "BadRequest",
      message: "token is required for TokenReview in authentication",
    });
    expect((await server.request("POST", TOKENS, { body: { spec: { token: "x" } }, user: ALICE })).status).toBe(403);
  });

  test("tells a check that failed from a token that is nobody's, and neither shows the token", async () => {
    const failing: TokenAuthenticator = { authenticateToken: async () => Promise.reject(new Error("away")) };
    await using server = await startAccountServer({ tokenAuthenticators: [failing, bob] });
    expect(await server.review("bob-token")).toMatchObject({ authenticated: true });
    const answer = await server.request("POST", TOKENS, { body: { spec: { token: "secret-token" } } });
    expect([answer.status, JSON.stringify(server.log).includes("secret-token"), answer.text.includes("secret-token")]).toEqual([500, false, false]);
  });
});

describe("SelfSubjectRulesReview", () => {
  test("answers the rules of who asks, in the namespace that was asked for", async () => {
    const asked: unknown[] = [];
    await using server = await startAccountServer({
      allows,
      rulesFor: (user, namespace) => {
        asked.push([user.name, namespace]);
        return {
          resourceRules: [
            { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
            { verbs: ["*"], apiGroups: ["*"], resources: ["*"], resourceNames: [] },
          ],
          nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/version"] }],
          incomplete: false,
          evaluationError: "",
        };
      },
    });
    const answer = await server.request("POST", RULES, { body: { metadata: { name: "x" }, spec: { namespace: "here" } }, user: ALICE });
    expect(asked).toEqual([["alice", "here"]]);
    expect([answer.status, answer.json()]).toEqual([
      201,
      {
        kind: "SelfSubjectRulesReview",
        apiVersion: "authorization.k8s.io/v1",
        metadata: {},
        spec: {},
        status: {
          resourceRules: [
            { verbs: ["get"], apiGroups: [""], resources: ["pods"], resourceNames: ["a"] },
            { verbs: ["*"], apiGroups: ["*"], resources: ["*"] },
          ],
          nonResourceRules: [{ verbs: ["get"], nonResourceURLs: ["/version"] }],
          incomplete: false,
        },
      },
    ]);
  });

  test("tells what could not be evaluated", async () => {
    const rulesFor = () => ({ resourceRules: [], nonResourceRules: [], incomplete: false, evaluationError: 'role "x" not found' });
    await using server = await startAccountServer({ rulesFor });
    const { status } = (await server.request("POST", RULES, { body: { spec: { namespace: "here" } } })).json();
    expect(status).toEqual({ resourceRules: [], nonResourceRules: [], incomplete: false, evaluationError: 'role "x" not found' });
  });

  test.each([{}, { spec: {} }])("wants a namespace: %j", async (body) => {
    await using server = await startAccountServer();
    expect((await server.request("POST", RULES, { body })).json()).toMatchObject({ code: 400, message: "no namespace on request" });
  });
});
