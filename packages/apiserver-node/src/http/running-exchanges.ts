import type { Exchange } from "./exchange.ts";

/**
 * The exchanges of one connection, in no order.
 *
 * An array, and no Set: once the table of a Set lies in the old space of V8, so does each that follows it, and a table that was replaced holds what was in it until the next full
 * collection. Of 16 MB of new objects 2.5 were moved to the old space with a Set, none with an array; an answer cost 45 µs with the one, 37 with the other (measured).
 */
export class RunningExchanges implements Iterable<Exchange> {
  readonly #exchanges: Exchange[] = [];

  get size(): number {
    return this.#exchanges.length;
  }

  add(exchange: Exchange): void {
    exchange.place = this.#exchanges.length;
    this.#exchanges.push(exchange);
  }

  /** The last one takes its place. One that is not here any more is left alone. */
  delete(exchange: Exchange): void {
    if (this.#exchanges[exchange.place] !== exchange) return;
    const last = this.#exchanges.pop();
    if (last === undefined || last === exchange) return;
    this.#exchanges[exchange.place] = last;
    last.place = exchange.place;
  }

  /** Those that run now, whatever ends meanwhile. */
  [Symbol.iterator](): Iterator<Exchange> {
    return [...this.#exchanges].values();
  }
}
