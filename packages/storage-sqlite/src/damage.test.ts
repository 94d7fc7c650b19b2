import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { INITIAL_REVISION, MAX_VALUE_BYTES, type Revision, type Storage } from "@annex/apiserver";
import { bytesOf, storageKey, textOf } from "@annex/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "./sqlite-storage.ts";
import { buildPackage, packageFolder } from "./testing/built-package.ts";

const run = promisify(execFile);
const DATABASE = "annex.db";
const LOG = "annex.db-wal";

/** Opens each folder it is given and prints what came of it. In a process of its own, for damage might end the process that reads it. */
const OPENER = `
import { sqlite } from "@annex/storage-sqlite";
const folders = process.argv.slice(1);
async function look(folder) {
  let storage;
  try {
    storage = await sqlite(folder).open();
  } catch (error) {
    return { folder, refused: error.code ?? "unknown", name: error.name, message: error.message };
  }
  const { values } = await storage.list("");
  const { current, compacted } = await storage.revisions();
  await storage[Symbol.asyncDispose]();
  return { folder, current, compacted, values: values.map(({ key, revision, value }) => [key, revision, Buffer.from(value).toString()]) };
}
const workers = Array.from({ length: 3 }, async () => {
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) console.log(JSON.stringify(await look(folder)));
});
await Promise.all(workers);
`;

interface Outcome {
  readonly folder: string;
  readonly refused?: string;
  readonly name?: string;
  readonly message?: string;
  readonly current?: number;
  readonly values?: readonly (readonly [string, number, string])[];
}

let root = "";
/** A store that was closed, and one that was killed with much of it in the write-ahead log. */
const closed = () => join(root, "closed");
const killed = () => join(root, "killed");
/** Everything ever written: `key@revision` to its text. */
const written = new Map<string, string>();
let expected: Outcome["values"] = [];
let newest = 0;

beforeAll(async () => {
  await buildPackage();
  root = await mkdtemp(join(tmpdir(), "annex-damage-"));
  const folder = join(root, "source");
  const storage = await sqlite(folder).open();
  await fill(storage, 0);
  await storage.compact((await storage.revisions()).current);
  await fill(storage, 1);
  // The files of an open store that is at rest are what a kill leaves.
  await image(folder, killed());
  const list = await storage.list("");
  expected = list.values.map(({ key, revision, value }) => [key, revision, textOf(value)]);
  newest = (await storage.revisions()).current;
  await storage[Symbol.asyncDispose]();
  await image(folder, closed());
}, 60_000);

afterAll(async () => await rm(root, { recursive: true, force: true }));

describe("a damaged store", () => {
  test("the images are whole before they are damaged", async () => {
    for (const source of [closed(), killed()]) {
      const [outcome] = await openEach([await variant(source, 9_999, DATABASE, (bytes) => bytes)]);
      expect(outcome).toMatchObject({ current: newest, values: expected });
    }
    expect((await readFile(join(killed(), LOG))).byteLength).toBeGreaterThan(100_000);
  });

  test("one flipped bit: refused and left alone, or everything is there", { timeout: 60_000 }, async () => {
    const random = generator(1);
    const folders = await many(100, closed(), DATABASE, (bytes) => flip(bytes, random));
    const refused = await expectWhole(folders, closed());
    expect(refused).toBeGreaterThan(50);
  });

  test("a file cut short: refused and left alone", { timeout: 60_000 }, async () => {
    const random = generator(2);
    const folders = await many(40, closed(), DATABASE, (bytes, index) => bytes.subarray(0, index === 0 ? 0 : random(bytes.byteLength)));
    expect(await expectWhole(folders, closed())).toBe(40);
  });

  test("one flipped bit in the write-ahead log: refused, or a state that once was", { timeout: 60_000 }, async () => {
    const random = generator(3);
    const folders = await many(40, killed(), LOG, (bytes) => flip(bytes, random));
    // Only the very last transaction looks like one that a power failure cut; its loss cannot be told from that.
    expect(await expectOnceTrue(folders, killed())).toBeGreaterThan(30);
  });

  test("a write-ahead log cut short: a state that once was", { timeout: 60_000 }, async () => {
    const random = generator(4);
    await expectOnceTrue(await many(20, killed(), LOG, (bytes) => bytes.subarray(0, random(bytes.byteLength))), killed());
  });

  test("a value that is damaged while the store is open is an error, and the others are served", async () => {
    const folder = join(root, "live");
    const storage = await sqlite(folder).open();
    // More than SQLite caches, so that the end of the first value, whose pages were written once, is read from the file.
    const values = Array.from({ length: 12 }, (_, index) => Buffer.alloc(MAX_VALUE_BYTES, `value ${index} `));
    for (const [index, value] of values.entries()) await storage.put(storageKey(`/live/${index}`), value, 0);
    const file = await open(join(folder, DATABASE), "r+");
    const at = (await readFile(join(folder, DATABASE))).lastIndexOf("value 0 value 0 ");
    expect(at).toBeGreaterThan(0);
    await file.write(Buffer.from("V"), 0, 1, at);
    await file.close();
    await expect(storage.get(storageKey("/live/0"))).rejects.toMatchObject({ name: "StorageError", code: "Unavailable" });
    const next = storage.put(storageKey("/live/next"), bytesOf("x"), 0);
    await expect(storage.put(storageKey("/live/0"), bytesOf("x"), INITIAL_REVISION)).rejects.toMatchObject({ code: "Unavailable" });
    expect((await storage.get(storageKey("/live/next")))?.revision).toBe(await next);
    expect((await storage.get(storageKey("/live/1")))?.value.every((byte, index) => byte === values[1]?.[index])).toBe(true);
    await storage[Symbol.asyncDispose]();
    await expect(sqlite(folder).open()).rejects.toMatchObject({ name: "OpenStoreError", code: "Damaged" });
  });

  test("a database that is gone beside its write-ahead log is refused", async () => {
    const folder = await variant(killed(), 9_998, DATABASE, (bytes) => bytes);
    await rm(join(folder, DATABASE));
    const [outcome] = await openEach([folder]);
    expect(outcome).toMatchObject({
      refused: "Damaged",
      name: "OpenStoreError",
      message: expect.stringContaining(`the store in ${folder} is damaged: `),
    });
    expect(await readdir(folder)).not.toContain(DATABASE);
  });
});

/** Two hundred writes: keys that are made, changed and deleted again. */
async function fill(storage: Storage, round: number): Promise<void> {
  const revisions = new Map<string, Revision>();
  for (let index = 0; index < 200; index++) {
    const key = `/damage/${round}/${index % 60}`;
    const at = revisions.get(key);
    if (at !== undefined && index % 11 === 0) {
      await storage.delete(storageKey(key), at);
      revisions.delete(key);
      continue;
    }
    const text = `${key} ${index} `.padEnd(600 + (index % 5) * 900, "x");
    const revision = await storage.put(storageKey(key), bytesOf(text), at ?? 0);
    revisions.set(key, revision);
    written.set(`${key}@${revision}`, text);
  }
}

async function image(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const name of await readdir(from)) await copyFile(join(from, name), join(to, name));
}

async function many(count: number, source: string, name: string, damage: (bytes: Buffer, index: number) => Buffer): Promise<string[]> {
  return await Promise.all(Array.from({ length: count }, (_, index) => variant(source, index, name, (bytes) => damage(bytes, index))));
}

async function variant(source: string, index: number, name: string, damage: (bytes: Buffer) => Buffer): Promise<string> {
  const folder = await mkdtemp(join(root, `v${index}-`));
  await rm(folder, { recursive: true });
  await image(source, folder);
  await writeFile(join(folder, name), damage(await readFile(join(source, name))));
  await copyFile(join(folder, DATABASE), `${folder}.${DATABASE}`);
  await copyFile(join(folder, LOG), `${folder}.${LOG}`).catch(() => undefined); // a store that was closed has none
  return folder;
}

async function openEach(folders: readonly string[]): Promise<Outcome[]> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", OPENER, ...folders], { cwd: packageFolder, maxBuffer: 1 << 30 });
  const outcomes = stdout.trim().split("\n");
  expect(outcomes).toHaveLength(folders.length);
  return outcomes.map((line) => JSON.parse(line) as Outcome); // what OPENER prints
}

/** Each is refused and untouched, or serves exactly what was written. Gives how many were refused. */
async function expectWhole(folders: readonly string[], source: string): Promise<number> {
  let refused = 0;
  for (const outcome of await openEach(folders)) {
    if (outcome.refused === undefined) expect(outcome).toMatchObject({ current: newest, values: expected });
    else refused += await expectRefused(outcome, source);
  }
  return refused;
}

/** Each is refused and untouched, or serves values that were written as they are served. Gives how many were refused or are complete. */
async function expectOnceTrue(folders: readonly string[], source: string): Promise<number> {
  let good = 0;
  for (const outcome of await openEach(folders)) {
    if (outcome.refused !== undefined) good += await expectRefused(outcome, source);
    else {
      for (const [key, revision, text] of outcome.values ?? []) expect(written.get(`${key}@${revision}`) === text, `${key}@${revision}`).toBe(true);
      if (outcome.current === newest) good += 1;
    }
  }
  return good;
}

async function expectRefused(outcome: Outcome, source: string): Promise<1> {
  expect(outcome).toMatchObject({ name: "OpenStoreError", refused: expect.stringMatching(/^(Damaged|Foreign)$/) });
  expect(outcome.message).toContain(outcome.folder);
  expect(outcome.message).not.toContain("\n");
  for (const name of [DATABASE, LOG]) {
    const before = await readFile(`${outcome.folder}.${name}`).catch(() => undefined);
    const after = await readFile(join(outcome.folder, name)).catch(() => undefined);
    expect(after === undefined ? before === undefined : before !== undefined && after.equals(before), `${name} is as it was`).toBe(true);
  }
  expect((await readdir(outcome.folder)).sort()).toEqual((await readdir(source)).sort());
  return 1;
}

function flip(bytes: Buffer, random: (below: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  const at = random(copy.byteLength);
  copy[at] = (copy[at] ?? 0) ^ (1 << random(8));
  return copy;
}

/** The same places every time, so that a failure can be looked at again. */
function generator(seed: number): (below: number) => number {
  let state = seed * 2_654_435_761;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
