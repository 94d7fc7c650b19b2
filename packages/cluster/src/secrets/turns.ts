import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Gives each who asks a turn of the event loop of its own, in the order in which they ask. What they then do before they wait again is all that is done of it in that turn: between two of them
 * everything else is answered, however many there are.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  next(): Promise<unknown> {
    this.#last = this.#last.then(() => nextTurn());
    return this.#last;
  }
}
