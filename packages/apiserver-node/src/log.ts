import type { LogFields, Logger } from "@annex/apiserver";
import { type DestinationStream, destination, pino, stdSerializers } from "pino";

export interface LoggerOptions {
  /** klog's `-v`, 0 to 10. Default 0. */
  readonly verbosity?: number;
  /** Where the lines go, one JSON object each. Default: standard error, at once. */
  readonly destination?: DestinationStream;
}

/**
 * Maps klog's verbosity to pino's levels: 0 to 3 are for operators, 4 and 5 for whoever looks for a fault, 6 to 10 for everything.
 *
 * Source: Kubernetes' logging conventions ("What method to use?").
 */
export function pinoLevel(verbosity: number): "info" | "debug" | "trace" {
  if (verbosity < 4) return "info";
  return verbosity < 6 ? "debug" : "trace";
}

/** Fields of these names should never come here. If one does, at the top or one level down, its value is not written. */
const SECRET_FIELDS = ["authorization", "Authorization", "cookie", "token", "plaintextToken", "password", "key"];

/** Creates the logger: lines of JSON with `level`, `time` (ISO 8601), `msg` and the caller's fields; an `error` or `err` field with its stack. */
export function createLogger({ verbosity = 0, destination: to }: LoggerOptions = {}): Logger {
  const logger = pino(
    {
      level: pinoLevel(verbosity),
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      redact: { paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]), censor: "[redacted]" },
    },
    to ?? standardError(),
  );
  const write = (level: "error" | "warn" | "info" | "debug") => (fields: LogFields, message: string) => {
    try {
      logger[level](fields, message);
    } catch {
      // A field whose getter or toJSON throws must not fail the request that logs it.
      logger[level](message);
    }
  };
  return { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") };
}

function standardError(): DestinationStream {
  const stream = destination({ fd: 2, sync: true });
  // Whoever read our log is gone. That is no reason to stop serving.
  stream.on("error", () => {});
  return stream;
}
