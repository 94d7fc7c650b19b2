import { closeSync, fstatSync, openSync, readSync } from "node:fs";

const HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;

/**
 * Looks for damage in a write-ahead log that SQLite would not report: it takes the first frame whose checksum is wrong for the end of the
 * log, and forgets every transaction behind it.
 *
 * A bad frame alone proves nothing, for the last transaction before a power failure may be half written. But each transaction is flushed
 * before the next one begins: a bad frame that is followed by the end of a transaction and then by more was on the disk once.
 *
 * @param {string} path the `-wal` file; it may be absent.
 * @returns {string | undefined} what is wrong, as the end of a sentence.
 *
 * Source: sqlite.org, "Database File Format", section 4 (The Write-Ahead Log).
 */
export function findWalDamage(path) {
  /** @type {number} */
  let file;
  try {
    file = openSync(path, "r");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return findDamage(file);
  } finally {
    closeSync(file);
  }
}

/** @param {number} file */
function findDamage(file) {
  const { size } = fstatSync(file);
  if (size <= HEADER_BYTES) return undefined;
  const header = readAt(file, 0, HEADER_BYTES);
  const magic = header.readUInt32BE(0);
  const littleEndian = magic === 0x377f0682;
  const headerSum = checksum(header.subarray(0, 24), littleEndian, 0, 0);
  if ((!littleEndian && magic !== 0x377f0683) || !sumIs(headerSum, header, 24)) return "the header of its write-ahead log has a wrong checksum";
  const frameBytes = FRAME_HEADER_BYTES + header.readUInt32BE(8);
  let [first, second] = headerSum;
  let isBroken = false;
  let isBeyondCommit = false;
  for (let offset = HEADER_BYTES; offset + frameBytes <= size; offset += frameBytes) {
    const frame = readAt(file, offset, frameBytes);
    const isValid = frame.subarray(8, 16).equals(header.subarray(16, 24)) && sumIs(frameSum(frame, littleEndian, first, second), frame, 16);
    if (!isValid) isBroken = true;
    else if (isBeyondCommit) return `frame ${(offset - HEADER_BYTES) / frameBytes} of its write-ahead log follows one with a wrong checksum`;
    else if (isBroken && frame.readUInt32BE(4) !== 0) isBeyondCommit = true;
    // The chain goes on from what the frame says of itself, so that one that is broken does not hide those behind it.
    first = frame.readUInt32BE(16);
    second = frame.readUInt32BE(20);
  }
  return undefined;
}

/**
 * @param {Buffer} frame
 * @param {boolean} littleEndian
 * @param {number} first
 * @param {number} second
 */
function frameSum(frame, littleEndian, first, second) {
  const [a, b] = checksum(frame.subarray(0, 8), littleEndian, first, second);
  return checksum(frame.subarray(FRAME_HEADER_BYTES), littleEndian, a, b);
}

/**
 * @param {readonly [number, number]} sum
 * @param {Buffer} bytes
 * @param {number} offset
 */
function sumIs(sum, bytes, offset) {
  return sum[0] === bytes.readUInt32BE(offset) && sum[1] === bytes.readUInt32BE(offset + 4);
}

/**
 * @param {Buffer} bytes a multiple of 8.
 * @param {boolean} littleEndian how the words are read; the sums themselves are stored in the order of the network.
 * @param {number} first
 * @param {number} second
 * @returns {[number, number]}
 */
function checksum(bytes, littleEndian, first, second) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let a = first;
  let b = second;
  for (let offset = 0; offset + 8 <= bytes.byteLength; offset += 8) {
    a = (a + view.getUint32(offset, littleEndian) + b) >>> 0;
    b = (b + view.getUint32(offset + 4, littleEndian) + a) >>> 0;
  }
  return [a, b];
}

/**
 * @param {number} file
 * @param {number} offset
 * @param {number} length
 */
function readAt(file, offset, length) {
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, offset);
  return bytes;
}
