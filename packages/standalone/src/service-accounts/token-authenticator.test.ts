import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CompactSign, decodeProtectedHeader } from "jose";
import { describe, expect, test } from "vitest";
import { ACCOUNTS, type AccountServer, AUTHENTICATION, startAccountServer } from "../testing/account-server.ts";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const SECRETS = "/api/v1/namespaces/default/secrets";
const MINUTE = 60_000;

/** As whom a token lets somebody ask; the status where it does not. */
async function whoami(server: AccountServer, token: string): Promise<unknown> {
  const answer = await server.requestAs(token, "POST", `${AUTHENTICATION}/selfsubjectreviews`, {});
  return answer.status === 403 ? /User "([^"]*)"/.exec(answer.json().message)?.[1] : answer.status;
}

const ROBOT = "system:serviceaccount:default:robot";
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const partsOf = (token: string) => {
  const [header = "", payload = "", signature = ""] = token.split(".");
  return { header, payload, signature, claims: JSON.parse(Buffer.from(payload, "base64url").toString()) as Record<string, unknown> };
};
const keyOf = async (server: AccountServer) => createPrivateKey(await readFile(join(server.dataDir, "sa.key")));

/** A token with other claims, signed by the server's own key. */
async function signed(server: AccountServer, token: string, changes: object, key?: KeyObject, header: object = {}): Promise<string> {
  const { claims } = partsOf(token);
  const payload = new TextEncoder().encode(JSON.stringify({ ...claims, ...changes }));
  const protectedHeader = { alg: "ES256", ...(decodeProtectedHeader(token) as object), ...header };
  return new CompactSign(payload).setProtectedHeader(protectedHeader).sign(key ?? (await keyOf(server)));
}

describe("a token that the server gave", () => {
  test("is its service account, with groups, uid and credential", async () => {
    await using server = await startAccountServer({ allows: () => ({ decision: "Allow", reason: "" }) });
    const token = await server.tokenOf("robot");
    const { uid } = (await server.request("GET", `${ACCOUNTS}/robot`)).json().metadata;
    const { claims } = partsOf(token);
    expect((await server.requestAs(token, "POST", `${AUTHENTICATION}/selfsubjectreviews`, {})).json().status.userInfo).toEqual({
      username: ROBOT,
      uid,
      groups: ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"],
      extra: { "authentication.kubernetes.io/credential-id": [`JTI=${claims.jti}`] },
    });
  });

  test("is good until it expires, and a minute longer for clocks that differ", async () => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot", { expirationSeconds: 600 });
    await server.clock.step(11 * MINUTE);
    expect(await whoami(server, token)).toBe(ROBOT);
    await server.clock.step(1);
    expect(await whoami(server, token)).toBe(401);
    expect(await server.review(token)).toEqual({ user: {}, error: "[invalid bearer token, service account token has expired]" });
  });

  test("ends with its account, and is not that of another one of the name", async () => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot");
    await server.request("DELETE", `${ACCOUNTS}/robot`);
    expect(await whoami(server, token)).toBe(401);
    expect(await server.review(token)).toEqual({ user: {}, error: '[invalid bearer token, serviceaccounts "robot" not found]' });
    await server.tokenOf("robot");
    expect(await whoami(server, token)).toBe(401);
    expect(await server.review(token)).toMatchObject({ error: expect.stringMatching(/service account UID \([0-9a-f-]+\) does not match claim/) });
  });

  test("ends when its account is in deletion, a minute after it began", async () => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot");
    const headers = { "content-type": "application/merge-patch+json" };
    await server.request("PATCH", `${ACCOUNTS}/robot`, { body: { metadata: { finalizers: ["example.com/hold"] } }, headers });
    await server.request("DELETE", `${ACCOUNTS}/robot`);
    expect(await whoami(server, token)).toBe(ROBOT);
    await server.clock.step(MINUTE + 1);
    expect(await whoami(server, token)).toBe(401);
    expect(await server.review(token)).toMatchObject({ error: "[invalid bearer token, service account default/robot has been deleted]" });
  });

  test("ends with the Secret that it is bound to", async () => {
    await using server = await startAccountServer();
    await server.request("POST", SECRETS, { body: { metadata: { name: "sec" } } });
    const token = await server.tokenOf("robot", { boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "sec" } });
    expect(await whoami(server, token)).toBe(ROBOT);
    await server.request("DELETE", `${SECRETS}/sec`);
    expect(await whoami(server, token)).toBe(401);
    await server.request("POST", SECRETS, { body: { metadata: { name: "sec" } } });
    expect(await whoami(server, token)).toBe(401);
    expect(await server.review(token)).toMatchObject({ error: expect.stringContaining("does not match service account secret ref claim") });
  });

  test("ends when its Secret is in deletion, a minute after it began", async () => {
    await using server = await startAccountServer();
    await server.request("POST", SECRETS, { body: { metadata: { name: "sec", finalizers: ["example.com/hold"] } } });
    const token = await server.tokenOf("robot", { boundObjectRef: { kind: "Secret", apiVersion: "v1", name: "sec" } });
    await server.request("DELETE", `${SECRETS}/sec`);
    expect(await whoami(server, token)).toBe(ROBOT);
    await server.clock.step(MINUTE + 1);
    expect(await whoami(server, token)).toBe(401);
    expect(await server.review(token)).toMatchObject({ error: "[invalid bearer token, service account token has been invalidated]" });
  });

  test("for somebody else is nobody's here, and whose it is for those who ask for that", async () => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot", { audiences: ["foo", "bar"] });
    expect(await whoami(server, token)).toBe(401);
    const error = `[invalid bearer token, token audiences ["foo" "bar"] is invalid for the target audiences [${JSON.stringify(ISSUER)}]]`;
    expect(await server.review(token)).toEqual({ user: {}, error });
    expect(await server.review(token, ["bar", "baz"])).toMatchObject({ authenticated: true, user: { username: ROBOT }, audiences: ["bar"] });
  });
});

describe("a token made by hand", () => {
  const forgeries: { name: string; forge: (server: AccountServer, token: string) => Promise<string> | string }[] = [
    { name: "without a signature (alg none)", forge: (_server, token) => `${encode({ alg: "none" })}.${partsOf(token).payload}.` },
    {
      name: "without a signature, naming the key",
      forge: (_server, token) => `${encode({ ...decodeProtectedHeader(token), alg: "none" })}.${partsOf(token).payload}.`,
    },
    {
      name: "with the signature of another payload",
      forge: (_server, token) => {
        const { header, claims, signature } = partsOf(token);
        return `${header}.${encode({ ...claims, sub: "system:admin" })}.${signature}`;
      },
    },
    {
      name: "by another key under this one's name",
      forge: (server, token) => signed(server, token, {}, generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey),
    },
    {
      name: "by another key that it brings along",
      forge: (server, token) => {
        const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
        return signed(server, token, {}, privateKey, { jwk: publicKey.export({ format: "jwk" }), kid: undefined });
      },
    },
    {
      name: "by an RSA key under this one's name",
      forge: (server, token) => signed(server, token, {}, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, { alg: "RS256" }),
    },
    { name: "naming a key that is not there", forge: (server, token) => signed(server, token, {}, undefined, { kid: "x" }) },
    ...["pem", "der"].map((format) => ({
      name: `HS256 with the public key (${format}) as the secret`,
      forge: async (server: AccountServer, token: string) => {
        const publicKey = createPublicKey(await keyOf(server));
        const secret = format === "pem" ? publicKey.export({ type: "spki", format: "pem" }) : publicKey.export({ type: "spki", format: "der" });
        const head = `${encode({ ...decodeProtectedHeader(token), alg: "HS256" })}.${partsOf(token).payload}`;
        return `${head}.${createHmac("sha256", secret).update(head).digest("base64url")}`;
      },
    })),
    { name: "of another issuer", forge: (server, token) => signed(server, token, { iss: "https://elsewhere" }) },
    { name: "for another audience", forge: (server, token) => signed(server, token, { aud: ["elsewhere"] }) },
    { name: "for nobody", forge: (server, token) => signed(server, token, { aud: [] }) },
    { name: "without an audience", forge: (server, token) => signed(server, token, { aud: undefined }) },
    { name: "that never expires", forge: (server, token) => signed(server, token, { exp: undefined }) },
    { name: "that has expired", forge: (server, token) => signed(server, token, { exp: server.clock.now() / 1000 - 61 }) },
    { name: "of tomorrow", forge: (server, token) => signed(server, token, { nbf: server.clock.now() / 1000 + 61 }) },
    { name: "made in the future", forge: (server, token) => signed(server, token, { iat: server.clock.now() / 1000 + 61 }) },
    {
      name: "of another uid",
      forge: (server, token) => signed(server, token, { "kubernetes.io": { namespace: "default", serviceaccount: { name: "robot", uid: "x" } } }),
    },
    {
      name: "without a uid",
      forge: (server, token) => signed(server, token, { "kubernetes.io": { namespace: "default", serviceaccount: { name: "robot" } } }),
    },
    {
      name: "bound to a Pod, which nobody could look up",
      forge: (server, token) => {
        const bound = partsOf(token).claims["kubernetes.io"] as object;
        return signed(server, token, { "kubernetes.io": { ...bound, pod: { name: "p", uid: "u" } } });
      },
    },
    {
      name: "whose payload is no object",
      forge: (server, token) => signed(server, token, {}).then(() => `${partsOf(token).header}.${encode([])}.x`),
    },
    { name: "of two parts", forge: (_server, token) => token.split(".").slice(0, 2).join(".") },
    { name: "of four parts", forge: (_server, token) => `${token}.x` },
    { name: "with its header in pieces", forge: (_server, token) => `!!!.${partsOf(token).payload}.x` },
    { name: "with the padding of its signature", forge: (_server, token) => `${token}==` },
    { name: "with blanks in its signature", forge: (_server, token) => `${token.slice(0, -3)} ${token.slice(-3)}` },
    { name: "with a line break in its signature", forge: (_server, token) => `${token.slice(0, -3)}\n${token.slice(-3)}` },
    { name: "in the JSON form", forge: (_server, token) => JSON.stringify({ payload: partsOf(token).payload, signatures: [] }) },
    { name: "of great length", forge: (_server, token) => `${token}${"A".repeat(100_000)}` },
  ];

  test.each(forgeries)("$name", async ({ forge }) => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot");
    const forged = await forge(server, token);
    expect(await whoami(server, forged)).toBe(401);
    expect(await server.review(forged)).toEqual({ user: {}, error: expect.stringContaining("invalid bearer token") });
    expect(await whoami(server, token)).toBe(ROBOT);
    // Neither it nor a piece of it is in the log.
    expect(JSON.stringify(server.log)).not.toContain(partsOf(token).payload);
  });

  test("of another issuer is not looked at: it may be for another authenticator", async () => {
    await using server = await startAccountServer();
    const token = await signed(server, await server.tokenOf("robot"), { iss: "https://elsewhere" });
    expect(await server.review(token)).toEqual({ user: {}, error: "invalid bearer token" });
  });

  test("signed in earnest, the same way, is good: the forgeries above differ by what they say", async () => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot");
    expect(await whoami(server, await signed(server, token, {}))).toBe(ROBOT);
    expect(await whoami(server, await signed(server, token, {}, undefined, { kid: undefined }))).toBe(ROBOT);
  });
});

describe("several issuers and keys", () => {
  test("the first issuer signs, all are accepted", async () => {
    await using server = await startAccountServer({ args: ["--service-account-issuer=https://new", "--service-account-issuer=old"] });
    const token = await server.tokenOf("robot");
    expect(partsOf(token).claims).toMatchObject({ iss: "https://new", aud: ["https://new"] });
    expect(await whoami(server, await signed(server, token, { iss: "old" }))).toBe(ROBOT);
    expect(await whoami(server, await signed(server, token, { iss: "older" }))).toBe(401);
  });

  test("audiences are those that were named", async () => {
    await using server = await startAccountServer({ args: ["--api-audiences=a,b"] });
    const token = await server.tokenOf("robot");
    expect(partsOf(token).claims).toMatchObject({ aud: ["a", "b"] });
    expect(await whoami(server, await signed(server, token, { aud: "b" }))).toBe(ROBOT);
    expect(await whoami(server, await signed(server, token, { aud: [ISSUER] }))).toBe(401);
  });

  test("a key that was rotated out is good as long as it is named", async () => {
    await using old = await startAccountServer();
    const token = await old.tokenOf("robot");
    const keyFile = join(old.dataDir, "sa.key");
    const newKey = join(old.dataDir, "new.key");
    await writeFile(newKey, generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ type: "pkcs1", format: "pem" }));
    for (const args of [
      [`--service-account-signing-key-file=${newKey}`],
      [`--service-account-signing-key-file=${newKey}`, `--service-account-key-file=${keyFile}`],
    ]) {
      await using server = await startAccountServer({ args });
      const fresh = await server.tokenOf("robot");
      expect(decodeProtectedHeader(fresh).alg).toBe("RS256");
      expect(await whoami(server, fresh)).toBe(ROBOT);
      const { claims } = partsOf(fresh);
      const bound = claims["kubernetes.io"] as object;
      // By the old key, and about the account of this server.
      const ofOld = await signed(server, token, { "kubernetes.io": bound }, createPrivateKey(await readFile(keyFile)));
      expect(await whoami(server, ofOld)).toBe(args.length === 2 ? ROBOT : 401);
    }
  });
});
