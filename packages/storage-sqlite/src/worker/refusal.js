/** @import { OpenStoreErrorCode } from "../open-store-error.ts" */

/** Why the store is not opened. It becomes an OpenStoreError on the other side. */
export class Refusal extends Error {
  /**
   * @param {OpenStoreErrorCode} code
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/**
 * @param {string} folder
 * @param {string} what the finding, as the end of a sentence.
 */
export function damaged(folder, what) {
  return new Refusal("Damaged", `the store in ${folder} is damaged: ${what}`);
}

/** SQLite's primary result codes that decide something here. */
const SQLITE_BUSY = 5;
const SQLITE_LOCKED = 6;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const SQLITE_IOERR_FSYNC = 10 | (4 << 8);
const SQLITE_IOERR_DIR_FSYNC = 10 | (5 << 8);

/** @param {unknown} error */
function resultCode(error) {
  if (typeof error !== "object" || error === null) return 0;
  const code = "errcode" in error ? error.errcode : "sqliteExtendedCode" in error ? error.sqliteExtendedCode : 0;
  return typeof code === "number" ? code : 0;
}

/** @param {unknown} error */
export function isLocked(error) {
  const code = resultCode(error) & 0xff;
  return code === SQLITE_BUSY || code === SQLITE_LOCKED;
}

/** @param {unknown} error */
export function isCorrupt(error) {
  const code = resultCode(error) & 0xff;
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

/**
 * After a flush that failed nobody knows what the disk holds: the kernel may have dropped the pages, and a later flush that succeeds
 * says nothing about them.
 *
 * @param {unknown} error
 */
export function isFlushFailure(error) {
  const code = resultCode(error);
  return code === SQLITE_IOERR_FSYNC || code === SQLITE_IOERR_DIR_FSYNC;
}

/** @param {unknown} error */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
