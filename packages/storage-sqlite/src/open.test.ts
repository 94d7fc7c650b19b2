import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { INITIAL_REVISION } from "@annex/apiserver";
import { bytesOf, storageKey } from "@annex/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sqlite } from "./sqlite-storage.ts";
import { buildPackage, packageFolder } from "./testing/built-package.ts";

const run = promisify(execFile);
let root = "";

beforeAll(async () => {
  await buildPackage();
  root = await mkdtemp(join(tmpdir(), "annex-open-"));
}, 60_000);

afterAll(async () => await rm(root, { recursive: true, force: true }));

describe("opening", () => {
  test("makes the folder, for this user alone, with four files at most while open and three when closed", async () => {
    const folder = join(root, "deep", "new");
    const storage = await sqlite(folder).open();
    await storage.put(storageKey("/a"), bytesOf("x"), 0);
    expect((await readdir(folder)).sort()).toEqual(["annex.db", "annex.db-wal", "annex.lock", "annex.made"]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "annex.db"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(folder, "annex.db-wal"))).mode & 0o777).toBe(0o600);
    await storage[Symbol.asyncDispose]();
    expect((await readdir(folder)).sort()).toEqual(["annex.db", "annex.lock", "annex.made"]);
  });

  test("works in a folder whose name is full of what means something elsewhere", async () => {
    const folder = join(root, "a b?c#d%41'\"ü&immutable=0");
    const key = storageKey("/a");
    for (const expected of [undefined, "x"]) {
      const storage = await sqlite(folder).open();
      const value = await storage.get(key);
      expect(value && Buffer.from(value.value).toString()).toBe(expected);
      if (value === undefined) await storage.put(key, bytesOf("x"), 0);
      await storage[Symbol.asyncDispose]();
    }
    expect(await readdir(folder)).toContain("annex.db");
  });

  test("refuses a second opener in this process and in another, and lets the next one in after close", async () => {
    const folder = join(root, "once");
    const storage = await sqlite(folder).open();
    const sentence = `the store in ${folder} is in use by another process`;
    await expect(sqlite(folder).open()).rejects.toMatchObject({ name: "OpenStoreError", code: "InUse", message: sentence });
    const code = `import { sqlite } from "@annex/storage-sqlite"; await sqlite(process.argv[1]).open().catch((error) => console.log(error.code, error.message));`;
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code, folder], { cwd: packageFolder });
    expect(stdout.trim()).toBe(`InUse ${sentence}`);
    // The refused ones must not have loosened the lock of the first.
    await expect(sqlite(folder).open()).rejects.toMatchObject({ code: "InUse" });
    await storage.put(storageKey("/a"), bytesOf("x"), 0);
    await storage[Symbol.asyncDispose]();
    const again = await sqlite(folder).open();
    expect((await again.list("")).values).toHaveLength(1);
    await again[Symbol.asyncDispose]();
  });

  test("of ten that start at once on a new folder exactly one opens it", async () => {
    const folder = join(root, "race");
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => sqlite(folder).open()));
    const opened = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    for (const result of results) if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "InUse" });
    expect(opened).toHaveLength(1);
    await Promise.all(opened.map(async (storage) => await storage[Symbol.asyncDispose]()));
  });

  test("a folder that cannot be made or written is one sentence", async () => {
    const file = join(root, "file");
    await writeFile(file, "");
    const message = `the store in ${join(file, "data")} cannot be opened: `;
    await expect(sqlite(join(file, "data")).open()).rejects.toMatchObject({
      code: "Inaccessible",
      message: expect.stringMatching(`^${message}[^\n]+$`),
    });
  });

  test.skipIf(process.getuid?.() === 0)("a folder without permission is one sentence", async () => {
    const folder = join(root, "forbidden");
    await mkdir(folder, { mode: 0o500 });
    await expect(sqlite(folder).open()).rejects.toMatchObject({ code: "Inaccessible" });
    await chmod(folder, 0o700);
  });

  test("another program's file is refused", async () => {
    const folder = join(root, "foreign");
    await mkdir(folder);
    await writeFile(join(folder, "annex.db"), "this is a text, and a long one: ".repeat(400));
    await expect(sqlite(folder).open()).rejects.toMatchObject({ name: "OpenStoreError", code: "Damaged" });
  });

  test("a database that was removed after a clean stop is not made anew; with the folder gone, or made by an older version, it begins as ever", async () => {
    const folder = join(root, "removed");
    await (await sqlite(folder).open())[Symbol.asyncDispose]();
    await rename(join(folder, "annex.db"), join(root, "saved.db"));
    for (let attempt = 0; attempt < 2; attempt++) {
      const message = expect.stringMatching(/is damaged: annex\.db is missing: restore it, or remove the folder to begin anew$/);
      await expect(sqlite(folder).open()).rejects.toMatchObject({ code: "Damaged", message });
    }
    expect((await readdir(folder)).sort()).toEqual(["annex.lock", "annex.made"]);
    await rename(join(root, "saved.db"), join(folder, "annex.db"));
    await rm(join(folder, "annex.made"));
    await (await sqlite(folder).open())[Symbol.asyncDispose]();
    expect(await readdir(folder)).toContain("annex.made");
    await rm(folder, { recursive: true });
    await (await sqlite(folder).open())[Symbol.asyncDispose]();
  });

  test("a start that was cut off leaves nothing in the way", async () => {
    const folder = join(root, "cut");
    await mkdir(folder);
    await writeFile(join(folder, "annex.db.new"), "half");
    await writeFile(join(folder, "annex.db.new-wal"), "half");
    const storage = await sqlite(folder).open();
    expect(await storage.revisions()).toEqual({ current: INITIAL_REVISION, compacted: INITIAL_REVISION });
    await storage[Symbol.asyncDispose]();
  });
});

/** Prints what becomes of each write until stdin ends; the files may not grow beyond the limit of its shell. */
const FILLER = `
import { sqlite } from "@annex/storage-sqlite";
const storage = await sqlite(process.argv[1]).open();
let failures = 0;
for (let index = 0; failures < 3; index++) {
  try {
    console.log("ok", "/full/" + index, await storage.put("/full/" + index, new Uint8Array(200_000).fill(index), 0));
  } catch (error) {
    failures += 1;
    console.log("failed", error.name, error.code);
  }
}
await new Promise((resolve) => process.stdin.once("data", resolve));
console.log("ok", "/full/after", await storage.put("/full/after", new Uint8Array(200_000), 0));
const { values } = await storage.list("");
console.log("listed", values.map(({ key, revision }) => key + "@" + revision).join(","));
await storage[Symbol.asyncDispose]();
console.log("closed");
`;

describe.skipIf(process.platform !== "linux")("a full disk", () => {
  test("fails the write, keeps what was acknowledged, and is over once there is room", { timeout: 30_000 }, async () => {
    const folder = join(root, "full");
    await (await sqlite(folder).open())[Symbol.asyncDispose]();
    // A limit on the size of files fails a write as a full disk does, and needs no disk of our own.
    const child = spawn("bash", ["-c", `ulimit -S -f 6000; exec "$@"`, "bash", process.execPath, "--input-type=module", "-e", FILLER, folder], {
      cwd: packageFolder,
      stdio: ["pipe", "pipe", "inherit"],
    });
    const exited = once(child, "exit");
    let output = "";
    let isFull = false;
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (isFull || output.split("failed").length <= 3) continue;
      isFull = true;
      await run("prlimit", ["--pid", String(child.pid), "--fsize=unlimited"]);
      child.stdin.write("go\n");
      child.stdin.end();
    }
    expect((await exited)[0]).toBe(0);
    const lines = output.trim().split("\n");
    expect(lines.filter((line) => line.startsWith("failed"))).toEqual(Array(3).fill("failed StorageError Unavailable"));
    const acknowledged = lines.filter((line) => line.startsWith("ok ")).map((line) => line.slice(3).replace(" ", "@"));
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(
      lines
        .find((line) => line.startsWith("listed"))
        ?.slice(7)
        .split(",")
        .sort(),
    ).toEqual(acknowledged.toSorted());
    const storage = await sqlite(folder).open();
    expect((await storage.list("")).values.map(({ key, revision }) => `${key}@${revision}`).sort()).toEqual(acknowledged.toSorted());
    await storage[Symbol.asyncDispose]();
  });
});
