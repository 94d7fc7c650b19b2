import { type APIResponse, type APIServer, BodyTooLarge } from "@annex/apiserver";
import type { Answer, Client, OpenWatch, SentRequest } from "./client.ts";
import { LineQueue } from "./line-queue.ts";

const HOST = "127.0.0.1:6443";
/** How long a whole answer may take. */
const TIMEOUT_MS = 30_000;
const EMPTY = new Uint8Array();

/** Asks a server without a socket, as the adapter to a socket would. */
export function inProcessClient({ handle }: Pick<APIServer, "handle">): Client {
  const send = async (request: SentRequest, signal: AbortSignal) => {
    const mark = request.path.indexOf("?");
    return handle({
      method: request.method,
      path: mark === -1 ? request.path : request.path.slice(0, mark),
      query: mark === -1 ? "" : request.path.slice(mark + 1),
      headers: Object.fromEntries([["host", HOST], ...request.headers.map(([name, value]) => [name.toLowerCase(), value])]),
      body: async (maxBytes) => {
        const { body = EMPTY } = request;
        if (body.length > maxBytes) throw new BodyTooLarge();
        return body;
      },
      peer: { address: "127.0.0.1", certificates: undefined },
      signal,
    });
  };
  const open = async (request: SentRequest, closing: AbortController): Promise<OpenWatch> => {
    const response = await send(request, closing.signal);
    const lines = new LineQueue();
    const { body } = response;
    if (typeof body !== "function" || request.method === "HEAD") {
      const whole = typeof body === "function" || body === undefined || request.method === "HEAD" ? EMPTY : body;
      lines.push(whole);
      lines.end();
      return { answer: answerOf(response, whole), lines, close: () => undefined };
    }
    const sink = {
      write: (chunk: Uint8Array) => {
        lines.push(chunk);
        return true;
      },
      drained: async () => undefined,
    };
    void body(sink, closing.signal).then(
      () => lines.end(),
      () => lines.end(),
    );
    return { answer: answerOf(response, EMPTY), lines, close: () => closing.abort(new Error("the client is gone")) };
  };
  return {
    host: HOST,
    async request(request) {
      const { answer, lines, close } = await open(request, new AbortController());
      if (answer.body.length > 0) return answer;
      const deadline = performance.now() + TIMEOUT_MS;
      const text: string[] = [];
      for (;;) {
        const next = await lines.next(deadline);
        if (typeof next === "object") text.push(`${next.line}\n`);
        else if (next === "ended") return { ...answer, body: new TextEncoder().encode(text.join("")) };
        else {
          close();
          throw new Error(`${request.method} ${request.path} did not end within ${TIMEOUT_MS} ms`);
        }
      }
    },
    async watch(request) {
      const opened = await open(request, new AbortController());
      return opened.answer.status === 200 ? { ...opened, answer: { ...opened.answer, body: EMPTY } } : opened;
    },
  };
}

function answerOf({ status, headers }: APIResponse, body: Uint8Array): Answer {
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    (typeof value === "string" ? [value] : value).map((one) => [name.toLowerCase(), one] as const),
  );
  return { status, headers: sent, body };
}
