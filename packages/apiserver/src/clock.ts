/** Where time comes from. Tests put in one that they step themselves; only `apiserver-node` knows the machine's. */
export interface Clock {
  /** Milliseconds since 1970-01-01T00:00:00Z. It may step back when the machine's clock is set. */
  now(): number;

  /**
   * Waits.
   *
   * @param ms milliseconds; zero or less resolves on a later turn of the event loop.
   * @param signal ends the wait early.
   * @throws the signal's reason, when the signal is or becomes aborted.
   */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
