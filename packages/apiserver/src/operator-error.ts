/** Why a server cannot start, or go on, in words for whoever started it: the message is one line for the terminal. */
export abstract class OperatorError extends Error {
  /** What the program ends with: 2 where the command line is at fault, or a file that it names; else 1. */
  readonly exitCode: 1 | 2 = 1;
}
