// Clients that send what they are given, as far as Node's own clients let them.

import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import { Agent, request as httpsRequest } from "node:https";
import { type HostileRequest, isBeyondHTTP2, targetOf } from "./request.ts";

/** What came of a request. */
export type Outcome =
  | {
      readonly type: "answer";
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Uint8Array /** A stream that we ended. */;
      readonly isCut: boolean;
    }
  /** The stream or connection was ended without an answer. */
  | { readonly type: "reset"; readonly why: string }
  /** No answer, or not all of it, within the deadline. */
  | { readonly type: "late"; readonly why: string }
  /** The client would not send it. */
  | { readonly type: "unsendable"; readonly why: string };

export interface Sender {
  readonly name: "HTTP/2" | "HTTP/1.1";
  send(request: HostileRequest): Promise<Outcome>;
  close(): void;
}

/** For an answer to come whole. One body of the largest size may keep the server from others for seconds, on a busy machine for several. */
const DEADLINE_MS = 45_000;
/** A stream without end is left after so long: the watches of the corpus end by themselves after a second. */
const STREAM_LIMIT_MS = 2500;
/** Node's client would not send more than 64 KiB of headers: it is for the server to refuse them. */
const MAX_HEADER_BYTES = 1024 * 1024;
/** Of the client: with the 10 MB that it has by default it would give up streams of its own while large bodies wait. */
const MAX_SESSION_MB = 512;
/** What belongs to the connection is the client's own. */
const OF_CONNECTION = new Set(["connection", "transfer-encoding", "keep-alive", "upgrade", "host", "te"]);

function headerRecord(request: HostileRequest, leftOut: ReadonlySet<string>): OutgoingHttpHeaders {
  const record: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of request.headers) {
    if (leftOut.has(name)) continue;
    const before = record[name];
    record[name] = before === undefined ? value : [before, value].flat();
  }
  return record;
}

const REFUSED = `code ${constants.NGHTTP2_REFUSED_STREAM};`;
const MAX_REFUSALS = 5;

/** A single HTTP/2 session, opened anew when the server ended it. */
export function http2Sender(url: string, ca: string): Sender {
  let session: ClientHttp2Session | undefined;
  const open = () => connect(url, { ca, maxSendHeaderBlockLength: MAX_HEADER_BYTES, maxSessionMemory: MAX_SESSION_MB }).on("error", () => undefined);
  const current = () => {
    if (session === undefined || session.closed || session.destroyed) session = open();
    return session;
  };
  async function sendOnce(request: HostileRequest): Promise<Outcome> {
    let stream: ClientHttp2Stream;
    try {
      const headers = { ...headerRecord(request, OF_CONNECTION), ":method": request.method, ":path": targetOf(request) };
      const own = isBeyondHTTP2(request) ? open() : undefined;
      stream = (own ?? current()).request(headers, { endStream: request.body === undefined });
      if (own !== undefined) stream.on("close", () => own.destroy());
    } catch (error) {
      return { type: "unsendable", why: String(error) };
    }
    if (request.body !== undefined) stream.end(request.body);
    return readStream(stream);
  }
  return {
    name: "HTTP/2",
    async send(request) {
      // A 401 sends the connection away. What was under way then is refused, which says that nobody looked at it: it is sent again. Source: RFC 9113, section 8.7.
      for (let attempt = 1; ; attempt++) {
        const outcome = await sendOnce(request);
        const isRefused = outcome.type === "reset" && outcome.why.startsWith(REFUSED);
        if (!isRefused || attempt === MAX_REFUSALS) return outcome;
      }
    },
    close: () => session?.destroy(),
  };
}

function readStream(stream: ClientHttp2Stream): Promise<Outcome> {
  return new Promise((resolve) => {
    let head: { readonly status: number; readonly headers: IncomingHttpHeaders } | undefined;
    let isCut = false;
    let failure = "";
    const chunks: Uint8Array[] = [];
    const deadline = setTimeout(() => {
      resolve({ type: "late", why: head === undefined ? "no answer came" : `the answer, ${head.status}, did not end` });
      stream.close(constants.NGHTTP2_CANCEL);
    }, DEADLINE_MS);
    stream.on("response", (headers) => {
      head = { status: headers[":status"] ?? 0, headers };
      if (head.status !== 200 || headers["content-length"] !== undefined) return;
      setTimeout(() => {
        if (stream.closed) return;
        isCut = true;
        stream.close(constants.NGHTTP2_CANCEL);
      }, STREAM_LIMIT_MS);
    });
    stream.on("data", (chunk: Uint8Array) => chunks.push(chunk));
    stream.on("error", (error) => {
      failure = error.message;
    });
    // Node does not close a stream that was answered, and then reset with NO_ERROR, while some of its own body waits to be sent.
    stream.on("end", () => {
      if (head === undefined || stream.rstCode !== 0 || isCut) return;
      clearTimeout(deadline);
      resolve({ type: "answer", ...head, body: Buffer.concat(chunks), isCut });
      setImmediate(() => stream.destroy());
    });
    stream.on("close", () => {
      clearTimeout(deadline);
      if (head === undefined || (!isCut && stream.rstCode !== 0)) resolve({ type: "reset", why: `code ${stream.rstCode}; ${failure}` });
      else resolve({ type: "answer", ...head, body: Buffer.concat(chunks), isCut });
    });
  });
}

/** HTTP/1.1 over a few connections that are used again. A Content-Length that is wrong would put the next request out of step: it is left out. */
export function http1Sender(url: string, ca: string): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 12, ca });
  const { hostname, port } = new URL(url);
  const leftOut = new Set([...OF_CONNECTION, "content-length"]);
  return {
    name: "HTTP/1.1",
    send: (request) =>
      new Promise((resolve) => {
        const { method, body } = request;
        try {
          const outgoing = httpsRequest({ agent, hostname, port, method, path: targetOf(request), headers: headerRecord(request, leftOut) });
          let deadline: NodeJS.Timeout | undefined;
          // First of all: what cannot be sent is told here, too.
          outgoing.on("error", (error) => {
            clearTimeout(deadline);
            resolve({ type: "reset", why: error.message });
          });
          if (body !== undefined) outgoing.setHeader("content-length", body.length);
          // Before that it waits for a connection, behind watches perhaps: that is no delay of the server's.
          outgoing.on("socket", () => {
            deadline = setTimeout(() => {
              resolve({ type: "late", why: "no answer came" });
              outgoing.destroy();
            }, DEADLINE_MS);
          });
          outgoing.on("response", (incoming) => {
            const chunks: Uint8Array[] = [];
            const { headers, statusCode: status = 0 } = incoming;
            let isCut = false;
            const cutting = setTimeout(() => {
              if (status !== 200 || headers["content-length"] !== undefined) return;
              isCut = true;
              incoming.destroy();
            }, STREAM_LIMIT_MS);
            incoming.on("data", (chunk: Uint8Array) => chunks.push(chunk)).on("error", () => undefined);
            incoming.on("close", () => {
              clearTimeout(deadline);
              clearTimeout(cutting);
              if (!isCut && !incoming.complete) resolve({ type: "reset", why: "in the middle of the answer" });
              else resolve({ type: "answer", status, headers, body: Buffer.concat(chunks), isCut });
            });
          });
          outgoing.end(body);
        } catch (error) {
          resolve({ type: "unsendable", why: String(error) });
        }
      }),
    close: () => agent.destroy(),
  };
}
