import { readFile } from "node:fs/promises";
import { OperatorError } from "@annex/apiserver";
import { fileErrorReason } from "./pki/files.ts";

/** A file that the operator named could not be used. */
export class OperatorFileError extends OperatorError {
  override readonly exitCode = 2;
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
