import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { readStoredObjects, type Storage } from "@annex/apiserver";
import { nodeErrorCode } from "./http/node-error.ts";
import { fileErrorReason, PKIError, writeFileOnce } from "./pki/files.ts";

/** Of every private key, in bytes. */
export const PRIVATE_KEY_BYTES = 32;

/**
 * Finds or makes a key of 32 random bytes in a file (mode 0600). Whoever loses it loses what was signed with it, so it is never overwritten, and it
 * is there whole or not at all, whenever the machine stops.
 *
 * @param mayBeMade asked when there is none; it throws where a new one would be no good.
 * @throws {PKIError} when the file is not a key of ours, or cannot be read or written.
 */
export async function ensurePrivateKey(path: string, mayBeMade: () => Promise<void> | void = () => undefined): Promise<Uint8Array> {
  const present = await readKey(path);
  if (present !== undefined) return present;
  await mayBeMade();
  await writeFileOnce(path, randomBytes(PRIVATE_KEY_BYTES));
  const key = await readKey(path);
  if (key === undefined) throw new PKIError(`${path} was removed while it was being made`);
  return key;
}

/** Of some types of Secrets, one that a store has any of: it is read as it lies there, before anybody serves it. */
export async function storedSecretType(storage: Storage, types: readonly string[]): Promise<string | undefined> {
  for await (const secret of readStoredObjects(storage, { group: "", resource: "secrets" })) {
    const { type } = secret as { readonly type?: string }; // as Secrets have it
    if (type !== undefined && types.includes(type)) return type;
  }
  return undefined;
}

/**
 * Why a key that is missing is not made anew, in one line.
 *
 * @param what it is: a file or a Secret.
 * @param type of the Secrets that were signed with it.
 * @param how a new one is made by hand.
 */
export function missingKeyMessage(what: string, type: string, how: string): string {
  return `${what} is missing, and the Secrets of the type ${type} that are there are good for nothing without it: put it back from a backup, or give them up and make a new one: ${how}`;
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
