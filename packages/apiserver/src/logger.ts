/**
 * What a log line says beside its sentence: values that JSON can hold, and `Error`s.
 *
 * A secret never stands here: no `authorization` header, no token, no key, no body of a Secret. Log lines leave the machine.
 */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where the server says what happened, one structured line a call.
 *
 * The fields come first, the sentence second: `log.warn({ path, auditID }, "watch ended: the client reads too slowly")`.
 * The sentence is fixed text, what varies goes into the fields. No call throws or waits.
 */
export interface Logger {
  /** Something failed that an operator has to look at. */
  error(fields: LogFields, message: string): void;
  /** Something is odd, or was refused, and the server goes on. */
  warn(fields: LogFields, message: string): void;
  /** The few steps of the server's life: started, listening, draining. Not one line per request. */
  info(fields: LogFields, message: string): void;
  /** For the person who looks for a fault. Not written unless asked for. */
  debug(fields: LogFields, message: string): void;
}
