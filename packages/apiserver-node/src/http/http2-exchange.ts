import { constants, type IncomingHttpHeaders, type OutgoingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { ResponseHeaders } from "@annex/apiserver";
import type { Connection } from "./connection.ts";
import { Exchange, refuseHead, type ServerContext } from "./exchange.ts";
import { requestHead } from "./request.ts";

const { NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR } = constants;

/** A request on one stream of HTTP/2, through Node's core stream API: the compatibility layer costs 40 %. */
export class HTTP2Exchange extends Exchange {
  protected readonly readable: ServerHttp2Stream;
  protected readonly writable: ServerHttp2Stream;
  protected readonly hasNoBody: boolean;

  constructor(context: ServerContext, connection: Connection, stream: ServerHttp2Stream, method: string, head: ReturnType<typeof requestHead>) {
    super(context, connection, method, head);
    this.readable = stream;
    this.writable = stream;
    this.hasNoBody = stream.endAfterHeaders;
    stream.on("aborted", this.#onAborted);
    stream.on("close", () => this.closed());
  }

  /** END_STREAM leaves our half of the stream open; RST_STREAM, even one with NO_ERROR, closes both. */
  protected get requestIsWhole(): boolean {
    return !this.readable.closed && !this.readable.destroyed;
  }

  /** Where a body was read, Node 20 closes the stream before the writable counts its last bytes as written: then the code of the close tells. */
  protected get isSent(): boolean {
    const { writableFinished, writableEnded, rstCode, aborted } = this.writable;
    return writableFinished || (writableEnded && rstCode === NGHTTP2_NO_ERROR && !aborted);
  }

  protected sendHead(status: number, headers: ResponseHeaders, length: number | undefined, end: boolean): void {
    // One copy by hand: the framework may share its record between responses, and spreading costs more.
    const fields: OutgoingHttpHeaders = { ":status": status };
    for (const name in headers) {
      const value = headers[name];
      if (value !== undefined) fields[name] = typeof value === "string" ? value : [...value];
    }
    if (length !== undefined) fields["content-length"] = length;
    this.writable.respond(fields, end ? { endStream: true } : undefined);
    // Who is not believed, or not any more, comes again with other credentials, and over another connection: its certificates belong to this one. As Go does.
    if (status === 401) this.connection.retire();
  }

  protected sendContinue(): void {
    this.writable.additionalHeaders({ ":status": 100 });
  }

  protected finish(bytes: Uint8Array | undefined): void {
    const stream = this.writable;
    // Node closes a stream that nobody began to read. RFC 9113 section 8.1: NO_ERROR asks the client to stop sending.
    if (this.bodyIsRead && !stream.readableEnded) {
      stream.once("finish", () => {
        stream.close(NGHTTP2_NO_ERROR);
        // What came of a body that was too large lies in a paused stream, which Node would keep until somebody has read it.
        stream.resume();
      });
    }
    // A stream without payload was ended with its headers.
    if (stream.writableEnded) return;
    if (bytes === undefined) stream.end();
    else stream.end(bytes);
  }

  /**
   * RST_STREAM with the code that Go sends for an aborted handler. Never `destroy` before the frame is out: nghttp2 would go on asking
   * the destroyed stream for data, until memory ends. Node destroys the stream itself when the frame is sent.
   */
  protected cut(): void {
    this.writable.close(NGHTTP2_INTERNAL_ERROR);
  }

  /** The stream was closed before its response was whole, by either side. */
  readonly #onAborted = (): void => {
    if (this.isReset) return;
    this.closed();
    // Node does not close a stream that its peer reset with NO_ERROR while bytes wait to be written to it.
    const stream = this.writable;
    if (stream.rstCode === NGHTTP2_NO_ERROR) setImmediate(() => stream.destroy());
  };
}

/** Serves one stream, whose errors somebody listens to: what they mean shows when the stream closes, which always follows. */
export function serveStream(
  context: ServerContext,
  connection: Connection,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: readonly string[],
): void {
  const target = headers[":path"] ?? "";
  const head = requestHead(target, headers, rawHeaders);
  const exchange = new HTTP2Exchange(context, connection, stream, headers[":method"] ?? "", head);
  const refusal = refuseHead(target, head, context.limits);
  if (refusal !== undefined) void exchange.answer(refusal);
  else if (stream.endAfterHeaders) void exchange.run();
  else {
    connection.uploadedMs = performance.now();
    context.uploads.pass(exchange);
  }
}
