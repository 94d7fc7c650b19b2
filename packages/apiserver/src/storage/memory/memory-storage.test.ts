import { describeStorage } from "@annex/testing";
import { expect, test } from "vitest";
import { INITIAL_REVISION, type StorageKey } from "../storage.ts";
import { memoryStorage } from "./memory-storage.ts";

describeStorage("memory", async () => {
  const storage = memoryStorage();
  return { storage, dispose: async () => await storage[Symbol.asyncDispose]() };
});

test.each([
  { limits: { maxHistoryEvents: 10 }, kept: 10 },
  { limits: { maxHistoryBytes: 50 }, kept: 5 },
  { limits: { maxHistoryBytes: 1 }, kept: 1 },
])("keeps no more history than $limits", async ({ limits, kept }) => {
  const storage = memoryStorage(limits);
  for (let index = 0; index < 1_000; index++) await storage.put(`/k/${index}` as StorageKey, new Uint8Array(10), 0); // plain ASCII
  expect(await storage.revisions()).toEqual({ current: INITIAL_REVISION + 1_000, compacted: INITIAL_REVISION + 1_000 - kept });
});
