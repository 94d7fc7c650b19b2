import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStorage } from "@annex/apiserver";
import { PKIError } from "@annex/apiserver-node";
import { bytesOf, storageKey } from "@annex/testing";
import { afterEach, beforeEach, expect, test } from "vitest";
import { programKey } from "./program-key.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "program-key-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const ignore = () => undefined;
const silent = { error: ignore, info: ignore, debug: ignore, warn: ignore };

function storedSecret(name: string, type: string): Uint8Array {
  return bytesOf(`hash\n${JSON.stringify({ kind: "Secret", apiVersion: "v1", metadata: { name, namespace: "default" }, type })}`);
}

test("a key is not made anew beside what was signed with it", async () => {
  const path = join(folder, "own.key");
  await using storage = memoryStorage();
  const options = { storage, secretTypes: ["example.com/a", "example.com/b"], log: silent };
  const key = await programKey(path, options);
  for (let n = 0; n < 1_500; n++) await storage.put(storageKey(`/core/secrets/default/${n}`), storedSecret(`${n}`, "Opaque"), 0);
  await rm(path);
  const other = await programKey(path, options);
  expect(other).not.toEqual(key);
  await storage.put(storageKey("/core/secrets/default/x"), storedSecret("x", "example.com/b"), 0);
  expect(await programKey(path, options)).toEqual(other);
  await rm(path);
  const error = await programKey(path, options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(PKIError);
  expect(error).toHaveProperty("message", expect.stringMatching(new RegExp(`^${path} is missing, .*example\\.com/b[^\n]*backup[^\n]* > ${path}$`)));
  expect(await readdir(folder)).toEqual([]);
  await writeFile(path, new Uint8Array(32).fill(7));
  expect([...(await programKey(path, options))]).toEqual(Array.from({ length: 32 }, () => 7));
});

test("where nobody knows what was signed, a key made beside a store that is in use is told of in the log, once", async () => {
  const path = join(folder, "own.key");
  const warnings: unknown[] = [];
  const log = { ...silent, warn: (fields: object, message: string) => void warnings.push([fields, message]) };
  await using storage = memoryStorage();
  const options = { storage, secretTypes: undefined, log };
  const key = await programKey(path, options);
  await storage.put(storageKey("/a"), new Uint8Array(1), 0);
  expect(await programKey(path, options)).toEqual(key);
  expect(warnings).toEqual([]);
  await rm(path);
  const other = await programKey(path, options);
  expect(other).not.toEqual(key);
  expect(await programKey(path, options)).toEqual(other);
  expect(warnings).toEqual([[{ path }, expect.stringContaining("restore it")]]);
});
