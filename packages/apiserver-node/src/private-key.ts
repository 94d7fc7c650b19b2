import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { nodeErrorCode } from "./http/node-error.ts";
import { fileErrorReason, PKIError, writeFileOnce } from "./pki/files.ts";

/** Of every private key, in bytes. */
export const PRIVATE_KEY_BYTES = 32;

/**
 * Finds or makes a key of 32 random bytes in a file (mode 0600). Whoever loses it loses what was signed with it, so it is never overwritten, and it
 * is there whole or not at all, whenever the machine stops.
 *
 * @param onMade called when there was none.
 * @throws {PKIError} when the file is not a key of ours, or cannot be read or written.
 */
export async function ensurePrivateKey(path: string, onMade: () => void = () => undefined): Promise<Uint8Array> {
  const present = await readKey(path);
  if (present !== undefined) return present;
  await writeFileOnce(path, randomBytes(PRIVATE_KEY_BYTES));
  const key = await readKey(path);
  if (key === undefined) throw new PKIError(`${path} was removed while it was being made`);
  onMade();
  return key;
}

/** @returns undefined when there is no such file. */
async function readKey(path: string): Promise<Uint8Array | undefined> {
  let key: Uint8Array;
  try {
    key = await readFile(path);
  } catch (error) {
    if (nodeErrorCode(error) === "ENOENT") return undefined;
    throw new PKIError(`cannot read ${path}: ${fileErrorReason(error)}`, { cause: error });
  }
  if (key.length !== PRIVATE_KEY_BYTES)
    throw new PKIError(`${path} is not a key of ${PRIVATE_KEY_BYTES} bytes: restore it, or move it away and give up what was signed with it`);
  return key;
}
