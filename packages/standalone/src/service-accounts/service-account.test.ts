import { settled } from "@annex/testing";
import { describe, expect, test } from "vitest";
import { ACCOUNTS, startAccountServer } from "../testing/account-server.ts";

const NAMESPACES = "/api/v1/namespaces";
const meta = (name: string, more: object = {}) => expect.objectContaining({ name, namespace: "default", ...more });

// Asked of kube-apiserver 1.36.
describe("service accounts", () => {
  test.each<{ name: string; body: object; want: object }>([
    { name: "a name is enough", body: { metadata: { name: "a" } }, want: { kind: "ServiceAccount", apiVersion: "v1", metadata: meta("a") } },
    {
      name: "of a secret's reference the name is kept",
      body: {
        metadata: { name: "a" },
        secrets: [{ name: "x", kind: "Secret", uid: "1" }],
        imagePullSecrets: [{ name: "p" }],
        automountServiceAccountToken: false,
      },
      want: {
        kind: "ServiceAccount",
        apiVersion: "v1",
        metadata: meta("a"),
        secrets: [{ name: "x" }],
        imagePullSecrets: [{ name: "p" }],
        automountServiceAccountToken: false,
      },
    },
    {
      name: "what is empty is left out",
      body: { metadata: { name: "a.b" }, secrets: [], imagePullSecrets: null },
      want: { kind: "ServiceAccount", apiVersion: "v1", metadata: meta("a.b") },
    },
    {
      name: "an empty name of a secret is left out",
      body: { metadata: { name: "a" }, imagePullSecrets: [{}, null, { name: "" }, { name: "p" }] },
      want: { kind: "ServiceAccount", apiVersion: "v1", metadata: meta("a"), imagePullSecrets: [{}, {}, {}, { name: "p" }] },
    },
    { name: "a name is a subdomain", body: { metadata: { name: "A_" } }, want: expect.objectContaining({ code: 422, reason: "Invalid" }) },
    {
      name: "finalizers have a domain",
      body: { metadata: { name: "a", finalizers: ["foo"] } },
      want: expect.objectContaining({
        code: 422,
        message:
          'ServiceAccount "a" is invalid: metadata.finalizers[0]: Invalid value: "foo": name is neither a standard finalizer name nor is it fully qualified',
      }),
    },
    {
      name: "a value of another type is not read",
      body: { metadata: { name: "a" }, secrets: "x" },
      want: expect.objectContaining({ code: 400, reason: "BadRequest" }),
    },
    {
      name: "a secret has a name",
      body: { metadata: { name: "a" }, secrets: [{ kind: "Secret" }] },
      want: expect.objectContaining({ code: 422, message: expect.stringContaining("secrets[0].name: Required value") }),
    },
  ])("$name", async ({ body, want }) => {
    await using server = await startAccountServer();
    expect((await server.request("POST", ACCOUNTS, { body })).json()).toEqual(want);
  });

  test("secrets are merged by their names", async () => {
    await using server = await startAccountServer();
    await server.request("POST", ACCOUNTS, { body: { metadata: { name: "a" }, secrets: [{ name: "x" }] } });
    const headers = { "content-type": "application/strategic-merge-patch+json" };
    const patched = await server.request("PATCH", `${ACCOUNTS}/a`, { body: { secrets: [{ name: "y" }] }, headers });
    expect(patched.json().secrets).toEqual([{ name: "y" }, { name: "x" }]);
  });

  test("a secret without a name cannot be applied", async () => {
    await using server = await startAccountServer();
    const body = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "a" }, secrets: [{ name: "x" }, {}] };
    const headers = { "content-type": "application/apply-patch+yaml" };
    const { code, message } = (await server.request("PATCH", `${ACCOUNTS}/a?fieldManager=me`, { body, headers })).json();
    expect([code, message]).toEqual([
      400,
      expect.stringContaining('.secrets: element 1: associative list with keys has an element that omits all key fields ["name"]'),
    ]);
  });

  test("a table has names and ages, a deletion answers the object", async () => {
    await using server = await startAccountServer();
    await server.request("POST", ACCOUNTS, { body: { metadata: { name: "a" } } });
    const table = (await server.request("GET", ACCOUNTS, { headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" } })).json();
    expect(table.columnDefinitions.map(({ name }) => name)).toEqual(["Name", "Age"]);
    expect(table.rows[0]?.cells[0]).toBe("a");
    expect((await server.request("DELETE", `${ACCOUNTS}/a`)).json()).toMatchObject({ kind: "ServiceAccount", metadata: { name: "a" } });
    expect((await server.request("GET", `${ACCOUNTS}/a`)).status).toBe(404);
  });

  test("discovery knows the subresource and its kind", async () => {
    await using server = await startAccountServer();
    const { resources } = (await server.request("GET", "/api/v1")).json() as unknown as { resources: { name: string }[] };
    expect(resources.filter(({ name }) => name.startsWith("serviceaccounts"))).toEqual([
      expect.objectContaining({ name: "serviceaccounts", singularName: "serviceaccount", namespaced: true, shortNames: ["sa"] }),
      {
        name: "serviceaccounts/token",
        singularName: "",
        namespaced: true,
        group: "authentication.k8s.io",
        version: "v1",
        kind: "TokenRequest",
        verbs: ["create"],
      },
    ]);
  });
});

const OF_SYSTEM = ["default", "kube-node-lease", "kube-public", "kube-system"].map((namespace) => `${namespace}/default`);

describe("the account default", () => {
  const names = async (server: Awaited<ReturnType<typeof startAccountServer>>) => {
    await settled();
    const { items } = (await server.request("GET", "/api/v1/serviceaccounts")).json();
    return items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  };

  test("is in every namespace, those that come later too", async () => {
    await using server = await startAccountServer();
    server.startController();
    expect(await names(server)).toEqual(OF_SYSTEM);
    await server.request("POST", NAMESPACES, { body: { metadata: { name: "later" } } });
    expect(await names(server)).toEqual([...OF_SYSTEM, "later/default"]);
  });

  test("comes again when it was deleted, as another one, and no other does", async () => {
    await using server = await startAccountServer();
    server.startController();
    await settled();
    await server.request("POST", ACCOUNTS, { body: { metadata: { name: "other" } } });
    const before = (await server.request("GET", `${ACCOUNTS}/default`)).json().metadata.uid;
    await server.request("DELETE", `${ACCOUNTS}/default`);
    await server.request("DELETE", `${ACCOUNTS}/other`);
    expect(await names(server)).toEqual(OF_SYSTEM);
    expect((await server.request("GET", `${ACCOUNTS}/default`)).json().metadata.uid).not.toBe(before);
  });

  test("does not come again in a namespace that goes", async () => {
    await using server = await startAccountServer();
    server.startController();
    await server.request("POST", NAMESPACES, { body: { metadata: { name: "going" } } });
    expect(await names(server)).toContain("going/default");
    await server.request("DELETE", `${NAMESPACES}/going`);
    await server.request("DELETE", `${NAMESPACES}/going/serviceaccounts/default`);
    expect(await names(server)).toEqual(OF_SYSTEM);
  });
});

test("a strategic merge patch replaces the secrets that images are pulled with, and adds to those of the account", async () => {
  await using server = await startAccountServer();
  const headers = { "content-type": "application/strategic-merge-patch+json" };
  await server.request("POST", "/api/v1/namespaces/default/serviceaccounts", { body: { metadata: { name: "robot" } } });
  const patched = async (name: string) => {
    const body = { imagePullSecrets: [{ name }], secrets: [{ name }] };
    const { imagePullSecrets, secrets } = (
      await server.request("PATCH", "/api/v1/namespaces/default/serviceaccounts/robot", { body, headers })
    ).json();
    return { imagePullSecrets, secrets };
  };
  expect(await patched("a")).toEqual({ imagePullSecrets: [{ name: "a" }], secrets: [{ name: "a" }] });
  expect(await patched("b")).toEqual({ imagePullSecrets: [{ name: "b" }], secrets: [{ name: "b" }, { name: "a" }] });
});
