import { INITIAL_REVISION, type Logger, type Storage } from "@annex/apiserver";
import { ensurePrivateKey } from "@annex/apiserver-node";

/**
 * A private key of the program's, made if it is missing. One that is missing although the store was written to before has perhaps been lost, and with it what was signed: the log says so.
 *
 * @param path of its file.
 * @throws {PKIError} as {@link ensurePrivateKey}.
 */
export async function programKey(path: string, storage: Storage, log: Logger): Promise<Uint8Array> {
  const { current } = await storage.revisions();
  return ensurePrivateKey(path, () => {
    if (current === INITIAL_REVISION) return;
    log.warn(
      { path },
      "a private key was made beside a store that is not new: if there was one, restore it, for what was signed with it is not believed",
    );
  });
}
