import { createPublicKey } from "node:crypto";
import { ALICE } from "@annex/testing";
import { compactVerify, importJWK, type JWK } from "jose";
import { describe, expect, test } from "vitest";
import { startAccountServer } from "../testing/account-server.ts";

const CONFIGURATION = "/.well-known/openid-configuration";
const KEYS = "/openid/v1/jwks";
const ISSUER = "https://kubernetes.default.svc.cluster.local";

// Asked of kube-apiserver 1.36.
describe("what OpenID discovers", () => {
  test("is the issuer and where its keys are", async () => {
    await using server = await startAccountServer();
    const answer = await server.request("GET", CONFIGURATION);
    expect([answer.status, answer.headers["content-type"], answer.headers["cache-control"]]).toEqual([
      200,
      "application/json",
      "public, max-age=3600",
    ]);
    expect(answer.text).toBe(
      `{"issuer":"${ISSUER}","jwks_uri":"https://127.0.0.1:9443/openid/v1/jwks","response_types_supported":["id_token"],"subject_types_supported":["public"],"id_token_signing_alg_values_supported":["ES256"]}`,
    );
  });

  test("are public keys with which tokens are checked, and nothing private", async () => {
    await using server = await startAccountServer();
    const token = await server.tokenOf("robot");
    const answer = await server.request("GET", KEYS);
    expect([answer.status, answer.headers["content-type"], answer.headers["cache-control"]]).toEqual([
      200,
      "application/jwk-set+json",
      "public, max-age=3600",
    ]);
    const { keys } = answer.json() as unknown as { keys: JWK[] };
    expect(keys.map((key) => Object.keys(key).sort())).toEqual([["alg", "crv", "kid", "kty", "use", "x", "y"]]);
    const { protectedHeader } = await compactVerify(token, await importJWK(keys[0] ?? {}));
    expect(protectedHeader.kid).toBe(keys[0]?.kid);
    expect(createPublicKey({ key: keys[0] ?? {}, format: "jwk" }).type).toBe("public");
  });

  test.each([
    { path: KEYS, accept: undefined, status: 200 },
    { path: KEYS, accept: "*/*", status: 200 },
    { path: KEYS, accept: "text/html, application/jwk-set+json;q=0.5", status: 200 },
    { path: `${KEYS}/`, accept: "*/*", status: 200 },
    { path: KEYS, accept: "application/json", status: 406 },
    { path: KEYS, accept: "application/*", status: 406 },
    { path: CONFIGURATION, accept: "application/json", status: 200 },
    { path: CONFIGURATION, accept: "text/html", status: 406 },
  ])("$path for $accept: $status", async ({ path, accept, status }) => {
    await using server = await startAccountServer();
    const answer = await server.request("GET", path, accept === undefined ? {} : { headers: { accept } });
    expect(answer.status).toBe(status);
    const type = path === CONFIGURATION ? "application/json" : "application/jwk-set+json";
    if (status === 406) expect(answer.json()).toMatchObject({ message: `406: Not Acceptable\n\nAvailable representations: ${type}`, details: {} });
  });

  test("is read by GET alone, by those who may, and stands in the index", async () => {
    await using server = await startAccountServer();
    for (const method of ["HEAD", "POST"]) expect((await server.request(method, KEYS, method === "POST" ? { body: {} } : {})).status).toBe(405);
    expect((await server.request("GET", KEYS, { user: ALICE })).status).toBe(403);
    expect((await server.request("GET", KEYS, { user: null })).status).toBe(403);
    expect((await server.request("GET", "/")).json().paths).toEqual(expect.arrayContaining([CONFIGURATION, KEYS]));
  });

  test("says of the keys' place what the operator says", async () => {
    await using server = await startAccountServer({ args: ["--service-account-jwks-uri=https://keys.example.com/jwks"] });
    expect((await server.request("GET", CONFIGURATION)).json().jwks_uri).toBe("https://keys.example.com/jwks");
  });

  test.each(["kubernetes/serviceaccount", "http://issuer", "https://issuer/?a=b", "https://issuer#a"])(
    "is nothing for the issuer %s",
    async (issuer) => {
      await using server = await startAccountServer({ args: [`--service-account-issuer=${issuer}`] });
      expect((await server.request("GET", CONFIGURATION)).status).toBe(404);
      expect(await server.tokenOf("robot")).toMatch(/^ey/);
    },
  );
});
