import type { ServerResponse } from "node:http";
import { parseLabelSelector } from "@annex/apimachinery";
import type { Attributes, Decision, UserInfo } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { answerJSON } from "../testing/fake-cluster.ts";
import { type ReviewCluster, setClock, shownLog, startReviewCluster } from "../testing/review-cluster.ts";
import { type SubjectAccessReviewOptions, subjectAccessReviewAuthorizer } from "./subject-access-review.ts";

const cancellation = { signal: new AbortController().signal };
const alice: UserInfo = { name: "alice", uid: "u1", groups: ["devs", "a, b"], extra: { z: ["1"], a: ["2", "3"] } };
const attributes: Attributes = {
  type: "resource",
  user: alice,
  verb: "get",
  group: "wardle.example.com",
  version: "v1alpha1",
  resource: "flunders",
  subresource: "status",
  namespace: "x",
  name: "one",
};

function authorizerOf({ client }: ReviewCluster, options: Partial<SubjectAccessReviewOptions> = {}) {
  const lines: string[] = [];
  const log = shownLog(lines);
  const clock = setClock();
  const { authorize, ready } = subjectAccessReviewAuthorizer({ client, clock, log, ...options });
  return {
    clock,
    lines,
    isReady: async () => {
      try {
        await ready.check(cancellation.signal);
        return true;
      } catch {
        return false;
      }
    },
    /** The decision, or the message of what was thrown. */
    ask: async (asked: Attributes = attributes): Promise<Decision | string> => {
      try {
        return await authorize(asked, cancellation);
      } catch (error) {
        return error instanceof Error ? error.message : "?";
      }
    },
    askNow: () => authorize(attributes, cancellation),
  };
}

describe("a review is asked for", () => {
  test.each<{ what: string; asked: Attributes; want: object }>([
    {
      what: "of a resource",
      asked: attributes,
      want: {
        user: "alice",
        uid: "u1",
        groups: ["devs", "a, b"],
        extra: { a: ["2", "3"], z: ["1"] },
        resourceAttributes: {
          namespace: "x",
          verb: "get",
          group: "wardle.example.com",
          version: "v1alpha1",
          resource: "flunders",
          subresource: "status",
          name: "one",
        },
      },
    },
    {
      what: "of what is selected, but for numbers",
      asked: {
        ...{ ...attributes, user: { name: "bob", groups: [], extra: {} }, verb: "list", subresource: "", name: "one" },
        fieldSelector: [
          { field: "metadata.name", operator: "=", value: "one" },
          { field: "spec.x", operator: "!=", value: "" },
        ],
        labelSelector: parseLabelSelector("a,!b,c=,d==1,e!=2,f in (4,3),g notin (5),h>6,i<7").requirements,
      },
      want: {
        ...{ user: "bob", groups: [], extra: {} },
        resourceAttributes: {
          ...{ namespace: "x", verb: "list", group: "wardle.example.com", version: "v1alpha1", resource: "flunders", subresource: "", name: "one" },
          fieldSelector: {
            requirements: [
              { key: "metadata.name", operator: "In", values: ["one"] },
              { key: "spec.x", operator: "NotIn", values: [""] },
            ],
          },
          labelSelector: {
            requirements: [
              { key: "a", operator: "Exists" },
              { key: "b", operator: "DoesNotExist" },
              { key: "c", operator: "In", values: [""] },
              { key: "d", operator: "In", values: ["1"] },
              { key: "e", operator: "NotIn", values: ["2"] },
              { key: "f", operator: "In", values: ["3", "4"] },
              { key: "g", operator: "NotIn", values: ["5"] },
            ],
          },
        },
      },
    },
    {
      what: "of all, where numbers alone are compared",
      asked: { ...attributes, user: { name: "bob", groups: [], extra: {} }, labelSelector: parseLabelSelector("h>6").requirements },
      want: {
        ...{ user: "bob", groups: [], extra: {} },
        resourceAttributes: {
          ...{
            namespace: "x",
            verb: "get",
            group: "wardle.example.com",
            version: "v1alpha1",
            resource: "flunders",
            subresource: "status",
            name: "one",
          },
        },
      },
    },
    {
      what: "of a path",
      asked: { type: "path", user: { name: "bob", groups: [], extra: {} }, verb: "get", path: "/metrics" },
      want: { user: "bob", groups: [], extra: {}, nonResourceAttributes: { path: "/metrics", verb: "get" } },
    },
  ])("$what", async ({ asked, want }) => {
    await using cluster = await startReviewCluster({ allowed: true });
    expect(await authorizerOf(cluster).ask(asked)).toEqual({ decision: "Allow", reason: "" });
    expect(cluster.specs).toEqual([want]);
    expect(cluster.cluster.requests).toEqual(["POST /apis/authorization.k8s.io/v1/subjectaccessreviews"]);
  });

  test.each<{ status: object; want: Decision }>([
    { status: { allowed: true, reason: "RBAC: yes" }, want: { decision: "Allow", reason: "RBAC: yes" } },
    { status: { allowed: false, reason: "no" }, want: { decision: "NoOpinion", reason: "no" } },
    { status: {}, want: { decision: "NoOpinion", reason: "" } },
    { status: { allowed: false, denied: true, reason: "never" }, want: { decision: "Deny", reason: "never" } },
    { status: { allowed: null, evaluationError: "?" }, want: { decision: "NoOpinion", reason: "" } },
  ])("$status is $want", async ({ status, want }) => {
    await using cluster = await startReviewCluster(status);
    expect(await authorizerOf(cluster).ask()).toEqual(want);
  });
});

describe("what is no answer allows nothing, and makes the server unready", () => {
  const refused = (code: number, reason: string) => (response: ServerResponse) =>
    answerJSON(response, code, { kind: "Status", status: "Failure", code, reason, message: reason });

  test.each<{ what: string; answer: ReviewCluster["answer"]; reviews: number; isSilent?: boolean }>([
    { what: "yes and no", answer: { allowed: true, denied: true }, reviews: 1 },
    { what: "a claim that is a text", answer: { allowed: "true" }, reviews: 1 },
    { what: "a claim that is a number", answer: { allowed: 1 }, reviews: 1 },
    { what: "a denial that is a text", answer: { allowed: true, denied: "false" }, reviews: 1 },
    { what: "a reason that is a list", answer: { allowed: true, reason: ["?"] }, reviews: 1 },
    { what: "no status", answer: (response) => answerJSON(response, 201, { allowed: true }), reviews: 1 },
    { what: "a status that is a list", answer: (response) => answerJSON(response, 201, { status: [{ allowed: true }] }), reviews: 1 },
    { what: "no JSON", answer: (response) => void response.end('{"status":{"allowed":true}'), reviews: 1 },
    { what: "more than 5 MiB", answer: { allowed: true, reason: "x".repeat(5 * 1024 * 1024) }, reviews: 1 },
    { what: "a redirect", answer: (response) => void response.writeHead(307, { location: "https://127.0.0.1:1/" }).end(), reviews: 1 },
    { what: "that we may not ask", answer: refused(403, "Forbidden"), reviews: 1 },
    { what: "trouble of the server", answer: refused(500, "InternalError"), reviews: 5 },
    { what: "a connection that breaks", answer: (response) => void response.destroy(), reviews: 5 },
    { what: "nothing", answer: () => undefined, reviews: 1, isSilent: true },
  ])("$what", async ({ answer, reviews, isSilent = false }) => {
    await using cluster = await startReviewCluster(answer);
    const authorizer = authorizerOf(cluster, isSilent ? { timeoutMs: 1000 } : {});
    expect(await authorizer.ask()).toBe("access could not be reviewed");
    expect(cluster.specs).toHaveLength(reviews);
    expect(await authorizer.isReady()).toBe(false);
    // It is not remembered, and the next answer makes all well.
    cluster.answer = { allowed: true };
    expect(await authorizer.isReady()).toBe(true);
    expect(await authorizer.ask()).toEqual({ decision: "Allow", reason: "" });
  });

  test("a server that is too busy is told so to whoever asks", async () => {
    await using cluster = await startReviewCluster(refused(429, "TooManyRequests"));
    expect(await authorizerOf(cluster).ask()).toBe("TooManyRequests");
  });

  test("a connection that was closed meanwhile is none of the server's trouble", async () => {
    let count = 0;
    await using cluster = await startReviewCluster((response) => {
      if (++count === 1) response.destroy();
      else answerJSON(response, 201, { status: { allowed: true } });
    });
    expect(await authorizerOf(cluster).ask()).toEqual({ decision: "Allow", reason: "" });
  });
});

describe("an answer holds for a while", () => {
  test.each<{ what: string; allowed: boolean; laterMs: number; reviews: number }>([
    { what: "a yes", allowed: true, laterMs: 1_999, reviews: 1 },
    { what: "a yes, and no longer", allowed: true, laterMs: 2_000, reviews: 2 },
    { what: "a no", allowed: false, laterMs: 999, reviews: 1 },
    { what: "a no, and no longer", allowed: false, laterMs: 1_000, reviews: 2 },
    { what: "a yes, though the clock is set back by five minutes", allowed: true, laterMs: -300_000, reviews: 2 },
  ])("$what", async ({ allowed, laterMs, reviews }) => {
    await using cluster = await startReviewCluster({ allowed });
    const authorizer = authorizerOf(cluster, { allowedTTLMs: 2_000, deniedTTLMs: 1_000 });
    await authorizer.ask();
    cluster.answer = { allowed: !allowed };
    authorizer.clock.ms += laterMs;
    await authorizer.ask();
    expect(cluster.specs).toHaveLength(reviews);
  });

  test("what is known is said without a promise, also while the server is away", async () => {
    await using cluster = await startReviewCluster({ allowed: true });
    const authorizer = authorizerOf(cluster);
    await authorizer.ask();
    cluster.answer = (response) => void response.destroy();
    expect(authorizer.askNow()).toEqual({ decision: "Allow", reason: "" });
    authorizer.clock.ms += 10_000;
    expect(await authorizer.ask()).toBe("access could not be reviewed");
  });

  test.each<{ what: string; other: Attributes }>([
    { what: "verb", other: { ...attributes, verb: "delete" } },
    { what: "name", other: { ...attributes, name: "two" } },
    { what: "namespace", other: { ...attributes, namespace: "y" } },
    { what: "subresource", other: { ...attributes, subresource: "" } },
    { what: "version", other: { ...attributes, version: "v1" } },
    { what: "user", other: { ...attributes, user: { ...alice, name: "al" } } },
    { what: "UID", other: { ...attributes, user: { ...alice, uid: "u2" } } },
    { what: "groups, parted elsewhere", other: { ...attributes, user: { ...alice, groups: ["devs", "a", "b"] } } },
    { what: "extra", other: { ...attributes, user: { ...alice, extra: { ...alice.extra, a: ["2,3"] } } } },
    { what: "label selector", other: { ...attributes, labelSelector: parseLabelSelector("a").requirements } },
    { what: "field selector", other: { ...attributes, fieldSelector: [{ field: "metadata.name", operator: "=", value: "one" }] } },
    { what: "path", other: { type: "path", user: alice, verb: "get", path: "/x" } },
  ])("of those attributes alone: another $what is asked for", async ({ other }) => {
    await using cluster = await startReviewCluster({ allowed: true });
    const authorizer = authorizerOf(cluster);
    await authorizer.ask();
    cluster.answer = { allowed: false };
    expect(await authorizer.ask(other)).toMatchObject({ decision: "NoOpinion" });
    expect(await authorizer.ask({ ...attributes, user: { ...alice, extra: { a: ["2", "3"], z: ["1"] } } })).toMatchObject({ decision: "Allow" });
  });
});

describe("readiness", () => {
  test("asks nothing while reviews are answered, and one thing when none was for a while", async () => {
    await using cluster = await startReviewCluster({ allowed: false });
    const authorizer = authorizerOf(cluster);
    await authorizer.ask();
    expect(await authorizer.isReady()).toBe(true);
    expect(cluster.specs).toHaveLength(1);
    authorizer.clock.ms += 10_000;
    expect(await Promise.all([authorizer.isReady(), authorizer.isReady()])).toEqual([true, true]);
    expect(cluster.specs.slice(1)).toEqual([
      { user: "system:anonymous", groups: ["system:unauthenticated"], nonResourceAttributes: { path: "/readyz", verb: "get" } },
    ]);
  });

  test("ends with the first review that fails, however lately one was answered", async () => {
    await using cluster = await startReviewCluster({ allowed: true });
    const authorizer = authorizerOf(cluster);
    await authorizer.ask();
    cluster.answer = (response) => answerJSON(response, 503, {});
    await authorizer.ask({ ...attributes, name: "two" });
    expect(await authorizer.isReady()).toBe(false);
  });

  test("goes with an authorizer that flaps", async () => {
    await using cluster = await startReviewCluster({ allowed: true });
    const authorizer = authorizerOf(cluster);
    const states: unknown[] = [];
    for (const isThere of [true, false, true, false, true]) {
      cluster.answer = isThere ? { allowed: true } : (response) => answerJSON(response, 503, {});
      authorizer.clock.ms += 20_000;
      states.push([await authorizer.ask(), await authorizer.isReady()]);
    }
    const [there, away] = [
      [{ decision: "Allow", reason: "" }, true],
      ["access could not be reviewed", false],
    ];
    expect(states).toEqual([there, away, there, away, there]);
  });
});
