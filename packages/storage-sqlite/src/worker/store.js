import { checkedRow, checksumOf, DamagedRow, valueOf } from "./rows.js";
import { metaChecksum } from "./schema.js";
import { readMeta } from "./verify.js";

/** @import { DatabaseSyncInstance as DatabaseSync } from "@photostructure/sqlite" */
/** @import { LogEvent, Replies, Row, Write, WriteResult } from "./protocol.ts" */
/** @import { Meta } from "./schema.js" */

/** How much of the log one answer carries at most (one event may be larger), and how many rows are looked at for it. */
const EVENTS_PER_REPLY = 500;
const ROWS_PER_REPLY = 5_000;
const BYTES_PER_REPLY = 8 * 1024 * 1024;
/** How many events one purge forgets: some milliseconds, so that writes wait no longer than that. */
const EVENTS_PER_PURGE = 500;

/** What the contract calls a key. */
const STORABLE_KEY = /^[\x20-\x7e]{1,1024}$/;

const LOG_COLUMNS = "l.revision, l.key, l.previous, l.checksum, l.value";

/** The tables of an open database: what the requests ask is done here, each in one go. */
export class Store {
  /** @type {Meta} */
  #meta;
  #database;
  #statements;

  /** @param {DatabaseSync} database */
  constructor(database) {
    this.#database = database;
    this.#meta = readMeta(database);
    this.#statements = {
      row: database.prepare("SELECT * FROM log WHERE revision = ?"),
      at: database.prepare("SELECT key, revision FROM objects WHERE key = ?"),
      log: database.prepare("INSERT INTO log VALUES (?, ?, ?, ?, ?)"),
      place: database.prepare("INSERT INTO objects VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET revision = excluded.revision"),
      remove: database.prepare("DELETE FROM objects WHERE key = ?"),
      meta: database.prepare("UPDATE meta SET current = ?, compacted = ?, purged = ?, live = ?, checksum = ? WHERE id = 1"),
      list: database.prepare(`SELECT o.key AS name, o.revision AS at, ${LOG_COLUMNS}
        FROM objects o LEFT JOIN log l ON l.revision = o.revision WHERE o.key >= ? ORDER BY o.key`),
      events: database.prepare("SELECT * FROM log WHERE revision > ? ORDER BY revision LIMIT ?"),
      purgeReplaced: database.prepare(`DELETE FROM log WHERE revision IN
        (SELECT previous FROM log WHERE revision > ? AND revision <= ? AND previous != 0)`),
      purgeDeletes: database.prepare("DELETE FROM log WHERE revision > ? AND revision <= ? AND value IS NULL"),
    };
  }

  get meta() {
    return this.#meta;
  }

  /**
   * Does all the writes in one transaction, each judged by itself. When this returns they are on the disk.
   *
   * @param {readonly Write[]} writes
   * @returns {readonly WriteResult[]}
   */
  commit(writes) {
    return this.#transaction((meta) => writes.map((write) => this.#write(meta, write)));
  }

  /**
   * @param {string} key
   * @returns {Row | undefined}
   */
  get(key) {
    const at = this.#at(key);
    return at === 0 ? undefined : valueOf(key, this.#row(at));
  }

  /**
   * @param {string} prefix
   * @param {string} start
   * @param {number} limit
   * @returns {Replies["list"]}
   */
  list(prefix, start, limit) {
    const rows = [];
    const from = start > prefix ? start : prefix;
    for (const row of this.#statements.list.iterate(from)) {
      const name = String(row.name);
      // The binding cuts text at a NUL, and "the key after this one" is this one and a NUL.
      if (name < from) continue;
      if (!name.startsWith(prefix)) break;
      if (rows.length >= limit) return { rows, revision: this.#meta.current, more: true };
      rows.push(valueOf(name, row.revision === null ? undefined : checkedRow(row)));
    }
    return { rows, revision: this.#meta.current, more: false };
  }

  /**
   * @param {number} after
   * @param {string} prefix
   * @returns {Replies["events"]}
   */
  events(after, prefix) {
    const { compacted, current } = this.#meta;
    if (after < compacted) return { events: [], revision: current, compacted };
    /** @type {LogEvent[]} */
    const events = [];
    let bytes = 0;
    let seen = 0;
    for (const found of this.#statements.events.iterate(after, ROWS_PER_REPLY)) {
      const row = checkedRow(found);
      seen += 1;
      if (row.key.startsWith(prefix)) {
        const previous = row.previous === 0 ? undefined : valueOf(row.key, this.#row(row.previous));
        events.push({ key: row.key, revision: row.revision, value: row.value ?? undefined, previous });
        bytes += (row.value?.byteLength ?? 0) + (previous?.value.byteLength ?? 0);
      }
      if (events.length >= EVENTS_PER_REPLY || bytes >= BYTES_PER_REPLY || seen >= ROWS_PER_REPLY) {
        return { events, revision: row.revision, compacted: undefined };
      }
    }
    return { events, revision: current, compacted: undefined };
  }

  /**
   * From now on the history up to this revision is not served; `purge` then frees its space bit by bit.
   *
   * @param {number} revision
   * @returns {Replies["compact"]}
   */
  compact(revision) {
    const compacted = Math.min(revision, this.#meta.current);
    if (compacted > this.#meta.compacted) {
      this.#transaction((meta) => {
        meta.compacted = compacted;
      });
    }
    return { compacted: this.#meta.compacted };
  }

  /** @returns {Replies["purge"]} */
  purge() {
    const { purged, compacted } = this.#meta;
    const until = Math.min(compacted, purged + EVENTS_PER_PURGE);
    if (until > purged) {
      this.#transaction((meta) => {
        this.#statements.purgeReplaced.run(purged, until);
        this.#statements.purgeDeletes.run(purged, until);
        meta.purged = until;
      });
    }
    return { isDone: until === compacted };
  }

  /**
   * @param {Meta} meta
   * @param {Write} write
   * @returns {WriteResult}
   */
  #write(meta, write) {
    const { key, expected } = write;
    const at = this.#at(key);
    /** @type {Row | undefined} */
    let previous;
    try {
      previous = at === 0 ? undefined : valueOf(key, this.#row(at));
    } catch (error) {
      // One damaged value must not fail the writes that share its transaction.
      if (error instanceof DamagedRow) return { type: "failed", message: error.message };
      throw error;
    }
    if (at !== expected || (write.type === "delete" && at === 0)) return { type: "conflict", current: previous };
    if (!STORABLE_KEY.test(key)) return { type: "failed", message: "a key is printable ASCII, at most 1,024 characters" };
    const revision = meta.current + 1;
    const value = write.type === "put" ? write.value : null;
    this.#statements.log.run(revision, key, at, checksumOf(revision, at, key, value), value);
    if (value === null) this.#statements.remove.run(key);
    else this.#statements.place.run(key, revision);
    meta.current = revision;
    meta.live += value === null ? -1 : at === 0 ? 1 : 0;
    return { type: "done", revision, previous };
  }

  /**
   * The revision that a key is at, 0 where it is absent.
   *
   * @param {string} key
   */
  #at(key) {
    const row = this.#statements.at.get(key);
    // The binding cuts text at a NUL and replaces lone surrogates: what it finds may be another key.
    return row?.key === key ? Number(row.revision) : 0;
  }

  /** @param {number} revision */
  #row(revision) {
    const row = this.#statements.row.get(revision);
    return row === undefined ? undefined : checkedRow(row);
  }

  /**
   * @template T
   * @param {(meta: Meta) => T} body changes the meta that it is given, which then is the store's.
   * @returns {T}
   */
  #transaction(body) {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const meta = { ...this.#meta };
      const result = body(meta);
      this.#statements.meta.run(meta.current, meta.compacted, meta.purged, meta.live, metaChecksum(meta));
      this.#database.exec("COMMIT");
      this.#meta = meta;
      return result;
    } catch (error) {
      // After some errors (a full disk) SQLite has rolled back already.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}
