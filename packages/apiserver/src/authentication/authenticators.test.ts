import { createHmac, randomBytes } from "node:crypto";
import { APIError, unauthorized } from "@annex/apimachinery";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { APIRequest, CertificateAuthorities, PeerCertificate, PeerCertificates } from "../endpoints/http.ts";
import { allowAnonymous } from "./anonymous.ts";
import { withAuthenticatedGroup } from "./authenticated-group.ts";
import type { Authenticator } from "./authenticator.ts";
import { bearerTokenAuthenticator, parseBearerToken, type TokenAuthenticator } from "./bearer-token.ts";
import { clientCertificateAuthenticator } from "./client-certificate.ts";
import { type TokenRecord, tokenFileAuthenticator } from "./token-file.ts";
import { unionAuthenticator } from "./union.ts";
import { ANONYMOUS, type UserInfo } from "./user-info.ts";
import { webSocketTokenAuthenticator } from "./websocket-token.ts";

const clientCA: CertificateAuthorities = { pem: "client CA" };
const certificates = clientCertificateAuthenticator(() => clientCA);

/** A certificate for which some CAs vouch, and no others. */
function signed(certificate: PeerCertificate, by: CertificateAuthorities): PeerCertificates {
  return { verifiedBy: (authorities) => (authorities === by ? certificate : undefined) };
}

function request({
  certificate,
  authorization,
  query = "",
}: {
  certificate?: PeerCertificate;
  authorization?: string;
  query?: string;
} = {}): APIRequest {
  return {
    method: "GET",
    path: "/apis",
    query,
    headers: authorization === undefined ? {} : { authorization },
    body: async () => new Uint8Array(),
    peer: { address: "127.0.0.1", certificates: certificate && signed(certificate, clientCA) },
    signal: new AbortController().signal,
  };
}

const key = randomBytes(32);
const digest = (token: string) => createHmac("sha256", key).update(token).digest("base64");
const alice: TokenRecord = { token: "alice-token", user: "alice", uid: "u1", groups: ["devs"] };
const aliceInfo: UserInfo = { name: "alice", uid: "u1", groups: ["devs", "system:authenticated"], extra: {} };
const tokens = bearerTokenAuthenticator([tokenFileAuthenticator([alice], digest)]);
const bob: PeerCertificate = { commonName: "bob", organizations: ["ops"] };
const bobInfo: UserInfo = { name: "bob", groups: ["ops", "system:authenticated"], extra: {} };
const isUnauthorized = expect.objectContaining({ code: 401, reason: "Unauthorized", message: "Unauthorized" });

describe("client certificate", () => {
  test.each<{ certificate: PeerCertificate | undefined; want: UserInfo | undefined }>([
    { certificate: undefined, want: undefined },
    { certificate: { commonName: "", organizations: ["system:masters"] }, want: undefined },
    { certificate: bob, want: bobInfo },
    { certificate: { ...bob, uid: "7" }, want: { ...bobInfo, uid: "7" } },
    {
      certificate: { commonName: "bob", organizations: [], fingerprint: "ab12" },
      want: { ...bobInfo, groups: ["system:authenticated"], extra: { "authentication.kubernetes.io/credential-id": ["X509SHA256=ab12"] } },
    },
    { certificate: { commonName: "bob", organizations: [] }, want: { ...bobInfo, groups: ["system:authenticated"] } },
    { certificate: { commonName: "system:anonymous", organizations: ["x"] }, want: { name: "system:anonymous", groups: ["x"], extra: {} } },
  ])("$certificate is $want", async ({ certificate, want }) => {
    expect(await certificates.authenticate(request(certificate === undefined ? {} : { certificate }))).toEqual(want);
  });
});

// Asked of kube-apiserver 1.36.
describe("a client certificate that another CA signed", () => {
  const stranger: APIRequest = { ...request(), peer: { address: "", certificates: signed(bob, { pem: "another CA" }) } };

  test("is refused, not anonymous", async () => {
    await expect(async () => allowAnonymous(unionAuthenticator([certificates, tokens])).authenticate(stranger)).rejects.toEqual(isUnauthorized);
  });

  test("is refused beside a wrong token, too", async () => {
    const withToken = { ...stranger, headers: { authorization: "Bearer wrong" } };
    await expect(unionAuthenticator([certificates, tokens]).authenticate(withToken)).rejects.toEqual(isUnauthorized);
  });

  test("does no harm beside a token that is known", async () => {
    const withToken = { ...stranger, headers: { authorization: "Bearer alice-token" } };
    expect(await unionAuthenticator([certificates, tokens]).authenticate(withToken)).toEqual(aliceInfo);
  });

  test("means nothing where there is no client CA", () => {
    expect(clientCertificateAuthenticator(() => undefined).authenticate(stranger)).toBeUndefined();
  });
});

// Asked of kube-apiserver 1.36.
test.each([
  { authorization: "Bearer  alice-token", isWarned: true },
  { authorization: " bearer   x", isWarned: true },
  { authorization: "Bearer ", isWarned: false },
  { authorization: "Basic  x", isWarned: false },
])("a token behind more than one space is passed over with a warning: $authorization", async ({ authorization, isWarned }) => {
  const warnings: string[] = [];
  const authenticator = allowAnonymous(unionAuthenticator([certificates, tokens]));
  const user = await authenticator.authenticate({ ...request(), headers: { authorization } }, (text) => void warnings.push(text));
  expect(user?.name).toBe("system:anonymous");
  expect(warnings).toEqual(isWarned ? ["the provided Authorization header contains extra space before the bearer token, and is ignored"] : []);
});

// Asked of kube-apiserver 1.36.
test.each([
  { authorization: undefined, want: undefined },
  { authorization: "", want: undefined },
  { authorization: "Bearer", want: undefined },
  { authorization: "Bearer ", want: undefined },
  { authorization: "Bearer  token", want: undefined },
  { authorization: "Bearer\ttoken", want: undefined },
  { authorization: "Basic dG9rZW4=", want: undefined },
  { authorization: "Bearertoken", want: undefined },
  { authorization: "Bearer token", want: "token" },
  { authorization: "bEaReR token", want: "token" },
  { authorization: "  Bearer token  ", want: "token" },
  { authorization: "Bearer token more", want: "token" },
])("$authorization carries the token $want", ({ authorization, want }) => expect(parseBearerToken(authorization)).toBe(want));

describe("a token as the subprotocol of a WebSocket", () => {
  const socket = { upgrade: "WebSocket", connection: "keep-alive, Upgrade" };
  const encoded = (token: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`;
  const protocols = webSocketTokenAuthenticator([tokenFileAuthenticator([alice, { ...alice, token: "\u{fffff}?>" }], digest)]);
  const authenticate = (protocol: string | undefined, headers: Record<string, string> = socket) =>
    protocols.authenticate({ ...request({}), headers: { ...headers, ...(protocol === undefined ? {} : { "sec-websocket-protocol": protocol }) } });

  // Asked of kube-apiserver 1.36.
  test.each<{ protocol: string | undefined; want: "alice" | "nobody" | 401 }>([
    { protocol: undefined, want: "nobody" },
    { protocol: "v4.x", want: "nobody" },
    { protocol: `${encoded("alice-token")}, v4.x`, want: "alice" },
    { protocol: `a,b,${encoded("alice-token")}`, want: "alice" },
    { protocol: `${encoded("\u{fffff}?>")}, v4.x`, want: "alice" },
    { protocol: encoded("alice-token"), want: 401 },
    { protocol: `${encoded("nope")}, v4.x`, want: 401 },
    { protocol: `${encoded("alice-token")}=, v4.x`, want: 401 },
    { protocol: `${encoded("alice-token")}!, v4.x`, want: 401 },
    { protocol: `${encoded("")}_w, v4.x`, want: 401 },
    { protocol: `${encoded("")}A, v4.x`, want: 401 },
    { protocol: `${encoded("alice-token")}, ${encoded("alice-token")}, v4.x`, want: 401 },
    { protocol: `${encoded("")}, v4.x`, want: "nobody" },
  ])("$protocol: $want", async ({ protocol, want }) => {
    if (want === 401) await expect(authenticate(protocol)).rejects.toEqual(isUnauthorized);
    else expect(await authenticate(protocol)).toEqual(want === "alice" ? aliceInfo : undefined);
  });

  test("is none where no WebSocket is asked for", async () => {
    const protocol = `${encoded("alice-token")}, v4.x`;
    for (const headers of [{}, { upgrade: "websocket" }, { ...socket, upgrade: "h2c" }])
      expect(await authenticate(protocol, headers)).toBeUndefined();
  });
});

describe("bearer tokens", () => {
  test("a known one is its user", async () => {
    expect(await tokens.authenticate(request({ authorization: "Bearer alice-token" }))).toEqual(aliceInfo);
  });

  test.each(["Bearer alice-toke", "Bearer alice-token2", "Bearer ALICE-TOKEN", "Bearer alice-token, Bearer x"])(
    "an unknown one is refused: %s",
    async (authorization) => {
      await expect(tokens.authenticate(request({ authorization }))).rejects.toEqual(isUnauthorized);
    },
  );

  test("none is nobody, also with one in the query", async () => {
    expect(await tokens.authenticate(request({ query: "access_token=alice-token" }))).toBeUndefined();
  });

  test("all sources are asked, also behind one that fails; its failure shows when nobody knows the token", async () => {
    const failing: TokenAuthenticator = { authenticateToken: async () => Promise.reject(new Error("the store is away")) };
    const both = bearerTokenAuthenticator([failing, tokenFileAuthenticator([alice], digest)]);
    expect(await both.authenticate(request({ authorization: "Bearer alice-token" }))).toEqual(aliceInfo);
    await expect(both.authenticate(request({ authorization: "Bearer other" }))).rejects.toThrow("the store is away");
  });

  test("the file: empty tokens are no tokens, of equal ones the last counts, and the tokens are not kept", async () => {
    const digested: string[] = [];
    const file = tokenFileAuthenticator([{ ...alice, token: "" }, alice, { ...alice, user: "alice2", groups: [] }], (token) => {
      digested.push(token);
      return digest(token);
    });
    const signal = new AbortController().signal;
    expect(digested).toEqual(["alice-token", "alice-token"]);
    expect(await file.authenticateToken("alice-token", signal)).toEqual({ name: "alice2", uid: "u1", groups: [], extra: {} });
    expect(await file.authenticateToken("", signal)).toBeUndefined();
  });

  test("each of ten thousand is found, and nothing else", async () => {
    const records = Array.from({ length: 10_000 }, (_, index): TokenRecord => ({ ...alice, token: `token-${index}`, user: `user-${index}` }));
    const file = tokenFileAuthenticator(records, digest);
    const signal = new AbortController().signal;
    await fc.assert(
      fc.asyncProperty(fc.nat(20_000), async (index) => {
        const user = await file.authenticateToken(`token-${index}`, signal);
        expect(user?.name).toBe(index < 10_000 ? `user-${index}` : undefined);
      }),
    );
  });
});

describe("several authenticators", () => {
  const nobody: Authenticator = { authenticate: async () => undefined };
  const refusing: Authenticator = { authenticate: async () => Promise.reject(unauthorized()) };
  const broken: Authenticator = { authenticate: async () => Promise.reject(new Error("broken")) };
  const both = allowAnonymous(unionAuthenticator([certificates, tokens]));

  test("the first user wins", async () => {
    expect(await both.authenticate(request({ certificate: bob, authorization: "Bearer alice-token" }))).toEqual(bobInfo);
    expect(await both.authenticate(request({ authorization: "Bearer alice-token" }))).toEqual(aliceInfo);
  });

  test("a wrong token does no harm beside a valid certificate, whichever is asked first", async () => {
    const wrong = request({ certificate: bob, authorization: "Bearer wrong" });
    expect(await both.authenticate(wrong)).toEqual(bobInfo);
    expect(await unionAuthenticator([tokens, certificates]).authenticate(wrong)).toEqual(bobInfo);
  });

  test("a wrong token alone is refused, not anonymous", async () => {
    await expect(both.authenticate(request({ authorization: "Bearer wrong" }))).rejects.toEqual(isUnauthorized);
  });

  test("who brings nothing is anonymous, where that is allowed", async () => {
    expect(await both.authenticate(request())).toEqual(ANONYMOUS);
    expect(await unionAuthenticator([certificates, tokens]).authenticate(request())).toBeUndefined();
    expect(await unionAuthenticator([]).authenticate(request())).toBeUndefined();
  });

  test("a check that failed shows before a refusal, and neither when somebody accepts", async () => {
    await expect(unionAuthenticator([refusing, broken]).authenticate(request())).rejects.toThrow("broken");
    await expect(unionAuthenticator([nobody, refusing]).authenticate(request())).rejects.toSatisfy(APIError.is);
    expect(await unionAuthenticator([refusing, broken, certificates]).authenticate(request({ certificate: bob }))).toEqual(bobInfo);
  });
});

test.each(["system:authenticated", "system:unauthenticated"])("a user in %s is in no other group by being authenticated", (group) => {
  const user: UserInfo = { name: "x", groups: [group], extra: {} };
  expect(withAuthenticatedGroup(user)).toBe(user);
});
