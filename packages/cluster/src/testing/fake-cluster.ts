import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { generateCA, generateKey, generateServingCertificate } from "@annex/apiserver-node";
import type { ClusterConfig } from "../client/index.ts";

const HOUR_MS = 3_600_000;

/** Stands in the place of a kube-apiserver: answers as a test says. */
export interface FakeCluster extends AsyncDisposable {
  readonly config: ClusterConfig;
  readonly ca: string;
  /** `GET /api/v1/namespaces?limit=500`, in the order in which they came. */
  readonly requests: readonly string[];
  /** How often the credentials were forgotten. */
  readonly forgotten: () => number;
}

export async function startFakeCluster(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<FakeCluster> {
  const key = await generateKey();
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const ca = { key, cert: await generateCA("fake", key, validity) };
  const serving = await generateServingCertificate(ca, ["127.0.0.1"], validity);
  const requests: string[] = [];
  const server = createServer(serving, (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  let forgotten = 0;
  return {
    ca: ca.cert,
    requests,
    forgotten: () => forgotten,
    config: {
      server: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
      namespace: "default",
      tls: { ca: ca.cert },
      authorization: () => Promise.resolve("Bearer one"),
      forgetCredentials: () => {
        forgotten++;
      },
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers with JSON. */
export function answerJSON(response: ServerResponse, code: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(code, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
