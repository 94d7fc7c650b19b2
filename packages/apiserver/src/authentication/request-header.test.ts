import { describe, expect, test } from "vitest";
import type { APIRequest, CertificateAuthorities, PeerCertificates } from "../endpoints/http.ts";
import { allowAnonymous } from "./anonymous.ts";
import { clientCertificateAuthenticator } from "./client-certificate.ts";
import { type RequestHeaderConfig, requestHeaderAuthenticator } from "./request-header.ts";
import { unionAuthenticator } from "./union.ts";
import { ANONYMOUS, type UserInfo } from "./user-info.ts";

const proxyCA: CertificateAuthorities = { pem: "front proxy CA" };
const clientCA: CertificateAuthorities = { pem: "client CA" };
const config: RequestHeaderConfig = {
  authorities: proxyCA,
  allowedNames: ["front-proxy-client"],
  usernameHeaders: ["X-Remote-User"],
  uidHeaders: ["X-Remote-Uid"],
  groupHeaders: ["X-Remote-Group"],
  extraHeaderPrefixes: ["X-Remote-Extra-"],
};

function certificate(by: CertificateAuthorities, commonName: string): PeerCertificates {
  return { verifiedBy: (authorities) => (authorities === by ? { commonName, organizations: [] } : undefined) };
}
const proxy = certificate(proxyCA, "front-proxy-client");

/** A request with headers as they were sent, one after the other. */
function request(sent: readonly (readonly [name: string, value: string])[], certificates: PeerCertificates | undefined = proxy): APIRequest {
  const headers: Record<string, string> = {};
  for (const [name, value] of sent) {
    const key = name.toLowerCase();
    headers[key] = headers[key] === undefined ? value : `${headers[key]}, ${value}`;
  }
  return {
    method: "GET",
    path: "/apis",
    query: "",
    headers,
    headerValues: (name) => sent.filter(([key]) => key.toLowerCase() === name).map(([, value]) => value),
    body: async () => new Uint8Array(),
    peer: { address: "127.0.0.1", certificates },
    signal: new AbortController().signal,
  };
}

const headersOf = requestHeaderAuthenticator(() => config);
const authenticator = allowAnonymous(unionAuthenticator([headersOf, clientCertificateAuthenticator(() => clientCA)]));
const bob: UserInfo = { name: "bob", groups: ["system:authenticated"], extra: {} };

// What the headers say was asked of kube-apiserver 1.36, with its front proxy's own certificate.
describe("a front proxy says who asks", () => {
  test.each<{ what: string; sent: readonly (readonly [string, string])[]; want: UserInfo }>([
    { what: "by name", sent: [["X-Remote-User", "bob"]], want: bob },
    {
      what: "with groups, a comma in one",
      sent: [
        ["x-remote-user", "bob"],
        ["x-remote-group", "a, system:masters"],
        ["x-remote-group", "b"],
        ["x-remote-group", ""],
      ],
      want: { ...bob, groups: ["a, system:masters", "b", "system:authenticated"] },
    },
    {
      what: "with extra, whose keys are encoded and in any case",
      sent: [
        ["x-remote-user", "bob"],
        ["x-remote-extra-Foo%2fBar", "v"],
        ["x-remote-extra-FOO%2fbar", "w, z"],
        ["x-remote-extra-50%", "half"],
        ["x-remote-extra-x", ""],
      ],
      want: { ...bob, extra: { "foo/bar": ["v", "w, z"], "50%": ["half"], x: [""] } },
    },
    {
      what: "with a UID",
      sent: [
        ["x-remote-user", "bob"],
        ["x-remote-uid", "u7"],
      ],
      want: { ...bob, uid: "u7" },
    },
    {
      what: "in UTF-8",
      sent: [["x-remote-user", Buffer.from("bö b").toString("latin1")]],
      want: { ...bob, name: "bö b" },
    },
    {
      what: "twice, of which the first counts",
      sent: [
        ["x-remote-user", "bob"],
        ["X-REMOTE-USER", "admin"],
      ],
      want: bob,
    },
    {
      what: "with underscores, which is another header",
      sent: [
        ["x-remote-user", "bob"],
        ["x_remote_user", "admin"],
        ["x-remote_group", "system:masters"],
        ["x_remote_extra_a", "b"],
      ],
      want: bob,
    },
    {
      what: "that they are anonymous",
      sent: [
        ["x-remote-user", "system:anonymous"],
        ["x-remote-group", "system:unauthenticated"],
      ],
      want: ANONYMOUS,
    },
  ])("$what", async ({ sent, want }) => {
    expect(await authenticator.authenticate(request(sent))).toEqual(want);
  });

  test("in the headers that are configured, the first with a value", async () => {
    const other = { ...config, usernameHeaders: ["X-A", "X-B"], groupHeaders: ["X-G", "X-H"], extraHeaderPrefixes: ["X-E-", "X-F-"], uidHeaders: [] };
    const sent = [
      ["x-a", ""],
      ["x-a", "admin"],
      ["x-b", "bob"],
      ["x-h", "two"],
      ["x-g", "one"],
      ["x-f-k", "2"],
      ["x-e-k", "1"],
      ["x-remote-user", "admin"],
      ["x-remote-uid", "7"],
    ] as const;
    const user = await requestHeaderAuthenticator(() => other).authenticate(request(sent));
    expect(user).toEqual({ name: "bob", groups: ["one", "two", "system:authenticated"], extra: { k: ["1", "2"] } });
  });
});

describe("nobody else does", () => {
  const forged = [
    ["X-Remote-User", "admin"],
    ["X-Remote-Group", "system:masters"],
  ] as const;
  const joe = { name: "joe", groups: ["system:authenticated"], extra: {} };

  test.each<{ what: string; certificates: PeerCertificates | undefined; want: UserInfo | 401 }>([
    { what: "without a certificate", certificates: undefined, want: ANONYMOUS },
    { what: "with a certificate of the cluster's CA", certificates: certificate(clientCA, "joe"), want: joe },
    {
      what: "with the proxy's name in one of the cluster's CA",
      certificates: certificate(clientCA, "front-proxy-client"),
      want: { ...joe, name: "front-proxy-client" },
    },
    { what: "with another name of the front proxy's CA", certificates: certificate(proxyCA, "joe"), want: 401 },
    { what: "with a name that differs in case", certificates: certificate(proxyCA, "Front-Proxy-Client"), want: 401 },
    { what: "with a certificate of nobody's", certificates: certificate({ pem: "?" }, "front-proxy-client"), want: 401 },
  ])("$what", async ({ certificates, want }) => {
    const asking = async () => authenticator.authenticate(certificates === undefined ? withoutCertificate(forged) : request(forged, certificates));
    if (want === 401) await expect(asking).rejects.toMatchObject({ code: 401 });
    else expect(await asking()).toEqual(want);
  });

  test("without a name in the headers: a front proxy is nobody by itself", async () => {
    await expect(async () => authenticator.authenticate(request([["x-remote-group", "system:masters"]]))).rejects.toMatchObject({ code: 401 });
    expect(await headersOf.authenticate(request([["x-remote-user", ""]]))).toBeUndefined();
  });

  test("while there is no configuration", async () => {
    expect(await requestHeaderAuthenticator(() => undefined).authenticate(request(forged))).toBeUndefined();
  });

  test("with any name, where none are named", async () => {
    const any = requestHeaderAuthenticator(() => ({ ...config, allowedNames: [] }));
    expect(await any.authenticate(request([["x-remote-user", "bob"]], certificate(proxyCA, "joe")))).toEqual(bob);
  });
});

test("another front proxy's CA counts from the next request on", async () => {
  let current = config;
  const changing = requestHeaderAuthenticator(() => current);
  expect(await changing.authenticate(request([["x-remote-user", "bob"]]))).toEqual(bob);
  current = { ...config, authorities: { pem: "another" } };
  await expect(async () => changing.authenticate(request([["x-remote-user", "bob"]]))).rejects.toMatchObject({ code: 401 });
});

function withoutCertificate(sent: readonly (readonly [string, string])[]): APIRequest {
  return { ...request(sent), peer: { address: "127.0.0.1", certificates: undefined } };
}
