import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { PKIError } from "./pki/index.ts";
import { ensurePrivateKey } from "./private-key.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "private-key-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("makes a key once, for nobody else to read", async () => {
  const key = await ensurePrivateKey(join(folder, "token-mac.key"));
  expect(key).toHaveLength(32);
  expect(await ensurePrivateKey(join(folder, "token-mac.key"))).toEqual(key);
  expect(((await stat(join(folder, "token-mac.key"))).mode & 0o777).toString(8)).toBe("600");
  expect(await readdir(folder)).toEqual(["token-mac.key"]);
});

test("several that start at once agree on one key", async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => ensurePrivateKey(join(folder, "token-mac.key"))));
  expect(new Set(keys.map((key) => Buffer.from(key).toString("hex"))).size).toBe(1);
});

test.each([0, 31, 33])("never overwrites a file of %i bytes", async (length) => {
  const path = join(folder, "token-mac.key");
  await writeFile(path, new Uint8Array(length));
  await expect(ensurePrivateKey(join(folder, "token-mac.key"))).rejects.toThrow(PKIError);
  expect(await readFile(path)).toHaveLength(length);
});

test("says that it cannot write, without a stack", async () => {
  await expect(ensurePrivateKey(join(folder, "missing", "token-mac.key"))).rejects.toThrow(
    /^can't write .*token-mac\.key: there is no such file or folder$/,
  );
});
