import { readFile } from "node:fs/promises";
import { fileErrorReason } from "./pki/files.ts";

/** A file that the operator named could not be used. The message is one line for the terminal. */
export class OperatorFileError extends Error {
  override readonly name = "OperatorFileError";
}

/** @throws {OperatorFileError} when a file that the operator named cannot be read. */
export async function readOperatorFile(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw new OperatorFileError(`cannot read ${path}: ${fileErrorReason(error)}`, { cause: error });
  }
}
