import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PKIError, writeFileOnce } from "@annex/apiserver-node";

const KEY_BYTES = 32;

/**
 * Finds or makes the key of the tokens' MACs, in `<dataDir>/token-mac.key` (mode 0600). Whoever loses it makes all tokens unhealthy, so it is never overwritten, and it
 * is there whole or not at all, whenever the machine stops.
 *
 * @throws {PKIError} when the file is not a key of ours, or cannot be read or written.
 */
export async function ensureMACKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, "token-mac.key");
  const present = await readKey(path);
  if (present !== undefined) return present;
  await writeFileOnce(path, randomBytes(KEY_BYTES));
  const key = await readKey(path);
  if (key === undefined) throw new PKIError(`${path} was removed while it was being made`);
  return key;
}

/** @returns undefined when there is no such file. */
async function readKey(path: string): Promise<Uint8Array | undefined> {
  let key: Uint8Array;
  try {
    key = await readFile(path);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return undefined;
    throw new PKIError(`cannot read ${path}`, { cause: error });
  }
  if (key.length !== KEY_BYTES) throw new PKIError(`${path} is not a key of ${KEY_BYTES} bytes: restore it, or move it away and give up every token`);
  return key;
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
