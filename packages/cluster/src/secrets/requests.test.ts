import { APIError, type JSONValue, type KubernetesObject, parseFieldSelector, parseLabelSelector } from "@annex/apimachinery";
import { publicPathsAuthorizer, type RequestContext } from "@annex/apiserver";
import { decodeData } from "@annex/storage-secrets";
import { NOTE_SECRET_TYPE } from "@annex/storage-secrets/testing";
import { ADMIN, realClock } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { createClusterClient } from "../client/index.ts";
import { answerJSON, startFakeCluster } from "../testing/fake-cluster.ts";
import { remoteSecrets } from "./remote-secrets.ts";

const signal = new AbortController().signal;
const context: RequestContext = { user: ADMIN, now: 0, signal, authorizer: publicPathsAuthorizer, warn: () => undefined };
const target = { namespace: "default", name: "a" };
const MANAGER = { manager: "annex", subresource: "" };
const LIST = {
  namespace: "default",
  secretType: NOTE_SECRET_TYPE,
  labelSelector: parseLabelSelector(""),
  fieldSelector: parseFieldSelector("", new Set()),
  limit: 0,
  continue: "",
  consistency: { type: "MostRecent" },
} as const;
const NONE = { isDryRun: false, preconditions: {}, propagationPolicy: undefined, gracePeriodSeconds: undefined } as const;
const PLAIN = "c2VjcmV0IHZhbHVl";

const secret = (resourceVersion: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: { ...target, resourceVersion },
  type: NOTE_SECRET_TYPE,
  data: { key: PLAIN },
});
const status = (code: number, reason: string, message: string, details?: object) => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  reason,
  message,
  ...(details === undefined ? {} : { details }),
});

/** Secrets over a cluster that answers requests in their order; the last answer goes on. A number alone ends the connection after so many bytes of nothing. */
async function over(answers: readonly (readonly [number, JSONValue | object])[]) {
  let turn = 0;
  const cluster = await startFakeCluster((_request, response) => {
    const [code, body] = answers[Math.min(turn++, answers.length - 1)] ?? [500, {}];
    if (code === 0) response.destroy();
    else answerJSON(response, code, body);
  });
  const lines: unknown[] = [];
  const line = (...args: unknown[]) => void lines.push(args);
  const log = { error: line, warn: line, info: line, debug: line };
  const client = createClusterClient(cluster.config, { clock: realClock });
  const { verbs } = remoteSecrets({ client, types: [NOTE_SECRET_TYPE], clock: realClock, log });
  return {
    verbs,
    lines,
    requests: cluster.requests,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await cluster[Symbol.asyncDispose]();
    },
  };
}

type Verbs = Awaited<ReturnType<typeof over>>["verbs"];
const change = (verbs: Verbs, transform: (live: KubernetesObject) => KubernetesObject = (live) => live) =>
  verbs.update(
    { version: "v1", target, isDryRun: true, fieldManager: MANAGER, isPatch: true, transform: (live) => transform(live as KubernetesObject) },
    context,
  );
const OPERATIONS: Readonly<Record<string, (verbs: Verbs) => Promise<unknown>>> = {
  get: async (verbs) => verbs.get(target, { type: "MostRecent" }, context),
  create: (verbs) =>
    verbs.create({ version: "v1", ...target, name: "", object: secret(""), isDryRun: false, fieldManager: MANAGER } as never, context),
  delete: (verbs) => verbs.delete({ ...target, known: { object: secret("1") } as never } as never, NONE, context),
};

describe("a cluster that cannot be asked", () => {
  test.each([
    { operation: "get", answer: [0, {}], want: { code: 503, details: { retryAfterSeconds: 1 } }, words: "cannot be read" },
    { operation: "create", answer: [0, {}], want: { code: 503, details: undefined }, words: "the write may or may not have happened" },
    { operation: "delete", answer: [0, {}], want: { code: 503, details: undefined }, words: "the write may or may not have happened" },
    { operation: "get", answer: [200, "no object"], want: { code: 503, reason: "ServiceUnavailable" }, words: "cannot be read" },
    { operation: "get", answer: [200, { kind: "Pod", metadata: {} }], want: { code: 503 }, words: "cannot be read" },
    {
      operation: "get",
      answer: [401, status(401, "Unauthorized", "Unauthorized")],
      want: { code: 500 },
      words: "does not take this server's credentials",
    },
    { operation: "create", answer: [401, status(401, "Unauthorized", "Unauthorized")], want: { code: 500 }, words: "credentials" },
  ] as const)("$operation, answered $answer: $want.code", async ({ operation, answer, want, words }) => {
    await using secrets = await over([answer]);
    const error: unknown = await OPERATIONS[operation]?.(secrets.verbs).catch((failure: unknown) => failure);
    expect(APIError.is(error)).toBe(true);
    expect(error).toMatchObject(want);
    expect(error).toMatchObject({ message: expect.stringContaining(words) });
    const told = JSON.stringify([(error as APIError).toStatus(), secrets.lines], (_key, value: unknown) =>
      value instanceof Error ? `${value.stack} ${String(value.cause)}` : value,
    );
    expect(told).not.toContain(PLAIN);
    expect(told).not.toContain(decodeData({ key: PLAIN }, "key"));
    expect(told).not.toContain("Bearer");
  });
});

describe("a list", () => {
  const type = "type%3Dexample.com%2Fnote";
  test.each([
    { what: "a page", options: { limit: 2 }, want: `fieldSelector=${type}&limit=2` },
    {
      what: "labels",
      options: { labelSelector: parseLabelSelector("a in (b,c),!d") },
      want: `fieldSelector=${type}&labelSelector=a+in+%28b%2Cc%29%2C%21d&limit=500`,
    },
    {
      what: "a name",
      options: { fieldSelector: parseFieldSelector("metadata.name=a", new Set(["metadata.name"])) },
      want: `fieldSelector=${type}%2Cmetadata.name%3Da&limit=500`,
    },
    { what: "another page", options: { limit: 2, continue: "token" }, want: `fieldSelector=${type}&limit=2&continue=token` },
    {
      what: "a moment",
      options: { consistency: { type: "Exact", resourceVersion: "7" } as const },
      want: `fieldSelector=${type}&limit=500&resourceVersion=7&resourceVersionMatch=Exact`,
    },
    {
      what: "any type",
      options: { secretType: undefined, consistency: { type: "Any" } as const },
      want: "limit=500&resourceVersion=0&resourceVersionMatch=NotOlderThan",
    },
  ])("of $what leaves the selection to the cluster", async ({ options, want }) => {
    await using secrets = await over([[200, { metadata: { resourceVersion: "9" }, items: [] }]]);
    await secrets.verbs.list({ ...LIST, ...options }, context);
    expect(secrets.requests).toEqual([`GET /api/v1/namespaces/default/secrets?${want}`]);
  });
});

test("pages that come together are looked at in turns of the event loop of their own", async () => {
  const answers: (() => void)[] = [];
  const page = { metadata: { resourceVersion: "9" }, items: [secret("1"), secret("2"), secret("3")] };
  await using cluster = await startFakeCluster((_request, response) => {
    answers.push(() => answerJSON(response, 200, page));
    if (answers.length === 8) for (const answer of answers) answer();
  });
  await using client = createClusterClient(cluster.config, { clock: realClock });
  const line = () => undefined;
  const { verbs } = remoteSecrets({ client, types: [NOTE_SECRET_TYPE], clock: realClock, log: { error: line, warn: line, info: line, debug: line } });
  const turns: number[] = [0];
  const matches = () => {
    turns[turns.length - 1] = (turns[turns.length - 1] ?? 0) + 1;
    return true;
  };
  let isDone = false;
  const count = () => {
    turns.push(0);
    if (!isDone) setImmediate(count);
  };
  count();
  const lists = await Promise.all(Array.from({ length: 8 }, () => verbs.list({ ...LIST, filter: { isCounted: true, matches } }, context)));
  isDone = true;
  expect(lists.map(({ items }) => items.length)).toEqual(Array(8).fill(3));
  expect(turns.filter((seen) => seen > 0)).toEqual(Array(8).fill(3));
});

describe("what the cluster refuses", () => {
  test.each([
    [403, "Forbidden", 'secrets "a" is forbidden: exceeded quota: q'],
    [404, "NotFound", 'namespaces "default" not found'],
    [409, "AlreadyExists", 'secrets "a" already exists'],
    [413, "RequestEntityTooLarge", "Request entity too large: limit is 3145728"],
    [422, "Invalid", 'Secret "a" is invalid: data: Too long: may not be more than 1048576 bytes'],
    [429, "TooManyRequests", "too many requests, please try again later"],
    [500, "InternalError", "Internal error occurred: failed calling webhook"],
    [504, "Timeout", "Timeout: request did not complete within the allotted timeout"],
  ] as const)("%i %s is told as it is", async (code, reason, message) => {
    await using secrets = await over([[code, status(code, reason, message)]]);
    await expect(OPERATIONS.create?.(secrets.verbs)).rejects.toMatchObject({ code, reason, message });
    expect(secrets.requests).toHaveLength(1);
  });
});

describe("an update", () => {
  const conflict = status(409, "Conflict", "the object has been modified", { name: "a", kind: "secrets" });

  test("is made again of what somebody else wrote, and carries manager and dry run", async () => {
    await using secrets = await over([
      [200, secret("1")],
      [409, conflict],
      [200, secret("2")],
      [200, secret("3")],
    ]);
    const seen: string[] = [];
    const { view } = await change(secrets.verbs, (live) => {
      seen.push(live.metadata.resourceVersion ?? "");
      return live;
    });
    expect([seen, view.resourceVersion]).toEqual([["1", "2"], "3"]);
    const path = "/api/v1/namespaces/default/secrets/a";
    const put = `PUT ${path}?fieldManager=annex&dryRun=All`;
    expect(secrets.requests).toEqual([`GET ${path}`, put, `GET ${path}`, put]);
  });

  test("of a state that is the present one no more is a conflict", async () => {
    await using secrets = await over([[200, secret("2")]]);
    await expect(change(secrets.verbs, () => secret("1") as KubernetesObject)).rejects.toMatchObject({ code: 409, reason: "Conflict" });
    expect(secrets.requests).toHaveLength(1);
  });

  test("that is a conflict with nobody's write is not made again", async () => {
    const refused = status(409, "Conflict", 'admission webhook "w" denied the request: no');
    await using secrets = await over([
      [200, secret("1")],
      [409, refused],
      [200, secret("1")],
      [500, {}],
    ]);
    await expect(change(secrets.verbs)).rejects.toMatchObject({ code: 409, message: 'admission webhook "w" denied the request: no' });
    expect(secrets.requests).toHaveLength(3);
  });
});

test.each(["..", ".", "a/b", "a%2fb"])("the name %s leads nowhere else", async (name) => {
  await using secrets = await over([[200, secret("1")]]);
  for (const place of [
    { namespace: "default", name },
    { namespace: name, name: "a" },
  ]) {
    await expect((async () => secrets.verbs.get(place, { type: "MostRecent" }, context))()).rejects.toMatchObject({ reason: "NotFound" });
  }
  expect(secrets.requests).toEqual([]);
});
