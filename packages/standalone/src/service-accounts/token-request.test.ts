import { createPublicKey } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { compactVerify, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { ACCOUNTS, type AccountServer, startAccountServer } from "../testing/account-server.ts";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const TOKEN = `${ACCOUNTS}/robot/token`;
const SECRETS = "/api/v1/namespaces/default/secrets";

async function start(): Promise<{ server: AccountServer; uid: string; secretUID: string } & AsyncDisposable> {
  const server = await startAccountServer();
  const { uid } = (await server.request("POST", ACCOUNTS, { body: { metadata: { name: "robot" } } })).json().metadata;
  const { uid: secretUID } = (await server.request("POST", SECRETS, { body: { metadata: { name: "sec" } } })).json().metadata;
  return { server, uid, secretUID, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

const payloadOf = (token: string) => JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

// Asked of kube-apiserver 1.36.
describe("a token", () => {
  test("in a namespace that is not there is refused for that", async () => {
    await using context = await start();
    const answer = await context.server.request("POST", "/api/v1/namespaces/nope/serviceaccounts/robot/token", { body: {} });
    expect(answer.json()).toMatchObject({ code: 404, message: 'namespaces "nope" not found', details: { name: "nope", kind: "namespaces" } });
  });

  test("is not made in a namespace that is being deleted, whether or not there is the account", async () => {
    await using context = await start();
    const { server } = context;
    await server.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "term" } } });
    const accounts = "/api/v1/namespaces/term/serviceaccounts";
    await server.request("POST", accounts, { body: { metadata: { name: "held", finalizers: ["example.com/x"] } } });
    await server.request("DELETE", "/api/v1/namespaces/term");
    for (const name of ["held", "nobody"]) {
      const answer = await server.request("POST", `${accounts}/${name}/token`, { body: {} });
      expect(answer.json()).toMatchObject({
        code: 403,
        message: `serviceaccounts "${name}" is forbidden: unable to create new content in namespace term because it is being terminated`,
      });
    }
  });

  test("says what Kubernetes' own say, signed by the key in the data folder", async () => {
    await using context = await start();
    const { server, uid } = context;
    const answer = await server.request("POST", TOKEN, { body: {} });
    const now = server.clock.now() / 1000;
    expect([answer.status, answer.json()]).toEqual([
      201,
      {
        kind: "TokenRequest",
        apiVersion: "authentication.k8s.io/v1",
        metadata: { name: "robot", namespace: "default", uid, creationTimestamp: "2026-01-01T00:00:00Z" },
        spec: { audiences: [ISSUER], expirationSeconds: 3600, boundObjectRef: null },
        status: { token: expect.any(String), expirationTimestamp: "2026-01-01T01:00:00Z" },
      },
    ]);
    const token = String(answer.json().status.token);
    expect(payloadOf(token)).toEqual({
      aud: [ISSUER],
      exp: now + 3600,
      iat: now,
      iss: ISSUER,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      "kubernetes.io": { namespace: "default", serviceaccount: { name: "robot", uid } },
      nbf: now,
      sub: "system:serviceaccount:default:robot",
    });
    const key = createPublicKey(await readFile(join(server.dataDir, "sa.key")));
    await compactVerify(token, key, { algorithms: ["ES256"] });
    expect(decodeProtectedHeader(token)).toEqual({ alg: "ES256", kid: expect.stringMatching(/^[\w-]{43}$/) });
    const second = String((await server.request("POST", TOKEN, { body: {} })).json().status.token);
    expect(payloadOf(second).jti).not.toBe(payloadOf(token).jti);
  });

  test("is bound to a Secret when it is asked for so", async () => {
    await using context = await start();
    const { server, secretUID } = context;
    const boundObjectRef = { kind: "Secret", apiVersion: "v1", name: "sec" };
    const answer = (await server.request("POST", TOKEN, { body: { spec: { boundObjectRef } } })).json();
    expect(answer.spec.boundObjectRef).toEqual(boundObjectRef);
    expect(payloadOf(String(answer.status.token))["kubernetes.io"]).toMatchObject({ secret: { name: "sec", uid: secretUID } });
  });

  test.each<{ body: object; want: object }>([
    { body: { spec: { expirationSeconds: 600, audiences: ["a", "b"] } }, want: { spec: { expirationSeconds: 600, audiences: ["a", "b"] } } },
    { body: { spec: { audiences: [] }, status: { token: "x" } }, want: { spec: { audiences: [ISSUER] } } },
    { body: { spec: null }, want: { spec: { expirationSeconds: 3600 } } },
    { body: { spec: { expirationSeconds: 4294967296 } }, want: { status: { expirationTimestamp: "2162-02-07T06:28:16Z" } } },
    {
      body: { metadata: { name: "robot", labels: { a: "b" }, creationTimestamp: "2020-01-01T00:00:00Z" } },
      want: { metadata: { labels: { a: "b" } } },
    },
  ])("$body", async ({ body, want }) => {
    await using context = await start();
    expect((await context.server.request("POST", TOKEN, { body })).json()).toMatchObject(want);
  });
});

const refused = (code: number, reason: string, message: string, details: object | undefined) => ({ code, reason, message, details });
const tokenRequest = { group: "authentication.k8s.io", kind: "TokenRequest" };
const ref = (kind: string, more: object = {}) => ({ spec: { boundObjectRef: { kind, apiVersion: "v1", name: "p", ...more } } });

describe("refuses", () => {
  test.each<{ body: object; want: ReturnType<typeof refused> }>([
    ...[10, 0, -1].map((expirationSeconds) => {
      const message = `Invalid value: ${expirationSeconds}: may not specify a duration less than 10 minutes`;
      const causes = [{ reason: "FieldValueInvalid", message, field: "spec.expirationSeconds" }];
      const sentence = `TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: ${message}`;
      return { body: { spec: { expirationSeconds } }, want: refused(422, "Invalid", sentence, { ...tokenRequest, causes }) };
    }),
    {
      body: { spec: { expirationSeconds: 4294967297 } },
      want: refused(
        422,
        "Invalid",
        'TokenRequest.authentication.k8s.io "" is invalid: spec.expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
        {
          ...tokenRequest,
          causes: [
            {
              reason: "FieldValueInvalid",
              message: "Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds",
              field: "spec.expirationSeconds",
            },
          ],
        },
      ),
    },
    {
      body: { metadata: { name: "other" } },
      want: refused(
        422,
        "Invalid",
        'TokenRequest.authentication.k8s.io "robot" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified',
        {
          name: "robot",
          ...tokenRequest,
          causes: [
            {
              reason: "FieldValueInvalid",
              message: 'Invalid value: "other": must match the service account name if specified',
              field: "metadata.name",
            },
          ],
        },
      ),
    },
    {
      body: { metadata: { namespace: "other" } },
      want: refused(400, "BadRequest", "the namespace of the provided object does not match the namespace sent on the request", undefined),
    },
    { body: ref("Pod"), want: refused(404, "NotFound", 'pods "p" not found', { name: "p", kind: "pods" }) },
    { body: ref("Node"), want: refused(404, "NotFound", 'nodes "p" not found', { name: "p", kind: "nodes" }) },
    { body: ref("Secret"), want: refused(404, "NotFound", 'secrets "p" not found', { name: "p", kind: "secrets" }) },
    { body: ref("Secret", { name: "" }), want: refused(400, "BadRequest", "Name parameter required.", undefined) },
    { body: ref("Foo"), want: refused(400, "BadRequest", "cannot bind token to object of type /v1, Kind=Foo", undefined) },
    {
      body: ref("Foo", { apiVersion: "x/v1" }),
      want: refused(400, "BadRequest", "cannot bind token to object of type x/v1, Kind=Foo", undefined),
    },
    {
      body: ref("Foo", { apiVersion: "x/y/v1" }),
      want: refused(400, "BadRequest", "cannot bind token to object of type /, Kind=Foo", undefined),
    },
    { body: { spec: { boundObjectRef: {} } }, want: refused(400, "BadRequest", "cannot bind token to object of type /, Kind=", undefined) },
    {
      body: ref("Secret", { name: "sec", uid: "x" }),
      want: refused(
        409,
        "Conflict",
        'Operation cannot be fulfilled on Secret "sec": the UID in the bound object reference (x) does not match the UID in record. The object might have been deleted and then recreated',
        { name: "sec", kind: "Secret" },
      ),
    },
  ])("$body", async ({ body, want }) => {
    await using context = await start();
    const { code, reason, message, details } = (await context.server.request("POST", TOKEN, { body })).json();
    expect({ code, reason, message, details }).toEqual(want);
  });

  test("another uid, an account that is not there, a body of another kind, other methods", async () => {
    await using context = await start();
    const { server, uid } = context;
    expect((await server.request("POST", TOKEN, { body: { metadata: { uid: "other" } } })).json()).toMatchObject({
      code: 409,
      message: `Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "robot": the UID in the token request (other) does not match the UID of the service account (${uid})`,
      details: { name: "robot", ...tokenRequest },
    });
    expect((await server.request("POST", `${ACCOUNTS}/nope/token`, { body: {} })).json()).toMatchObject({
      code: 404,
      message: 'serviceaccounts "nope" not found',
    });
    expect((await server.request("POST", TOKEN, { body: { kind: "ServiceAccount", apiVersion: "v1" } })).status).toBe(400);
    for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
      expect((await server.request(method, TOKEN, method === "GET" ? {} : { body: {} })).status).toBe(405);
    }
  });
});
