/** Something that may be ended early. The signal is made when it is first read: who never waits never reads it. */
export interface Cancellation {
  readonly signal: AbortSignal;
}
