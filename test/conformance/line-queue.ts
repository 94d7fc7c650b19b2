/** The lines of a stream, taken one at a time with a deadline. A test reads few of them, so it has no bound. */
export class LineQueue {
  readonly #lines: string[] = [];
  readonly #decoder = new TextDecoder();
  #rest = "";
  #isEnded = false;
  #wake: () => void = () => undefined;

  push(chunk: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    this.#lines.push(...lines.filter((line) => line.trim() !== ""));
    this.#wake();
  }

  /** The stream is over; a last line without its end counts. */
  end(): void {
    if (this.#rest.trim() !== "") this.#lines.push(this.#rest);
    this.#rest = "";
    this.#isEnded = true;
    this.#wake();
  }

  /** The next line; `ended` when the stream is over, `timedOut` when none comes by `deadline` (`performance.now()`). */
  async next(deadline: number): Promise<{ readonly line: string } | "ended" | "timedOut"> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return { line };
      if (this.#isEnded) return "ended";
      const left = deadline - performance.now();
      if (left <= 0) return "timedOut";
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
}
