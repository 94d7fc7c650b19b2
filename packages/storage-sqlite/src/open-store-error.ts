import { OperatorError } from "@annex/apiserver";

/**
 * - `InUse`: another process, or another store object of this one, has it open.
 * - `Damaged`: what is there is not what was written. Nothing was changed; a copy of the folder is a backup of what is left.
 * - `Foreign`: the file belongs to another program, or to a version of this one that is newer.
 * - `Inaccessible`: the folder or a file cannot be made, read or written.
 */
export type OpenStoreErrorCode = "InUse" | "Damaged" | "Foreign" | "Inaccessible";

/** Why a store could not be opened: its message is one sentence for the person who started the server. The store is as it was before. */
export class OpenStoreError extends OperatorError {
  override readonly name = "OpenStoreError";
  readonly code: OpenStoreErrorCode;

  constructor(code: OpenStoreErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
