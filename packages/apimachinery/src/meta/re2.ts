import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";

/** The names of longer patterns are not looked through. */
const MAX_NAMED_LENGTH = 1000;
const TRAILING_BACKSLASH = "trailing backslash at end of expression";

/**
 * Compiles a pattern of RE2's syntax. It need not match from the start. Matching takes time linear in the text, whatever the pattern.
 *
 * @throws {RE2JSException} with the sentence of Go's regexp, on what RE2 does not know (lookaround, back references) or limits (repetition above 1000).
 */
export function compileRE2(pattern: string): RE2JS {
  try {
    return RE2JS.compile(pattern);
  } catch (error) {
    if (!(error instanceof RE2JSSyntaxException)) throw error;
    if (error.error === TRAILING_BACKSLASH) throw new RE2JSException(`${error.message}: \`\``);
    // Names of groups mean nothing here, and Go takes the same name twice.
    if (error.error !== "duplicate capture group name" || pattern.length > MAX_NAMED_LENGTH) throw error;
    const unnamed = pattern.replaceAll(UNIT_OF_PATTERN, (unit, name) => (name === undefined ? unit : "("));
    if (unnamed === pattern) throw error;
    return compileRE2(unnamed);
  }
}

/** Quoted text, an escape, a class, or the beginning of a named group. */
const UNIT_OF_PATTERN = /\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]\\])*\]|\(\?P?<(\w+)>/gs;
