import type { ServerResponse } from "node:http";
import type { UserInfo } from "@annex/apiserver";
import { describe, expect, test } from "vitest";
import { answerJSON } from "../testing/fake-cluster.ts";
import { type ReviewCluster, setClock, shownLog, startReviewCluster } from "../testing/review-cluster.ts";
import { type TokenReviewOptions, tokenReviewAuthenticator } from "./token-review.ts";

const TOKEN = "the-very-secret-token";
const signal = new AbortController().signal;
const bob = { username: "bob", uid: "7", groups: ["devs"], extra: { a: ["b", "c"] } };
const bobInfo: UserInfo = { name: "bob", uid: "7", groups: ["devs"], extra: { a: ["b", "c"] } };

function authenticatorOf({ client }: ReviewCluster, options: Partial<TokenReviewOptions> = {}) {
  const lines: string[] = [];
  const log = shownLog(lines);
  const clock = setClock();
  return { clock, lines, ...tokenReviewAuthenticator({ client, clock, log, ...options }) };
}

/** Whose the token is; the code of the refusal. */
async function outcome(asking: Promise<UserInfo | undefined>): Promise<UserInfo | undefined | number> {
  return asking.catch((error: { readonly code: number }) => error.code);
}

describe("a token is whose the cluster says", () => {
  test.each<{ what: string; answer: ReviewCluster["answer"]; want: UserInfo | undefined | number; audiences?: readonly string[] }>([
    { what: "somebody's", answer: { authenticated: true, user: bob }, want: bobInfo },
    { what: "somebody's without more", answer: { authenticated: true, user: { username: "x" } }, want: { name: "x", groups: [], extra: {} } },
    { what: "nobody's", answer: { authenticated: false, user: {}, error: "invalid bearer token" }, want: undefined },
    { what: "nobody's, though a user is named", answer: { user: bob }, want: undefined },
    { what: "that of another audience", answer: { authenticated: true, user: bob, audiences: ["y"] }, audiences: ["x"], want: undefined },
    { what: "that of no audience, where one is wanted", answer: { authenticated: true, user: bob }, audiences: ["x"], want: undefined },
    { what: "that of an audience", answer: { authenticated: true, user: bob, audiences: ["x"] }, audiences: ["x", "z"], want: bobInfo },
  ])("$what", async ({ answer, want, audiences }) => {
    await using cluster = await startReviewCluster(answer);
    const tokens = authenticatorOf(cluster, audiences === undefined ? {} : { audiences });
    expect(await tokens.authenticateToken(TOKEN, signal)).toEqual(want);
    expect(cluster.specs).toEqual([audiences === undefined ? { token: TOKEN } : { token: TOKEN, audiences }]);
    expect(cluster.cluster.requests).toEqual(["POST /apis/authentication.k8s.io/v1/tokenreviews"]);
  });
});

describe("what is no answer lets nobody in, and shows no token", () => {
  const refused = (code: number, reason: string) => (response: ServerResponse) =>
    answerJSON(response, code, { kind: "Status", status: "Failure", code, reason, message: reason });

  test.each<{ what: string; answer: ReviewCluster["answer"]; reviews: number; isSilent?: boolean }>([
    { what: "a claim that is a text", answer: { authenticated: "true", user: bob }, reviews: 1 },
    { what: "a user without a name", answer: { authenticated: true, user: { groups: ["system:masters"] } }, reviews: 1 },
    { what: "no user", answer: { authenticated: true }, reviews: 1 },
    { what: "groups that are a text", answer: { authenticated: true, user: { ...bob, groups: "system:masters" } }, reviews: 1 },
    { what: "extra of numbers", answer: { authenticated: true, user: { ...bob, extra: { a: [1] } } }, reviews: 1 },
    { what: "no status", answer: (response) => answerJSON(response, 201, {}), reviews: 1 },
    { what: "a list", answer: (response) => answerJSON(response, 201, []), reviews: 1 },
    { what: "no JSON", answer: (response) => void response.end("<html>"), reviews: 1 },
    { what: "more than 5 MiB", answer: { authenticated: true, user: bob, error: "x".repeat(5 * 1024 * 1024) }, reviews: 1 },
    { what: "a redirect", answer: (response) => void response.writeHead(302, { location: "https://127.0.0.1:1/" }).end(), reviews: 1 },
    { what: "that we may not ask", answer: refused(403, "Forbidden"), reviews: 1 },
    { what: "trouble of the server", answer: refused(500, "InternalError"), reviews: 5 },
    { what: "a connection that breaks", answer: (response) => void response.destroy(), reviews: 5 },
    { what: "nothing", answer: () => undefined, reviews: 1, isSilent: true },
  ])("$what", async ({ answer, reviews, isSilent = false }) => {
    await using cluster = await startReviewCluster(answer);
    const tokens = authenticatorOf(cluster, isSilent ? { timeoutMs: 1_500 } : {});
    expect(await outcome(tokens.authenticateToken(TOKEN, signal))).toBe(401);
    expect(cluster.specs).toHaveLength(reviews);
    expect(tokens.lines.join("\n")).toContain("a token could not be reviewed");
    expect(tokens.lines.join("\n")).not.toContain(TOKEN);
    // And it is not remembered.
    cluster.answer = { authenticated: true, user: bob };
    expect(await tokens.authenticateToken(TOKEN, signal)).toEqual(bobInfo);
  });
});

describe("an answer holds for a while", () => {
  test.each<{ what: string; answer: object; other: object; laterMs: number; reviews: number }>([
    { what: "a yes", answer: { authenticated: true, user: bob }, other: { authenticated: false }, laterMs: 9_999, reviews: 1 },
    { what: "a no", answer: { authenticated: false, error: "?" }, other: { authenticated: true, user: bob }, laterMs: 9_999, reviews: 1 },
    { what: "a yes, and no longer", answer: { authenticated: true, user: bob }, other: { authenticated: false }, laterMs: 10_000, reviews: 2 },
    { what: "a no, and no longer", answer: { authenticated: false }, other: { authenticated: true, user: bob }, laterMs: 10_000, reviews: 2 },
    {
      what: "a yes, though the clock is set back",
      answer: { authenticated: true, user: bob },
      other: { authenticated: false },
      laterMs: -300_000,
      reviews: 2,
    },
  ])("$what", async ({ answer, other, laterMs, reviews }) => {
    await using cluster = await startReviewCluster(answer);
    const tokens = authenticatorOf(cluster);
    const before = await tokens.authenticateToken(TOKEN, signal);
    cluster.answer = other;
    tokens.clock.ms += laterMs;
    const after = await tokens.authenticateToken(TOKEN, signal);
    expect(after === undefined).toBe(reviews === 1 ? before === undefined : before !== undefined);
    expect(cluster.specs).toHaveLength(reviews);
  });

  test("of that token alone", async () => {
    await using cluster = await startReviewCluster({ authenticated: true, user: bob });
    const tokens = authenticatorOf(cluster);
    await tokens.authenticateToken("a", signal);
    cluster.answer = { authenticated: false };
    expect(await tokens.authenticateToken("b", signal)).toBeUndefined();
    expect(await tokens.authenticateToken("a", signal)).toEqual(bobInfo);
  });

  test("not at all, where that is asked for", async () => {
    await using cluster = await startReviewCluster({ authenticated: true, user: bob });
    const tokens = authenticatorOf(cluster, { ttlMs: 0 });
    await tokens.authenticateToken("a", signal);
    await tokens.authenticateToken("a", signal);
    expect(cluster.specs).toHaveLength(2);
  });
});
