import { damaged, Refusal } from "./refusal.js";
import { checkedRow, DamagedRow, valueOf } from "./rows.js";
import { APPLICATION_ID, metaChecksum, SCHEMA_VERSION } from "./schema.js";

/** @import { DatabaseSyncInstance as DatabaseSync } from "@photostructure/sqlite" */
/** @import { Meta } from "./schema.js" */

/**
 * Checks a database from end to end: its pages (SQLite's own check), the checksum of each row, and that the tables agree with each other.
 * It takes about as long as reading the file.
 *
 * @param {DatabaseSync} database opened for reading.
 * @param {string} folder for the sentence.
 * @throws {Refusal} `Damaged`, or `Foreign` when it is none of ours.
 */
export function verify(database, folder) {
  const header = number(database, "PRAGMA application_id");
  const version = number(database, "PRAGMA user_version");
  if (header !== APPLICATION_ID)
    throw new Refusal("Foreign", `the file annex.db in ${folder} is not a store of this program, or its header is damaged`);
  if (version !== SCHEMA_VERSION) {
    throw new Refusal("Foreign", `the store in ${folder} has version ${version}, this program reads version ${SCHEMA_VERSION}`);
  }
  const pages = database.prepare("PRAGMA quick_check(1)").get();
  if (pages?.quick_check !== "ok") throw damaged(folder, String(pages?.quick_check).replaceAll("\n", " "));
  try {
    verifyRows(database);
  } catch (error) {
    if (error instanceof DamagedRow) throw damaged(folder, error.message);
    throw error;
  }
}

/**
 * Reads the one row that says how far the store has come.
 *
 * @param {DatabaseSync} database
 * @returns {Meta}
 */
export function readMeta(database) {
  const row = database.prepare("SELECT * FROM meta WHERE id = 1").get();
  if (row === undefined) throw new DamagedRow("the row that says how far it has come is missing");
  const { checksum, ...meta } = /** @type {Meta & { id: number, checksum: number }} */ (/** @type {unknown} */ (row)); // a STRICT table
  if (metaChecksum(meta) !== checksum) throw new DamagedRow("the row that says how far it has come has a wrong checksum");
  return { current: meta.current, compacted: meta.compacted, purged: meta.purged, live: meta.live };
}

/** @param {DatabaseSync} database */
function verifyRows(database) {
  const meta = readMeta(database);
  let events = 0;
  let newest = 0;
  for (const row of database.prepare("SELECT * FROM log ORDER BY revision").iterate()) {
    const { revision } = checkedRow(row);
    newest = revision;
    if (revision > meta.purged) events += 1;
  }
  // Every write has a revision of its own, so that one which is missing shows.
  if (events !== meta.current - meta.purged || newest > meta.current) throw new DamagedRow("its history has gaps");
  let live = 0;
  for (const row of database
    .prepare(
      "SELECT o.key AS name, o.revision AS at, l.revision, l.key, l.previous, l.checksum, l.value FROM objects o LEFT JOIN log l ON l.revision = o.revision",
    )
    .iterate()) {
    live += 1;
    const name = String(row.name);
    if (row.revision === null) throw new DamagedRow(`the value of ${name} is missing`);
    valueOf(name, checkedRow(row));
  }
  if (live !== meta.live) throw new DamagedRow(`it has ${live} keys where ${meta.live} were written`);
  const lost = number(
    database,
    "SELECT count(*) FROM log e WHERE e.revision > (SELECT purged FROM meta) AND e.previous != 0 AND NOT EXISTS (SELECT 1 FROM log p WHERE p.revision = e.previous)",
  );
  if (lost !== 0) throw new DamagedRow("its history lacks values that were replaced");
}

/**
 * @param {DatabaseSync} database
 * @param {string} sql one that gives a single number.
 */
function number(database, sql) {
  return Number(Object.values(database.prepare(sql).get() ?? {})[0]);
}
