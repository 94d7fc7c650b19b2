import { constants as cryptoConstants } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { STATUS_CODES } from "node:http";
import {
  constants,
  createSecureServer,
  type Http2SecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Socket } from "node:net";
import type { SecureContextOptions, TLSSocket } from "node:tls";
import type { APIResponse, Logger, RequestHandler } from "@annex/apiserver";
import { Connection } from "./connection.ts";
import type { ServerContext } from "./exchange.ts";
import { serveRequest } from "./http1-exchange.ts";
import { serveStream } from "./http2-exchange.ts";
import { type HTTPLimits, hardHeaderBytes, LONGEST_HEADER_BYTES, resolveLimits } from "./limits.ts";
import { ListenError, nodeErrorCode, nodeErrorMeaning } from "./node-error.ts";
import { ConnectionPeer } from "./peer.ts";
import { statusResponse } from "./status-response.ts";
import { serveUpgrade } from "./upgrade-exchange.ts";
import { UploadGate } from "./upload-gate.ts";
import { WaitingBytes } from "./waiting-bytes.ts";

/** What the server shows, and whom it believes. All in PEM. */
export interface TLSMaterial {
  /** The serving certificate, its intermediates after it. */
  readonly cert: string;
  readonly key: string;
  /** CAs whose client certificates are asked for: clients choose theirs by them. Whom to believe is for each request to decide. Empty: nobody is asked for one. */
  readonly clientCAs: readonly string[];
}

export interface HTTPServerOptions {
  readonly handler: RequestHandler;
  readonly tls: TLSMaterial;
  /** Defaults: `DEFAULT_LIMITS`. */
  readonly limits?: Partial<HTTPLimits>;
  readonly log: Logger;
}

/** One TLS port that speaks HTTP/2 and HTTP/1.1, before a request handler. */
export interface HTTPServer extends AsyncDisposable {
  /**
   * @param port 0 takes any free one.
   * @param host an address, or a name that resolves to one of this machine. `0.0.0.0` and `::` are both all of them, of IPv6 and IPv4, as in Go: pods have what their cluster has.
   * @throws {ListenError} if it can't be listened on.
   */
  listen(port: number, host: string): Promise<{ readonly port: number }>;

  /**
   * Shows, and asks for, new certificates from the next handshake on. Open connections stay.
   *
   * @throws {Error} of OpenSSL if the material does not fit together; then nothing changes.
   */
  reloadTLS(tls: TLSMaterial): void;

  /**
   * Stops: holds uploads back until none is on its way, for three seconds at most; takes no new connection, sends GOAWAY (`connection: close` on HTTP/1.1), tells streamed responses without a
   * `content-length` (watches) to end by their signal, waits for the rest. What still runs after `timeoutMs` has its signal aborted and
   * is cut off. A second call waits for the first.
   *
   * @param timeoutMs zero cuts at once.
   */
  drain(timeoutMs: number): Promise<void>;
}

const { SSL_OP_NO_TICKET } = cryptoConstants;
const MiB = 1024 * 1024;
/** Of HTTP/2's uploads, for all streams of a connection: one that nobody reads must not hold up the others. */
const CONNECTION_WINDOW_BYTES = 4 * MiB;
const UNSPECIFIED: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);
const SWEEP_INTERVAL_MS = 5000;
const STUCK_CHECK_MS = 1000;
/** A connection that carried an upload so recently may be about to carry the next one. */
const UPLOADING_MS = 5000;
/** How long uploads wait at most for a moment in which none is on its way: on a busy server there may be none. */
const UPLOADS_HELD_MS = 3000;
/** Under pressure, a response of which nobody took a byte for so long makes room. */
const PRESSURE_STALL_MS = 5000;
const RELIEVE_INTERVAL_MS = 1000;

/**
 * Creates a server that does not listen yet. Close it by `drain`, or leave it to `await using`, which cuts off what runs.
 *
 * @throws {Error} of OpenSSL if certificate and key do not fit together.
 * @throws {RangeError} if a limit is not a positive integer.
 */
export function createHTTPServer(options: HTTPServerOptions): HTTPServer {
  return new NodeHTTPServer(options);
}

class NodeHTTPServer implements HTTPServer {
  readonly #server: Http2SecureServer;
  readonly #context: ServerContext;
  readonly #sockets = new Set<Socket>();
  /** By address and port of the peer: TLS wraps the socket in another one. */
  readonly #handshakes = new Map<string, Socket>();
  readonly #connections = new Set<Connection>();
  readonly #sessions = new Map<Http2Session, Connection>();
  readonly #http1 = new Map<Socket, Connection>();
  #current: TLSSocket | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #stuckCheck: NodeJS.Timeout | undefined;
  #relievedMs = Number.NEGATIVE_INFINITY;
  #dropped = 0;
  #draining: Promise<void> | undefined;
  #whenQuiet: (() => void) | undefined;

  constructor({ handler, tls, limits: someLimits, log }: HTTPServerOptions) {
    const limits = resolveLimits(someLimits);
    const waitingBytes = new WaitingBytes(limits.maxWaitingBytes);
    this.#context = { handler, limits, log, waitingBytes, uploads: new UploadGate(), isDraining: false, relieve: () => this.#relieve() };
    this.#server = createSecureServer({
      ...secureContext(tls),
      allowHTTP1: true,
      requestCert: tls.clientCAs.length > 0,
      // Who has no certificate, or a bad one: the authenticators decide what that means, for each request.
      rejectUnauthorized: false,
      handshakeTimeout: limits.handshakeTimeoutMs,
      // Answers are counted in `waitingBytes`, uploads by flow control; Node's own limit of 10 MB would refuse streams beside one large list.
      maxSessionMemory: Math.ceil(limits.maxWaitingBytes / MiB) + 64,
      maxSessionInvalidFrames: 100,
      // A user of many groups comes through a front proxy with a header for each.
      maxHeaderListPairs: 2048,
      settings: { maxConcurrentStreams: limits.maxConcurrentStreams, maxHeaderListSize: Math.min(hardHeaderBytes(limits), LONGEST_HEADER_BYTES) },
    });
    configureHTTP1(this.#server, limits);
    this.#attach();
  }

  async listen(port: number, host: string): Promise<{ readonly port: number }> {
    const server = this.#server;
    await new Promise<void>((resolve, reject) => {
      const onError = (error: Error) => reject(listenError(error, port, host));
      server.once("error", onError);
      // Without a host Node takes all of IPv6 and IPv4; where there is no IPv6, those of IPv4.
      const place = UNSPECIFIED.has(host) ? { port } : { port, host };
      server.listen(place, () => {
        server.off("error", onError);
        resolve();
      });
    });
    // Of the listening socket: EMFILE and the like. The server goes on.
    server.on("error", (error) => this.#context.log.error({ err: error }, "the listening socket failed"));
    const { handshakeTimeoutMs: _, ...limits } = this.#context.limits;
    const shortest = Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs, limits.idleTimeoutMs, limits.stallTimeoutMs);
    this.#sweep = setInterval(() => this.#sweepAll(), Math.max(1, Math.min(SWEEP_INTERVAL_MS, shortest / 2)));
    this.#sweep.unref();
    this.#stuckCheck = setInterval(() => {
      const now = performance.now();
      for (const connection of this.#sessions.values()) connection.endIfStuck(now);
    }, STUCK_CHECK_MS).unref();
    const address = server.address();
    return { port: typeof address === "object" && address !== null ? address.port : port };
  }

  reloadTLS(tls: TLSMaterial): void {
    this.#server.setSecureContext(secureContext(tls));
    // Node looks at it at each handshake, but has no type for it.
    Object.assign(this.#server, { requestCert: tls.clientCAs.length > 0 });
  }

  drain(timeoutMs: number): Promise<void> {
    this.#draining ??= this.#drain(timeoutMs);
    return this.#draining;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const draining = this.drain(0);
    this.#cutAll();
    await draining;
  }

  async #drain(timeoutMs: number): Promise<void> {
    const startedMs = performance.now();
    const { uploads } = this.#context;
    const uploading = [...this.#connections].some(({ uploadedMs }) => startedMs - uploadedMs < UPLOADING_MS);
    if (uploading) await uploads.close(Math.min(UPLOADS_HELD_MS, timeoutMs));
    this.#context.isDraining = true;
    // On a server that never listened, `close` only reports that.
    this.#server.close();
    // A handshake that is under way leads nowhere now, and may never end.
    for (const socket of this.#handshakes.values()) socket.destroy();
    for (const connection of this.#connections) {
      connection.retire();
      for (const exchange of connection.exchanges) exchange.endIfEndless();
    }
    uploads.open();
    if (this.#sockets.size > 0) await this.#quiet(timeoutMs - (performance.now() - startedMs));
    const cut = [...this.#connections].reduce((sum, { exchanges }) => sum + exchanges.size, 0);
    if (cut > 0) this.#context.log.warn({ requests: cut }, "requests cut off: they did not end in time");
    this.#cutAll();
    clearInterval(this.#sweep);
    clearInterval(this.#stuckCheck);
  }

  /** Waits until every connection is closed, at most so long. */
  #quiet(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(), timeoutMs);
      this.#whenQuiet = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #cutAll(): void {
    for (const connection of this.#connections) {
      for (const exchange of connection.exchanges) exchange.reset(new Error("the server is shutting down"));
      connection.destroy();
    }
    for (const socket of this.#sockets) socket.destroy();
    this.#whenQuiet?.();
  }

  #attach(): void {
    const server = this.#server;
    const { log } = this.#context;
    server.on("connection", (socket: Socket) => this.#onConnection(socket));
    // The session is made, and announced, by Node's own listener to this event: before ours, unless ours is put first.
    server.prependListener("secureConnection", (socket) => this.#onSecureConnection(socket));
    server.on("session", (session) => this.#onSession(session));
    // The order matters: a listener to "request" brings the compatibility layer, which then would answer every stream a second time.
    server.on("request", (req: IncomingMessage, res: ServerResponse) => this.#onRequest(req, res));
    server.removeAllListeners("stream");
    server.on("stream", (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: readonly string[]) =>
      this.#onStream(stream, headers, rawHeaders),
    );
    // Without a listener Node would ask for the body at once, before anybody knows whether it is wanted.
    server.on("checkContinue", (req: IncomingMessage, res: ServerResponse) => this.#onRequest(req, res));
    // Those two Node would end itself, without a body or a word.
    server.on("checkExpectation", (req: IncomingMessage, res: ServerResponse) => this.#onRequest(req, res, unmetExpectation()));
    server.on("connect", (_req: IncomingMessage, socket: Socket) => this.#onConnect(socket));
    server.on("upgrade", (req: IncomingMessage, socket: Socket) => this.#onUpgrade(req, socket));
    server.on("clientError", (error: Error, socket: Socket) => this.#onClientError(error, socket));
    server.on("sessionError", (error) => log.debug({ err: error }, "HTTP/2 connection failed"));
    server.on("drop", () => this.#dropped++);
  }

  #onConnection(socket: Socket): void {
    const key = peerKey(socket);
    this.#sockets.add(socket);
    this.#handshakes.set(key, socket);
    socket.on("close", () => {
      if (this.#handshakes.get(key) === socket) this.#handshakes.delete(key);
      this.#sockets.delete(socket);
      if (this.#sockets.size === 0) this.#whenQuiet?.();
    });
  }

  #onSecureConnection(socket: TLSSocket): void {
    this.#handshakes.delete(peerKey(socket));
    if (this.#context.isDraining) {
      socket.destroy();
      return;
    }
    if (socket.alpnProtocol === "h2") {
      this.#current = socket;
      return;
    }
    const connection = this.#connect(socket, undefined);
    this.#http1.set(socket, connection);
    socket.on("close", () => {
      this.#http1.delete(socket);
      this.#connections.delete(connection);
      connection.closed();
    });
  }

  #onSession(session: ServerHttp2Session): void {
    const socket = this.#current;
    this.#current = undefined;
    if (socket === undefined) {
      session.destroy();
      return;
    }
    const connection = this.#connect(socket, session);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    this.#sessions.set(session, connection);
    session.on("close", () => {
      this.#sessions.delete(session);
      this.#connections.delete(connection);
      connection.closed();
    });
  }

  #connect(socket: TLSSocket, session: ServerHttp2Session | undefined): Connection {
    const connection = new Connection(new ConnectionPeer(socket), socket, session, this.#context.limits);
    this.#connections.add(connection);
    return connection;
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    // Before anything else: one that breaks the protocol at once is destroyed already, its error yet to come: without a listener that would end the process.
    stream.on("error", () => {});
    const { session } = stream;
    const connection = session === undefined ? undefined : this.#sessions.get(session);
    if (stream.id !== undefined) connection?.began(stream.id);
    if (connection === undefined || stream.destroyed) {
      // Reset in the same packet that opened it.
      connection?.countReset();
      return;
    }
    if (!connection.hasRoom) {
      // Who knows the limit and goes beyond it does so on purpose; in between they reset what the handlers still run for.
      if (stream.session?.pendingSettingsAck === false) connection.countReset();
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
      return;
    }
    serveStream(this.#context, connection, stream, headers, rawHeaders);
  }

  #onRequest(req: IncomingMessage, res: ServerResponse, refusal?: APIResponse): void {
    const connection = this.#http1.get(req.socket);
    if (connection?.hasRoom) serveRequest(this.#context, connection, req, res, refusal);
    else req.socket.destroy();
  }

  #onUpgrade(req: IncomingMessage, socket: Socket): void {
    const connection = this.#http1.get(socket);
    if (connection?.hasRoom) serveUpgrade(this.#context, connection, req, socket);
    else socket.destroy();
  }

  /** Somebody takes this for a proxy. Nobody else listens to the socket any more: an error of it would end the process. */
  #onConnect(socket: Socket): void {
    socket.on("error", () => {});
    refuseSocket(socket, noTunnel());
  }

  /** A request of HTTP/1.1 that could not be parsed, or a TLS handshake that failed. */
  #onClientError(error: Error, socket: Socket): void {
    const meaning = nodeErrorMeaning(error);
    if (meaning.kind !== "badRequest" || !socket.writable) {
      this.#context.log.debug({ code: nodeErrorCode(error), address: socket.remoteAddress }, "connection failed");
      socket.destroy();
      return;
    }
    refuseSocket(socket, statusResponse(meaning.code, meaning.reason, meaning.message));
  }

  #sweepAll(): void {
    const now = performance.now();
    for (const connection of this.#connections) connection.sweep(now);
    if (this.#dropped > 0) {
      this.#context.log.warn({ connections: this.#dropped }, "connections refused: too many are open");
      this.#dropped = 0;
    }
  }

  #relieve(): void {
    const now = performance.now();
    if (now - this.#relievedMs < RELIEVE_INTERVAL_MS) return;
    this.#relievedMs = now;
    const stallMs = Math.min(PRESSURE_STALL_MS, this.#context.limits.stallTimeoutMs);
    for (const { exchanges } of this.#connections) {
      for (const exchange of exchanges) if (exchange.waiting > 0 && exchange.isStalled(now, stallMs)) exchange.reset();
    }
  }
}

const unmetExpectation = () => statusResponse(417, "BadRequest", "the header Expect asks for something else than 100-continue");

const noTunnel = () => statusResponse(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");

/** Answers a client of HTTP/1.1 for whom Node has no response, and ends its connection. */
function refuseSocket(socket: Socket, { status, headers, body }: APIResponse): void {
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : "";
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}content-length: ${Buffer.byteLength(text)}\r\n`;
  // The second time the socket is not writable any more, so this answers once.
  socket.end(`${head}connection: close\r\n\r\n${text}`, () => socket.destroySoon());
}

function peerKey({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

function secureContext({ cert, key, clientCAs }: TLSMaterial): SecureContextOptions {
  // A session that is resumed has lost the intermediates that came with the client's certificate, so none is.
  const secureOptions = SSL_OP_NO_TICKET;
  // An empty list would mean the public roots of the web to some Node versions.
  return { cert, key, minVersion: "TLSv1.2", secureOptions, ...(clientCAs.length > 0 ? { ca: [...clientCAs] } : {}) };
}

/** Node takes these of an HTTP/2 server's HTTP/1.1 side as plain properties; its options know them from version 24 on only. */
function configureHTTP1(server: Http2SecureServer, limits: HTTPLimits): void {
  Object.assign(server, {
    maxConnections: limits.maxConnections,
    maxHeaderSize: hardHeaderBytes(limits),
    // Zero: any number, within those bytes. Otherwise Node drops what is beyond 2,000 and says nothing.
    maxHeadersCount: 0,
    // It is looked at with all else that can be wrong with it.
    requireHostHeader: false,
    headersTimeout: Math.min(limits.headersTimeoutMs, limits.requestTimeoutMs),
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(SWEEP_INTERVAL_MS, limits.headersTimeoutMs / 2),
  });
}

function listenError(error: Error, port: number, host: string): Error {
  const meaning = nodeErrorMeaning(error);
  return meaning.kind === "listen" ? new ListenError(`can't listen on ${host} port ${port}: ${meaning.message}`, { cause: error }) : error;
}
