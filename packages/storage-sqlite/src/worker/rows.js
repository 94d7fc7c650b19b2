import { crc32 } from "node:zlib";

/** @import { Row } from "./protocol.ts" */

/**
 * A row of the log as SQLite gives it. `value` is null in the row of a delete.
 *
 * @typedef {{ revision: number, key: string, previous: number, checksum: number, value: Uint8Array | null }} LogRow
 */

/** A row whose checksum does not fit what it holds: found, not served. */
export class DamagedRow extends Error {}

/**
 * CRC-32 over everything the row says: each flipped bit is found, and each burst of up to 32.
 *
 * @param {number} revision
 * @param {number} previous
 * @param {string} key
 * @param {Uint8Array | null} value
 */
export function checksumOf(revision, previous, key, value) {
  const head = crc32(`${revision} ${previous} ${value === null ? "delete" : "put"} ${key}\0`);
  return value === null ? head : crc32(value, head);
}

/**
 * @param {unknown} row what a statement gave for the columns of {@link LogRow}.
 * @returns {LogRow}
 */
export function checkedRow(row) {
  const { revision, key, previous, checksum, value } = /** @type {LogRow} */ (row); // STRICT tables hold the types they name
  if (checksumOf(revision, previous, key, value) !== checksum) throw new DamagedRow(`the row of revision ${revision} has a wrong checksum`);
  return { revision, key, previous, checksum, value };
}

/**
 * @param {string} key
 * @param {LogRow | undefined} row
 * @returns {Row}
 */
export function valueOf(key, row) {
  if (row === undefined || row.value === null || row.key !== key) throw new DamagedRow(`the value of ${key} is not where its key says`);
  return { key, revision: row.revision, value: row.value };
}
