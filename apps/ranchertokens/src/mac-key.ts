import { randomBytes } from "node:crypto";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { PKIError } from "@annex/apiserver-node";

const KEY_BYTES = 32;

/**
 * Finds or makes the key of the tokens' MACs, in `<dataDir>/token-mac.key` (mode 0600). Whoever loses it makes all tokens unhealthy, so it is never overwritten.
 *
 * @throws {PKIError} when the file is not a key of ours, or cannot be read or written.
 */
export async function ensureMACKey(dataDir: string): Promise<Uint8Array> {
  const path = join(dataDir, "token-mac.key");
  try {
    const file = await open(path, "wx", 0o600);
    try {
      const key = randomBytes(KEY_BYTES);
      await file.writeFile(key);
      await file.sync();
      return key;
    } finally {
      await file.close();
    }
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw new PKIError(`cannot write ${path}`, { cause: error });
  }
  const key = await readFile(path).catch((error: unknown) => {
    throw new PKIError(`cannot read ${path}`, { cause: error });
  });
  if (key.length !== KEY_BYTES) throw new PKIError(`${path} is not a key of ${KEY_BYTES} bytes: restore it, or move it away and give up every token`);
  return key;
}
