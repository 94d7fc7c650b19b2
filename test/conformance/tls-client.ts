import type { IncomingMessage } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import type { Answer, Client, SentRequest } from "./client.ts";
import { LineQueue } from "./line-queue.ts";

const REQUEST_TIMEOUT_MS = 30_000;
const WATCH_TIMEOUT_MS = 120_000;

/** How to know the server. */
export interface TLSOptions {
  /** PEM of the CA; the server's certificate is not verified without one. */
  readonly ca?: string;
}

/** Asks a server over HTTPS, HTTP/1.1, one connection a request. @param base `https://127.0.0.1:9443`. */
export function tlsClient(base: string, { ca }: TLSOptions = {}): Client {
  const { hostname, port, protocol, pathname } = new URL(base);
  if (protocol !== "https:") throw new TypeError(`${base} is no https URL`);
  const agent = new Agent(ca === undefined ? { rejectUnauthorized: false } : { ca });
  const prefix = pathname.replace(/\/$/, "");
  const send = ({ method, path, headers, body }: SentRequest, timeoutMs: number) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpsRequest(
        {
          host: hostname.replace(/^\[|\]$/g, ""),
          port: port || 443,
          method,
          path: prefix + path,
          headers: headers.flat(),
          agent,
          setHost: false,
        },
        resolve,
      );
      // A server may answer, and close, before it has read a large body: then the error comes after the answer.
      request.on("error", reject);
      request.setTimeout(timeoutMs, () => request.destroy(new Error(`no answer within ${timeoutMs} ms`)));
      request.end(body);
    });
  const host = `${hostname}:${port || 443}`;
  const withHost = (request: SentRequest): SentRequest => ({ ...request, headers: [["Host", host], ["Connection", "close"], ...request.headers] });
  return {
    host,
    async request(request) {
      const response = await send(withHost(request), REQUEST_TIMEOUT_MS);
      return answerOf(response, await readAll(response));
    },
    async watch(request) {
      const response = await send(withHost(request), WATCH_TIMEOUT_MS);
      const lines = new LineQueue();
      if (response.statusCode !== 200) {
        lines.end();
        return { answer: answerOf(response, await readAll(response)), lines, close: () => undefined };
      }
      const end = () => lines.end();
      response
        .on("data", (chunk: Uint8Array) => lines.push(chunk))
        .on("error", end)
        .on("close", end);
      return { answer: answerOf(response, new Uint8Array()), lines, close: () => void response.destroy() };
    },
  };
}

async function readAll(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function answerOf({ statusCode = 0, rawHeaders }: IncomingMessage, body: Uint8Array): Answer {
  const headers: (readonly [string, string])[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) headers.push([(rawHeaders[index] ?? "").toLowerCase(), rawHeaders[index + 1] ?? ""]);
  return { status: statusCode, headers, body };
}
