import { setMaxListeners } from "node:events";
import { JoinedSignal } from "@annex/apiserver";

/** Ends what takes too long: by an outer signal's end, or its own. */
export class TimeLimit extends JoinedSignal {
  readonly #timer: NodeJS.Timeout;

  constructor(outer: AbortSignal, limitMs: number) {
    super(outer);
    // Of one request, or of the server, many may be under way at a time: more than Node takes for an oversight, which it would print.
    setMaxListeners(0, outer);
    this.#timer = setTimeout(() => this.abort(new Error(`nothing came for ${limitMs} ms`)), limitMs);
    this.#timer.unref();
  }

  /** Begins anew: something came. */
  extend(): void {
    this.#timer.refresh();
  }

  override [Symbol.dispose](): void {
    super[Symbol.dispose]();
    clearTimeout(this.#timer);
  }
}
