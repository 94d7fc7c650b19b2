/** What this needs of `process`. */
export interface SignalSource {
  on(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(event: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  exit(code: number): void;
}

export interface StopSignal extends Disposable {
  /** Aborted by the first SIGTERM or SIGINT; the reason's message names it. */
  readonly signal: AbortSignal;
}

/**
 * A signal that follows another so soon is the same wish: Ctrl-C at `npm start` reaches the server from the terminal, and once more from
 * npm, which hands its own on.
 */
const SAME_WISH_MS = 1_000;

/**
 * Turns the signals that end a server into an `AbortSignal`: SIGTERM, and SIGINT as Ctrl-C sends it. A second one, a second or more after
 * the first, means that somebody doesn't want to wait: the process exits with 1 at once. SIGHUP is ignored, so that a closed terminal does
 * not end a server.
 *
 * Source: apiserver, SetupSignalHandler.
 *
 * @param source default: this process. Disposing of the result gives the signals their usual meaning back.
 * @param now milliseconds of a clock that does not step. Default: the machine's.
 */
export function handleStopSignals(source: SignalSource = process, now: () => number = () => performance.now()): StopSignal {
  const controller = new AbortController();
  let firstMs = 0;
  const stop = (name: NodeJS.Signals) => {
    if (!controller.signal.aborted) {
      firstMs = now();
      controller.abort(new Error(`received ${name}`));
    } else if (now() - firstMs >= SAME_WISH_MS) source.exit(1);
  };
  const ignore = () => {};
  source.on("SIGTERM", stop);
  source.on("SIGINT", stop);
  source.on("SIGHUP", ignore);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      source.off("SIGTERM", stop);
      source.off("SIGINT", stop);
      source.off("SIGHUP", ignore);
    },
  };
}
