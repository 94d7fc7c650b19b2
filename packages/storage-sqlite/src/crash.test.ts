import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { INITIAL_REVISION, type Storage } from "@annex/apiserver";
import { readUntil, textOf } from "@annex/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "./sqlite-storage.ts";
import { buildPackage, packageFolder } from "./testing/built-package.ts";

/** How often the writer is killed: `ANNEX_KILL_ROUNDS`. */
const ROUNDS = Number(process.env.ANNEX_KILL_ROUNDS ?? 10);

/** A server's writers without the server: 32 at once, each with keys of its own; a line on stdout for each acknowledgement. */
const WRITER = `
import { sqlite } from "@annex/storage-sqlite";
const [folder, round] = process.argv.slice(1);
const storage = await sqlite(folder).open();
console.log("ready");
const bytes = (text) => new TextEncoder().encode(text.padEnd(700, "."));
async function writer(index) {
  const revisions = new Map();
  for (let step = 0; ; step++) {
    const key = "/kill/" + round + "/" + index + "/" + (step % 5);
    const at = revisions.get(key) ?? 0;
    if (at !== 0 && step % 7 === 0) {
      const revision = await storage.delete(key, at);
      revisions.delete(key);
      console.log([key, revision, "deleted"].join(" "));
    } else {
      const revision = await storage.put(key, bytes(key + "#" + step), at);
      revisions.set(key, revision);
      console.log([key, revision, step].join(" "));
    }
    if (index === 0 && step % 20 === 19) await storage.compact(at);
  }
}
await Promise.all(Array.from({ length: 32 }, (_, index) => writer(index)));
`;

beforeAll(buildPackage, 60_000);

describe("kill -9 under load", () => {
  test(`loses nothing that was acknowledged, ${ROUNDS} times`, { timeout: 30_000 + ROUNDS * 5_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "annex-kill-"));
    let acknowledged = new Map<string, Acknowledgement>();
    let total = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const lines = await writeUntilKilled(folder, round);
      for (const line of lines) acknowledged.set(line.key, line);
      total += lines.length;
      const storage = await sqlite(folder).open();
      await expectAcknowledged(storage, acknowledged, lines);
      acknowledged = await statesOf(storage, acknowledged.keys());
      await storage[Symbol.asyncDispose]();
    }
    // Nothing is proven by a writer that never wrote.
    expect(total).toBeGreaterThan(ROUNDS * 20);
    await rm(folder, { recursive: true });
  });
});

interface Acknowledgement {
  readonly key: string;
  readonly revision: number;
  readonly content: string;
}

async function writeUntilKilled(folder: string, round: number): Promise<Acknowledgement[]> {
  const child = spawn(process.execPath, ["--input-type=module", "-e", WRITER, folder, String(round)], {
    cwd: packageFolder,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines: Acknowledgement[] = [];
  for await (const line of linesOf(child)) {
    if (line === "ready") setTimeout(() => child.kill("SIGKILL"), 20 + Math.random() * 200);
    else {
      const [key = "", revision, content = ""] = line.split(" ");
      lines.push({ key, revision: Number(revision), content });
    }
  }
  expect((await exited)[1]).toBe("SIGKILL");
  return lines;
}

/** Whole lines only: the kill may have cut the last one. */
async function* linesOf(child: ChildProcess): AsyncGenerator<string> {
  if (child.stdout === null) return;
  let last: string | undefined;
  let ended = "";
  child.stdout.on("data", (chunk: Buffer) => {
    ended = chunk.toString().slice(-1);
  });
  for await (const line of createInterface({ input: child.stdout })) {
    if (last !== undefined) yield last;
    last = line;
    if (line === "ready") {
      yield line;
      last = undefined;
    }
  }
  if (last !== undefined && ended === "\n") yield last;
}

async function expectAcknowledged(storage: Storage, all: ReadonlyMap<string, Acknowledgement>, round: readonly Acknowledgement[]): Promise<void> {
  const { current, compacted } = await storage.revisions();
  const { values } = await storage.list("/kill/");
  const stored = new Map(values.map((value) => [value.key as string, value]));
  const events =
    compacted === current ? [] : await readUntil(storage.watch({ prefix: "", after: compacted, signal: new AbortController().signal }), current);
  const byRevision = new Map(events.map((event) => [event.revision as number, event]));
  const newest = new Map(events.map((event) => [event.key as string, event]));
  expect(compacted).toBeGreaterThanOrEqual(INITIAL_REVISION);
  for (const { key, revision, content } of all.values()) {
    expect(current).toBeGreaterThanOrEqual(revision);
    const value = stored.get(key);
    // A later write of the same key may have happened without being acknowledged: then the log tells of it.
    if ((newest.get(key)?.revision ?? 0) > revision) continue;
    if (content === "deleted") expect(value, key).toBeUndefined();
    else expect([value?.revision, value && textOf(value.value).replace(/\.+$/, "")], key).toEqual([revision, `${key}#${content}`]);
  }
  for (const { key, revision, content } of round) {
    if (revision <= compacted) continue;
    const event = byRevision.get(revision);
    expect([event?.key, event?.type], `event ${revision}`).toEqual([key, content === "deleted" ? "delete" : "put"]);
  }
}

/** What every key is at now: from here on that is what must stay, also where the writer had not heard of it. */
async function statesOf(storage: Storage, keys: Iterable<string>): Promise<Map<string, Acknowledgement>> {
  const { values, revision } = await storage.list("/kill/");
  const states = new Map(Array.from(keys, (key) => [key, { key, revision: revision as number, content: "deleted" }]));
  for (const { key, value, revision: at } of values) {
    const content = textOf(value)
      .replace(/\.+$/, "")
      .slice(key.length + 1);
    states.set(key, { key, revision: at, content });
  }
  return states;
}
