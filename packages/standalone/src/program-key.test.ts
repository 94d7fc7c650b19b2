import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStorage } from "@annex/apiserver";
import { storageKey } from "@annex/testing";
import { expect, test } from "vitest";
import { programKey } from "./program-key.ts";

test("a key that has to be made anew beside a store that is in use is told of in the log, once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "program-key-"));
  try {
    const path = join(folder, "own.key");
    const warnings: unknown[] = [];
    const ignore = () => undefined;
    const log = { error: ignore, info: ignore, debug: ignore, warn: (fields: object, message: string) => void warnings.push([fields, message]) };
    await using storage = memoryStorage();
    const key = await programKey(path, storage, log);
    await storage.put(storageKey("/a"), new Uint8Array(1), 0);
    expect(await programKey(path, storage, log)).toEqual(key);
    expect(warnings).toEqual([]);
    await rm(path);
    const other = await programKey(path, storage, log);
    expect(other).not.toEqual(key);
    expect(await programKey(path, storage, log)).toEqual(other);
    expect(warnings).toEqual([[{ path }, expect.stringContaining("restore it")]]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
