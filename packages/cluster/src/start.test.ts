import { request } from "node:https";
import { text } from "node:stream/consumers";
import type { TokenAuthenticator } from "@annex/apiserver";
import { defineProgram, parseOptions } from "@annex/apiserver-node";
import { expect, test } from "vitest";
import { CLUSTER_OPTIONS } from "./cluster-options.ts";
import { startInCluster } from "./start.ts";
import { startMemoryCluster } from "./testing/memory-cluster.ts";

const service = { namespace: "default", name: "tokens", port: 443 };
const options = parseOptions(CLUSTER_OPTIONS, ["--service=default/tokens", "--secure-port=0", "--authentication-skip-lookup"]);

function ask(url: string, token: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    request(`${url}/apis`, { rejectUnauthorized: false, agent: false, headers }, async (response) =>
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
