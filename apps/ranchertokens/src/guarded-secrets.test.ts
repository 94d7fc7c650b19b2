import { Secret } from "@annex/standalone";
import { startHarness } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { mutableTokenSecrets, restoredTokenSecrets } from "./guarded-secrets.ts";
import { dataOf, plaintextOf, SECRETS, startTokenServer, TOKENS, type TokenServer } from "./testing/token-server.ts";

test("the Secret of a token cannot be made immutable; others can", async () => {
  await using server = await startHarness([Secret], { admission: [mutableTokenSecrets] });
  const secret = (name: string, type: string) => ({ metadata: { name }, type, immutable: true });
  expect((await server.request("POST", SECRETS, { body: secret("a", "Opaque") })).status).toBe(201);
  for (const type of ["tomlebreux.com/token", "tomlebreux.com/cluster-token"]) {
    const refused = (await server.request("POST", SECRETS, { body: secret("b", type) })).json();
    expect(refused).toMatchObject({ code: 422, details: { causes: [{ field: "immutable", reason: "FieldValueForbidden" }] } });
  }
});

const signal = new AbortController().signal;
const mallory = { user: { name: "mallory", groups: [], extra: {} } };
const REFUSAL = 'secrets "a" is forbidden: User "mallory" cannot restore a token: that needs the verb impersonate on all users.tomlebreux.com';

/** A server where mallory may write Secrets, read tokens and make tokens for herself. */
function startGuarded(mayImpersonate: (name: string) => boolean = () => false): Promise<TokenServer> {
  return startTokenServer({
    admission: [restoredTokenSecrets],
    allow: (attributes) =>
      attributes.type === "resource" &&
      (attributes.resource === "secrets" || attributes.verb === "get" || (attributes.resource === "users" && mayImpersonate(attributes.name))),
  });
}

describe("somebody who may only write Secrets, with a copy of a token's", () => {
  const REVOCATIONS: readonly { readonly what: string; readonly revoke: (server: TokenServer) => Promise<unknown> }[] = [
    { what: "disabled", revoke: (server) => server.patch(`${TOKENS}/a`, { spec: { enabled: false } }) },
    { what: "shortened", revoke: (server) => server.patch(`${TOKENS}/a`, { spec: { ttl: 1 } }).then(() => server.clock.step(2_000)) },
    { what: "deleted", revoke: (server) => server.request("DELETE", `${TOKENS}/a`) },
    {
      what: "being deleted",
      revoke: async (server) => {
        await server.patch(`${TOKENS}/a`, { metadata: { finalizers: ["example.com/hold"] } });
        await server.request("DELETE", `${TOKENS}/a`);
      },
    },
  ];

  test.each(REVOCATIONS)("cannot put it back after the token was $what", async ({ revoke }) => {
    await using server = await startGuarded();
    const plaintext = plaintextOf(await server.create("a"));
    const { data, type } = await server.read(`${SECRETS}/a`);
    await revoke(server);
    const present = await server.request("GET", `${SECRETS}/a`, mallory);
    const restored =
      present.status === 404
        ? await server.request("POST", SECRETS, { ...mallory, body: { metadata: { name: "a" }, type, data } })
        : await server.request("PUT", `${SECRETS}/a`, { ...mallory, body: { ...present.json(), data } });
    expect(restored.json()).toMatchObject({ code: 403, message: REFUSAL });
    // Nor in two steps: the MAC away first, or all but the MAC.
    if (present.status === 404) return;
    const { mac: _mac, ...rest } = data;
    expect(
      (await server.request("PUT", `${SECRETS}/a`, { ...mallory, body: { ...present.json(), data: { ...rest, mac: present.json().data.mac } } }))
        .status,
    ).toBe(200);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: false });
    expect((await server.patch(`${SECRETS}/a`, { data: { mac: null } }, mallory)).status).toBe(200);
    expect((await server.patch(`${SECRETS}/a`, { data }, mallory)).status).toBe(403);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: false });
  });

  test.each(REVOCATIONS.filter(({ what }) => what !== "deleted"))(
    "cannot undo it by an edit that came before the token was $what",
    async ({ revoke }) => {
      await using server = await startGuarded();
      const plaintext = plaintextOf(await server.create("a", { userID: "admin", clusterName: "c" }));
      const { data } = await server.read(`${SECRETS}/a`);
      const { mac: _mac, ...values } = data;
      expect((await server.patch(`${SECRETS}/a`, { data: { clusterName: "eA==" } }, mallory)).status).toBe(200);
      await revoke(server);
      expect((await server.patch(`${SECRETS}/a`, { data: values }, mallory)).status).toBe(200);
      expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: false, reason: "Unhealthy" });
      // An edit alone can be taken back.
      await server.create("b", { userID: "admin", clusterName: "c" });
      await server.editSecret(`${SECRETS}/b`, { clusterName: "x" });
      await server.patch(`${TOKENS}/b`, { metadata: { labels: { a: "b" } } });
      await server.editSecret(`${SECRETS}/b`, { clusterName: "c" });
      expect(await server.read(`${TOKENS}/b`)).toMatchObject({ status: { healthy: true } });
    },
  );

  test("cannot put another MAC in, nor with the right to make tokens for one user", async () => {
    await using server = await startGuarded((name) => name === "mallory");
    await server.create("a");
    const refused = await server.patch(`${SECRETS}/a`, { stringData: { mac: "another", userID: "mallory" } }, mallory);
    expect(refused.json()).toMatchObject({ code: 403, message: REFUSAL });
    expect((await server.patch(`${SECRETS}/a`, { metadata: { labels: { x: "y" } } }, mallory)).status).toBe(200);
  });

  test("who may make tokens for everybody may restore a backup", async () => {
    await using server = await startGuarded(() => true);
    const plaintext = plaintextOf(await server.create("a"));
    const { data, type } = await server.read(`${SECRETS}/a`);
    await server.request("DELETE", `${TOKENS}/a`);
    expect((await server.request("POST", SECRETS, { ...mallory, body: { metadata: { name: "a" }, type, data } })).status).toBe(201);
    expect(await server.verify(plaintext, signal)).toMatchObject({ isValid: true });
    expect(dataOf(await server.read(`${SECRETS}/a`), "userID")).toBe("admin");
  });
});
