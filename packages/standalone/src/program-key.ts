import { INITIAL_REVISION, type Logger, type Storage } from "@annex/apiserver";
import { ensurePrivateKey, missingKeyMessage, PKIError, PRIVATE_KEY_BYTES, storedSecretType } from "@annex/apiserver-node";

export interface ProgramKeyOptions {
  readonly storage: Storage;
  /** The types of the Secrets that are signed with it; undefined when nobody knows what is. */
  readonly secretTypes: readonly string[] | undefined;
  readonly log: Logger;
}

/**
 * A private key of the program's, made if it is missing and nothing is known to be signed with it. Where nobody knows, and the store was written to before, the log says that it was made.
 *
 * @param path of its file.
 * @throws {PKIError} as {@link ensurePrivateKey}; when the key is missing that Secrets in the store were signed with.
 */
export function programKey(path: string, { storage, secretTypes, log }: ProgramKeyOptions): Promise<Uint8Array> {
  return ensurePrivateKey(path, async () => {
    if (secretTypes !== undefined) {
      const type = await storedSecretType(storage, secretTypes);
      if (type !== undefined) throw new PKIError(missingKeyMessage(path, type, `head -c ${PRIVATE_KEY_BYTES} /dev/urandom > ${path}`));
      return;
    }
    const { current } = await storage.revisions();
    if (current === INITIAL_REVISION) return;
    const message =
      "a private key was made beside a store that is not new: if there was one, restore it, for what was signed with it is not believed";
    log.warn({ path }, message);
  });
}
