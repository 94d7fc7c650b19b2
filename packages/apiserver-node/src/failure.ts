import { APIError } from "@annex/apimachinery";
import { OperatorError } from "@annex/apiserver";

/** Tells on standard error why a program ends: one line where that says all, the stack of an error that nobody foresaw. @returns the exit code. */
export function tellFailure(error: unknown): 1 | 2 {
  const isForPeople = error instanceof OperatorError || APIError.is(error);
  process.stderr.write(`${isForPeople ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
  return error instanceof OperatorError ? error.exitCode : 1;
}
