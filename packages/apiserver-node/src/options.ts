import { parseArgs } from "node:util";
import { OperatorError, parseDuration } from "@annex/apiserver";

/** The command line is wrong. The message is one line; a program prints it and exits with 2. */
export class OptionError extends OperatorError {
  override readonly exitCode = 2;
  override readonly name = "OptionError";
}

/** One option of a command line. */
export interface OptionDefinition<T> {
  /** What stands for the value in the help text. Without it the option is a switch: alone, or `=true`, `=false`. */
  readonly placeholder?: string;
  readonly default: T;
  readonly help: string;
  /** One letter: `-v 4`, `-v=4` and `-v4` beside `--v=4`. */
  readonly short?: string;
  /**
   * @param earlier the value so far: the default, or what came of the option when it was given before. {@link listOf} adds to it.
   * @throws {Error} whose message says what the value must be.
   */
  parse(text: string, earlier: T): T;
}

/** By name, without the dashes. */
export type OptionTable = Readonly<Record<string, OptionDefinition<unknown>>>;

export type OptionValues<D extends OptionTable> = {
  readonly [K in keyof D]: D[K] extends OptionDefinition<infer T> ? T : never;
};

/**
 * Reads a command line: `--name=value`, `--name value`, `-n value`. Of a repeated option the last one counts unless it is a list, as with Go's
 * pflag, whose sentences the errors use.
 *
 * @param args without the program's name.
 * @throws {OptionError} for an unknown option, a missing or bad value, an argument that belongs to no option.
 */
export function parseOptions<D extends OptionTable>(table: D, args: readonly string[]): OptionValues<D> {
  const values = new Map<string, unknown>(Object.entries(table).map(([name, definition]) => [name, definition.default]));
  const options = Object.fromEntries(
    Object.entries(table).map(([name, { placeholder, short }]) => [
      name,
      { type: placeholder === undefined ? ("boolean" as const) : ("string" as const), ...(short === undefined ? {} : { short }) },
    ]),
  );
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") throw new OptionError(`unknown argument ${JSON.stringify(token.value)}: every option begins with --`);
    if (token.kind === "option") values.set(token.name, parseValue(table, token.name, token.rawName, token.value, values.get(token.name)));
  }
  // Each value came from its own definition, which the map can't say.
  return Object.fromEntries(values) as OptionValues<D>;
}

function parseValue(table: OptionTable, name: string, rawName: string, value: string | undefined, earlier: unknown): unknown {
  const definition = Object.hasOwn(table, name) ? table[name] : undefined;
  if (definition === undefined) throw new OptionError(`unknown flag: ${rawName}`);
  // `-v=4` reaches us as "=4".
  const text = rawName.startsWith("--") ? value : value?.replace(/^=/, "");
  if (text === undefined) {
    if (definition.placeholder !== undefined) throw new OptionError(`flag needs an argument: ${rawName}`);
    return definition.parse("true", earlier);
  }
  try {
    return definition.parse(text, earlier);
  } catch (error) {
    const why = error instanceof Error ? error.message : "bad value";
    throw new OptionError(`invalid argument ${JSON.stringify(text)} for "--${name}" flag: ${why}`, { cause: error });
  }
}

/** Prints the options for `--help`: a line each with its default, the explanation beneath. */
export function formatHelp(table: OptionTable, usage: string): string {
  const entries = Object.entries(table).map(([name, { placeholder, short, default: fallback, help }]) => {
    const value = placeholder === undefined ? "" : ` ${placeholder}`;
    const standard =
      placeholder === undefined || fallback === "" || fallback === undefined || Array.isArray(fallback) ? "" : ` (default ${String(fallback)})`;
    return `  ${short === undefined ? "" : `-${short}, `}--${name}${value}${standard}\n        ${help}\n`;
  });
  return `${usage}\n\nOptions:\n${entries.join("")}`;
}

/** A whole number in decimal. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Error(`must be a whole number between ${min} and ${max}`);
    return value;
  };
}

/** A time as Go writes it: `10s`, `1m30s`, `0`. @returns milliseconds, whole ones. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0) throw new Error("must be a duration, like 10s or 1m30s");
  return Math.round(ms);
}

/** `true` or `false`. */
export function parseSwitch(text: string): boolean {
  if (text !== "true" && text !== "false") throw new Error("must be true or false");
  return text === "true";
}

/** An option that may be given several times: every value counts, in their order. */
export function listOf<T>(parse: (text: string) => T): (text: string, earlier: readonly T[]) => readonly T[] {
  return (text, earlier) => [...earlier, parse(text)];
}

/** A path as given, relative to the working folder. */
export function parsePath(text: string): string {
  if (text === "") throw new Error("must not be empty");
  if (text.includes("\0")) throw new Error("must not contain a NUL character");
  return text;
}
