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
 * Turns the signals that end a server into an `AbortSignal`: SIGTERM, and SIGINT as Ctrl-C sends it. A second one means that somebody
 * doesn't want to wait: the process exits with 1 at once. SIGHUP is ignored, so that a closed terminal does not end a server.
 *
 * Source: apiserver, SetupSignalHandler.
 *
 * @param source default: this process. Disposing of the result gives the signals their usual meaning back.
 */
export function handleStopSignals(source: SignalSource = process): StopSignal {
  const controller = new AbortController();
  const stop = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) source.exit(1);
    else controller.abort(new Error(`received ${name}`));
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
