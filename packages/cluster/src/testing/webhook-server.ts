import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { JSONObject } from "@annex/apimachinery";
import { generateCA, generateKey, generateServingCertificate } from "@annex/apiserver-node";

const HOUR_MS = 3_600_000;

/** An AdmissionReview as it came. */
export interface SentReview {
  readonly apiVersion: string;
  readonly kind: string;
  readonly request: JSONObject & { readonly uid: string };
}

/** What a webhook is to answer: the `response` of a review (uid, version and kind are added), or anything by hand. */
export type WebhookAnswer = JSONObject | ((response: ServerResponse, review: SentReview, request: IncomingMessage) => void);

/** Webhooks that answer as a test says, at `hooks.shop.svc`. */
export interface WebhookServer extends AsyncDisposable {
  readonly port: number;
  /** PEM in base64. */
  readonly caBundle: string;
  /** The paths and reviews that came, in their order. */
  readonly asked: { readonly path: string; readonly review: SentReview }[];
  /** By path. */
  readonly answers: Map<string, WebhookAnswer>;
  /** How many connections were made. */
  readonly connections: () => number;
}

export async function startWebhookServer(names: readonly string[] = ["hooks.shop.svc", "127.0.0.1"]): Promise<WebhookServer> {
  const key = await generateKey();
  const validity = { notBeforeMs: Date.now() - HOUR_MS, notAfterMs: Date.now() + HOUR_MS };
  const ca = { key, cert: await generateCA("webhooks", key, validity) };
  const serving = await generateServingCertificate(ca, [...names], validity);
  const asked: { readonly path: string; readonly review: SentReview }[] = [];
  const answers = new Map<string, WebhookAnswer>();
  let connections = 0;
  const server = createServer(serving, (request, response) => void answer(request, response));
  server.on("secureConnection", () => connections++);
  async function answer(request: IncomingMessage, response: ServerResponse) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
    const review = JSON.parse(Buffer.concat(chunks).toString()) as SentReview;
    const path = (request.url ?? "").split("?")[0] ?? "";
    asked.push({ path, review });
    const given = answers.get(path) ?? { allowed: true };
    if (typeof given === "function") given(response, review, request);
    else answerReview(response, review, given);
  }
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    caBundle: Buffer.from(ca.cert).toString("base64"),
    asked,
    answers,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers a review in its own version. */
export function answerReview(response: ServerResponse, { apiVersion, kind, request: { uid } }: SentReview, answer: JSONObject): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ apiVersion, kind, response: { uid, ...answer } }));
}

/** Operations of a JSON patch, as a webhook answers with them. */
export function patchAnswer(operations: unknown): JSONObject {
  return { allowed: true, patchType: "JSONPatch", patch: Buffer.from(JSON.stringify(operations)).toString("base64") };
}
