import type { Readable, Writable } from "node:stream";
import { type APIResponse, type Awaitable, type Logger, type RequestHandler, type ResponseHeaders, whenSettled } from "@annex/apiserver";
import type { Connection } from "./connection.ts";
import type { HTTPLimits } from "./limits.ts";
import { nodeErrorMeaning } from "./node-error.ts";
import { HTTPRequest, type RequestHead, type RequestSource } from "./request.ts";
import { readBody } from "./request-body.ts";
import { ResponseSink } from "./response-sink.ts";
import { internalErrorResponse, overloadedResponse, statusResponse } from "./status-response.ts";
import type { UploadGate } from "./upload-gate.ts";
import type { WaitingBytes } from "./waiting-bytes.ts";

/** What all exchanges of a server share. */
export interface ServerContext {
  readonly handler: RequestHandler;
  readonly limits: HTTPLimits;
  readonly log: Logger;
  readonly waitingBytes: WaitingBytes;
  /** Of HTTP/2: on HTTP/1.1 each answer says whether another request may follow. */
  readonly uploads: UploadGate;
  isDraining: boolean;
  /** Makes room among the waiting bytes by resetting the responses that nobody reads. */
  relieve(): void;
}

const EMPTY = new Uint8Array(0);
/** Large bodies go out in pieces, so that a slow peer's progress shows; two are under way at a time, so that the socket never runs dry. */
const PIECE_BYTES = 256 * 1024;
const PIECES_UNDER_WAY = 2;

/** One request and its answer, over whichever protocol. Subclasses know the protocol; the order of things is here. */
export abstract class Exchange implements RequestSource {
  readonly request: HTTPRequest;
  /** Where it stands among those of its connection. */
  place = 0;
  /** When bytes last went out, or began to wait: `performance.now()`. */
  progressMs = 0;
  protected readonly context: ServerContext;
  protected readonly connection: Connection;
  protected bodyIsRead = false;
  /** Set once this side cut the exchange off. */
  protected isReset = false;
  readonly #startedMs: number;
  #controller: AbortController | undefined;
  #sink: ResponseSink | undefined;
  #waiting = 0;
  #headSent = false;
  #allWritten = false;
  #isEndless = false;
  #isOver = false;
  #goneReason: Error | undefined;
  #handlerDone = false;

  constructor(context: ServerContext, connection: Connection, method: string, head: RequestHead) {
    this.context = context;
    this.connection = connection;
    this.#startedMs = performance.now();
    this.request = new HTTPRequest(method, head, connection.peer, this);
    connection.exchanges.add(this);
  }

  protected abstract readonly readable: Readable;
  protected abstract readonly writable: Writable;
  /** Whether the headers already said that no body follows. */
  protected abstract readonly hasNoBody: boolean;
  /** Whether the body has come to its proper end. Asked when its stream ends, before anything was answered. */
  protected abstract readonly requestIsWhole: boolean;
  /** Whether the transport took all that was written. Asked when the exchange closed. */
  protected abstract readonly isSent: boolean;
  /**
   * Sends the status line and headers now.
   *
   * @param length becomes the `content-length`, if given.
   * @param end nothing follows.
   */
  protected abstract sendHead(status: number, headers: ResponseHeaders, length: number | undefined, end: boolean): void;
  /** Asks for the body of a client that waits to be asked (`expect: 100-continue`). */
  protected abstract sendContinue(): void;
  /** Ends this exchange at once so that the client sees it was cut off. */
  protected abstract cut(): void;
  /** Writes the last bytes of the response; a request that was not read to its end must not hold the stream open. */
  protected abstract finish(bytes: Uint8Array | undefined): void;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#goneReason !== undefined) this.#controller.abort(this.#goneReason);
    }
    return this.#controller.signal;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether the transport let go of what was written. After a reset this comes with the frame that tells the peer. */
  get isReleased(): boolean {
    return this.writable.destroyed;
  }

  /** Bytes of the response that the peer has not taken yet. */
  get waiting(): number {
    return this.#waiting;
  }

  readBody(maxBytes: number): Promise<Uint8Array> {
    if (this.hasNoBody) return Promise.resolve(EMPTY);
    if (this.bodyIsRead) return Promise.reject(new TypeError("the body of a request is read once"));
    const declared = this.request.headers["content-length"];
    this.bodyIsRead = true;
    if (this.request.headers.expect !== undefined && !(Number(declared) > maxBytes)) this.sendContinue();
    return readBody(this.readable, () => this.requestIsWhole, declared, maxBytes);
  }

  /** Answers by the handler, at once where that does. @returns the promise of a later end, which never rejects. */
  run(): Awaitable<void> {
    return whenSettled(
      () => this.context.handler(this.request),
      (response) => this.answer(response),
      (error) => this.answer(this.#failed(error)),
    );
  }

  /**
   * Sends a response, the handler's or the adapter's own. Never throws.
   *
   * @returns for a stream, the promise of its end, which never rejects: a small answer should not cost one.
   */
  answer(response: APIResponse): Promise<void> | undefined {
    let streaming: Promise<void> | undefined;
    try {
      streaming = this.#send(response);
    } catch (error) {
      // Headers that HTTP does not allow, for one.
      const instead = this.#failed(error);
      if (this.#headSent) this.reset();
      else void this.#send(instead);
    }
    if (streaming !== undefined) return streaming.finally(() => this.#returned());
    this.#returned();
    return undefined;
  }

  /** The handler has nothing more to do. */
  #returned(): void {
    this.#handlerDone = true;
    if (this.#isOver) this.connection.ended(this);
  }

  /** Ends the exchange without a proper end: the client sees that it was cut off. */
  reset(reason?: Error): void {
    if (this.#isOver) return;
    this.isReset = true;
    this.#goneReason ??= reason;
    this.cut();
    // Node tells later, but a writer that is cut off has to see it now.
    this.closed();
  }

  /** A response without an end is told to end. One that has an end, or whose handler has not answered yet, goes on. */
  endIfEndless(): void {
    if (this.#isEndless) this.#abort(new Error("the server is shutting down"));
  }

  /** @returns whether the peer has let this exchange wait for longer than it may. */
  isStalled(nowMs: number, stallTimeoutMs: number): boolean {
    if (this.#waiting > 0) return nowMs - this.progressMs >= stallTimeoutMs;
    const isReading = this.bodyIsRead && !this.readable.readableEnded && !this.#headSent;
    return isReading && nowMs - this.#startedMs >= this.context.limits.requestTimeoutMs;
  }

  /** The transport is done with this exchange, well or not. Further calls do nothing. */
  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.settle(0);
    const complete = this.#allWritten && this.isSent;
    if (!complete) {
      if (!this.isReset) this.connection.countReset();
      this.#abort(new Error("the client is gone"));
    }
    this.#sink?.closed();
    if (this.#handlerDone) this.connection.ended(this);
  }

  /** Accounts for what waits now. */
  settle(waiting: number): void {
    if (waiting === this.#waiting) return;
    this.context.waitingBytes.add(waiting - this.#waiting);
    // Waiting begins, or some of it is over. What only grows is no progress.
    if (this.#waiting === 0 || waiting < this.#waiting) this.progressMs = performance.now();
    this.#waiting = waiting;
  }

  #abort(reason: Error): void {
    this.#goneReason ??= reason;
    this.#controller?.abort(this.#goneReason);
  }

  #send(response: APIResponse): Promise<void> | undefined {
    if (this.#isOver) return undefined;
    const { status, headers, body } = response;
    if (typeof body === "function") {
      if (!this.#mayHaveBody(status)) return this.#sendEmpty(status, headers, undefined);
      return this.#stream(status, headers, body);
    }
    if (body === undefined || body.length === 0 || !this.#mayHaveBody(status)) return this.#sendEmpty(status, headers, body?.length ?? 0);
    return this.#sendWhole(status, headers, body);
  }

  #mayHaveBody(status: number): boolean {
    return this.request.method !== "HEAD" && status !== 204 && status !== 304;
  }

  #sendEmpty(status: number, headers: ResponseHeaders, length: number | undefined): undefined {
    this.sendHead(status, headers, status === 204 || status === 304 ? undefined : length, true);
    this.#headSent = true;
    this.#allWritten = true;
    this.finish(undefined);
  }

  #sendWhole(status: number, headers: ResponseHeaders, body: Uint8Array): undefined {
    const { waitingBytes } = this.context;
    if (!waitingBytes.admits(body.length)) {
      this.context.relieve();
      if (!waitingBytes.admits(body.length)) return this.#refuse();
    }
    this.#sendBytes(status, headers, body);
  }

  #sendBytes(status: number, headers: ResponseHeaders, body: Uint8Array): undefined {
    this.sendHead(status, headers, body.length, false);
    this.#headSent = true;
    this.settle(body.length);
    if (body.length <= PIECE_BYTES) {
      this.#allWritten = true;
      this.finish(body);
    } else this.#sendPieces(body);
  }

  #sendPieces(body: Uint8Array): void {
    let written = 0;
    const next = () => {
      if (this.#isOver || this.#allWritten) return;
      const piece = body.subarray(written, written + PIECE_BYTES);
      written += piece.length;
      if (written < body.length) this.writable.write(piece, onWritten);
      else {
        this.#allWritten = true;
        this.finish(piece);
      }
    };
    const onWritten = () => {
      this.progressMs = performance.now();
      next();
    };
    for (let i = 0; i < PIECES_UNDER_WAY; i++) next();
  }

  /** No room for the response. A request that changed something must not be told to come again: cut off, its sender looks first. */
  #refuse(): undefined {
    this.context.log.warn({ path: this.request.path, waitingBytes: this.context.waitingBytes.total }, "response dropped: too many bytes wait");
    const { method } = this.request;
    if (method !== "GET" && method !== "HEAD") {
      this.reset();
      return;
    }
    const { status, headers, body } = overloadedResponse();
    if (body instanceof Uint8Array) this.#sendBytes(status, headers, body);
  }

  async #stream(status: number, headers: ResponseHeaders, write: Exclude<APIResponse["body"], Uint8Array | undefined>): Promise<void> {
    this.sendHead(status, headers, undefined, false);
    this.#headSent = true;
    this.#isEndless = headers["content-length"] === undefined;
    const { signal } = this;
    if (this.context.isDraining) this.endIfEndless();
    const sink = new ResponseSink(this, this.writable, this.context);
    this.#sink = sink;
    try {
      await write(sink, signal);
    } catch (error) {
      if (this.#isOver) return;
      // A watch that the drain ended may well say so by throwing what the signal gave it.
      if (!(signal.aborted && this.context.isDraining && this.#isEndless)) {
        this.#failed(error);
        this.reset();
        return;
      }
    }
    if (this.#isOver) return;
    this.#allWritten = true;
    this.finish(undefined);
  }

  /** Notes what went wrong where only operators see it. */
  #failed(error: unknown): APIResponse {
    // After the client's own leaving, whatever follows from it is no fault.
    if (this.#isOver || nodeErrorMeaning(error).kind === "peerGone") {
      this.context.log.debug({ err: error, method: this.request.method, path: this.request.path }, "request ended with its client");
    } else this.context.log.error({ err: error, method: this.request.method, path: this.request.path }, "request handler failed");
    return internalErrorResponse();
  }
}

/**
 * Checks what Node leaves to us.
 *
 * @returns the refusal, or undefined for a request that the handler is to see.
 */
export function refuseHead(target: string, head: RequestHead, limits: HTTPLimits): APIResponse | undefined {
  if (target.length > limits.maxURLBytes) {
    return statusResponse(414, "BadRequest", `the URL of the request is longer than ${limits.maxURLBytes} bytes`);
  }
  if (head.headerBytes > limits.maxHeaderBytes) {
    return statusResponse(431, "BadRequest", `the headers of the request are longer than ${limits.maxHeaderBytes} bytes`);
  }
  if (target === "") return statusResponse(400, "BadRequest", "the request names no path");
  return undefined;
}
