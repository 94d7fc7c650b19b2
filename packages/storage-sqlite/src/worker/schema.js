import { crc32 } from "node:zlib";

/** Marks the file as ours ("annx"); the version of its tables. */
export const APPLICATION_ID = 0x616e6e78;
export const SCHEMA_VERSION = 1;

// The log holds each value once: `objects` says which row of it is a key's present one, and `previous` which one a change replaced.
// A row stays until the change that replaced it is compacted, so that every event can say what was there before.
export const SCHEMA = `
  CREATE TABLE log (
    revision INTEGER PRIMARY KEY, key TEXT NOT NULL, previous INTEGER NOT NULL, checksum INTEGER NOT NULL, value BLOB
  ) STRICT;
  CREATE TABLE objects (key TEXT PRIMARY KEY, revision INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE meta (
    id INTEGER PRIMARY KEY, current INTEGER NOT NULL, compacted INTEGER NOT NULL, purged INTEGER NOT NULL, live INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/**
 * The store as a whole. `live` counts the keys; the history up to `purged` is gone from the file, that up to `compacted` is no longer served.
 *
 * @typedef {{ current: number, compacted: number, purged: number, live: number }} Meta
 */

/** @param {Meta} meta */
export function metaChecksum({ current, compacted, purged, live }) {
  return crc32(`${current} ${compacted} ${purged} ${live}`);
}
