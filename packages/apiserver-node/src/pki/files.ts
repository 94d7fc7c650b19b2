import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { OperatorError } from "@annex/apiserver";
import { nodeErrorCode } from "../http/node-error.ts";

/** The data folder holds something this server did not write or can't use. The message is one line, for the terminal, and names the file. */
export class PKIError extends OperatorError {
  override readonly name = "PKIError";
}

/** Larger than any file of ours; what is larger is not ours. */
const MAX_FILE_BYTES = 1024 * 1024;

/** @throws {PKIError} if the folder can't be made. Mode 0700, whatever the umask leaves of it. */
export async function makePrivateFolder(path: string): Promise<void> {
  try {
    // One after the other: Node's `recursive` never ends where a file system (procfs) has no room for folders and says so by ENOENT.
    for (const folder of await missingFolders(resolve(path))) await mkdir(folder, { mode: 0o700 });
  } catch (error) {
    throw new PKIError(`can't make the folder ${path}: ${fileErrorReason(error)}`, { cause: error });
  }
}

/** The folders on the way that are not there, the outermost first. */
async function missingFolders(path: string): Promise<readonly string[]> {
  try {
    if ((await stat(path)).isDirectory()) return [];
  } catch (error) {
    if (nodeErrorCode(error) !== "ENOENT" || dirname(path) === path) throw error;
    return [...(await missingFolders(dirname(path))), path];
  }
  throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
}

/**
 * @returns the text, or undefined if there is no such file.
 * @throws {PKIError} if it is there and can't be read.
 */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > MAX_FILE_BYTES) throw new PKIError(`${path} is not a file of this server: it is larger than 1 MiB`);
    return bytes.toString("utf8");
  } catch (error) {
    if (nodeErrorCode(error) === "ENOENT") return undefined;
    if (error instanceof PKIError) throw error;
    throw new PKIError(`can't read ${path}: ${fileErrorReason(error)}`, { cause: error });
  }
}

/**
 * Puts a file in place whole or not at all, also if the machine stops meanwhile: a temporary file, flushed, is renamed over it, and the
 * folder flushed after.
 *
 * @param mode 0600 for what holds a key.
 * @throws {PKIError} if it can't be written; then what was there before is untouched.
 */
export async function writeFileAtomically(path: string, text: string, mode: number): Promise<void> {
  await placeFile(path, text, mode, rename);
}

/**
 * As {@link writeFileAtomically} with mode 0600, but what somebody else put there meanwhile stays.
 *
 * @throws {PKIError} if it can't be written.
 */
export async function writeFileOnce(path: string, bytes: Uint8Array): Promise<void> {
  await placeFile(path, bytes, 0o600, async (temporary) => {
    await link(temporary, path).catch((error: unknown) => {
      if (nodeErrorCode(error) !== "EEXIST") throw error;
    });
  });
}

async function placeFile(
  path: string,
  content: string | Uint8Array,
  mode: number,
  place: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    await writeFlushed(temporary, content, mode);
    await place(temporary, path);
    await flushFolder(folder);
  } catch (error) {
    throw new PKIError(`can't write ${path}: ${fileErrorReason(error)}`, { cause: error });
  } finally {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}

async function writeFlushed(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, "wx", mode);
  try {
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function flushFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** What an error of the file system means, for people. */
export function fileErrorReason(error: unknown): string {
  switch (nodeErrorCode(error)) {
    case "ENOENT":
      return "there is no such file or folder";
    case "EACCES":
    case "EPERM":
      return "permission denied";
    case "ENOSPC":
      return "the disk is full";
    case "EROFS":
      return "the file system is read-only";
    case "ENOTDIR":
    case "EEXIST":
      return "a part of the path is not a folder";
    case "EISDIR":
      return "it is a folder";
    default:
      return nodeErrorCode(error) || "unknown error";
  }
}
