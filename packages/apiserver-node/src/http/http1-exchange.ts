import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { APIResponse, ResponseHeaders } from "@annex/apiserver";
import type { Connection } from "./connection.ts";
import { Exchange, refuseHead, type ServerContext } from "./exchange.ts";
import type { HTTPLimits } from "./limits.ts";
import { type RequestHead, requestHead } from "./request.ts";
import { statusResponse } from "./status-response.ts";

/**
 * How much of an unread body is taken in after the answer. As much as Go takes in of one that is too large: kube-apiserver reads to its limit before it refuses, and net/http 256 KiB
 * behind it. A client that writes all before it reads then sees why.
 */
const MAX_DISCARDED_BYTES = 3 * 1024 * 1024 + 256 * 1024;
/** …and for how long. */
const DISCARD_TIMEOUT_MS = 1000;

/** A request of HTTP/1.1 or 1.0. */
export class HTTP1Exchange extends Exchange {
  protected readonly readable: IncomingMessage;
  protected readonly response: ServerResponse;
  readonly hasNoBody: boolean;

  constructor(context: ServerContext, connection: Connection, req: IncomingMessage, res: ServerResponse, head: ReturnType<typeof requestHead>) {
    super(context, connection, req.method ?? "", head);
    this.readable = req;
    this.response = res;
    this.hasNoBody = head.headers["transfer-encoding"] === undefined && (head.headers["content-length"] ?? "0") === "0";
    const ignoreError = () => {};
    req.on("error", ignoreError);
    res.on("error", ignoreError);
    res.on("finish", () => this.closed());
    res.on("close", () => this.closed());
  }

  protected get writable(): Writable {
    return this.response;
  }

  protected get requestIsWhole(): boolean {
    return this.readable.complete;
  }

  protected get isSent(): boolean {
    return this.writable.writableFinished;
  }

  protected sendHead(status: number, headers: ResponseHeaders, length: number | undefined, end: boolean): void {
    const res = this.response;
    if (this.context.isDraining || this.#leavesBody()) res.shouldKeepAlive = false;
    // Left from an answer of which a later header was not allowed.
    for (const name of res.getHeaderNames()) res.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    if (length !== undefined) res.setHeader("content-length", length);
    res.writeHead(status);
    // A whole body goes out with its headers; of a stream nobody knows when the first chunk comes.
    if (!end && length === undefined) res.flushHeaders();
  }

  protected sendContinue(): void {
    this.response.writeContinue();
  }

  protected finish(bytes: Uint8Array | undefined): void {
    const res = this.response;
    if (!this.#leavesBody()) {
      if (bytes === undefined) res.end();
      else res.end(bytes);
      return;
    }
    // Closing a socket on which unread bytes lie resets it, and the client might never see the answer. So take some in first.
    if (bytes === undefined) res.flushHeaders();
    else res.write(bytes);
    this.#discard(() => res.end());
  }

  protected cut(): void {
    this.readable.socket.destroy();
  }

  #leavesBody(): boolean {
    return !this.hasNoBody && !this.readable.complete;
  }

  #discard(done: () => void): void {
    let bytes = 0;
    const stop = () => {
      clearTimeout(timer);
      this.readable.off("data", onData).off("end", stop).off("close", stop);
      this.readable.pause();
      done();
    };
    const onData = (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > MAX_DISCARDED_BYTES) stop();
    };
    const timer = setTimeout(stop, DISCARD_TIMEOUT_MS);
    this.readable.on("data", onData).on("end", stop).on("close", stop);
  }
}

/** Serves one request. @param refused the answer, when nobody is to look at it. */
export function serveRequest(context: ServerContext, connection: Connection, req: IncomingMessage, res: ServerResponse, refused?: APIResponse): void {
  const target = req.url ?? "";
  const head = requestHead(target, req.headers, req.rawHeaders);
  const exchange = new HTTP1Exchange(context, connection, req, res, head);
  const refusal = refused ?? refuseHTTP1Head(req, head, context.limits);
  void (refusal === undefined ? exchange.run() : exchange.answer(refusal));
}

/** {@link refuseHead}, and what HTTP/1.1 asks of `Host`. Node would refuse a missing one without a word, and knows nothing of the others. */
export function refuseHTTP1Head(req: IncomingMessage, head: RequestHead, limits: HTTPLimits): APIResponse | undefined {
  return refuseHost(req, head) ?? refuseHead(req.url ?? "", head, limits);
}

/** Host and port, of whatever bytes a URL may have there. Source: golang.org/x/net/http/httpguts, ValidHostHeader. */
const HOST = /^[A-Za-z0-9!$%&'()*+,\-.:;=[\]_~]*$/;

/** Source: RFC 9112, section 3.2. The connection ends with such a request, as in Go. */
function refuseHost({ httpVersion }: IncomingMessage, { headers: { host }, rawHeaders }: RequestHead): APIResponse | undefined {
  const refuse = (why: string) => statusResponse(400, "BadRequest", why, { connection: "close" });
  if (host === undefined) return httpVersion === "1.1" ? refuse("missing required Host header") : undefined;
  if (!HOST.test(host)) return refuse("malformed Host header");
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) if (rawHeaders[i]?.toLowerCase() === "host") hosts++;
  return hosts > 1 ? refuse("too many Host headers") : undefined;
}
