import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Writable } from "node:stream";
import type { APIResponse, ByteSink, ResponseHeaders } from "@annex/apiserver";
import type { Connection } from "./connection.ts";
import type { ServerContext } from "./exchange.ts";
import { HTTP1Exchange, refuseHTTP1Head } from "./http1-exchange.ts";
import { requestHead } from "./request.ts";
import { statusResponse } from "./status-response.ts";
import {
  chooseProtocol,
  closeFrame,
  FrameReader,
  type Handshake,
  NORMAL_CLOSURE,
  PROTOCOL_ERROR,
  pongFrame,
  readHandshake,
  textFrame,
  WEBSOCKET_VERSION,
} from "./websocket.ts";

const NEWLINE = 0x0a;

/**
 * A request of HTTP/1.1 that would rather speak another protocol on its connection.
 *
 * A WebSocket is what it gets where the answer is a stream: each line of the stream is a text message, which is how kube-apiserver sends
 * watch events to clients that ask so (fabric8 does); there a handshake that cannot be one is a 400. Any other answer, and any other protocol, is answered as
 * if nobody had asked.
 * The connection ends with it: Node has let go of it. Source: apiserver, endpoints/handlers/watch.go, HandleWS.
 */
export class UpgradeExchange extends HTTP1Exchange {
  readonly #handshake: Handshake | undefined;
  readonly #protocol: string | undefined;
  readonly #socket: Duplex;
  readonly #frames = new FrameReader();
  #messages: Writable | undefined;
  #isClosing = false;

  constructor(
    context: ServerContext,
    connection: Connection,
    req: IncomingMessage,
    res: ServerResponse,
    head: ReturnType<typeof requestHead>,
    socket: Duplex,
  ) {
    super(context, connection, req, res, head);
    this.#handshake = readHandshake(req.method ?? "", head.headers);
    this.#protocol = chooseProtocol(head.headers["sec-websocket-protocol"]);
    this.#socket = socket;
    res.shouldKeepAlive = false;
    res.on("finish", () => connection.endSoon());
    socket.on("error", () => {});
    socket.on("close", () => this.closed());
    // What comes has to be read for its end to be seen, also by an answer that does not want it.
    socket.on("data", (bytes: Uint8Array) => this.#received(bytes));
  }

  protected override get writable(): Writable {
    return this.#messages ?? super.writable;
  }

  override answer(response: APIResponse): Promise<void> | undefined {
    const { status, headers, body } = response;
    const fault = this.#handshake?.fault;
    if (fault === undefined || typeof body !== "function" || !isEndless(status, headers)) return super.answer(response);
    return super.answer(refuseHandshake(fault, body));
  }

  protected override sendHead(status: number, headers: ResponseHeaders, length: number | undefined, end: boolean): void {
    const accept = this.#handshake?.accept;
    if (end || length !== undefined || !isEndless(status, headers) || accept === undefined) {
      super.sendHead(status, headers, length, end);
      return;
    }
    this.response.detachSocket(this.readable.socket);
    const lines = ["HTTP/1.1 101 Switching Protocols", "upgrade: websocket", "connection: Upgrade", `sec-websocket-accept: ${accept}`];
    if (this.#protocol !== undefined) lines.push(`sec-websocket-protocol: ${this.#protocol}`);
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    this.#messages = this.#messageWriter();
    this.#messages.on("error", () => {});
    this.#messages.on("finish", () => this.closed());
  }

  protected override finish(bytes: Uint8Array | undefined): void {
    if (this.#messages === undefined) super.finish(bytes);
    else this.#messages.end();
  }

  override closed(): void {
    super.closed();
    this.#messages?.destroy();
  }

  #received(bytes: Uint8Array): void {
    // Nothing may come before the handshake is answered, and nothing is answered behind the last frame.
    if (this.#messages === undefined || this.#isClosing) return;
    for (const control of this.#frames.read(bytes)) {
      if (control.type === "ping") {
        // Whoever asks on without reading the answers gets none: they would pile up.
        if (!this.#socket.writableNeedDrain) this.#socket.write(pongFrame(control.payload));
        continue;
      }
      this.#close(control.type === "close" ? NORMAL_CLOSURE : PROTOCOL_ERROR);
    }
  }

  /**
   * The last frame. Until it is out, and the socket closed with it, the exchange is not over: what still waits for a peer that reads nothing counts as waiting, and its
   * request as one of its user's.
   */
  #close(code: number, done?: (error?: Error | null) => void): void {
    this.#isClosing = true;
    this.#socket.write(closeFrame(code), done);
    this.connection.endSoon();
  }

  /** Takes whole lines, writes each as a message, and at the end says that there are no more. Counts as waiting what the socket has not taken. */
  #messageWriter(): Writable {
    const socket = this.#socket;
    return new Writable({
      write: (chunk: Uint8Array, _encoding, done) => {
        // Nothing comes behind the last frame: what would, waits for the end of the socket.
        if (this.#isClosing) return;
        socket.cork();
        for (let start = 0; start < chunk.length; ) {
          const newline = chunk.indexOf(NEWLINE, start);
          const end = newline === -1 ? chunk.length : newline + 1;
          const isLast = end === chunk.length;
          socket.write(textFrame(chunk.subarray(start, end)), isLast ? done : undefined);
          start = end;
        }
        socket.uncork();
      },
      final: (done) => {
        if (!this.#isClosing) this.#close(NORMAL_CLOSURE, done);
      },
    });
  }
}

function isEndless(status: number, headers: ResponseHeaders): boolean {
  return status === 200 && headers["content-length"] === undefined;
}

const NOWHERE: ByteSink = { write: () => true, drained: async () => undefined };

/** The 400 in place of a stream, which is called all the same, to end at once: it holds what was opened for it. */
function refuseHandshake(fault: string, stream: Exclude<APIResponse["body"], Uint8Array | undefined>): APIResponse {
  const { body, headers, status } = statusResponse(400, "BadRequest", fault, { "sec-websocket-version": WEBSOCKET_VERSION });
  return {
    status,
    headers,
    async body(sink) {
      if (body instanceof Uint8Array) sink.write(body);
      // Nobody is left to be told how it ended.
      await stream(NOWHERE, AbortSignal.abort(new Error(fault))).catch(() => undefined);
    },
  };
}

/** Serves one request that came with an `upgrade` header. */
export function serveUpgrade(context: ServerContext, connection: Connection, req: IncomingMessage, socket: Duplex): void {
  const target = req.url ?? "";
  const head = requestHead(target, req.headers, req.rawHeaders);
  const res = new ServerResponse(req);
  res.assignSocket(req.socket);
  const exchange = new UpgradeExchange(context, connection, req, res, head, socket);
  const refusal = refuseHTTP1Head(req, head, context.limits) ?? refuseBody(exchange);
  void (refusal === undefined ? exchange.run() : exchange.answer(refusal));
}

/** Node reads no body of such a request. */
function refuseBody({ hasNoBody }: { readonly hasNoBody: boolean }) {
  return hasNoBody ? undefined : statusResponse(400, "BadRequest", "a request that asks for another protocol cannot have a body");
}
