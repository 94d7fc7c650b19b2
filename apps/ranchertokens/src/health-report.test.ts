import { memoryStorage } from "@annex/apiserver";
import { expect, test } from "vitest";
import { reportUnhealthyTokens } from "./health-report.ts";
import { CLUSTER_TOKENS, MAC_KEY, SECRETS, startTokenServer, type TokenServer, token } from "./testing/token-server.ts";

const signal = new AbortController().signal;
const warnings = (server: TokenServer) => server.log.filter(({ level }) => level === "warn");

test("says nothing of tokens as the server made them, and how many are not", async () => {
  await using server = await startTokenServer();
  for (const name of ["a", "b"]) await server.create(name);
  await reportUnhealthyTokens(server.services, signal);
  expect(warnings(server)).toEqual([]);
  await server.editSecret(`${SECRETS}/b`, { userID: "somebody" });
  await reportUnhealthyTokens(server.services, signal);
  expect(warnings(server)).toEqual([
    { level: "warn", fields: { tokens: 2, unhealthy: 1 }, message: expect.stringMatching(/are unhealthy: .* the key token-mac is not the one/) },
  ]);
});

test.each([
  { key: MAC_KEY, unhealthy: 0 },
  { key: new Uint8Array(32).fill(8), unhealthy: 2 },
])("all are when the key is another one: $unhealthy", async ({ key, unhealthy }) => {
  const storage = memoryStorage();
  const first = await startTokenServer({ storage });
  await first.create("a");
  const cluster = { ...token("c"), kind: "ClusterRancherToken" };
  expect((await first.request("POST", CLUSTER_TOKENS, { body: cluster })).status).toBe(201);
  await using server = await startTokenServer({ storage, macKey: key });
  await reportUnhealthyTokens(server.services, signal);
  expect(warnings(server).map(({ fields }) => fields)).toEqual(unhealthy === 0 ? [] : [{ tokens: 2, unhealthy }]);
});
