import type { Writable } from "node:stream";
import type { ByteSink } from "@annex/apiserver";
import type { Exchange, ServerContext } from "./exchange.ts";

/** Above it `write` answers false; `drained` resolves at half of it. About what a few TLS records and one HTTP/2 window hold. */
const HIGH_WATER_BYTES = 64 * 1024;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * The writing end of a streamed response.
 *
 * `write` answers false while more than 64 KiB wait for this peer, or while the whole server has too many bytes waiting. It still took
 * the chunk: the caller awaits `drained` before the next one. A caller that does not, and passes `maxStreamWaitingBytes`, loses the
 * stream: a peer that can't keep up is cut off, not buffered without end. One chunk may be of any size when nothing else waits.
 * A chunk is not copied: it must not change after `write`.
 */
export class ResponseSink implements ByteSink {
  readonly #exchange: Exchange;
  readonly #writable: Writable;
  readonly #context: ServerContext;
  readonly #waiters: Waiter[] = [];
  #forgetWake: (() => void) | undefined;

  constructor(exchange: Exchange, writable: Writable, context: ServerContext) {
    this.#exchange = exchange;
    this.#writable = writable;
    this.#context = context;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#exchange.isOver) return false;
    if (chunk.length === 0) return this.#isReady(HIGH_WATER_BYTES);
    const waiting = this.#writable.writableLength;
    if (waiting > 0 && waiting + chunk.length > this.#context.limits.maxStreamWaitingBytes) {
      this.#context.log.warn({ path: this.#exchange.request.path, waitingBytes: waiting }, "response cut off: its client reads too slowly");
      this.#exchange.reset();
      return false;
    }
    this.#writable.write(chunk, this.#onWritten);
    this.#exchange.settle(this.#writable.writableLength);
    return this.#isReady(HIGH_WATER_BYTES);
  }

  /** @throws {Error} when the peer is gone. */
  drained(): Promise<void> {
    if (this.#exchange.isOver) return Promise.reject(clientGone());
    if (this.#isReady(HIGH_WATER_BYTES)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#check();
    });
  }

  /** The exchange is over: nobody waits for it any longer. */
  closed(): void {
    this.#forgetWake?.();
    for (const { reject } of this.#waiters.splice(0)) reject(clientGone());
  }

  #isReady(highWaterBytes: number): boolean {
    return this.#writable.writableLength < highWaterBytes && !this.#context.waitingBytes.isFull;
  }

  readonly #onWritten = (): void => {
    if (this.#exchange.isOver) return;
    this.#exchange.settle(this.#writable.writableLength);
    if (this.#waiters.length > 0) this.#check();
  };

  readonly #check = (): void => {
    this.#forgetWake?.();
    this.#forgetWake = undefined;
    if (this.#isReady(HIGH_WATER_BYTES / 2)) {
      for (const { resolve } of this.#waiters.splice(0)) resolve();
    } else if (this.#context.waitingBytes.isFull) {
      this.#forgetWake = this.#context.waitingBytes.whenFree(this.#check);
    }
  };
}

const clientGone = (): Error => new Error("the client is gone");
