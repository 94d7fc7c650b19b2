import type { ServerHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import type { Exchange } from "./exchange.ts";
import type { HTTPLimits } from "./limits.ts";
import type { ConnectionPeer } from "./peer.ts";
import { RunningExchanges } from "./running-exchanges.ts";

const RESET_WINDOW_MS = 10_000;
/** A peer that reads slowly may take a few seconds for what was written last. */
const STUCK_MS = 8_000;

/** One connection: who is there, and what runs on it. */
export class Connection {
  readonly peer: ConnectionPeer;
  /** Requests whose stream is open or whose handler still runs: a client that resets a stream doesn't free its place. */
  readonly exchanges = new RunningExchanges();
  /** When a request with a body last began on HTTP/2: `performance.now()`. */
  uploadedMs = Number.NEGATIVE_INFINITY;
  readonly #session: ServerHttp2Session | undefined;
  readonly #socket: Socket;
  readonly #limits: HTTPLimits;
  #isRetired = false;
  #endingSinceMs: number | undefined;
  #hasServed = false;
  #idleSinceMs = performance.now();
  #resets = 0;
  #resetWindowMs = 0;
  /** Reset because nobody took their bytes. */
  #stalled: Exchange[] = [];
  #lastStream = 0;
  /** Since when a ping of ours lies in the session, and what else it has done until then. */
  #silence: { readonly sinceMs: number; readonly stream: number; readonly written: number } | undefined;

  /** @param session of HTTP/2; without it the connection speaks HTTP/1.1. */
  constructor(peer: ConnectionPeer, socket: Socket, session: ServerHttp2Session | undefined, limits: HTTPLimits) {
    this.peer = peer;
    this.#socket = socket;
    this.#session = session;
    this.#limits = limits;
  }

  /** Whether another request may begin. */
  get hasRoom(): boolean {
    return this.exchanges.size < this.#limits.maxConcurrentStreams;
  }

  /** A stream of HTTP/2 has begun, or was refused by a session that is well. */
  began(stream: number): void {
    this.#lastStream = Math.max(this.#lastStream, stream);
    this.#silence = undefined;
  }

  /** An exchange is over and its handler has returned. */
  ended(exchange: Exchange): void {
    this.exchanges.delete(exchange);
    if (this.exchanges.size > 0) return;
    this.#hasServed = true;
    this.#idleSinceMs = performance.now();
    // The last response on it said `connection: close`, or was begun before that was known.
    if (this.#isRetired && this.#session === undefined) this.#socket.destroySoon();
  }

  /** The socket is gone. Of an HTTP/1.1 response that waits behind another one nothing else tells. */
  closed(): void {
    for (const exchange of this.exchanges) exchange.closed();
  }

  /**
   * The client gave up on a request before its answer. Many of these in a row are an attack: the connection takes no further request. What else runs on it goes on:
   * behind a proxy that is other people's.
   */
  countReset(): void {
    if (this.#session === undefined || this.#isRetired) return;
    const now = performance.now();
    if (now - this.#resetWindowMs > RESET_WINDOW_MS) {
      this.#resetWindowMs = now;
      this.#resets = 0;
    }
    this.#resets++;
    if (this.#resets > this.#limits.maxStreamResets) this.retire();
  }

  /** Takes no further request, finishes what runs, then closes. GOAWAY on HTTP/2. */
  retire(): void {
    this.#isRetired = true;
    if (this.#session !== undefined) this.#session.close();
    else if (this.exchanges.size === 0) this.#socket.destroySoon();
  }

  /** Ends once all is out that was written, whether or not the peer agrees. One that takes nothing is cut off when {@link HTTPLimits.stallTimeoutMs} is over: nobody else times it. */
  endSoon(): void {
    this.#endingSinceMs ??= performance.now();
    this.#socket.destroySoon();
  }

  /** Ends at once. */
  destroy(): void {
    this.#session?.destroy();
    this.#socket.destroy();
  }

  /**
   * Ends a session that nghttp2 has ended by itself, as it does upon a header beyond 64 KiB: it sends GOAWAY, then neither reads nor sends, and tells nobody, so that
   * all who share the connection would wait for their client to give it up. To be called now and then.
   */
  endIfStuck(nowMs: number): void {
    if (this.#session === undefined || this.#session.destroyed) return;
    const { lastProcStreamID: stream = 0, outboundQueueSize = 0 } = this.#session.state;
    // Of such a stream nothing was ever heard here. Nor of one that was refused: but there a ping goes out, and comes back.
    if (stream <= this.#lastStream) return;
    const { bytesWritten: written } = this.#socket;
    const silence = this.#silence;
    if (silence === undefined || outboundQueueSize === 0 || silence.stream !== stream || silence.written !== written) {
      this.#silence = { sinceMs: nowMs, stream, written };
      this.#session.ping((error) => {
        if (error === null) this.began(stream);
      });
    } else if (nowMs - silence.sinceMs >= STUCK_MS) this.destroy();
  }

  /** What time does: responses that nobody takes are reset, a connection that nobody uses is retired. */
  sweep(nowMs: number): void {
    if (this.#endingSinceMs !== undefined && nowMs - this.#endingSinceMs >= this.#limits.stallTimeoutMs) {
      this.destroy();
      return;
    }
    // Not even the news of the reset got through since the last time: the peer reads nothing at all.
    if (this.#stalled.some(({ isReleased }) => !isReleased)) {
      this.destroy();
      return;
    }
    this.#stalled = [];
    for (const exchange of this.exchanges) {
      if (!exchange.isOver && exchange.isStalled(nowMs, this.#limits.stallTimeoutMs)) {
        exchange.reset();
        this.#stalled.push(exchange);
      }
    }
    // Node watches over the idle time of HTTP/1.1.
    if (this.#session === undefined || this.exchanges.size > 0) return;
    const idleMs = nowMs - this.#idleSinceMs;
    const limitMs = this.#hasServed ? this.#limits.idleTimeoutMs : this.#limits.headersTimeoutMs;
    if (idleMs < limitMs) return;
    if (this.#isRetired) this.destroy();
    else this.retire();
  }
}
