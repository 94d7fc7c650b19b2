import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { defineResource, type TokenAuthenticator } from "@annex/apiserver";
import { defineProgram, parseOptions } from "@annex/apiserver-node";
import { sqlite } from "@annex/storage-sqlite";
import { bytesOf, storageKey } from "@annex/testing";
import { expect, test } from "vitest";
import { CLUSTER_OPTIONS } from "./cluster-options.ts";
import { startInCluster } from "./start.ts";
import { startMemoryCluster } from "./testing/memory-cluster.ts";

const service = { namespace: "default", name: "tokens", port: 443 };
const options = parseOptions(CLUSTER_OPTIONS, ["--service=default/tokens", "--secure-port=0", "--authentication-skip-lookup"]);

function ask(url: string, token: string, path = "/apis"): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    request(url + path, { rejectUnauthorized: false, agent: false, headers }, async (response) =>
      resolve({ status: response.statusCode, body: await text(response) }),
    )
      .on("error", reject)
      .end();
  });
}

test("a program's own tokens count beside the cluster's, which knows none here", async () => {
  await using cluster = await startMemoryCluster();
  const known: TokenAuthenticator = {
    authenticateToken: async (token) => (token === "known" ? { name: "a", groups: ["system:masters"], extra: {} } : undefined),
  };
  const program = defineProgram({
    usage: "",
    version: "",
    options: {},
    secretTypes: ["example.com/a"],
    setup: () => ({ resources: [], tokenAuthenticators: [known] }),
  });
  const stopping = new AbortController();
  const { server, work } = await startInCluster(program, options, { service, clientOf: async () => cluster.client }, stopping.signal);
  try {
    expect((await ask(server.url, "known")).status).toBe(200);
    // The memory cluster has no reviews: the check has failed, and nobody is let in.
    expect((await ask(server.url, "other")).status).toBe(401);
  } finally {
    await server.stop(0);
    stopping.abort();
    await work.ended;
  }
});

test("a program's own work that throws is known, and the server answers until it is stopped", async () => {
  await using cluster = await startMemoryCluster();
  const run = () => {
    throw new Error("own work");
  };
  const program = defineProgram({ usage: "", version: "", options: {}, secretTypes: ["example.com/a"], setup: () => ({ resources: [], run }) });
  const stopping = new AbortController();
  const { server, work } = await startInCluster(program, options, { service, clientOf: async () => cluster.client }, stopping.signal);
  await work.failed;
  expect((await ask(server.url, "other")).status).toBe(401);
  await server.stop(0);
  stopping.abort();
  expect(await work.ended).toBe(false);
});

test("a key that is missing is not made anew beside what was signed with it, in a store of the server's own", async () => {
  await using cluster = await startMemoryCluster();
  const folder = await mkdtemp(join(tmpdir(), "start-"));
  const own = parseOptions(CLUSTER_OPTIONS, ["--service=default/tokens", "--authentication-skip-lookup", "--storage=sqlite", `--data-dir=${folder}`]);
  const program = defineProgram({
    usage: "",
    version: "",
    options: {},
    secretTypes: ["example.com/a"],
    setup: async ({ privateKey }) => {
      await privateKey("own");
      throw new Error("there is a key");
    },
  });
  const start = () => startInCluster(program, own, { service, clientOf: async () => cluster.client }, new AbortController().signal);
  const KEY = "/api/v1/namespaces/default/secrets/tokens-own";
  try {
    {
      await using store = await sqlite(join(folder, "store")).open();
      await store.put(storageKey("/core/secrets/a/b"), bytesOf('hash\n{"kind":"Secret","type":"example.com/a"}'), 0);
    }
    await expect(start()).rejects.toThrow(/^the Secret default\/tokens-own is missing/);
    expect(await cluster.get(KEY)).toBeUndefined();
    await rm(join(folder, "store"), { recursive: true });
    await expect(start()).rejects.toThrow("there is a key");
    expect(await cluster.get(KEY)).toMatchObject({ data: { key: expect.any(String) } });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the program's groups are served and no others: namespaces, Secrets, roles and reviews are the cluster's", async () => {
  await using cluster = await startMemoryCluster();
  const admin: TokenAuthenticator = { authenticateToken: async () => ({ name: "a", groups: ["system:masters"], extra: {} }) };
  const Widget = defineResource({ group: "example.com", kind: "Widget", scope: "Namespaced", versions: { v1: { schema: {} } } });
  const Secret = defineResource({ group: "", kind: "Secret", scope: "Namespaced", versions: { v1: { schema: {} } } });
  const program = defineProgram({
    usage: "",
    version: "",
    options: {},
    secretTypes: ["example.com/a"],
    setup: () => ({ resources: [Widget], hidden: [Secret], tokenAuthenticators: [admin] }),
  });
  const stopping = new AbortController();
  const { server, work } = await startInCluster(program, options, { service, clientOf: async () => cluster.client }, stopping.signal);
  try {
    const groups = JSON.parse((await ask(server.url, "x")).body) as { readonly groups: readonly { readonly name: string }[] };
    expect(groups.groups.map(({ name }) => name)).toEqual(["example.com"]);
    const { paths } = JSON.parse((await ask(server.url, "x", "/openapi/v3")).body) as { readonly paths: Readonly<Record<string, unknown>> };
    expect(Object.keys(paths).filter((path) => /^apis?\/./.test(path))).toEqual(["apis/example.com/v1"]);
    for (const path of [
      "/api/v1",
      "/api/v1/namespaces",
      "/api/v1/secrets",
      "/apis/rbac.authorization.k8s.io/v1",
      "/apis/authorization.k8s.io/v1",
      "/apis/authentication.k8s.io/v1",
      "/apis/storagemigration.k8s.io/v1",
    ])
      expect([path, (await ask(server.url, "x", path)).status]).toEqual([path, 404]);
    expect((await ask(server.url, "x", "/openapi/v2")).body).not.toContain("io.k8s.api.");
  } finally {
    await server.stop(0);
    stopping.abort();
    await work.ended;
  }
});
