import { runNamespaceController } from "@annex/standalone";
import { settled } from "@annex/testing";
import { expect, test } from "vitest";
import { plaintextOf, SECRETS, startTokenServer, TOKENS, type TokenServer, token } from "./testing/token-server.ts";

const inNamespace = (path: string, namespace: string) => path.replace("/default/", `/${namespace}/`);

async function withController<T>(server: TokenServer, task: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const running = runNamespaceController({ ...server.services, resources: server.resources }, stop.signal);
  try {
    return await task();
  } finally {
    stop.abort();
    await running;
  }
}

test("a token in a namespace that is not there, or is being deleted, is refused as of any kind", async () => {
  await using server = await startTokenServer();
  const create = (namespace: string) => server.request("POST", inNamespace(TOKENS, namespace), { body: token("a") });
  expect((await create("gone")).json()).toMatchObject({ code: 404, message: 'namespaces "gone" not found' });
  await server.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "going" } } });
  await server.request("DELETE", "/api/v1/namespaces/going");
  expect((await create("going")).json()).toMatchObject({
    code: 403,
    message: 'ranchertokens.tomlebreux.com "a" is forbidden: unable to create new content in namespace going because it is being terminated',
    details: { causes: [{ reason: "NamespaceTerminating", field: "metadata.namespace" }] },
  });
});

test("deleting a namespace deletes its tokens and their Secrets, and waits for a token that is held", async () => {
  await using server = await startTokenServer();
  await server.request("POST", "/api/v1/namespaces", { body: { metadata: { name: "going" } } });
  const [tokens, secrets] = [inNamespace(TOKENS, "going"), inNamespace(SECRETS, "going")];
  const free = await server.request("POST", tokens, { body: token("free") });
  await server.request("POST", tokens, { body: token("held", { userID: "admin" }, { finalizers: ["example.com/hold"] }) });
  await server.create("elsewhere");
  await withController(server, async () => {
    await server.request("DELETE", "/api/v1/namespaces/going");
    await server.clock.step(3_000);
    expect((await server.read(tokens)).items.map(({ metadata }) => metadata.name)).toEqual(["held"]);
    expect((await server.read(secrets)).items.map(({ metadata }) => metadata.finalizers)).toEqual([["tomlebreux.com/token"]]);
    expect((await server.read("/api/v1/namespaces/going")).status).toMatchObject({ phase: "Terminating" });
    expect(await server.verify(plaintextOf(free.json()), new AbortController().signal)).toEqual({ isValid: false, reason: "NotFound" });
    await server.patch(`${tokens}/held`, { metadata: { finalizers: null } });
    await server.clock.step(3_000);
    await settled();
    expect((await server.request("GET", "/api/v1/namespaces/going")).status).toBe(404);
    expect((await server.request("GET", `${SECRETS}/elsewhere`)).status).toBe(200);
  });
});
