import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "@photostructure/sqlite";
import { findWalDamage } from "./check-wal.js";
import { damaged, isCorrupt, isLocked, messageOf, Refusal } from "./refusal.js";
import { metaChecksum, SCHEMA } from "./schema.js";
import { verify } from "./verify.js";

/**
 * Opens the database of a folder for this process alone, making it if there is none. Before anything is written, everything in it is checked.
 *
 * @param {string} folder
 * @param {number} initialRevision where a new store begins.
 * @returns {{ database: InstanceType<typeof DatabaseSync>, release: () => void }} `release` lets others in; call it after the database is closed.
 */
export function openDatabaseFile(folder, initialRevision) {
  const lock = acquireLock(folder);
  try {
    const path = join(folder, "annex.db");
    if (!existsSync(path)) createDatabase(folder, path, initialRevision);
    checkDatabase(folder, path);
    markMade(folder);
    return { database: openForWriting(path), release: () => lock.close() };
  } catch (error) {
    lock.close();
    if (error instanceof Refusal) throw error;
    if (isCorrupt(error)) throw damaged(folder, messageOf(error));
    throw inaccessible(folder, error);
  }
}

/**
 * A lock that ends with the process, however it ends: SQLite's own, on an empty file beside the database. A lock on the database itself
 * would come too late, for checking it first must not change it.
 *
 * @param {string} folder
 */
function acquireLock(folder) {
  try {
    makeFolder(folder);
    const lock = new DatabaseSync(join(folder, "annex.lock"));
    try {
      lock.exec("PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return lock;
    } catch (error) {
      lock.close();
      throw error;
    }
  } catch (error) {
    if (isLocked(error)) throw new Refusal("InUse", `the store in ${folder} is in use by another process`);
    throw inaccessible(folder, error);
  }
}

/**
 * Makes a folder and those above it, one after the other: Node's `recursive` never ends where a file system (procfs) has no room for folders and says so
 * by ENOENT.
 *
 * @param {string} folder absolute.
 */
function makeFolder(folder) {
  if (existsSync(folder)) return;
  if (dirname(folder) !== folder) makeFolder(dirname(folder));
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    // Another starter was faster.
    if (!existsSync(folder)) throw error;
  }
}

/**
 * @param {string} folder
 * @param {unknown} error
 */
function inaccessible(folder, error) {
  return new Refusal("Inaccessible", `the store in ${folder} cannot be opened: ${messageOf(error)}`);
}

/**
 * Makes the file whole under another name first: a file that has the right name and is empty or half is then always damage.
 *
 * @param {string} folder
 * @param {string} path
 * @param {number} initialRevision
 */
function createDatabase(folder, path, initialRevision) {
  const remains = readdirSync(folder).filter((name) => name.startsWith("annex.db"));
  if (remains.some((name) => name === "annex.db-wal")) throw damaged(folder, "annex.db is missing beside its write-ahead log");
  if (existsSync(markPath(folder))) throw damaged(folder, "annex.db is missing: restore it, or remove the folder to begin anew");
  for (const name of remains) rmSync(join(folder, name));
  const fresh = join(folder, "annex.db.new");
  closeSync(openSync(fresh, "wx", 0o600));
  const database = new DatabaseSync(fresh);
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN");
  database.exec(SCHEMA);
  const meta = { current: initialRevision, compacted: initialRevision, purged: initialRevision, live: 0 };
  database.prepare("INSERT INTO meta VALUES (1, ?, ?, ?, ?, ?)").run(meta.current, meta.compacted, meta.purged, meta.live, metaChecksum(meta));
  database.exec("COMMIT");
  database.close();
  linkSync(fresh, path);
  rmSync(fresh);
  flushFolder(folder);
}

/**
 * What says that a folder has held a store: a file that somebody removed is not to be made anew as if there had been none. The lock cannot say it, for it is there before.
 *
 * @param {string} folder
 */
function markPath(folder) {
  return join(folder, "annex.made");
}

/** @param {string} folder */
function markMade(folder) {
  if (existsSync(markPath(folder))) return;
  closeSync(openSync(markPath(folder), "w", 0o600));
  flushFolder(folder);
}

/**
 * Reads everything without a chance to write: neither of the files is touched, also when they turn out to be damaged.
 *
 * @param {string} folder
 * @param {string} path
 */
function checkDatabase(folder, path) {
  const walDamage = findWalDamage(`${path}-wal`);
  if (walDamage !== undefined) throw damaged(folder, walDamage);
  const hasLog = (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
  if (statSync(path).size === 0) throw damaged(folder, "annex.db is empty");
  // With a log its index must be made in shared memory, which is a file; the lock is ours, so it can go again.
  const location = hasLog ? path : `file:${encodeURI(path).replaceAll("?", "%3f").replaceAll("#", "%23")}?immutable=1`;
  const database = new DatabaseSync(location, { readOnly: true });
  try {
    verify(database, folder);
  } finally {
    database.close();
    if (hasLog) rmSync(`${path}-shm`, { force: true });
  }
}

/** @param {string} path */
function openForWriting(path) {
  const database = new DatabaseSync(path);
  // EXCLUSIVE keeps the index of the log in memory: no shared-memory file, which would kill the process on a full disk (SIGBUS).
  // cell_size_check and a bounded log; FULL flushes at every commit and not only at checkpoints.
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cell_size_check = ON");
  database.exec("PRAGMA wal_autocheckpoint = 1000; PRAGMA journal_size_limit = 16777216; PRAGMA cache_size = -16000");
  const { synchronous } = /** @type {{ synchronous: number }} */ (database.prepare("PRAGMA synchronous").get()); // what the pragma gives
  const { journal_mode: mode } = /** @type {{ journal_mode: string }} */ (database.prepare("PRAGMA journal_mode").get()); // likewise
  if (synchronous !== 2 || mode !== "wal") throw new Error(`SQLite refused the write-ahead log (${mode}, synchronous ${synchronous})`);
  return database;
}

/**
 * Makes the names in a folder durable (on Windows, where folders cannot be opened, the file system does).
 *
 * @param {string} folder
 */
export function flushFolder(folder) {
  if (process.platform === "win32") return;
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
