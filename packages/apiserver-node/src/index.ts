// The adapter of an API server to Node: sockets and TLS, certificates, the command line, signals, log lines, metrics. What happens to a
// request is none of its business. Imported by apps.
export { type BackgroundWork, backgroundWork, untilStop } from "./background-work.ts";
export { systemClock } from "./clock.ts";
export { tellFailure } from "./failure.ts";
export { keepGarbageYoung } from "./heap.ts";
export * from "./http/index.ts";
export { createLogger, type LoggerOptions, pinoLevel } from "./log.ts";
export { createMetrics, type Metrics, type MetricsOptions } from "./metrics.ts";
export { OperatorFileError, readOperatorFile } from "./operator-file.ts";
export {
  duration,
  formatHelp,
  listOf,
  type OptionDefinition,
  OptionError,
  type OptionTable,
  type OptionValues,
  parseOptions,
  parsePath,
  parseSwitch,
  wholeNumber,
} from "./options.ts";
export * from "./pki/index.ts";
export { ensurePrivateKey, missingKeyMessage, PRIVATE_KEY_BYTES, storedSecretType } from "./private-key.ts";
export * from "./program.ts";
export { type ClientCASource, type RunningServer, readTokenAuthFile, type ServeOptions, serve } from "./serve.ts";
export { checkServerOptions, parseServerOptions, SERVER_OPTIONS, type ServerOptions, serveOptions } from "./server-options.ts";
export * from "./serving-certificates/index.ts";
export { handleStopSignals, type SignalSource, type StopSignal } from "./signals.ts";
export { parseTokenAuthFile, type TokenAuthFile, TokenAuthFileError, type TokenRecord } from "./token-auth-file.ts";
export { certificateAuthorities } from "./x509/index.ts";
