import type { LogFields, Logger } from "@annex/apiserver";

/** A log whose lines can be looked at: `error: sentence {"fields":…}`. */
export function recordedLog(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (level: string) => (fields: LogFields, message: string) => void lines.push(`${level}: ${message} ${JSON.stringify(fields)}`);
  return { lines, debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") };
}
